/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* LU with partial pivoting by halves of the columns (Toledo 1997):

     P1 [A11; A21] = [L11; L21] U11,   U12 = L11^-1 A12,   P2 (A22 - L21 U12) = L22 U22

   and from it

     A^-1 = U^-1 L^-1 P,

   where U^-1 is made in the place of U, by halves too, and then divided by L. */

#include "lu.h"

#include "triangular.h"
#include "tuning.h"

/* ---- exchanges ---------------------------------------------------------------- */

/* Exchanges row i with row pivots[i] for all i in order. */
static void
exchange_rows(const int64_t n, const int32_t* const pivots, const view x)
{
  if (x.col_stride == 1) { /* a pair of rows after the other, as runs */
    for (int64_t i = 0; i < n; ++i) {
      real* const a = x.data + i * x.row_stride;
      real* const b = x.data + pivots[i] * x.row_stride;
      for (int64_t j = 0; a != b && j < x.cols; ++j) {
        const real v = a[j];
        a[j] = b[j];
        b[j] = v;
      }
    }
    return;
  }
  for (int64_t j = 0; j < x.cols; ++j) {
    real* const column = x.data + j * x.col_stride;
    for (int64_t i = 0; i < n; ++i) {
      const real v = column[i * x.row_stride];
      column[i * x.row_stride] = column[pivots[i] * x.row_stride];
      column[pivots[i] * x.row_stride] = v;
    }
  }
}

/* ---- a panel of at most BLOCK_BASE columns --------------------------------------- */

/* The place of the largest magnitude among n numbers; n > 0. */
static int64_t
largest_place(const int64_t n, const real* const x)
{
  const real largest = TYPED(largest_magnitude)(n, x);
  for (int64_t i = 0; i < n; ++i) {
    if (x[i] == largest || x[i] == -largest) {
      return i;
    }
  }
  return 0;
}

static bool
factor_panel(const view a, int32_t* const pivots)
{
  const int64_t m = a.rows;
  for (int64_t j = 0; j < a.cols; ++j) {
    real* const column = a.data + j * a.col_stride;
    const int64_t place = j + largest_place(m - j, column + j);
    pivots[j] = (int32_t)place;
    if (!(column[place] != 0)) {
      return false;
    }
    for (int64_t k = 0; k < a.cols; ++k) {
      real* const other = a.data + k * a.col_stride;
      const real v = other[j];
      other[j] = other[place];
      other[place] = v;
    }
    const real pivot = column[j];
#pragma omp simd
    for (int64_t i = j + 1; i < m; ++i) {
      column[i] /= pivot;
    }
    for (int64_t k = j + 1; k < a.cols; ++k) {
      real* const other = a.data + k * a.col_stride;
      const real f = other[j];
#pragma omp simd
      for (int64_t i = j + 1; i < m; ++i) {
        other[i] -= f * column[i];
      }
    }
  }
  return true;
}

/* ---- large matrices ------------------------------------------------------------------ */

/* Columns of at least as many rows. */
static bool
factor_columns(const blocks* const m, const view a, int32_t* const pivots)
{
  const int64_t n = a.cols;
  if (n <= BLOCK_BASE) {
    return factor_panel(a, pivots);
  }
  const int64_t n1 = (n / 2 + BLOCK_BASE - 1) / BLOCK_BASE * BLOCK_BASE;
  const int64_t n2 = n - n1;
  const int64_t below = a.rows - n1;
  const view right = view_block(a, 0, a.rows, n1, n2);
  const view a12 = view_block(a, 0, n1, n1, n2);
  const view a21 = view_block(a, n1, below, 0, n1);
  const view a22 = view_block(a, n1, below, n1, n2);
  if (!factor_columns(m, view_block(a, 0, a.rows, 0, n1), pivots)) {
    return false;
  }
  exchange_rows(n1, pivots, right);
  TYPED(apply_triangle)(m, true, PZ_LOWER, PZ_UNIT, 1, view_block(a, 0, n1, 0, n1), a12);
  TYPED(view_gemm)(m, -1, a21, a12, 1, a22);
  if (!factor_columns(m, a22, pivots + n1)) {
    return false;
  }
  exchange_rows(n2, pivots + n1, a21);
  for (int64_t i = n1; i < n; ++i) {
    pivots[i] += (int32_t)n1;
  }
  return true;
}

