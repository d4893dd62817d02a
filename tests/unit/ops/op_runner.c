/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "op_runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 8 };

void
runner_open(op_runner* const runner, pz_queue* const queue, const uint32_t dtype,
            const runner_layout layout, const uint64_t seed)
{
  memset(runner, 0, sizeof(*runner));
  runner->queue = queue;
  runner->dtype = dtype;
  runner->layout = layout;
  runner->random = seed;
  pzi_ops_table_init_call(&runner->call, &runner->frame, queue, NULL);
}

void
runner_close(op_runner* const runner)
{
  runner_check(runner);
  free(runner->record);
}

/* ---- memory -------------------------------------------------------------------- */

/* Elements from the lowest to past the highest. */
static int64_t
lay_out(runner_tensor* const t, const runner_layout layout, const int32_t ndim,
        const int64_t* const shape)
{
  int64_t step = layout == SPACED ? 2 : 1;
  t->first = layout == PLAIN ? 0 : GUARD;
  for (int32_t k = ndim; k-- > 0;) {
    const bool swapped = layout == TRANSPOSED && ndim >= 2 && k >= ndim - 2;
    const int32_t i = swapped ? 2 * ndim - 3 - k : k;
    t->shape[i] = shape[i];
    t->strides[i] = step;
    step *= shape[i] > 0 ? shape[i] : 1;
    step += layout == PADDED && k == ndim - 1 ? 3 : 0;
    step += layout == SPACED && k == ndim - 1 ? 1 : 0;
    step += layout == RAGGED && k <= ndim - 2 ? 5 : 0;
  }
  const int64_t high = t->first + step;
  if (layout == REVERSED && ndim > 0) {
    for (int32_t i = 0; i<ndim; i += ndim> 1 ? ndim - 1 : 1) {
      t->first += (shape[i] > 0 ? shape[i] - 1 : 0) * t->strides[i];
      t->strides[i] = -t->strides[i];
    }
  }
  return high;
}

/* Place of element e in C order. */
static int64_t
place(const runner_tensor* const t, int64_t e)
{
  int64_t at = t->first;
  for (int32_t i = t->view.ndim; i-- > 0;) {
    at += e % t->shape[i] * t->strides[i];
    e /= t->shape[i];
  }
  return at;
}

static void
transfer(const op_runner* const runner, const runner_tensor* const t, double* const values,
         const bool up)
{
  const int64_t n = t->whole_shape[0];
  void* const host = calloc((size_t)n, 8);
  const pz_tensor view = pz_host_tensor(t->whole.dtype, host, 1, t->whole_shape);
  if (!up) {
    ck_assert_ok(pz_queue_download(runner->queue, &t->whole, &view));
  }
  for (int64_t k = 0; k < n; ++k) {
    if (up && t->whole.dtype == PZ_I64) {
      ((int64_t*)host)[k] = (int64_t)values[k];
    } else if (up) {
      test_put(t->whole.dtype, host, k, values[k]);
    } else {
      values[k] =
          t->whole.dtype == PZ_I64 ? (double)((int64_t*)host)[k] : test_at(t->whole.dtype, host, k);
    }
  }
  if (up) {
    ck_assert_ok(pz_queue_upload(runner->queue, &view, &t->whole));
  }
  free(host);
}

static runner_tensor*
add(op_runner* const runner, const uint32_t dtype, const runner_layout layout, const int32_t ndim,
    const int64_t* const shape)
{
  ck_assert_uint_lt(runner->n_tensors, RUNNER_TENSORS);
  runner_tensor* const t = &runner->tensors[runner->n_tensors++];
  memset(t, 0, sizeof(*t));
  t->whole_shape[0] = lay_out(t, layout, ndim, shape) + GUARD;
  t->whole = pz_host_tensor(dtype, NULL, 1, t->whole_shape);
  t->whole.device = runner->queue->device;
  ck_assert_ok(pzi_queue_alloc(runner->queue, (size_t)t->whole_shape[0] * pz_dtype_size(dtype),
                               &t->whole.data));
  t->view = t->whole;
  t->view.ndim = ndim;
  t->view.shape = t->shape;
  t->view.strides = layout == PLAIN || layout == OFFSET ? NULL : t->strides;
  t->view.byte_offset = (uint64_t)t->first * pz_dtype_size(dtype);

  t->before = calloc((size_t)t->whole_shape[0], sizeof(double));
  for (int64_t k = 0; k < t->whole_shape[0]; ++k) {
    t->before[k] = (double)(1000 + k);
  }
  return t;
}

