/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses of matrices across lanes, by Gauss-Jordan elimination. */

#ifndef CPU_LANE_ELIMINATE_H
#define CPU_LANE_ELIMINATE_H

#include "lane.h"

/* Pivots of I + K for elimination without pivoting lie within this reach of this middle: from 0.5 to
   8. For skew K none is below 1, so that a smaller one shows a K that is not skew. */
#define PIVOT_MIDDLE ((real)4.25)
#define PIVOT_REACH ((real)3.75)

/* a <- (I + a)^-1 - I for n x n in rows of `width` by Gauss-Jordan elimination without
   pivoting; returns the larger of `most` and the distance of a pivot from PIVOT_MIDDLE. What lies on
   the diagonal is always the distance from one, so that nothing is rounded to fit beside it. */
LANE_INLINE lane
lane_eliminate(const int64_t n, const int64_t width, lane most, lane* const a)
{
  for (int64_t k = 0; k < n; ++k) {
    const lane beyond = a[k * width + k];
    const lane pivot = 1 + beyond;
    const lane inverse = 1 / pivot;
    most = lane_larger(lane_magnitude(pivot - PIVOT_MIDDLE), most);
    for (int64_t j = 0; j < n; ++j) {
      a[k * width + j] *= inverse;
    }
    a[k * width + k] = inverse;
    for (int64_t i = 0; i < n; ++i) {
      if (i != k) {
        const lane f = a[i * width + k];
        a[i * width + k] = lane_of(0);
        for (int64_t j = 0; j < n; ++j) {
          a[i * width + j] -= f * a[k * width + j];
        }
      }
    }
    a[k * width + k] = -beyond * inverse;
  }
  return most;
}

/* c <- c - f r, four by four, in rows of `width`. */
LANE_INLINE void
lane_tile_subtract(const int64_t width, const lane* const f, const lane* const r, lane* const c)
{
  LANE_UNROLL
  for (int64_t i0 = 0; i0 < 4; i0 += LANE_TILE_ROWS) {
    lane sum[LANE_TILE_ROWS][4];
    LANE_UNROLL
    for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
      LANE_UNROLL
      for (int64_t j = 0; j < 4; ++j) {
        sum[i][j] = c[(i0 + i) * width + j];
      }
    }
    LANE_UNROLL
    for (int64_t p = 0; p < 4; ++p) {
      LANE_UNROLL
      for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
        const lane factor = f[(i0 + i) * width + p];
        LANE_UNROLL
        for (int64_t j = 0; j < 4; ++j) {
          sum[i][j] -= factor * r[p * width + j];
        }
      }
    }
    LANE_UNROLL
    for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
      LANE_UNROLL
      for (int64_t j = 0; j < 4; ++j) {
        c[(i0 + i) * width + j] = sum[i][j];
      }
    }
  }
}

/* c <- sign (c + a b), four by four, c in place of a or b. */
LANE_INLINE void
lane_tile_product(const real sign, const int64_t a_width, const lane* const a,
                  const int64_t b_width, const lane* const b, const int64_t c_width, lane* const c)
{
  lane out[16];
  LANE_UNROLL
  for (int64_t i = 0; i < 4; ++i) {
    LANE_UNROLL
    for (int64_t j = 0; j < 4; ++j) {
      lane sum = c[i * c_width + j];
      LANE_UNROLL
      for (int64_t p = 0; p < 4; ++p) {
        sum += a[i * a_width + p] * b[p * b_width + j];
      }
      out[4 * i + j] = sign * sum;
    }
  }
  LANE_UNROLL
  for (int64_t i = 0; i < 4; ++i) {
    LANE_UNROLL
    for (int64_t j = 0; j < 4; ++j) {
      c[i * c_width + j] = out[4 * i + j];
    }
  }
}

/* The same as lane_eliminate by blocks of four rows and columns, `width` a multiple of four
   and n = width: every block of four pivots is inverted, multiplied into its rows, and these
   are subtracted from all others. */
static inline lane
lane_eliminate_blocks(const int64_t width, lane most, lane* const a)
{
  for (int64_t k = 0; k < width; k += 4) {
    lane d[16];
    for (int64_t i = 0; i < 16; ++i) {
      d[i] = a[(k + i / 4) * width + k + i % 4];
    }
    most = lane_eliminate(4, 4, most, d);
    for (int64_t j = 0; j < width; j += 4) {
      if (j != k) {
        lane* const r = a + k * width + j;
        lane_tile_product(1, 4, d, width, r, width, r);
      }
    }
    for (int64_t i = 0; i < width; i += 4) {
      if (i == k) {
        continue;
      }
      lane* const f = a + i * width + k;
      for (int64_t j = 0; j < width; j += 4) {
        if (j != k) {
          lane_tile_subtract(width, f, a + k * width + j, a + i * width + j);
        }
      }
      lane_tile_product(-1, width, f, 4, d, width, f);
    }
    for (int64_t i = 0; i < 16; ++i) {
      a[(k + i / 4) * width + k + i % 4] = d[i];
    }
  }
  return most;
}

#endif /* CPU_LANE_ELIMINATE_H */
