/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Packing of square matrices whose order is known when compiled. */

#ifndef CPU_PACK_SQUARE_H
#define CPU_PACK_SQUARE_H

#include "pack.h"
#include "quads.h"

/* lane_load and lane_store of n^2 entries that are a single run as a rule. */
LANE_INLINE void
lane_load_square(const int64_t n, const lane_layout* const l, const int64_t count,
                 const real* const from, lane* const to)
{
  if (n * n < 4 || count != LANES || !lane_is_one_run(l)) {
    TYPED(lane_load)(l, count, from, to);
    return;
  }
  LANE_UNROLL
  for (int64_t e = 0; e < n * n; e = lane_next_quad(e, n * n)) {
    lane_load_quad(from + e, l->batch_step, to + e);
  }
}

LANE_INLINE void
lane_store_square(const int64_t n, const lane_layout* const l, const int64_t count,
                  const lane* const from, real* const to)
{
  if (n * n < 4 || count != LANES || !lane_is_one_run(l)) {
    TYPED(lane_store)(l, count, NULL, from, to);
    return;
  }
  LANE_UNROLL
  for (int64_t e = 0; e < n * n; e = lane_next_quad(e, n * n)) {
    lane_store_quad(from + e, to + e, l->batch_step);
  }
}

#endif /* CPU_PACK_SQUARE_H */