static pz_tensor*
add_floats(op_runner* const runner, const int32_t ndim, const int64_t* const shape,
           const double* const values, const double other, const bool input)
{
  runner_tensor* const t = add(runner, runner->dtype, runner->layout, ndim, shape);
  t->input = input;
  for (int64_t k = 0; k < pz_count(&t->view); ++k) {
    t->before[place(t, k)] = values         ? (double)(float)values[k]
                             : isnan(other) ? other
                                            : (double)(float)test_normal(&runner->random);
  }
  transfer(runner, t, t->before, true);
  return &t->view;
}

pz_tensor*
runner_input(op_runner* const runner, const int32_t ndim, const int64_t* const shape,
             const double* const values)
{
  return add_floats(runner, ndim, shape, values, 0.0, true);
}

pz_tensor*
runner_inout(op_runner* const runner, const int32_t ndim, const int64_t* const shape,
             const double* const values)
{
  return add_floats(runner, ndim, shape, values, 0.0, false);
}

pz_tensor*
runner_output(op_runner* const runner, const int32_t ndim, const int64_t* const shape)
{
  return add_floats(runner, ndim, shape, NULL, (double)NAN, false);
}

pz_tensor*
runner_integers(op_runner* const runner, const int32_t ndim, const int64_t* const shape,
                const int64_t* const values)
{
  runner_tensor* const t = add(runner, PZ_I64, PLAIN, ndim, shape);
  t->input = values != NULL;
  for (int64_t k = 0; values && k < pz_count(&t->view); ++k) {
    t->before[place(t, k)] = (double)values[k];
  }
  transfer(runner, t, t->before, true);
  return &t->view;
}

/* ---- results ------------------------------------------------------------------- */

static const runner_tensor*
owner(const op_runner* const runner, const pz_tensor* const tensor)
{
  uint32_t k = 0;
  while (k < runner->n_tensors && &runner->tensors[k].view != tensor) {
    ++k;
  }
  ck_assert_uint_lt(k, runner->n_tensors);
  return &runner->tensors[k];
}

double*
runner_values(op_runner* const runner, const pz_tensor* const tensor)
{
  const runner_tensor* const t = owner(runner, tensor);
  const int64_t n = pz_count(tensor);
  double* const whole = calloc((size_t)t->whole_shape[0], sizeof(double));
  double* const values = calloc((size_t)n + 1, sizeof(double));
  transfer(runner, t, whole, false);
  for (int64_t k = 0; k < n; ++k) {
    values[k] = whole[place(t, k)];
  }
  free(whole);
  return values;
}

void
runner_keep_values(op_runner* const runner, const double* const values, const size_t n)
{
  ck_assert_uint_lt(runner->n_segments, RUNNER_SEGMENTS);
  runner->record = realloc(runner->record, (runner->n_record + n + 1) * sizeof(double));
  memcpy(runner->record + runner->n_record, values, n * sizeof(double));
  runner->n_record += n;
  runner->segment[++runner->n_segments] = runner->n_record;
}

void
runner_keep(op_runner* const runner, const pz_tensor* const tensor)
{
  double* const values = runner_values(runner, tensor);
  runner_keep_values(runner, values, (size_t)pz_count(tensor));
  free(values);
}

void
runner_check(op_runner* const runner)
{
  for (uint32_t i = 0; i < runner->n_tensors; ++i) {
    runner_tensor* const t = &runner->tensors[i];
    const int64_t n = t->whole_shape[0];
    double* const now = calloc((size_t)n, sizeof(double));
    transfer(runner, t, now, false);
    for (int64_t k = 0; k < pz_count(&t->view) && !t->input; ++k) {
      now[place(t, k)] = t->before[place(t, k)];
    }
    for (int64_t k = 0; k < n; ++k) {
      if (now[k] != t->before[k] && !isnan(t->before[k])) { /* an assertion each is slow */
        ck_abort_msg("tensor %u on %s: element %lld of memory changed from %g to %g", i,
                     runner->queue->name, (long long)k, t->before[k], now[k]);
      }
    }
    free(now);
    free(t->before);
    pzi_queue_free(runner->queue, t->whole.data);
  }
  runner->n_tensors = 0;
}

void
runner_compare(const op_runner* const found, const op_runner* const expected,
               const double tolerance, const char* const what)
{
  ck_assert_uint_eq(found->n_segments, expected->n_segments);
  const double allowed = tolerance * pz_dtype_epsilon(found->dtype);
  for (uint32_t s = 0; s < found->n_segments; ++s) {
    const size_t first = expected->segment[s];
    const size_t n = expected->segment[s + 1] - first;
    ck_assert_uint_eq(found->segment[s + 1] - found->segment[s], n);
    const double error =
        test_relative(PZ_F64, found->record + first, expected->record + first, (int64_t)n);
    ck_assert_msg(error <= allowed, "%s on %s, %s, layout %d, result %u: error %g, allowed %g",
                  what, found->queue->name, found->dtype == PZ_F32 ? "float32" : "float64",
                  (int)found->layout, s, error, allowed);
  }
}
