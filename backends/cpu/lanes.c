/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Between memory and lanes. */

#include "lanes.h"

/* Four entries of LANES matrices `step` apart. Calls of their own, so that the addresses of
   sixteen runs are made where they are used and not kept. */
static __attribute__((noinline)) void
load_quad(const real* const from, const int64_t step, lane* const to)
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

static __attribute__((noinline)) void
store_quad(const lane* const from, real* const to, const int64_t step)
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

/* Place of the quad of a run after the one at `place`: some come twice at the end. */
static inline int64_t
next_quad(const int64_t place, const int64_t length)
{
  return place + 4 == length ? length : smaller(place + 4, length - 4);
}

void
TYPED(lane_load)(const lane_layout* const l, const int64_t count, const real* from, lane* to)
{
  const int64_t step = l->batch_step;
  for (int64_t r = 0; r < l->runs; ++r, from += l->step, to += l->length) {
    if (count == LANES && l->element_step == 1 && l->length >= 4) {
      for (int64_t e = 0; e < l->length; e = next_quad(e, l->length)) {
        load_quad(from + e, step, to + e);
      }
      continue;
    }
    for (int64_t e = 0; e < l->length; ++e) {
      real each[LANES];
      for (int64_t k = 0; k < LANES; ++k) {
        each[k] = from[(k < count ? k : count - 1) * step + e * l->element_step];
      }
      to[e] = *(lane_in_place*)each;
    }
  }
}

LANE_INLINE lane
lane_picked(const lane_pick* const pick, const int64_t e, const lane* const v)
{
  if (!pick) {
    return v[e];
  }
  const lane x = v[pick[e].place];
  return pick[e].sign > 0 ? x : pick[e].sign < 0 ? -x : (lane){0};
}

void
TYPED(lane_store)(const lane_layout* const l, const int64_t count, const lane_pick* pick,
                  const lane* const from, real* to)
{
  const int64_t step = l->batch_step;
  int64_t first = 0;
  for (int64_t r = 0; r < l->runs; ++r, to += l->step, first += l->length) {
    if (count == LANES && l->element_step == 1 && l->length >= 4) {
      for (int64_t e = 0; e < l->length; e = next_quad(e, l->length)) {
        lane v[4];
        LANE_UNROLL
        for (int64_t k = 0; k < 4 && pick; ++k) {
          v[k] = lane_picked(pick, first + e + k, from);
        }
        store_quad(pick ? v : from + first + e, to + e, step);
      }
      continue;
    }
    for (int64_t e = 0; e < l->length; ++e) {
      const lane v = lane_picked(pick, first + e, from);
      for (int64_t k = 0; k < count; ++k) {
        to[k * step + e * l->element_step] = v[k];
      }
    }
  }
}
