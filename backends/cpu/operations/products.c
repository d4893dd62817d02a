/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products. Small ones go across lanes where they are many, or one by one (small/); large ones in
   blocks (blocks/multiply.c), which threads share: many products one by one, few in parts. */

#include "operations.h"

#include "libraries.h"
#include "multiply.h"
#include "product.h"
#include "transpose.h"
#include "tuning.h"

#include <string.h>

typedef struct products {
  const blocks* m; /* of large ones */
  real alpha;
  real beta;
  const pz_mat* a;
  const pz_mat* b;
  const pz_mat* y;
} products;

static void
multiply_one(void* const context, const int64_t k, const uint32_t thread)
{
  const products* const t = context;
  (void)thread;
  (void)TYPED(small_product)(t->alpha, view_of(t->a, k), view_of(t->b, k), t->beta,
                             view_of(t->y, k));
}

static void
multiply_large(void* const context, const int64_t k, const uint32_t thread)
{
  const products* const t = context;
  const blocks own = blocks_of_thread(t->m, thread);
  TYPED(view_gemm)
  (&own, t->alpha, view_of(t->a, k), view_of(t->b, k), t->beta, view_normalized(view_of(t->y, k)));
}

pz_status
TYPED(gemm)(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
            const pz_mat* const b, const double beta, const pz_mat* const y)
{
  if (beta == 0 && TYPED(multiply_lanes)(q, (real)alpha, a, b, y)) {
    return PZ_OK;
  }
  const int64_t most = larger(larger(y->rows, y->cols), a->cols);
  const double terms = (double)y->rows * (double)y->cols * (double)a->cols * (double)y->batch;
  products t = {NULL, (real)alpha, (real)beta, a, b, y};
  if (most <= SMALL_PRODUCT_MOST) {
    q->host->parallel(cpu_threads(0.05 * terms), y->batch, multiply_one, &t);
    return PZ_OK;
  }
  blocks m;
  PZ_TRY(TYPED(blocks_init)(q, most, MULTIPLY_NANOSECONDS * terms, &m));
  t.m = &m;
  if (y->batch >= 2 * (int64_t)m.threads && m.threads > 1) {
    q->host->parallel(m.threads, y->batch, multiply_large, &t);
    return PZ_OK;
  }
  for (int64_t k = 0; k < y->batch; ++k) {
    TYPED(view_gemm)
    (&m, t.alpha, view_of(a, k), view_of(b, k), t.beta, view_normalized(view_of(y, k)));
  }
  return PZ_OK;
}

/* Copies the lower triangle, as rows show it, onto the upper one. */
static void
mirror_lower(const view y)
{
  for (int64_t i0 = 0; i0 < y.rows; i0 += TILE) {
    const int64_t m = smaller(TILE, y.rows - i0);
    for (int64_t j0 = 0; j0 < i0; j0 += TILE) {
      real tile[TILE * TILE];
      TYPED(transpose)(m, TILE, y.data + i0 * y.row_stride + j0, y.row_stride, tile, TILE);
      for (int64_t j = 0; j < TILE; ++j) {
        memcpy(y.data + (j0 + j) * y.row_stride + i0, tile + j * TILE, (size_t)m * sizeof(real));
      }
    }
    for (int64_t i = i0; i < i0 + m; ++i) {
      for (int64_t j = i0; j < i; ++j) {
        y.data[j * y.row_stride + i] = y.data[i * y.row_stride + j];
      }
    }
  }
}

pz_status
TYPED(syrk)(pz_backend_queue* const q, const double alpha, const pz_mat* const a, const double beta,
            const pz_mat* const y)
{
  const int64_t n = y->rows;
  const double terms = 0.5 * (double)(n * n) * (double)a->cols * (double)y->batch;
  const pz_mat at = pz_mat_transposed(a);
  blocks m;
  // entries (i, j) and (j, i) add the same products in the same order
  if (beta == 0 && TYPED(multiply_lanes)(q, (real)alpha, a, &at, y)) {
    return PZ_OK;
  }
  PZ_TRY(TYPED(blocks_init)(q, larger(n, a->cols), MULTIPLY_NANOSECONDS * terms, &m));
  for (int64_t k = 0; k < y->batch; ++k) {
    const view u = view_of(a, k);
    // y is symmetric: its layout does not matter
    view v = view_normalized(view_of(y, k));
    v = view_has_row_runs(v) ? v : view_transposed(v);
    if (!TYPED(small_product)((real)alpha, u, view_transposed(u), (real)beta, v)) {
      TYPED(view_gemm_part)
      (&m, PRODUCT_LOWER, (real)alpha, u, view_transposed(u), (real)beta, v);
      mirror_lower(v);
    }
  }
  return PZ_OK;
}
