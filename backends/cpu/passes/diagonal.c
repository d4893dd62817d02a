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

pz_status
TYPED(get_diagonal)(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const d)
{
  pz_mat diagonal = *x;
  diagonal.rows = d->rows;
  diagonal.cols = 1;
  diagonal.row_stride = x->row_stride + x->col_stride;
  return TYPED(copy)(q, &diagonal, d);
}

pz_status
TYPED(set_diagonal)(pz_backend_queue* const q, const pz_mat* const d, const pz_mat* const y)
{
  pz_mat diagonal = *y;
  diagonal.rows = d->rows;
  diagonal.cols = 1;
  diagonal.row_stride = y->row_stride + y->col_stride;
  return TYPED(copy)(q, d, &diagonal);
}
