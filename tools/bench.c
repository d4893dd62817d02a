/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* bench   the time of a chain on a device, compared with a lower bound

   The bound is the time that the device needs at least, the longer one of two: it moves every original
   and the value (with vjp also their gradients) once at the rate of a copy, and computes the
   products that the parametrizations need at the peak, the rate of one product of large matrices.
   Both rates are the best of this run, measured with two parametrizations defined here, in turns
   with the chain. Every line says which of the two bounds it. The report also has the ratio of vjp to
   forward. */

#include "bench.h"

#include "commands.h"
#include "say.h"

#include <parametrize/parametrize.h>
#include <parametrize/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- yardsticks -------------------------------------------------------------- */

static pz_status
copy_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_copy(c, x, y);
}

static pz_status
product_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_gemm(c, PZ_N, PZ_N, 1.0, x, x, 0.0, y);
}

static const pz_parametrization copy_parametrization = {
    .size = sizeof(copy_parametrization),
    .option_size = sizeof(pz_option),
    .id = "bench_copy",
    .summary = "A copy",
    .forward = copy_forward,
};

static const pz_parametrization product_parametrization = {
    .size = sizeof(product_parametrization),
    .option_size = sizeof(pz_option),
    .id = "bench_product",
    .summary = "A matrix times itself",
    .forward = product_forward,
};

static const pz_item yardsticks[] = {PZ_PARAMETRIZATION(&copy_parametrization),
                                     PZ_PARAMETRIZATION(&product_parametrization)};

static const pz_plugin yardstick = {
    .size = sizeof(yardstick),
    .item_size = sizeof(pz_item),
    .abi = PZ_ABI_INITIALIZER,
    .name = "bench",
    .version = "1.0.0",
    .items = yardsticks,
    .n_items = sizeof(yardsticks) / sizeof(yardsticks[0]),
};

/* Order of the product that shows the peak, unless the chain's is larger. */
enum { PEAK = 256 };

/* ---- a run ---------------------------------------------------------------------- */

static bool
good(const run* const r, const pz_status status)
{
  return status == PZ_OK || (say_library(r->a->chain, status), false);
}

static void
subject_close(subject* const s)
{
  pz_eval_free(s->eval);
  pz_state_free(s->state);
  pz_chain_free(s->chain);
}

static void
run_close(run* const r)
{
  pz_state_free(r->room);
  subject_close(&r->chain);
  subject_close(&r->copy);
  subject_close(&r->product);
  pz_queue_close(r->queue);
  pz_context_free(r->context);
  free(r->memory);
  free(r->gradients);
}

static pz_tensor
host_tensor(const pz_spec* const spec, void* const data)
{
  return (pz_tensor){
      .data = data,
      .device = {.type = PZ_DEVICE_CPU},
      .ndim = spec->ndim,
      .dtype = spec->dtype,
      .shape = (int64_t*)spec->shape,
  };
}

/* Numbers in [-1, 1) / sqrt(n), the same in every run. */
static void
fill(const run* const r, const int64_t count, void* const data)
{
  const double scale = 1.0 / sqrt((double)r->a->order);
  uint64_t bits = 1;
  for (int64_t k = 0; k < count; ++k) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    const double value = scale * ((double)(bits >> 11) * 0x1p-52 - 1.0);
    if (r->spec.dtype == PZ_F32) {
      ((float*)data)[k] = (float)value;
    } else {
      ((double*)data)[k] = value;
    }
  }
}

/* A chain for values of this spec, `memory` as the first of them. */
static bool
subject_open(const run* const r, const char* const text, const pz_spec* const value,
             void* const memory, subject* const s)
{
  const pz_tensor given = host_tensor(value, memory);
  if (!good(r, pz_chain_new(r->context, text, NULL, 0, PZ_FROM_TENSOR, value, 1, &s->chain)) ||
      !good(r, pz_state_new(s->chain, r->queue, &s->state)) ||
      !good(r, pz_eval_new(s->chain, r->queue, &s->eval))) {
    return false;
  }
  for (uint32_t k = 0; k < pz_chain_count(s->chain, PZ_ORIGINAL); ++k) {
    pz_tensor original;
    if (!good(r, pz_state_tensor(s->state, PZ_ORIGINAL, k, &original))) {
      return false;
    }
    const pz_spec spec = pz_spec_of(&original);
    const int64_t count = pz_spec_count(&spec);
    void* const data = malloc((size_t)count * pz_dtype_size(spec.dtype) + 1);
    if (data == NULL) {
      say_no_memory(NULL);
      return false;
    }
    fill(r, count, data);
    const pz_tensor host = host_tensor(&spec, data);
    const bool done = good(r, pz_queue_upload(r->queue, &host, &original));
    free(data);
    if (!done) {
      return false;
    }
  }
  pz_state_touch(s->state);
  return good(r, pz_eval_initialize(s->eval, s->state, 0, &given));
}

