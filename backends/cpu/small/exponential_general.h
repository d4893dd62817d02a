/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A part of exponential_tmpl.h: what small general matrices need to keep their digits, few squarings
   and exact diagonals of triangles. */

#ifndef CPU_EXPONENTIAL_GENERAL_H
#define CPU_EXPONENTIAL_GENERAL_H

#include "exponential_scratch.h"

enum { EXPM_MATRICES_AT_ONCE = EXPM_ACROSS_LANES ? LANES : 1 };

/* Every entry <- the largest (sign 1) or the least (-1), of a matrix that fills the vector. */
static inline lane
expm_extreme(const lane a, const real sign)
{
  if (EXPM_ACROSS_LANES) {
    return a;
  }
  real most = a[0];
  for (int64_t k = 1; k < LANES; ++k) {
    most = a[k] * sign > most * sign ? a[k] : most;
  }
  return lane_of(most);
}

/* norm[k] <- the growth of the powers of matrix k of v[1], a general one, where its norm is beyond
   `bound` and the growth is less (expm_growth). A matrix stops where it has what it needs, or where
   its growth is known within 2, as that of most full ones is at once. */
static __attribute__((noinline)) void
expm_reduce_norms(const expm_scratch* const s, const real bound, real* const norm)
{
  lane* const v = s->left;
  lane* const w = s->right;
  double size[EXPM_MATRICES_AT_ONCE][EXPM_GROWTH_STEPS + 1];
  double ratio[EXPM_MATRICES_AT_ONCE][EXPM_GROWTH_STEPS + 1];
  int steps[EXPM_MATRICES_AT_ONCE];
  bool open = false;
  for (int64_t k = 0; k < EXPM_MATRICES_AT_ONCE; ++k) {
    steps[k] = norm[k] > bound && isfinite(norm[k]) ? EXPM_GROWTH_STEPS : 0;
    open = open || steps[k] > 0;
  }
  for (int64_t q = 0; q < s->width; ++q) {
    v[q] = lane_of(1);
  }
  for (int j = 0; open && j <= EXPM_GROWTH_STEPS; ++j) {
    lane most = lane_of(0);
    lane largest = lane_of(0);
    lane least = lane_of((real)HUGE_VAL);
    for (int64_t q = 0; q < s->width; ++q) { // w <- v |X|
      lane sum = lane_of(0);
#pragma GCC unroll 4
      for (int64_t i = 0; i < s->n; ++i) {
        const lane factor = EXPM_ACROSS_LANES ? v[i] : lane_of(((const real*)v)[i]);
        sum += factor * lane_magnitude(s->v[1][i * s->width + q]);
      }
      w[q] = sum;
      most = lane_larger(sum, most);
      if (j == 0) {
        continue;
      }
      const lane each = sum / v[q];
      largest = lane_larger(lane_select(lane_above(sum, lane_of(0)), each, lane_of(0)), largest);
      least = lane_select(lane_above(v[q], lane_of(0)) & lane_above(least, each), each, least);
    }
    most = expm_extreme(most, 1);
    largest = expm_extreme(largest, 1);
    least = expm_extreme(least, -1);
    open = false;
    for (int64_t k = 0; k < EXPM_MATRICES_AT_ONCE; ++k) {
      if (j <= steps[k]) {
        size[k][j] = (double)most[k];
        ratio[k][j] = (double)largest[k];
        if (j > 0 && (largest[k] <= bound || least[k] * 2 > largest[k])) {
          steps[k] = j;
        }
        open = open || j < steps[k];
      }
    }
    for (int64_t q = 0; q < s->width; ++q) {
      v[q] = lane_select(lane_above(most, lane_of(0)), w[q] / most, lane_of(0));
    }
  }
  for (int64_t k = 0; k < EXPM_MATRICES_AT_ONCE; ++k) {
    if (steps[k] > 0) {
      const real growth = (real)expm_growth((double)bound, steps[k], size[k], ratio[k]);
      norm[k] = growth < norm[k] ? growth : norm[k];
    }
  }
}

/* squarings[k] <- those of matrix k of v[1], which is scaled, less what the norms of its powers
   v[2 .. 4] say may be spared (expm_spared); all of them are scaled up. norm[k] is that of v[1]
   before scaling. */
static __attribute__((noinline)) void
expm_spare_squarings(const expm_batch* const t, const expm_scratch* const s, const real bound,
                     const real* const norm, real norms[EXPM_POWERS][LANES],
                     lane_integer* const squarings)
{
  real up[LANES];
  for (int64_t k = 0; k < LANES; ++k) {
    const int64_t m = EXPM_ACROSS_LANES ? k : 0;
    const double each[EXPM_POWERS] = {(double)norms[0][m], (double)norms[1][m],
                                      (double)norms[2][m]};
    const double scaled = ldexp((double)norm[m], -(int)squarings[m]);
    int spared = expm_may_spare(t, squarings[m])
                     ? expm_spared((double)bound, false, scaled, scaled, each)
                     : 0;
    spared = spared < squarings[m] ? spared : (int)squarings[m];
    up[k] = (real)ldexp(1.0, spared);
  }
  const lane factor = *(lane_in_place*)up;
  const lane square = factor * factor;
  const lane power[EXPM_POWERS + 1] = {factor, square, square * factor, square * square * square};
  for (int j = 0; j <= EXPM_POWERS; ++j) {
    for (int64_t e = 0; e < s->vectors; ++e) {
      s->v[j + 1][e] *= power[j];
    }
  }
  for (int64_t k = 0; k < EXPM_MATRICES_AT_ONCE; ++k) {
    squarings[k] -= (lane_integer)ilogb((double)up[k]);
  }
}

/* Which matrices of v[1], to be squared squarings[k] times, are triangular? */
static __attribute__((noinline)) void
expm_find_triangular(expm_scratch* const s, const lane_integer* const squarings)
{
  const real* const a = (const real*)s->v[1];
  const int64_t step = s->width * LANES;
  s->any_triangular = false;
  for (int64_t k = 0; k < EXPM_MATRICES_AT_ONCE; ++k) {
    bool upper = squarings[k] > 0;
    bool lower = upper;
    for (int64_t i = 0; (upper || lower) && i < s->n; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        upper = upper && a[i * step + j * EXPM_MATRICES_AT_ONCE + k] == 0;
        lower = lower && a[j * step + i * EXPM_MATRICES_AT_ONCE + k] == 0;
      }
    }
    s->triangular[k] = upper || lower;
    s->any_triangular = s->any_triangular || s->triangular[k];
  }
}

/* The diagonal of y <- exp(2^times of that of v[1]) in the triangular matrices that want as many
   squarings: those would spend its digits. */
static __attribute__((noinline)) void
expm_exact_diagonal(const expm_scratch* const s, const lane_mask squarings, const int64_t times,
                    lane* const y)
{
  const int64_t step = s->width * LANES + EXPM_MATRICES_AT_ONCE;
  for (int64_t k = 0; k < EXPM_MATRICES_AT_ONCE; ++k) {
    if (s->triangular[k] && (!EXPM_ACROSS_LANES || squarings[k] >= (lane_integer)times)) {
      for (int64_t i = 0; i < s->n; ++i) {
        const double x = (double)((const real*)s->v[1])[i * step + k];
        ((real*)y)[i * step + k] = (real)exp(ldexp(x, (int)times));
      }
    }
  }
}

#endif /* CPU_EXPONENTIAL_GENERAL_H */
