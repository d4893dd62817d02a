/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The part of a matrix above or below a diagonal, the rest zero. */

#include "passes.h"

#include "structured.h"

#include <string.h>

enum { MASK = 1024 };

static void
clear(const int64_t n, real* const x, const int64_t step)
{
  if (step == 1) {
    memset(x, 0, (size_t)n * sizeof(real));
  } else {
    for (int64_t i = 0; i < n; ++i) {
      x[i * step] = 0;
    }
  }
}

/* Small matrices without gaps are one run of numbers, of which a mask keeps some: its period is that of
   a few matrices. False if these are none. */
static bool
triangle_by_mask(const bool upper, const int64_t shift, const pz_mat* const x,
                 const pz_mat* const y)
{
  const int64_t size = y->rows * y->cols;
  const int64_t total = size * y->batch;
  const pz_mat* const both[] = {x, y};
  for (int k = 0; k < 2; ++k) {
    if (4 * size > MASK || y->batch < 2 || both[k]->batch_stride != size ||
        both[k]->row_stride != y->cols || both[k]->col_stride != 1) {
      return false;
    }
  }
  tile_mask keep[MASK];
  int64_t period = 0;
  while (period < total && period + size <= MASK) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        keep[period++] = upper ? j - i >= shift : j - i <= shift;
      }
    }
  }
  for (int64_t first = 0; first < total; first += period) {
    const int64_t n = smaller(period, total - first);
    const real* const from = view_of(x, 0).data + first;
    real* const to = view_of(y, 0).data + first;
#pragma omp simd
    for (int64_t k = 0; k < n; ++k) {
      to[k] = keep[k] != 0 ? from[k] : 0;
    }
  }
  return true;
}

pz_status
TYPED(triangle)(pz_backend_queue* const q, const pz_triangle triangle, const int64_t offset,
                const pz_mat* const x, const pz_mat* const y)
{
  // in y^T: row - column >= offset, that is column - row <= -offset
  const bool by_row = cpu_runs_by_row(y);
  const pz_mat from = by_row ? *x : pz_mat_transposed(x);
  const pz_mat to = by_row ? *y : pz_mat_transposed(y);
  const bool upper = (triangle == PZ_UPPER) == by_row;
  const int64_t shift = by_row ? offset : -offset;
  const bool in_place = cpu_at(x, 0) == cpu_at(y, 0);
  const bool together = from.col_stride == 1 && to.col_stride == 1;

  if (triangle_by_mask(upper, shift, &from, &to)) {
    return PZ_OK;
  }
  if (!in_place && !together) {
    PZ_TRY(TYPED(copy)(q, x, y));
  }
  for (int64_t b = 0; b < to.batch; ++b) {
    const view u = view_of(&from, b);
    const view v = view_of(&to, b);
    for (int64_t i = 0; i < v.rows; ++i) {
      // columns begin .. end-1 of this row are kept
      const int64_t edge = smaller(larger(upper ? i + shift : i + shift + 1, 0), v.cols);
      const int64_t begin = upper ? edge : 0;
      const int64_t end = upper ? v.cols : edge;
      real* const row = v.data + i * v.row_stride;
      if (!in_place && together) {
        memcpy(row + begin, u.data + i * u.row_stride + begin,
               (size_t)(end - begin) * sizeof(real));
      }
      clear(begin, row, v.col_stride);
      clear(v.cols - end, row + end * v.col_stride, v.col_stride);
    }
  }
  return PZ_OK;
}
