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

/* d <- (I + d)^-1 - I for 2 x 2 in rows, by one division on the way to the result: with q the
   determinant,

     d11 <- (d12 d21 - d11 (1 + d22)) / q    d12 <- -d12 / q    and so on

   `most` as of lane_eliminate. */
LANE_INLINE lane
lane_invert_two(lane most, lane* const d)
{
  const lane p = 1 + d[0];
  const lane s = 1 + d[3];
  const lane across = d[1] * d[2];
  const lane q = p * s - across;
  const lane inverse = 1 / q;
  most = lane_larger(lane_magnitude(p - PIVOT_MIDDLE), most);
  most = lane_larger(lane_magnitude(q / p - PIVOT_MIDDLE), most);
  const lane first = across - d[0] * s;
  const lane last = across - d[3] * p;
  d[0] = first * inverse;
  d[1] *= -inverse;
  d[2] *= -inverse;
  d[3] = last * inverse;
  return most;
}

/* c = a0 + sign a b, all 2 x 2 in rows. */
LANE_INLINE void
lane_two_product(const real sign, const lane* const a0, const lane* const a, const lane* const b,
                 lane* const c)
{
  LANE_UNROLL
  for (int64_t e = 0; e < 4; ++e) {
    c[e] = a0[e] + sign * (a[e & 2] * b[e & 1] + a[(e & 2) + 1] * b[(e & 1) + 2]);
  }
}

/* The same as lane_eliminate for 4 x 4 in rows, by blocks of two: half as many divisions, each of which
   the next one waits for. */
LANE_INLINE lane
lane_invert_four(lane most, lane* const d)
{
  lane p[4] = {d[0], d[1], d[4], d[5]};
  const lane q[4] = {d[2], d[3], d[6], d[7]};
  const lane r[4] = {d[8], d[9], d[12], d[13]};
  lane s[4] = {d[10], d[11], d[14], d[15]};
  lane t[4];
  lane u[4];
  // P <- (I + P)^-1 - I;  T = (I + P) Q;  U = R (I + P);  S <- (I + S - R T)^-1 - I
  most = lane_invert_two(most, p);
  lane_two_product(1, q, p, q, t);
  lane_two_product(1, r, r, p, u);
  lane_two_product(-1, s, r, t, s);
  most = lane_invert_two(most, s);
  // V = (I + S) U;  W = T (I + S);  P <- P + T V
  lane v[4];
  lane w[4];
  lane_two_product(1, u, s, u, v);
  lane_two_product(1, t, t, s, w);
  lane_two_product(1, p, t, v, p);
  LANE_UNROLL
  for (int64_t e = 0; e < 4; ++e) {
    const int64_t at = (e & 2) * 2 + (e & 1);
    d[at] = p[e];
    d[at + 2] = -w[e];
    d[at + 8] = -v[e];
    d[at + 10] = s[e];
  }
  return most;
}

/* LANE_TILE_ROWS rows of `width`, with f their four entries from column k on: c <- c - f r everywhere
   else, with r the four rows of the pivots, and f <- -(f + f d). f stays in registers. */
LANE_INLINE void
lane_rows_eliminate(const int64_t width, const int64_t k, const lane* const r, const lane* const d,
                    lane* const c)
{
  lane f[LANE_TILE_ROWS][4];
  LANE_UNROLL
  for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
    LANE_UNROLL
    for (int64_t p = 0; p < 4; ++p) {
      f[i][p] = c[i * width + k + p];
    }
  }
  for (int64_t part = 0; part < 2; ++part) {
    const int64_t end = part == 0 ? k : width;
    for (int64_t j = part == 0 ? 0 : k + 4; j < end; ++j) {
      lane sum[LANE_TILE_ROWS];
      LANE_UNROLL
      for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
        sum[i] = c[i * width + j];
      }
      LANE_UNROLL
      for (int64_t p = 0; p < 4; ++p) {
        const lane factor = r[p * width + j];
        LANE_UNROLL
        for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
          sum[i] -= f[i][p] * factor;
        }
      }
      LANE_UNROLL
      for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
        c[i * width + j] = sum[i];
      }
    }
  }
  LANE_UNROLL
  for (int64_t j = 0; j < 4; ++j) {
    LANE_UNROLL
    for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
      lane sum = f[i][j];
      LANE_UNROLL
      for (int64_t p = 0; p < 4; ++p) {
        sum += f[i][p] * d[4 * p + j];
      }
      c[i * width + k + j] = -sum;
    }
  }
}

/* r <- r + d r for the four rows r of `width`, but for the four columns from k on. */
LANE_INLINE void
lane_pivots_apply(const int64_t width, const int64_t k, const lane* const d, lane* const r)
{
  for (int64_t part = 0; part < 2; ++part) {
    const int64_t end = part == 0 ? k : width;
    for (int64_t j = part == 0 ? 0 : k + 4; j < end; ++j) {
      lane x[4];
      LANE_UNROLL
      for (int64_t p = 0; p < 4; ++p) {
        x[p] = r[p * width + j];
      }
      LANE_UNROLL
      for (int64_t i = 0; i < 4; ++i) {
        lane sum = x[i];
        LANE_UNROLL
        for (int64_t p = 0; p < 4; ++p) {
          sum += d[4 * i + p] * x[p];
        }
        r[i * width + j] = sum;
      }
    }
  }
}

/* The same as lane_eliminate by blocks of four rows and columns, `width` a multiple of four
   and n = width: every block of four pivots is inverted, multiplied into its rows, and these
   are subtracted from all others. */
LANE_INLINE lane
lane_eliminate_blocks(const int64_t width, lane most, lane* const a)
{
  for (int64_t k = 0; k < width; k += 4) {
    lane* const r = a + k * width;
    lane d[16];
    for (int64_t i = 0; i < 16; ++i) {
      d[i] = r[i / 4 * width + k + i % 4];
    }
    most = lane_invert_four(most, d);
    lane_pivots_apply(width, k, d, r);
    for (int64_t i = 0; i < width; i += LANE_TILE_ROWS) {
      if (i < k || i >= k + 4) {
        lane_rows_eliminate(width, k, r, d, a + i * width);
      }
    }
    for (int64_t i = 0; i < 16; ++i) {
      r[i / 4 * width + k + i % 4] = d[i];
    }
  }
  return most;
}

#endif /* CPU_LANE_ELIMINATE_H */
