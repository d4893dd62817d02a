/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The part of a matrix above or below a diagonal, the rest zero. */

#include "passes.h"

#include <string.h>

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