static bool
open_peak(run* const r)
{
  r->peak = (int64_t)r->a->order > PEAK ? (int64_t)r->a->order : PEAK;
  const pz_spec spec = pz_spec_make(r->spec.dtype, 2, (const int64_t[]){r->peak, r->peak});
  const size_t bytes = (size_t)(r->peak * r->peak) * pz_dtype_size(spec.dtype);
  void* const memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == NULL) {
    say_no_memory(NULL);
    return false;
  }
  fill(r, pz_spec_count(&spec), memory);
  const bool done = subject_open(r, "bench_product", &spec, memory, &r->product);
  free(memory);
  return done;
}

/* Places all gradients on the device of the chain, so that no transfers are timed. */
static bool
make_gradients(run* const r)
{
  const uint32_t n = pz_chain_count(r->chain.chain, PZ_ORIGINAL);
  const uint32_t all = n + pz_chain_count(r->chain.chain, PZ_OWN_PARAMETER);
  r->gradients = calloc(all, sizeof(*r->gradients));
  if (r->gradients == NULL) {
    say_no_memory(NULL);
    return false;
  }
  if (!good(r, pz_state_new(r->chain.chain, r->queue, &r->room)) ||
      !good(r, pz_state_tensor(r->copy.state, PZ_ORIGINAL, 0, &r->gradient))) {
    return false;
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (!good(r, pz_state_tensor(r->room, PZ_ORIGINAL, k, &r->gradients[k]))) {
      return false;
    }
    r->elements += pz_count(&r->gradients[k]);
    r->want |= UINT64_C(1) << k;
  }
  return true;
}

static bool
run_open(run* const r)
{
  const arguments* const a = r->a;
  const pz_context_settings settings = {
      .size = sizeof(settings), .flags = PZ_DEVICE_TENSORS, .seed = 1};
  const int64_t shape[3] = {(int64_t)(a->batch ? a->batch : 1), (int64_t)a->order,
                            (int64_t)a->order};
  r->spec = pz_spec_make(a->dtype ? a->dtype : PZ_F32, 3, shape);
  const double bytes =
      (double)shape[0] * (double)shape[1] * (double)shape[2] * (double)pz_dtype_size(r->spec.dtype);
  r->memory = bytes < 0x1p40 ? aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64) : NULL;
  if (r->memory == NULL) {
    say_no_memory(NULL);
    return false;
  }
  fill(r, pz_spec_count(&r->spec), r->memory);
  if (!good(r, pz_context_new(&settings, &r->context)) ||
      !good(r, pz_context_add_plugin(r->context, &yardstick))) {
    return false;
  }
  const pz_status status = pz_queue_open(r->context, a->device, NULL, &r->queue);
  if (status != PZ_OK) {
    say_library(a->device ? a->device : "device", status);
    return false;
  }
  return subject_open(r, a->chain, &r->spec, r->memory, &r->chain) &&
         subject_open(r, "bench_copy", &r->spec, r->memory, &r->copy) && open_peak(r) &&
         make_gradients(r);
}

/* ---- timing ---------------------------------------------------------------------- */

static double
seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs measurement `what`, `repeat` times. */
static bool
repeat_one(run* const r, const int what, const int64_t repeat)
{
  subject* const s = what == COPY ? &r->copy : what == PRODUCT ? &r->product : &r->chain;
  const uint32_t flags = what == BOTH ? (uint32_t)PZ_CALL_SAVING : 0;
  for (int64_t k = 0; k < repeat; ++k) {
    pz_state_touch(s->state);
    if (!good(r, pz_eval_forward(s->eval, s->state, flags, NULL, NULL)) ||
        (what == BOTH &&
         !good(r, pz_eval_vjp(s->eval, s->state, &r->gradient, 1, r->want, false, r->gradients)))) {
      return false;
    }
  }
  return good(r, pz_queue_synchronize(r->queue));
}

static int
compare(const void* const a, const void* const b)
{
  const double x = *(const double*)a;
  const double y = *(const double*)b;
  return (x > y) - (x < y);
}

/* Measures everything in turns, each repeated for some milliseconds, and sorts the times. */
static bool
measure(run* const r)
{
  int64_t repeat[MEASURED];
  for (int what = 0; what < MEASURED; ++what) {
    double spent = 0.0;
    for (repeat[what] = 1;; repeat[what] *= 2) {
      const double start = seconds();
      if (!repeat_one(r, what, repeat[what])) {
        return false;
      }
      spent = seconds() - start;
      if (spent > 0.005) {
        break;
      }
    }
  }
  for (int round = 0; round < ROUNDS; ++round) {
    (void)say_progress("round %d of %d", round + 1, (int)ROUNDS);
    for (int what = 0; what < MEASURED; ++what) {
      const double start = seconds();
      if (!repeat_one(r, what, repeat[what])) {
        return false;
      }
      r->times[what][round] = (seconds() - start) / (double)repeat[what];
    }
  }
  (void)say_progress(NULL);
  for (int what = 0; what < MEASURED; ++what) {
    qsort(r->times[what], ROUNDS, sizeof(double), compare);
  }
  return true;
}

int
run_bench(const arguments* const a)
{
  run r = {.a = a};
  const bool done = run_open(&r) && measure(&r);
  if (done && a->json) {
    bench_report_json(&r);
  } else if (done) {
    bench_report(&r);
  }
  run_close(&r);
  return done ? EXIT_GOOD : EXIT_ERROR;
}
