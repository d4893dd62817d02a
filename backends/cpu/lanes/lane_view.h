/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices across lanes, held in memory as one vector for each entry. */

#ifndef CPU_LANE_VIEW_H
#define CPU_LANE_VIEW_H

#include "lane.h"
#include "strides.h"

/* Entry (i, j) is at[i * row + j * col]. */
typedef struct lane_view {
  lane* at;
  int64_t row;
  int64_t col;
} lane_view;

LANE_INLINE lane_view
lane_view_transposed(const lane_view v)
{
  const lane_view t = {v.at, v.col, v.row};
  return t;
}

/* The matrix that lane_load(m) put at `at`. */
LANE_INLINE lane_view
lane_view_loaded(const pz_mat* const m, lane* const at)
{
  const bool by_row = cpu_runs_by_row(m);
  const lane_view v = {at, by_row ? m->cols : 1, by_row ? 1 : m->rows};
  return v;
}

/* Between rows of `cols` entries: not a power of two, whose multiples caches keep few of. */
LANE_INLINE int64_t
lane_width(const int64_t cols)
{
  return cols | 1;
}

/* What begins at (i, j). */
LANE_INLINE lane_view
lane_view_from(const lane_view v, const int64_t i, const int64_t j)
{
  const lane_view from = {v.at + i * v.row + j * v.col, v.row, v.col};
  return from;
}

/* Rows, of which there are n, from the last to the first. */
LANE_INLINE lane_view
lane_view_rows_reversed(const lane_view v, const int64_t n)
{
  const lane_view r = {v.at + (n - 1) * v.row, -v.row, v.col};
  return r;
}

/* n x n from the last row and column. */
LANE_INLINE lane_view
lane_view_reversed(const lane_view v, const int64_t n)
{
  const lane_view r = {v.at + (n - 1) * (v.row + v.col), -v.row, -v.col};
  return r;
}

#endif /* CPU_LANE_VIEW_H */
