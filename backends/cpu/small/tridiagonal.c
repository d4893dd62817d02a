/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Symmetric matrices across lanes to tridiagonal form by Householder reflections (Golub and
   Van Loan, 8.3.1). Matrices are of order one, so a column with squares below EIGEN_TINY is taken
   for zero. */

#include "tridiagonal.h"

#include "instructions.h"
#include "lane_triangular.h"

/* A column of m entries becomes v of the reflection I - tau v v^T, v_0 = 1, that leaves of it only
   a first entry, which is returned. */
static lane
reflect(const int64_t m, const lane_view column, lane* const tau)
{
  const lane alpha = column.at[0];
  lane squares = lane_of(0);
  for (int64_t i = 1; i < m; ++i) {
    const lane x = column.at[i * column.row];
    squares += x * x;
  }
  const lane_mask some = lane_above(squares, lane_of(EIGEN_TINY));
  const lane norm = lane_root(alpha * alpha + squares);
  const lane beta = lane_select(some, -lane_signed(norm, alpha), alpha);
  const lane scale = lane_select(some, 1 / (alpha - beta), lane_of(0));
  *tau = lane_select(some, (beta - alpha) / beta, lane_of(0));
  column.at[0] = lane_of(1);
  for (int64_t i = 1; i < m; ++i) {
    column.at[i * column.row] *= scale;
  }
  return beta;
}

/* y = -tau b v for b (m x m) and a column v. */
static void
multiply(const int64_t m, const lane tau, const lane_view b, const lane_view v, lane* const y)
{
  const lane_view row = {y, 0, 1};
  for (int64_t j = 0; j < m; ++j) {
    y[j] = lane_of(0);
  }
  lane_reduce(m, m, tau, lane_view_transposed(v), lane_view_transposed(b), row, row);
}

/* b <- H b H for symmetric b (m x m) and H = I - tau v v^T. */
static void
reflect_both(const int64_t m, const lane tau, const lane_view v, const lane_view b, lane* const w)
{
  // w = -tau b v;  w <- w - (tau / 2) (w^T v) v;  b <- b + v w^T + w v^T
  multiply(m, tau, lane_view_transposed(b), v, w);
  lane sum = lane_of(0);
  for (int64_t j = 0; j < m; ++j) {
    sum += w[j] * v.at[j * v.row];
  }
  sum *= tau / 2;
  for (int64_t j = 0; j < m; ++j) {
    w[j] -= sum * v.at[j * v.row];
  }
  for (int64_t i = 0; i < m; ++i) {
    const lane vi = v.at[i * v.row];
    for (int64_t j = 0; j < m; ++j) {
      b.at[i * b.row + j * b.col] += vi * w[j] + w[i] * v.at[j * v.row];
    }
  }
}

void
TYPED(tridiagonalize)(const int64_t n, const lane_view a, lane* const d, lane* const e,
                      lane* const work)
{
  lane* const tau = work;
  for (int64_t k = 0; k + 2 < n; ++k) {
    const int64_t m = n - k - 1;
    const lane_view v = lane_view_from(a, k + 1, k);
    e[k] = reflect(m, v, &tau[k]);
    reflect_both(m, tau[k], v, lane_view_from(a, k + 1, k + 1), work + n);
  }
  if (n > 1) {
    e[n - 2] = *lane_view_from(a, n - 1, n - 2).at;
  }
  for (int64_t k = 0; k < n; ++k) {
    d[k] = *lane_view_from(a, k, k).at;
  }
}

void
TYPED(accumulate_reflections)(const int64_t n, const lane_view a, lane* const work,
                              const lane_view q)
{
  const lane* const tau = work;
  lane* const w = work + n;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      q.at[i * q.row + j * q.col] = lane_of(i == j ? 1 : 0);
    }
  }
  // Q is the product of all H from the first to the last: q <- q H, from the last to the first
  for (int64_t k = n - 3; k >= 0; --k) {
    const int64_t m = n - k - 1;
    const lane_view v = lane_view_from(a, k + 1, k);
    const lane_view part = lane_view_from(q, k + 1, k + 1);
    multiply(m, tau[k], part, v, w);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < m; ++j) {
        part.at[i * part.row + j * part.col] += w[i] * v.at[j * v.row];
      }
    }
  }
}
