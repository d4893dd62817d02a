/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "trial.h"

#include "outcome.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ----------------------------------------------------------------------------- */

struct trial_block {
  trial_block* next;
  double numbers[];
};

static void*
take(trial* const t, const size_t bytes)
{
  trial_block* const block = calloc(1, sizeof(*block) + bytes + sizeof(double));
  if (!block) {
    outcome_breach("out of memory for %zu bytes", bytes);
  }
  block->next = t->blocks;
  t->blocks = block;
  return block->numbers;
}

double*
trial_numbers(trial* const t, const int64_t n)
{
  return take(t, (size_t)n * sizeof(double));
}

double*
trial_copy(trial* const t, const int64_t n, const double* const x)
{
  double* const out = trial_numbers(t, n);
  memcpy(out, x, (size_t)n * sizeof(double));
  return out;
}

pz_tensor
trial_host_tensor(trial* const t, const pz_spec* const spec, const double* const values)
{
  const int64_t n = pz_spec_count(spec);
  pz_spec* const kept = take(t, sizeof(*kept)); /* tensors refer to the shape */
  void* const data = take(t, (size_t)n * pz_dtype_size(spec->dtype));
  *kept = *spec;
  for (int64_t k = 0; values && k < n; ++k) {
    if (spec->dtype == PZ_F32) {
      ((float*)data)[k] = (float)values[k];
    } else if (spec->dtype == PZ_I64) {
      ((int64_t*)data)[k] = (int64_t)values[k];
    } else {
      ((double*)data)[k] = values[k];
    }
  }
  return pz_host_tensor(spec->dtype, data, kept->ndim, kept->shape);
}

double*
trial_numbers_of(trial* const t, const pz_tensor* const host)
{
  const int64_t n = pz_count(host);
  double* const out = trial_numbers(t, n);
  for (int64_t k = 0; k < n; ++k) {
    out[k] = host->dtype == PZ_F32   ? (double)((const float*)host->data)[k]
             : host->dtype == PZ_F64 ? ((const double*)host->data)[k]
                                     : (double)((const int64_t*)host->data)[k];
  }
  return out;
}

/* ---- random numbers: splitmix64, and Box and Muller's normal ones -------------------------- */

