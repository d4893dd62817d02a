/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products. Small ones are loops of our own, across lanes where they are many (small/): a library
   call costs more than their arithmetic. The others are BLAS's (lapack/blas.c). */

#include "operations.h"

#include "blas.h"
#include "libraries.h"
#include "product.h"
#include "transpose.h"
#include "tuning.h"

#include <string.h>

void
TYPED(view_gemm)(const real alpha, const view a, const view b, const real beta, const view y)
{
  if (!TYPED(small_product)(alpha, a, b, beta, y)) {
    TYPED_ONCE(blas_gemm)(alpha, a, b, beta, y);
  }
}

/* A batch of products too small for the library. */
typedef struct products {
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

pz_status
TYPED(gemm)(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
            const pz_mat* const b, const double beta, const pz_mat* const y)
{
  if (!TYPED_ONCE(fits_blas)(a) || !TYPED_ONCE(fits_blas)(b) || !TYPED_ONCE(fits_blas)(y)) {
    return PZ_UNSUPPORTED;
  }
  if (beta == 0 && TYPED(multiply_lanes)(q, (real)alpha, a, b, y)) {
    return PZ_OK;
  }
  if (larger(larger(y->rows, y->cols), a->cols) <= SMALL_PRODUCT_MOST) {
    products t = {(real)alpha, (real)beta, a, b, y};
    const double flops = (double)(y->rows * y->cols * a->cols) * (double)y->batch;
    q->host->parallel(cpu_threads(0.05 * flops), y->batch, multiply_one, &t);
    return PZ_OK;
  }
  for (int64_t k = 0; k < y->batch; ++k) {
    const view u = TYPED_ONCE(view_expressible)(q, a, k, CPU_SCRATCH_PACK);
    const view v = TYPED_ONCE(view_expressible)(q, b, k, CPU_SCRATCH_PACK_B);
    if (!u.data || !v.data) {
      return cpu_no_memory(q);
    }
    TYPED(view_gemm)((real)alpha, u, v, (real)beta, view_normalized(view_of(y, k)));
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
  if (!TYPED_ONCE(fits_blas)(a) || !TYPED_ONCE(fits_blas)(y)) {
    return PZ_UNSUPPORTED;
  }
  for (int64_t k = 0; k < y->batch; ++k) {
    const view u = TYPED_ONCE(view_expressible)(q, a, k, CPU_SCRATCH_PACK);
    if (!u.data) {
      return cpu_no_memory(q);
    }
    // y is symmetric: its layout does not matter
    view v = view_normalized(view_of(y, k));
    v = view_has_row_runs(v) ? v : view_transposed(v);
    if (TYPED(small_product)((real)alpha, u, view_transposed(u), (real)beta, v)) {
      continue;
    }
    TYPED_ONCE(blas_syrk)((real)alpha, u, (real)beta, v);
    mirror_lower(v);
  }
  return PZ_OK;
}
