/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Vectors of four lanes, in what every compiler makes of vector extensions. */

#ifndef CPU_PORTABLE_H
#define CPU_PORTABLE_H

#include "lane.h"

#include <stdbool.h>

#include <math.h>

LANE_INLINE bool
lane_all(const lane_mask mask)
{
  bool all = true;
  for (int64_t k = 0; k < LANES; ++k) {
    all = all && mask[k] != 0;
  }
  return all;
}

LANE_INLINE bool
lane_any(const lane_mask mask)
{
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
}

LANE_INLINE lane
lane_root(const lane a)
{
  lane root;
  for (int64_t k = 0; k < LANES; ++k) {
    root[k] = SQRT(a[k]);
  }
  return root;
}

LANE_INLINE lane
lane_gather_quads(const real* const from, const int64_t step)
{
  (void)step;
  return *(const quad_in_place*)from;
}

LANE_INLINE void
lane_scatter_quads(const lane v, real* const to, const int64_t step)
{
  (void)step;
  *(quad_in_place*)to = v;
}

#endif /* CPU_PORTABLE_H */
