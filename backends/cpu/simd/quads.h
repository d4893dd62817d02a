/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Four entries of LANES matrices at a time, by the gathers of the set of instructions. */

#ifndef CPU_QUADS_H
#define CPU_QUADS_H

#include "instructions.h"
#include "shuffle.h"

/* Four entries of LANES matrices `step` apart. */
LANE_INLINE void
lane_load_quad(const real* const from, const int64_t step, lane* const to)
{
  lane v[4];
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    v[k] = lane_gather_quads(from + k * step, step);
  }
  lane_transpose(v);
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    to[k] = v[k];
  }
}

LANE_INLINE void
lane_store_quad(const lane* const from, real* const to, const int64_t step)
{
  lane v[4];
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    v[k] = from[k];
  }
  lane_transpose(v);
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    lane_scatter_quads(v[k], to + k * step, step);
  }
}

#endif /* CPU_QUADS_H */
