/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* bench   the time of a chain on a device, compared with a lower bound

   The bound is the time that the device needs at least, the longer one of two: it moves every original
   and the value (with vjp also their gradients) once at the rate of a copy, and computes the
   products that the parametrizations need at the peak, the rate of one product of large matrices.
   Both rates are the best of this run, measured with two parametrizations defined here, in turns
   with the chain. Every line says which of the two bounds it. The report also has the ratio of vjp to
   forward. */

#include "commands.h"
#include "json.h"
#include "print.h"
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

/* The necessary products of order n, each of 2 n^3 operations. For `matrix_exp` those of the
   polynomial that the numbers below need in float32, or in float64, where it has the degree for one more
   product; each is reversed by two. */
static const struct {
  const char* id;
  double forward;
  double vjp;
  double more; /* forward, in float64 */
} costs[] = {{"skew", 0, 0, 0}, {"symmetric", 0, 0, 0}, {"pruning", 0, 0, 0},   {"cayley", 1, 2, 0},
             {"view", 0, 0, 0}, {"back", 0, 0, 0},      {"matrix_exp", 4, 8, 1}};

enum {
  CLOSED = 3, /* orders up to this have closed forms, which need no products */
  PEAK = 256, /* order of the product that shows the peak, unless the chain's is larger */
};

/* ---- a run ---------------------------------------------------------------------- */

enum { FORWARD, BOTH, COPY, PRODUCT, MEASURED };
enum { ROUNDS = 15 };

/* A chain with its state and evaluation. All zero bytes: nothing is open. */
typedef struct subject {
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
} subject;

typedef struct run {
  const arguments* a;
  pz_context* context;
  pz_queue* queue;
  pz_spec spec;
  subject chain;
  subject copy;
  subject product;
  void* memory;         /* random numbers of the spec */
  pz_state* room;       /* a second state of the chain; its originals are memory for gradients */
  pz_tensor gradient;   /* of the value; stored in the original of `copy` */
  pz_tensor* gradients; /* of originals; empty for own parameters */
  uint64_t want;
  int64_t elements; /* of all originals */
  int64_t peak;     /* order of the product that shows the peak */
  double times[MEASURED][ROUNDS];
} run;

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

/* ---- the report -------------------------------------------------------------------- */

/* The number of products of the chain; -1 if that of a stage is not known. */
static double
products(const run* const r, const bool vjp)
{
  double sum = 0.0;
  for (uint32_t i = 0; i < pz_chain_length(r->chain.chain); ++i) {
    pz_stage_info info = {.size = sizeof(info)};
    double cost = -1.0;
    if (pz_chain_stage(r->chain.chain, i, &info) != PZ_OK) {
      return -1.0;
    }
    for (size_t k = 0; k < sizeof(costs) / sizeof(costs[0]); ++k) {
      if (strcmp(costs[k].id, info.id) == 0) {
        const double more = r->spec.dtype == PZ_F64 ? costs[k].more : 0.0;
        const bool closed = strcmp(info.id, "matrix_exp") == 0 && r->a->order <= CLOSED;
        cost = closed ? 0.0 : costs[k].forward + more + (vjp ? costs[k].vjp + 2.0 * more : 0.0);
      }
    }
    if (cost < 0.0) {
      return -1.0;
    }
    sum += cost;
  }
  return sum;
}

/* What moves `bytes` on the device. */
static const char*
source_of(const run* const r, const double bytes)
{
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return r->gradient.device.type != PZ_DEVICE_CPU || cache <= 0 ? "bytes"
         : bytes > (double)cache                                ? "bytes from memory"
                                                                : "bytes from cache";
}

static const char* const names[MEASURED] = {"forward", "forward+vjp", "copy", "product"};

/* The best rounds: bytes that a copy reads and writes in a second, and operations of the product. Times
   are sorted, so that interference from other processes is at the end. */
static double
rate_of_copy(const run* const r)
{
  return 2.0 * (double)pz_spec_count(&r->spec) * (double)pz_dtype_size(r->spec.dtype) /
         r->times[COPY][0];
}

static double
rate_of_product(const run* const r)
{
  const double peak = (double)r->peak;
  return 2.0 * peak * peak * peak / r->times[PRODUCT][0];
}

