/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Cholesky factors across lanes. */

#ifndef CPU_LANE_CHOLESKY_H
#define CPU_LANE_CHOLESKY_H

#include "instructions.h"
#include "lane_triangular.h"

/* The lower triangle of l with a = l l^T from that of a, column by column; returns which lanes
   met a pivot that is not above zero. l may be a. */
static inline lane_mask
lane_cholesky(const int64_t n, const lane_view a, const lane_view l)
{
  lane_mask dead = {0};
  for (int64_t j = 0; j < n; ++j) {
    // l_ij <- a_ij - sum_p l_jp l_ip
    const lane_view column = lane_view_transposed(lane_view_from(l, j, j));
    lane_reduce(n - j, j, lane_of(1), lane_view_from(l, j, 0),
                lane_view_transposed(lane_view_from(l, j, 0)),
                lane_view_transposed(lane_view_from(a, j, j)), column);
    const lane pivot = column.at[0];
    const lane root = lane_root(pivot);
    const lane inverse = 1 / root;
    dead |= ~lane_above(pivot, lane_of(0));
    column.at[0] = root;
    for (int64_t i = 1; i < n - j; ++i) {
      column.at[i * column.col] *= inverse;
    }
  }
  return dead;
}

#endif /* CPU_LANE_CHOLESKY_H */
