/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Transposes between entries and lanes: four runs of four entries are four vectors that hold one
   entry of four matrices each, in every quarter of a wide vector at a time. */

#ifndef CPU_SHUFFLE_H
#define CPU_SHUFFLE_H

#include "lane.h"

#define LANE_QUAD_LOW(k) 4 * k, LANES + 4 * k, 4 * k + 1, LANES + 4 * k + 1
#define LANE_QUAD_HIGH(k) 4 * k + 2, LANES + 4 * k + 2, 4 * k + 3, LANES + 4 * k + 3
#define LANE_PAIR_LOW(k) 4 * k, 4 * k + 1, LANES + 4 * k, LANES + 4 * k + 1
#define LANE_PAIR_HIGH(k) 4 * k + 2, 4 * k + 3, LANES + 4 * k + 2, LANES + 4 * k + 3
#if LANE_QUADS == 4
#define LANE_EACH(part) part(0), part(1), part(2), part(3)
#elif LANE_QUADS == 2
#define LANE_EACH(part) part(0), part(1)
#else
#define LANE_EACH(part) part(0)
#endif

/* In every quarter, four vectors of four entries as four vectors of one entry each; its own
   inverse. */
LANE_INLINE void
lane_transpose(lane* const v)
{
  const lane ab0 = __builtin_shufflevector(v[0], v[1], LANE_EACH(LANE_QUAD_LOW));
  const lane ab1 = __builtin_shufflevector(v[0], v[1], LANE_EACH(LANE_QUAD_HIGH));
  const lane cd0 = __builtin_shufflevector(v[2], v[3], LANE_EACH(LANE_QUAD_LOW));
  const lane cd1 = __builtin_shufflevector(v[2], v[3], LANE_EACH(LANE_QUAD_HIGH));
  v[0] = __builtin_shufflevector(ab0, cd0, LANE_EACH(LANE_PAIR_LOW));
  v[1] = __builtin_shufflevector(ab0, cd0, LANE_EACH(LANE_PAIR_HIGH));
  v[2] = __builtin_shufflevector(ab1, cd1, LANE_EACH(LANE_PAIR_LOW));
  v[3] = __builtin_shufflevector(ab1, cd1, LANE_EACH(LANE_PAIR_HIGH));
}

/* Of LANE_QUADS vectors the first quarters or halves, the second ones and so on; its own
   inverse. */
LANE_INLINE void
lane_transpose_quads(lane* const v)
{
#define QUAD(k) 4 * (k), 4 * (k) + 1, 4 * (k) + 2, 4 * (k) + 3
#if LANE_QUADS == 4
  const lane even1 = __builtin_shufflevector(v[0], v[1], QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  const lane odd1 = __builtin_shufflevector(v[0], v[1], QUAD(1), QUAD(3), QUAD(5), QUAD(7));
  const lane even2 = __builtin_shufflevector(v[2], v[3], QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  const lane odd2 = __builtin_shufflevector(v[2], v[3], QUAD(1), QUAD(3), QUAD(5), QUAD(7));
  v[0] = __builtin_shufflevector(even1, even2, QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  v[1] = __builtin_shufflevector(odd1, odd2, QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  v[2] = __builtin_shufflevector(even1, even2, QUAD(1), QUAD(3), QUAD(5), QUAD(7));
  v[3] = __builtin_shufflevector(odd1, odd2, QUAD(1), QUAD(3), QUAD(5), QUAD(7));
#elif LANE_QUADS == 2
  const lane first = __builtin_shufflevector(v[0], v[1], QUAD(0), QUAD(2));
  v[1] = __builtin_shufflevector(v[0], v[1], QUAD(1), QUAD(3));
  v[0] = first;
#else
  (void)v;
#endif
#undef QUAD
}

/* LANES entries of LANES matrices, a whole vector of each matrix at a time: where matrices lie
   a power of two apart, the nearest cache could not hold so many lines until the next quad. */
LANE_INLINE void
lane_load_line(const real* const from, const int64_t step, lane* const to)
{
  lane v[LANE_QUADS][4];
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    lane row[LANE_QUADS];
    LANE_UNROLL
    for (int64_t j = 0; j < LANE_QUADS; ++j) {
      row[j] = *(const lane_in_place*)(from + (4 * j + k) * step);
    }
    lane_transpose_quads(row);
    LANE_UNROLL
    for (int64_t j = 0; j < LANE_QUADS; ++j) {
      v[j][k] = row[j];
    }
  }
  LANE_UNROLL
  for (int64_t j = 0; j < LANE_QUADS; ++j) {
    lane_transpose(v[j]);
    LANE_UNROLL
    for (int64_t k = 0; k < 4; ++k) {
      to[4 * j + k] = v[j][k];
    }
  }
}

#endif /* CPU_SHUFFLE_H */