/* The least time of forward, or of both, as far as the arithmetic is known, and what takes it. */
static double
bound_of(const run* const r, const int what, const char** const by)
{
  const double value = (double)pz_spec_count(&r->spec);
  const double known = products(r, what == BOTH);
  const double bytes = (double)pz_dtype_size(r->spec.dtype) * ((double)r->elements + value) *
                       (what == BOTH ? 2.0 : 1.0);
  const double moving = bytes / rate_of_copy(r);
  const double computing =
      known > 0.0 ? known * 2.0 * value * (double)r->a->order / rate_of_product(r) : 0.0;
  *by = moving > computing ? source_of(r, bytes) : "products at the peak";
  return moving > computing ? moving : computing;
}

/* In seconds, with the bound of the chain's own; `arithmetic`: the bound has it. */
static void
report_json(const run* const r)
{
  json j = {.depth = 0};
  json_open(&j, NULL, '{');
  json_text(&j, "chain", pz_chain_text(r->chain.chain));
  json_text(&j, "dtype", r->spec.dtype == PZ_F32 ? "float32" : "float64");
  json_shape(&j, "shape", &r->spec);
  json_text(&j, "device", pz_queue_device(r->queue, NULL));
  json_number(&j, "rounds", ROUNDS);
  json_open(&j, "seconds", '[');
  for (int what = 0; what < MEASURED; ++what) {
    json_open(&j, NULL, '{');
    json_text(&j, "of", names[what]);
    json_number(&j, "median", r->times[what][ROUNDS / 2]);
    json_number(&j, "quartile1", r->times[what][ROUNDS / 4]);
    json_number(&j, "quartile3", r->times[what][ROUNDS - 1 - ROUNDS / 4]);
    if (what == FORWARD || what == BOTH) {
      const char* by = NULL;
      json_number(&j, "bound", bound_of(r, what, &by));
      json_text(&j, "by", by);
      json_flag(&j, "arithmetic", products(r, what == BOTH) >= 0.0);
    }
    json_close(&j);
  }
  json_close(&j);
  json_close(&j);
}

static void
report(const run* const r)
{
  const double order = (double)r->a->order;
  const char* const chain = pz_chain_text(r->chain.chain);
  print_part(chain, strlen(chain));
  printf(", %s, %.0f of %.0f x %.0f on ", r->spec.dtype == PZ_F32 ? "float32" : "float64",
         (double)r->spec.shape[0], order, order);
  print_line(pz_queue_device(r->queue, NULL));
  printf("%-12s %14s %14s %14s  %s\n", "", "median", "quartile", "quartile", "");
  for (int k = 0; k < MEASURED; ++k) {
    const int what = k < 2 ? k + 2 : k - 2;
    const double median = r->times[what][ROUNDS / 2];
    printf("%-12s %11.4f us %11.4f us %11.4f us  ", names[what], 1e6 * median,
           1e6 * r->times[what][ROUNDS / 4], 1e6 * r->times[what][ROUNDS - 1 - ROUNDS / 4]);
    if (what == COPY) {
      printf("%.2f GB/s at best\n", 1e-9 * rate_of_copy(r));
    } else if (what == PRODUCT) {
      printf("%.2f GFLOP/s at best, the peak, of %d x %d\n", 1e-9 * rate_of_product(r),
             (int)r->peak, (int)r->peak);
    } else {
      const char* by = NULL;
      const double bound = bound_of(r, what, &by);
      printf("%.0f%% of the bound, %s%s", 100.0 * bound / median, by,
             products(r, what == BOTH) < 0.0 ? ", which leaves out the arithmetic" : "");
      if (what == BOTH) {
        printf("; vjp %.2f times forward", median / r->times[FORWARD][ROUNDS / 2] - 1.0);
      }
      printf("\n");
    }
  }
}

int
run_bench(const arguments* const a)
{
  run r = {.a = a};
  const bool done = run_open(&r) && measure(&r);
  if (done && a->json) {
    report_json(&r);
  } else if (done) {
    report(&r);
  }
  run_close(&r);
  return done ? EXIT_GOOD : EXIT_ERROR;
}