static uint64_t
next_word(trial* const t)
{
  uint64_t z = (t->random += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static double
next_normal(trial* const t)
{
  const double u = ((double)(next_word(t) >> 11) + 0.5) * 0x1p-53;
  const double v = (double)(next_word(t) >> 11) * 0x1p-53;
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

double*
trial_normal(trial* const t, const uint32_t dtype, const int64_t n, const double scale)
{
  double* const out = trial_numbers(t, n);
  for (int64_t k = 0; k < n; ++k) {
    const double x = scale * next_normal(t);
    out[k] = dtype == PZ_F32 ? (double)(float)x : x;
  }
  return out;
}

/* ---- opening ------------------------------------------------------------------------------ */

static void
tell_place(const trial* const t)
{
  char shape[128] = "";
  size_t used = 0;
  for (int32_t i = 0; i < t->given.ndim && used < sizeof(shape); ++i) {
    used += (size_t)snprintf(shape + used, sizeof(shape) - used, "%s%lld", i > 0 ? "x" : " ",
                             (long long)t->given.shape[i]);
  }
  (void)snprintf(outcome_now->at, sizeof(outcome_now->at), "%s, %s%s", t->text,
                 t->given.dtype == PZ_F32 ? "float32" : "float64", shape);
}

static void
describe(trial* const t)
{
  t->y = *pz_chain_value(t->chain);
  t->n_y = pz_spec_count(&t->y);
  t->n_buffers = pz_chain_count(t->chain, PZ_STATE_BUFFER);
  t->n_originals = pz_chain_count(t->chain, PZ_ORIGINAL);
  t->n_tensors = t->n_originals + pz_chain_count(t->chain, PZ_OWN_PARAMETER);
  if (t->n_tensors > TRIAL_TENSORS) {
    outcome_breach("found %u originals and own parameters, expected at most %d",
                   (unsigned)t->n_tensors, (int)TRIAL_TENSORS);
  }
  for (uint32_t k = 0; k < t->n_tensors; ++k) {
    pz_chain_tensor_info info = {.size = sizeof(info)};
    const bool original = k < t->n_originals;
    outcome_expect_ok(pz_chain_tensor(t->chain, original ? PZ_ORIGINAL : PZ_OWN_PARAMETER,
                                      original ? k : k - t->n_originals, &info),
                      "a tensor of the chain");
    t->spec[k] = info.spec;
    t->n_x += pz_spec_count(&info.spec);
  }
  for (uint32_t k = 0; k < t->n_buffers; ++k) {
    pz_chain_tensor_info info = {.size = sizeof(info)};
    outcome_expect_ok(pz_chain_tensor(t->chain, PZ_STATE_BUFFER, k, &info), "a buffer");
    t->n_b += pz_spec_count(&info.spec);
  }
  if (pz_chain_density(t->chain, &t->density) == PZ_OK) {
    t->has_density = true;
    t->n_density = pz_spec_count(&t->density);
  }
}

bool
trial_open(trial* const t, const bench* const b, const char* const text, const pz_spec* const given)
{
  *t = (trial){.bench = b, .text = text, .given = *given, .random = b->seed};
  tell_place(t);
  pz_context_seed(b->context, b->seed); /* a trial is the same alone and after others */
  const pz_status status =
      pz_chain_new(b->context, text, NULL, 0, PZ_FROM_TENSOR, given, 1, &t->chain);
  if (status != PZ_OK) {
    if ((status != PZ_MISMATCH && status != PZ_UNSUPPORTED) || pz_error_message()[0] == '\0') {
      outcome_breach("plan: found \"%s\" (%s), expected a shape that is not taken to be refused "
                     "with PZ_MISMATCH and a reason",
                     pz_status_text(status), pz_error_message());
    }
    return false;
  }
  outcome_expect_ok(pz_state_new(t->chain, b->queue, &t->state), "a state");
  outcome_expect_ok(pz_eval_new(t->chain, b->queue, &t->eval), "an evaluation");
  t->alone = pz_chain_length(t->chain) == 1;
  describe(t);
  double* const start = trial_normal(t, t->y.dtype, t->n_y, 1.0);
  const pz_tensor tensor = trial_host_tensor(t, &t->y, start);
  outcome_expect_ok(pz_eval_initialize(t->eval, t->state, 0, &tensor), "init");
  return true;
}

void
trial_close(trial* const t)
{
  pz_eval_free(t->eval);
  pz_state_free(t->state);
  pz_chain_free(t->chain);
  while (t->blocks) {
    trial_block* const next = t->blocks->next;
    free(t->blocks);
    t->blocks = next;
  }
  *t = (trial){0};
}

/* ---- tensors of the state -------------------------------------------------------------------- */

static pz_tensor
state_tensor(const trial* const t, const pz_role role, const uint32_t index)
{
  pz_tensor tensor;
  outcome_expect_ok(pz_state_tensor(t->state, role, index, &tensor), "a tensor of the state");
  return tensor;
}

static pz_tensor
trained(const trial* const t, const uint32_t k)
{
  return k < t->n_originals ? state_tensor(t, PZ_ORIGINAL, k)
                            : state_tensor(t, PZ_OWN_PARAMETER, k - t->n_originals);
}

double*
trial_download(trial* const t, const pz_tensor* const tensor)
{
  const pz_spec spec = pz_spec_of(tensor);
  const pz_tensor host = trial_host_tensor(t, &spec, NULL);
  outcome_expect_ok(pz_queue_download(t->bench->queue, tensor, &host), "a download");
  return trial_numbers_of(t, &host);
}

static void
upload(trial* const t, const double* const values, const pz_tensor* const tensor)
{
  const pz_spec spec = pz_spec_of(tensor);
  const pz_tensor host = trial_host_tensor(t, &spec, values);
  outcome_expect_ok(pz_queue_upload(t->bench->queue, &host, tensor), "an upload");
  pz_state_touch(t->state);
}

double*
trial_read(trial* const t)
{
  double* const x = trial_numbers(t, t->n_x);
  double* to = x;
  for (uint32_t k = 0; k < t->n_tensors; ++k) {
    const pz_tensor tensor = trained(t, k);
    const double* const values = trial_download(t, &tensor);
    memcpy(to, values, (size_t)pz_count(&tensor) * sizeof(double));
    to += pz_count(&tensor);
  }
  return x;
}

void
trial_write(trial* const t, const double* x)
{
  for (uint32_t k = 0; k < t->n_tensors; ++k) {
    const pz_tensor tensor = trained(t, k);
    upload(t, x, &tensor);
    x += pz_count(&tensor);
  }
}

double*
trial_read_buffers(trial* const t)
{
  double* const out = trial_numbers(t, t->n_b);
  double* to = out;
  for (uint32_t k = 0; k < t->n_buffers; ++k) {
    const pz_tensor tensor = state_tensor(t, PZ_STATE_BUFFER, k);
    const double* const values = trial_download(t, &tensor);
    memcpy(to, values, (size_t)pz_count(&tensor) * sizeof(double));
    to += pz_count(&tensor);
  }
  return out;
}

void
trial_write_buffers(trial* const t, const double* values)
{
  for (uint32_t k = 0; k < t->n_buffers; ++k) {
    const pz_tensor tensor = state_tensor(t, PZ_STATE_BUFFER, k);
    upload(t, values, &tensor);
    values += pz_count(&tensor);
  }
}

double*
trial_start(trial* const t)
{
  const pz_spec* const first = &t->spec[0];
  const int64_t n = first->ndim > 0 ? first->shape[first->ndim - 1] : 1;
  double* const x = trial_normal(t, first->dtype, t->n_x, 0.3 / sqrt((double)(n > 0 ? n : 1)));
  for (int64_t k = 0; k < t->n_x; ++k) {
    x[k] = fabs(x[k]) < 0x1p-10 ? 0x1p-10 : x[k];
  }
  trial_write(t, x);
  outcome_expect_ok(pz_eval_update(t->eval, t->state), "update"); /* it may move originals */
  trial_write(t, x);
  return x;
}

double
trial_unit(const trial* const t)
{
  const int64_t n = t->y.ndim > 0 ? t->y.shape[t->y.ndim - 1] : 1;
  return (double)(n > 0 ? n : 1) * pz_dtype_epsilon(t->y.dtype);
}
