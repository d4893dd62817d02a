/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Main diagonals: a vector whose stride is that of a row and a column together. */

#include "passes.h"

pz_status
TYPED(add_identity)(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  (void)q;
  const int64_t n = smaller(y->rows, y->cols);
  const int64_t step = y->row_stride + y->col_stride;
  for (int64_t b = 0; b < y->batch; ++b) {
    real* const diagonal = view_of(y, b).data;
    for (int64_t i = 0; i < n; ++i) {
      diagonal[i * step] += (real)a;
    }
  }
  return PZ_OK;
}

/* The main diagonals of x as columns, one for each matrix. */
static pz_mat
diagonals_of(const pz_mat* const x, const int64_t n)
{
  pz_mat diagonal = *x;
  diagonal.rows = n;
  diagonal.cols = 1;
  diagonal.row_stride = x->row_stride + x->col_stride;
  return diagonal;
}

/* Short columns are not worth the copy that shares them among threads and tiles. */
static pz_status
copy_columns(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const y)
{
  enum { SHORT = 32 };
  if (x->rows > SHORT) {
    return TYPED(copy)(q, x, y);
  }
  for (int64_t b = 0; b < x->batch; ++b) {
    const real* const from = view_of(x, b).data;
    real* const to = view_of(y, b).data;
    for (int64_t i = 0; i < x->rows; ++i) {
      to[i * y->row_stride] = from[i * x->row_stride];
    }
  }
  return PZ_OK;
}

pz_status
TYPED(get_diagonal)(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const d)
{
  const pz_mat diagonals = diagonals_of(x, d->rows);
  return copy_columns(q, &diagonals, d);
}

pz_status
TYPED(set_diagonal)(pz_backend_queue* const q, const pz_mat* const d, const pz_mat* const y)
{
  const pz_mat diagonals = diagonals_of(y, d->rows);
  return copy_columns(q, d, &diagonals);
}
