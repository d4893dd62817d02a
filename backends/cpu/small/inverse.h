/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inversion as a whole call sees it, shared by small matrices and large ones (operations/inverse.c). */

#ifndef CPU_INVERSE_H
#define CPU_INVERSE_H

#include "view.h"

#include <parametrize/backend.h>

/* What a whole call works with. */
typedef struct inversion {
  real alpha, beta, gamma, delta;
  bool unpivoted; /* X is skew, gamma is not zero */
  uint32_t by;    /* PZ_BY_...: the triangle of X that is there; or 0 */
  real sign;      /* of the other one: 1 or -1 */
  real k_scale, d_scale,
      d_shift;     /* K = k_scale X, y = d_shift I + d_scale D (operations/inverse.c) */
  real norm_limit; /* the largest |K|_2 for elimination without pivoting */
  int64_t n;
  real* work; /* n^2 numbers */
  int32_t* pivots;
} inversion;

/* The largest sum of the squares of K for elimination without pivoting. */
static inline real
squares_limit(const inversion* const c)
{
  return 2 * c->norm_limit * c->norm_limit;
}

/* y = alpha I + beta (gamma I + delta x)^-1 for n <= INVERSE_BLOCK, any layouts; NaN where x is not
   finite. False where the matrix is singular, y then undefined. */
bool TYPED(invert_small)(const inversion* c, view x, view y);

/* a <- a^-1 without pivoting, n <= INVERSE_BLOCK, in rows `ld` apart; returns the largest
   distance of a pivot from PIVOT_MIDDLE (lane_eliminate.h). */
real TYPED(invert_block)(int64_t n, real* a, int64_t ld);

/* Whether a batch goes across lanes (inverse_lanes.c); then y = alpha I + beta (gamma I +
   delta x)^-1 for all of it, any layouts, but for the matrices whose flag is 1 in the end:
   their y is undefined, and they are to be inverted one by one, with pivoting. */
bool TYPED(batch_is_for_lanes)(int64_t n, int64_t n_matrices, bool unpivoted);
pz_status TYPED(invert_batch)(pz_backend_queue* q, const inversion* c, const pz_mat* x,
                              const pz_mat* y, unsigned char* flags);

#endif /* CPU_INVERSE_H */
