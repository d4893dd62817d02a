/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A = L L^T by halves:

     A11 = L11 L11^T,   L21 = A21 L11^-T,   A22 - L21 L21^T = L22 L22^T */

#include "lu.h"
#include "triangular.h"
#include "tuning.h"

/* A block whose rows are vectors: L^T, from the top, in a buffer. */
static bool
factor_block(const view a)
{
  const int64_t n = a.rows;
  real u[BLOCK_BASE][BLOCK_BASE] = {{0}};
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i; j < n; ++j) {
      u[i][j] = a.data[j * a.row_stride + i * a.col_stride];
    }
  }
  for (int64_t k = 0; k < n; ++k) {
    if (!(u[k][k] > 0)) {
      return false;
    }
    const real root = SQRT(u[k][k]);
    const real inverse = 1 / root;
    for (int64_t j = k + 1; j < BLOCK_BASE; ++j) {
      u[k][j] *= inverse;
    }
    u[k][k] = root;
    for (int64_t i = k + 1; i < n; ++i) {
      const real f = u[k][i];
#pragma omp simd
      for (int64_t j = 0; j < BLOCK_BASE; ++j) { // left of the diagonal is not used again
        u[i][j] -= f * u[k][j];
      }
    }
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i; j < n; ++j) {
      a.data[j * a.row_stride + i * a.col_stride] = u[i][j];
    }
  }
  return true;
}

bool
TYPED(factor_cholesky)(const blocks* const m, const view a)
{
  const int64_t n = a.rows;
  if (n <= BLOCK_BASE) {
    return factor_block(a);
  }
  const int64_t n1 = (n / 2 + BLOCK_BASE - 1) / BLOCK_BASE * BLOCK_BASE;
  const int64_t n2 = n - n1;
  const view a11 = view_block(a, 0, n1, 0, n1);
  const view a21 = view_block(a, n1, n2, 0, n1);
  const view a22 = view_block(a, n1, n2, n1, n2);
  if (!TYPED(factor_cholesky)(m, a11)) {
    return false;
  }
  TYPED(apply_triangle_right)(m, true, PZ_UPPER, PZ_NON_UNIT, 1, view_transposed(a11), a21);
  TYPED(view_gemm_part)(m, PRODUCT_LOWER, -1, a21, view_transposed(a21), 1, a22);
  return TYPED(factor_cholesky)(m, a22);
}
