/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products, and solutions with triangles. What acts from the right is done from the left
   on the transposed problem: b t = (t^T b^T)^T. */

#include "reference.h"

#include <math.h>

// y += alpha a b, row by row: a is m x n, b is n x cols
static void
multiply(const double alpha, const double* const a, const int64_t m, const int64_t n,
         const double* const b, const int64_t cols, double* const y)
{
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t l = 0; l < n; ++l) {
      const double factor = alpha * a[i * n + l];
      for (int64_t j = 0; j < cols; ++j) {
        y[i * cols + j] += factor * b[l * cols + j];
      }
    }
  }
}

/* y <- beta y; beta = 0 does not read y. */
static void
load_scaled(const double beta, const pz_mat* const y, const int64_t k, double* const out)
{
  const int64_t n = y->rows * y->cols;
  if (beta != 0.0) {
    pzi_reference_load(y, k, out);
  }
  for (int64_t e = 0; e < n; ++e) {
    out[e] = beta == 0.0 ? 0.0 : beta * out[e];
  }
}

pz_status
pzi_reference_gemm(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
                   const pz_mat* const b, const double beta, const pz_mat* const y)
{
  double* at;
  PZ_TRY(pzi_reference_scratch(q, a->rows * a->cols + b->rows * b->cols + y->rows * y->cols, &at));
  double* const bt = at + a->rows * a->cols;
  double* const yt = bt + b->rows * b->cols;
  for (int64_t k = 0; k < y->batch; ++k) {
    pzi_reference_load(a, k, at);
    pzi_reference_load(b, k, bt);
    load_scaled(beta, y, k, yt);
    multiply(alpha, at, a->rows, a->cols, bt, b->cols, yt);
    pzi_reference_store(yt, y, k);
  }
  return PZ_OK;
}

// the upper triangle, then its mirror
pz_status
pzi_reference_syrk(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
                   const double beta, const pz_mat* const y)
{
  double* at;
  PZ_TRY(pzi_reference_scratch(q, a->rows * a->cols + y->rows * y->cols, &at));
  double* const yt = at + a->rows * a->cols;
  const int64_t n = a->rows;
  for (int64_t k = 0; k < y->batch; ++k) {
    pzi_reference_load(a, k, at);
    load_scaled(beta, y, k, yt);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = i; j < n; ++j) {
        double sum = 0.0;
        for (int64_t l = 0; l < a->cols; ++l) {
          sum += at[i * a->cols + l] * at[j * a->cols + l];
        }
        yt[i * n + j] += alpha * sum;
        yt[j * n + i] = yt[i * n + j];
      }
    }
    pzi_reference_store(yt, y, k);
  }
  return PZ_OK;
}

/* The columns of row i of a triangle, diagonal excluded: from first to last - 1. */
static void
strict_range(const pz_triangle triangle, const int64_t n, const int64_t i, int64_t* const first,
             int64_t* const last)
{
  *first = triangle == PZ_UPPER ? i + 1 : 0;
  *last = triangle == PZ_UPPER ? n : i;
}

/* b <- alpha t b for row-major t (n x n) and b (n x cols). Rows are done in the order in
   which none is read after it was written. */
static void
multiply_triangle(const pz_triangle triangle, const pz_diagonal diagonal, const double alpha,
                  const int64_t n, const double* const t, const int64_t cols, double* const b)
{
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = triangle == PZ_UPPER ? step : n - 1 - step;
    int64_t first;
    int64_t last;
    strict_range(triangle, n, i, &first, &last);
    for (int64_t j = 0; j < cols; ++j) {
      double sum = (diagonal == PZ_UNIT ? 1.0 : t[i * n + i]) * b[i * cols + j];
      for (int64_t l = first; l < last; ++l) {
        sum += t[i * n + l] * b[l * cols + j];
      }
      b[i * cols + j] = alpha * sum;
    }
  }
}

/* b <- alpha t^-1 b by substitution; false where a pivot is exactly zero. */
static bool
solve_triangle(const pz_triangle triangle, const pz_diagonal diagonal, const double alpha,
               const int64_t n, const double* const t, const int64_t cols, double* const b)
{
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = triangle == PZ_UPPER ? n - 1 - step : step;
    const double pivot = diagonal == PZ_UNIT ? 1.0 : t[i * n + i];
    int64_t first;
    int64_t last;
    if (pivot == 0.0) {
      return false;
    }
    strict_range(triangle, n, i, &first, &last);
    for (int64_t j = 0; j < cols; ++j) {
      double sum = alpha * b[i * cols + j];
      for (int64_t l = first; l < last; ++l) {
        sum -= t[i * n + l] * b[l * cols + j];
      }
      b[i * cols + j] = sum / pivot;
    }
  }
  return true;
}

static pz_triangle
other(const pz_triangle triangle)
{
  return triangle == PZ_UPPER ? PZ_LOWER : PZ_UPPER;
}

pz_status
pzi_reference_trmm(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
                   const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
                   const pz_mat* const b)
{
  const bool left = side == PZ_LEFT;
  const pz_mat tl = left ? *t : pz_mat_transposed(t);
  const pz_mat bl = left ? *b : pz_mat_transposed(b);
  double* tt;
  PZ_TRY(pzi_reference_scratch(q, t->rows * t->cols + b->rows * b->cols, &tt));
  double* const bt = tt + t->rows * t->cols;
  for (int64_t k = 0; k < b->batch; ++k) {
    pzi_reference_load(&tl, k, tt);
    pzi_reference_load(&bl, k, bt);
    multiply_triangle(left ? triangle : other(triangle), diagonal, alpha, bl.rows, tt, bl.cols, bt);
    pzi_reference_store(bt, &bl, k);
  }
  return PZ_OK;
}

pz_status
pzi_reference_trsm(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
                   const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
                   const pz_mat* const b, const pz_fault* const fault)
{
  const bool left = side == PZ_LEFT;
  const pz_mat tl = left ? *t : pz_mat_transposed(t);
  const pz_mat bl = left ? *b : pz_mat_transposed(b);
  int64_t singular = -1;
  double* tt;
  (void)fault;
  PZ_TRY(pzi_reference_scratch(q, t->rows * t->cols + b->rows * b->cols, &tt));
  double* const bt = tt + t->rows * t->cols;
  for (int64_t k = 0; k < b->batch; ++k) {
    pzi_reference_load(&tl, k, tt);
    pzi_reference_load(&bl, k, bt);
    if (solve_triangle(left ? triangle : other(triangle), diagonal, alpha, bl.rows, tt, bl.cols,
                       bt)) {
      pzi_reference_store(bt, &bl, k);
    } else {
      pzi_reference_store_nan(&bl, k);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0 ? PZ_OK : pzi_reference_singular(q, singular);
}