bool
TYPED(factor_lu)(const blocks* const m, const view a, int32_t* const pivots)
{
  return factor_columns(m, a, pivots);
}

/* u <- u^-1, the upper triangle alone. */
static void
invert_upper(const blocks* const m, const view u)
{
  const int64_t n = u.rows;
  if (n <= BLOCK_BASE) {
    for (int64_t j = 0; j < n; ++j) {
      real* const column = u.data + j * u.col_stride;
      // column j is -U^-1 (column j above the diagonal) / u_jj
      const real inverse = 1 / column[j];
      for (int64_t k = 0; k < j; ++k) {
        const real* const done = u.data + k * u.col_stride;
        const real f = column[k];
        for (int64_t i = 0; i < k; ++i) {
          column[i] += f * done[i];
        }
        column[k] = f * done[k];
      }
      for (int64_t i = 0; i < j; ++i) {
        column[i] *= -inverse;
      }
      column[j] = inverse;
    }
    return;
  }
  const int64_t n1 = (n / 2 + BLOCK_BASE - 1) / BLOCK_BASE * BLOCK_BASE;
  const int64_t n2 = n - n1;
  const view u11 = view_block(u, 0, n1, 0, n1);
  const view u12 = view_block(u, 0, n1, n1, n2);
  const view u22 = view_block(u, n1, n2, n1, n2);
  // U12 <- -U11^-1 U12 U22^-1
  TYPED(apply_triangle)(m, true, PZ_UPPER, PZ_NON_UNIT, -1, u11, u12);
  TYPED(apply_triangle_right)(m, true, PZ_UPPER, PZ_NON_UNIT, 1, u22, u12);
  invert_upper(m, u11);
  invert_upper(m, u22);
}

bool
TYPED(invert_lu)(const blocks* const m, const view a, int32_t* const pivots, real* const work)
{
  const int64_t n = a.rows;
  if (!factor_columns(m, a, pivots)) {
    return false;
  }
  invert_upper(m, a);
  const view l = view_columns(work, n, n);
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = j + 1; i < n; ++i) {
      real* const entry = a.data + i + j * a.col_stride;
      l.data[i + j * n] = *entry;
      *entry = 0;
    }
  }
  TYPED(apply_triangle_right)(m, true, PZ_LOWER, PZ_UNIT, 1, l, a);
  // X P: exchanges of columns, backwards
  for (int64_t j = n; j-- > 0;) {
    real* const one = a.data + j * a.col_stride;
    real* const other = a.data + pivots[j] * a.col_stride;
    for (int64_t i = 0; one != other && i < n; ++i) {
      const real v = one[i];
      one[i] = other[i];
      other[i] = v;
    }
  }
  return true;
}

bool
TYPED(solve_large)(const blocks* const m, const bool definite, const view a, int32_t* const pivots,
                   const view x)
{
  if (definite) {
    if (!TYPED(factor_cholesky)(m, a)) {
      return false;
    }
    TYPED(apply_triangle)(m, true, PZ_LOWER, PZ_NON_UNIT, 1, a, x);
    TYPED(apply_triangle)(m, true, PZ_UPPER, PZ_NON_UNIT, 1, view_transposed(a), x);
    return true;
  }
  if (!factor_columns(m, a, pivots)) {
    return false;
  }
  exchange_rows(a.rows, pivots, x);
  TYPED(apply_triangle)(m, true, PZ_LOWER, PZ_UNIT, 1, a, x);
  TYPED(apply_triangle)(m, true, PZ_UPPER, PZ_NON_UNIT, 1, a, x);
  return true;
}
