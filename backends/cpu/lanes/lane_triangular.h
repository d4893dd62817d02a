/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Triangular matrices across lanes. Every entry is one inner product, finished before it is
   written, and neighbours of it are made together. What is said of lower triangles holds of
   upper ones seen from their last row and column. */

#ifndef CPU_LANE_TRIANGULAR_H
#define CPU_LANE_TRIANGULAR_H

#include "lane_view.h"

LANE_INLINE void
lane_reduce_part(const int64_t count, const int64_t inner, const lane scale, const lane_view f,
                 const lane_view g, const lane_view x, const lane_view y)
{
  lane sum[LANE_SUMS];
  LANE_UNROLL
  for (int64_t k = 0; k < count; ++k) {
    sum[k] = x.at[k * x.col];
  }
  for (int64_t p = 0; p < inner; ++p) {
    const lane factor = f.at[p * f.col];
    const lane* const row = g.at + p * g.row;
    LANE_UNROLL
    for (int64_t k = 0; k < count; ++k) {
      sum[k] -= factor * row[k * g.col];
    }
  }
  LANE_UNROLL
  for (int64_t k = 0; k < count; ++k) {
    y.at[k * y.col] = scale * sum[k];
  }
}

/* y = scale (x - f g) for rows x, y of `cols` entries and f of `inner`; y may be x. */
static inline void
lane_reduce(const int64_t cols, const int64_t inner, const lane scale, const lane_view f,
            const lane_view g, const lane_view x, const lane_view y)
{
  int64_t j = 0;
  for (; cols - j >= LANE_SUMS; j += LANE_SUMS) {
    lane_reduce_part(LANE_SUMS, inner, scale, f, lane_view_from(g, 0, j), lane_view_from(x, 0, j),
                     lane_view_from(y, 0, j));
  }
  if (LANE_SUMS > 4 && cols - j >= 4) {
    lane_reduce_part(4, inner, scale, f, lane_view_from(g, 0, j), lane_view_from(x, 0, j),
                     lane_view_from(y, 0, j));
    j += 4;
  }
  if (cols - j >= 2) {
    lane_reduce_part(2, inner, scale, f, lane_view_from(g, 0, j), lane_view_from(x, 0, j),
                     lane_view_from(y, 0, j));
    j += 2;
  }
  if (cols - j >= 1) {
    lane_reduce_part(1, inner, scale, f, lane_view_from(g, 0, j), lane_view_from(x, 0, j),
                     lane_view_from(y, 0, j));
  }
}

/* Puts 1 / t_ii on the diagonal of t; returns which lanes met a zero there. */
static inline lane_mask
lane_invert_diagonal(const int64_t n, const lane_view t)
{
  lane_mask dead = {0};
  for (int64_t i = 0; i < n; ++i) {
    lane* const d = t.at + i * (t.row + t.col);
    dead |= (lane_mask)(*d == 0);
    *d = 1 / *d;
  }
  return dead;
}

/* x = t^-1 b for n x n lower triangular t with inverses on its diagonal, b of `cols` columns;
   x may be b. */
static inline void
lane_substitute(const int64_t n, const int64_t cols, const lane_view t, const lane_view b,
                const lane_view x)
{
  for (int64_t i = 0; i < n; ++i) {
    lane_reduce(cols, i, t.at[i * (t.row + t.col)], lane_view_from(t, i, 0), x,
                lane_view_from(b, i, 0), lane_view_from(x, i, 0));
  }
}

#endif /* CPU_LANE_TRIANGULAR_H */
