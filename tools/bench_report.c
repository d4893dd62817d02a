/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "bench.h"

#include "json.h"
#include "print.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

enum { CLOSED = 3 }; /* orders up to this have closed forms, which need no products */

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
void
bench_report_json(const run* const r)
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

void
bench_report(const run* const r)
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
