/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inverse of operations/inverse.c in closed form, for skew X of order 2 and 3: with s half the sum of
   the squares of K,

     (I + K)^-1 = I + D,  D = (K^2 - K) / (1 + s).

   Nothing cancels, so there is no limit on K but that s be finite. Of order 2 all of (I + K)^-1
   is small where K is large, and its diagonal, 1 / (1 + s), is then taken as it is. */

#ifndef CPU_INVERSE_ROTATION_H
#define CPU_INVERSE_ROTATION_H

#include "inverse.h"
#include "lane.h"

/* y in rows of n <= 3 from the entries (1, 0), (2, 0), (2, 1) of X; returns which are finite. */
LANE_INLINE lane_mask
invert_closed(const inversion* const c, const int64_t n, const lane* const x, lane* const y)
{
  const lane a = c->k_scale * x[0];
  const lane b = n == 3 ? c->k_scale * x[1] : lane_of(0);
  const lane d = n == 3 ? c->k_scale * x[2] : lane_of(0);
  const lane aa = a * a;
  const lane bb = b * b;
  const lane dd = d * d;
  const lane s = aa + bb + dd;
  const lane f = c->d_scale / (1 + s);
  if (n == 2) {
    const lane diagonal = lane_select((lane_mask)(s > 1), c->alpha + f, c->d_shift - f * s);
    y[0] = diagonal;
    y[1] = f * a;
    y[2] = -f * a;
    y[3] = diagonal;
  } else {
    y[0] = c->d_shift - f * (aa + bb);
    y[1] = f * (a - b * d);
    y[2] = f * (b + a * d);
    y[3] = -f * (a + b * d);
    y[4] = c->d_shift - f * (aa + dd);
    y[5] = f * (d - a * b);
    y[6] = f * (a * d - b);
    y[7] = -f * (d + a * b);
    y[8] = c->d_shift - f * (bb + dd);
  }
  return (lane_mask)((s + f) * 0 == 0);
}

#endif /* CPU_INVERSE_ROTATION_H */
