/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The adjoint of y = alpha I + beta (gamma I + delta x)^-1: with N = Y - alpha I,

     gX = c N^T G N^T,  c = -delta / beta

   two products on a copy of Y. Where X is skew only the skew part of gX is asked for, which is
   that of -gX^T = -c N (G^T N) as well: rows of N throughout, which small products like. */

#include "operations.h"

#include "libraries.h"
#include "multiply.h"
#include "passes.h"
#include "product.h"
#include "tuning.h"

#include <string.h>

/* Two products on matrix k; `n` and `w` are scratch. */
static void
adjoint_of(const blocks* const m, const bool skew, const real c, const view n, const view g,
           const view w, const view gx)
{
  if (skew) {
    TYPED(view_gemm)(m, 1, view_transposed(g), n, 0, w);
    TYPED(view_gemm)(m, -c, n, w, 0, gx);
  } else {
    TYPED(view_gemm)(m, 1, view_transposed(n), g, 0, w);
    TYPED(view_gemm)(m, c, w, view_transposed(n), 0, gx);
  }
}

typedef struct batch {
  pz_backend_queue* q;
  const pz_mat* y;
  const pz_mat* g;
  const pz_mat* gx;
  bool skew;
  uint32_t by; /* PZ_BY_...: the triangle whose gradient gx is, or 0 */
  real c;
  real shift;
  real* memory; /* for every thread, as adjoint_memory says */
  blocks m;     /* of large matrices */
} batch;

/* N, W, and where a triangle is asked for the whole gradient. */
static int64_t
adjoint_memory(const batch* const t)
{
  return (t->by == 0 ? 2 : 3) * t->y->rows * t->y->rows;
}

/* N of matrix k in rows. */
static void
shift(const batch* const t, const int64_t k, real* const to)
{
  const int64_t n = t->y->rows;
  const view from = view_of(t->y, k);
  if (from.col_stride == 1) {
    for (int64_t i = 0; i < n; ++i) {
      memcpy(to + i * n, from.data + i * from.row_stride, (size_t)n * sizeof(real));
    }
  } else {
    const view rows = {to, n, n, n, 1};
    TYPED(view_copy)(from, rows);
  }
  for (int64_t i = 0; i < n; ++i) {
    to[i * (n + 1)] += t->shift;
  }
}

/* The same for orders known when compiled, in registers. */
static inline __attribute__((always_inline)) void
adjoint_tiny(const batch* const t, const int64_t n, const view y, const view g, const view gx)
{
  real s[16]; /* N */
  real w[16]; /* N^T G */
  real a[16];
  for (int64_t e = 0; e < n * n; ++e) {
    const int64_t i = e / n;
    const int64_t j = e % n;
    s[e] = y.data[i * y.row_stride + j * y.col_stride] + (i == j ? t->shift : 0);
    a[e] = g.data[i * g.row_stride + j * g.col_stride];
  }
  for (int64_t e = 0; e < n * n; ++e) {
    real sum = 0;
    for (int64_t p = 0; p < n; ++p) {
      sum += s[p * n + e / n] * a[p * n + e % n];
    }
    w[e] = sum;
  }
  for (int64_t e = 0; e < n * n; ++e) {
    real sum = 0;
    for (int64_t p = 0; p < n; ++p) {
      sum += w[e / n * n + p] * s[e % n * n + p];
    }
    a[e] = t->c * sum;
  }
  const real sign = t->skew ? -1 : 1;
  for (int64_t e = 0; e < n * n; ++e) {
    const int64_t i = e / n;
    const int64_t j = e % n;
    const bool within = t->by == PZ_BY_UPPER ? i < j : i > j;
    const real pair = i == j ? (t->skew ? 0 : a[e]) : within ? a[e] + sign * a[j * n + i] : 0;
    gx.data[i * gx.row_stride + j * gx.col_stride] = t->by == 0 ? a[e] : pair;
  }
}

/* Matrix k in the memory of a thread. */
static void
adjoint_one(const batch* const t, const int64_t k, real* const memory)
{
  const int64_t n = t->y->rows;
  const view shifted = {memory, n, n, n, 1};
  const view w = {memory + n * n, n, n, n, 1};
  const view g = view_of(t->g, k);
  const view out = view_normalized(view_of(t->gx, k));
  shift(t, k, memory);
  if (t->by == 0) {
    adjoint_of(&t->m, t->skew, t->c, shifted, g, w, out);
    return;
  }
  const view whole = {memory + 2 * n * n, n, n, n, 1};
  const bool upper = t->by == PZ_BY_UPPER;
  adjoint_of(&t->m, t->skew, t->c, shifted, g, w, whole);
  if (n <= TILE && out.col_stride == 1) {
    TYPED(fold_adjoint_tile)
    (upper, t->skew ? -1 : 1, n, whole.data, n, out.data, out.row_stride);
    return;
  }
  const pz_mat from = mat_of(whole);
  const pz_mat to = mat_of(out);
  (void)TYPED(fold_adjoint)(t->q, upper ? PZ_UPPER : PZ_LOWER, t->skew ? -1 : 1, &from, &to);
}

static void
adjoint_part(void* const context, const int64_t k, const uint32_t thread)
{
  const batch* const t = context;
  const view g = view_of(t->g, k);
  switch (t->y->rows) {
  case 2:
    adjoint_tiny(t, 2, view_of(t->y, k), g, view_of(t->gx, k));
    break;
  case 3:
    adjoint_tiny(t, 3, view_of(t->y, k), g, view_of(t->gx, k));
    break;
  case 4:
    adjoint_tiny(t, 4, view_of(t->y, k), g, view_of(t->gx, k));
    break;
  default:
    adjoint_one(t, k, t->memory + (int64_t)thread * adjoint_memory(t));
    break;
  }
}

pz_status
TYPED(shifted_inverse_adjoint)(pz_backend_queue* const q, const uint32_t in, const double alpha,
                               const double beta, const double delta, const pz_mat* const y,
                               const pz_mat* const gy, const pz_mat* const gx)
{
  const int64_t n = y->rows;
  const real c = (real)(-delta / beta);
  const uint32_t by = in & PZ_BY_TRIANGLE;
  const bool skew = (in ^ by) == PZ_SKEW;
  if (TYPED(adjoint_lanes)(q, by, skew ? -1 : 1, c, (real)-alpha, y, gy, gx)) {
    return PZ_OK;
  }
  const bool small = n <= SMALL_PRODUCT_MOST;
  const uint32_t threads = small ? cpu_threads(0.05 * (double)(n * n * n) * (double)gx->batch) : 1;
  batch t = {
      .q = q,
      .y = y,
      .g = gy,
      .gx = gx,
      .skew = skew,
      .by = by,
      .c = c,
      .shift = (real)-alpha,
  };
  t.memory =
      cpu_scratch(q, CPU_SCRATCH_A, (size_t)threads * (size_t)adjoint_memory(&t) * sizeof(real));
  if (!t.memory) {
    return cpu_no_memory(q);
  }
  if (small) {
    q->host->parallel(threads, gx->batch, adjoint_part, &t);
    return PZ_OK;
  }
  PZ_TRY(TYPED(blocks_init)(q, n, MULTIPLY_NANOSECONDS * (double)(n * n * n), &t.m));
  for (int64_t k = 0; k < gx->batch; ++k) { /* threads share each product */
    adjoint_one(&t, k, t.memory);
  }
  return PZ_OK;
}
