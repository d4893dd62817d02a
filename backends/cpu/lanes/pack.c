/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Packing by quads of entries, and by whole lines of the nearest cache. */

#include "pack.h"

#include "quads.h"

/* Calls of their own, so that the addresses of sixteen runs are made where they are used and
   not kept. */
static __attribute__((noinline)) void
load_quad(const real* const from, const int64_t step, lane* const to)
{
  lane_load_quad(from, step, to);
}

static __attribute__((noinline)) void
store_quad(const lane* const from, real* const to, const int64_t step)
{
  lane_store_quad(from, to, step);
}

static __attribute__((noinline)) void
load_line(const real* const from, const int64_t step, lane* const to)
{
  lane_load_line(from, step, to);
}

static __attribute__((noinline)) void
store_line(const lane* const from, real* const to, const int64_t step)
{
  lane v[LANE_QUADS][4];
  LANE_UNROLL
  for (int64_t j = 0; j < LANE_QUADS; ++j) {
    LANE_UNROLL
    for (int64_t k = 0; k < 4; ++k) {
      v[j][k] = from[4 * j + k];
    }
    lane_transpose(v[j]);
  }
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    lane row[LANE_QUADS];
    LANE_UNROLL
    for (int64_t j = 0; j < LANE_QUADS; ++j) {
      row[j] = v[j][k];
    }
    lane_transpose_quads(row);
    LANE_UNROLL
    for (int64_t j = 0; j < LANE_QUADS; ++j) {
      *(lane_in_place*)(to + (4 * j + k) * step) = row[j];
    }
  }
}

/* Where the quads of a run begin that lines leave over. */
static inline int64_t
first_quad(const int64_t place, const int64_t length)
{
  return place == length ? length : smaller(place, length - 4);
}

void
TYPED(lane_load)(const lane_layout* const l, const int64_t count, const real* from, lane* to)
{
  const int64_t step = l->batch_step;
  for (int64_t r = 0; r < l->runs; ++r, from += l->step, to += l->length) {
    if (count == LANES && l->element_step == 1 && l->length >= 4) {
      int64_t e = 0;
      for (; e + LANES <= l->length; e += LANES) {
        load_line(from + e, step, to + e);
      }
      for (e = first_quad(e, l->length); e < l->length; e = lane_next_quad(e, l->length)) {
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

/* n entries from e on: where they are, or in v. */
LANE_INLINE const lane*
picked(const int64_t n, const lane_pick* const pick, const int64_t e, const lane* const from,
       lane* const v)
{
  if (!pick) {
    return from + e;
  }
  for (int64_t k = 0; k < n; ++k) {
    v[k] = lane_picked(pick, e + k, from);
  }
  return v;
}

void
TYPED(lane_store)(const lane_layout* const l, const int64_t count, const lane_pick* pick,
                  const lane* const from, real* to)
{
  const int64_t step = l->batch_step;
  int64_t first = 0;
  for (int64_t r = 0; r < l->runs; ++r, to += l->step, first += l->length) {
    if (count == LANES && l->element_step == 1 && l->length >= 4) {
      int64_t e = 0;
      for (; e + LANES <= l->length; e += LANES) {
        lane v[LANES];
        store_line(picked(LANES, pick, first + e, from, v), to + e, step);
      }
      for (e = first_quad(e, l->length); e < l->length; e = lane_next_quad(e, l->length)) {
        lane v[4];
        store_quad(picked(4, pick, first + e, from, v), to + e, step);
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
