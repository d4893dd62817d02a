/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One matrix of a batch, with its element type. */

#ifndef CPU_VIEW_H
#define CPU_VIEW_H

#include "real.h"
#include "strides.h"

#include <parametrize/backend.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct view {
  real* data;
  int64_t rows;
  int64_t cols;
  int64_t row_stride;
  int64_t col_stride;
} view;

static inline view
view_of(const pz_mat* const m, const int64_t k)
{
  const view v = {(real*)(void*)cpu_at(m, k), m->rows, m->cols, m->row_stride, m->col_stride};
  return v;
}

static inline pz_mat
mat_of(const view v)
{
  const pz_mat m = {.data = v.data,
                    .rows = v.rows,
                    .cols = v.cols,
                    .row_stride = v.row_stride,
                    .col_stride = v.col_stride,
                    .batch = 1,
                    .batch_stride = v.rows * v.cols,
                    .dtype = REAL_DTYPE};
  return m;
}

/* rows x cols, columns as runs, as LAPACK has it. */
static inline view
view_columns(real* const data, const int64_t rows, const int64_t cols)
{
  const view v = {data, rows, cols, 1, rows};
  return v;
}

static inline view
view_transposed(const view v)
{
  const view t = {v.data, v.cols, v.rows, v.col_stride, v.row_stride};
  return t;
}

/* rows x cols entries from (i, j) on. */
static inline view
view_block(const view v, const int64_t i, const int64_t rows, const int64_t j, const int64_t cols)
{
  const view b = {v.data + i * v.row_stride + j * v.col_stride, rows, cols, v.row_stride,
                  v.col_stride};
  return b;
}

/* The same matrix; the stride of an extent of 1, which may be anything, is made dense. */
static inline view
view_normalized(view v)
{
  if (v.rows == 1) {
    v.row_stride = v.col_stride == 1 ? v.cols : 1;
  }
  if (v.cols == 1) {
    v.col_stride = v.row_stride == 1 ? v.rows : 1;
  }
  return v;
}

/* Does BLAS take this matrix with its rows as runs? */
static inline bool
view_has_row_runs(const view v)
{
  return (v.col_stride == 1 || v.cols == 1) && v.row_stride >= v.cols;
}

static inline int64_t
smaller(const int64_t a, const int64_t b)
{
  return a < b ? a : b;
}

static inline int64_t
larger(const int64_t a, const int64_t b)
{
  return a > b ? a : b;
}

#endif /* CPU_VIEW_H */
