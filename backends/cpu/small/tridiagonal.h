/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Symmetric matrices across lanes of double, in tridiagonal form. */

#ifndef CPU_LANE_TRIDIAGONAL_H
#define CPU_LANE_TRIDIAGONAL_H

#include "eigen.h"
#include "lane_view.h"

/* Squares below are not precise, and of no matter beside matrices of order one. */
#define EIGEN_TINY 1e-280

LANE_INLINE lane
lane_signed(const lane magnitude, const lane sign)
{
  const lane_mask bit = (lane_mask)(-(lane){0});
  return (lane)(((lane_mask)magnitude & ~bit) | ((lane_mask)sign & bit));
}

/* Symmetric a (n x n) becomes T = Q^T a Q of diagonals d and e, and in its columns below the
   diagonal the reflections that make up Q; `work` holds 2 n vectors, of which the first n go
   with them. */
void TYPED(tridiagonalize)(int64_t n, lane_view a, lane* d, lane* e, lane* work);

/* Rows of q (n x n) become the columns of Q. */
void TYPED(accumulate_reflections)(int64_t n, lane_view a, lane* work, lane_view q);

#endif /* CPU_LANE_TRIDIAGONAL_H */
