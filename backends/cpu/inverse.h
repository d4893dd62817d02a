/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inversion as a whole call sees it, shared by small and large matrices (inverse.c). */

#ifndef CPU_INVERSE_H
#define CPU_INVERSE_H

#include "typed.h"

/* What a whole call works with. */
typedef struct task {
  real alpha, beta, gamma, delta;
  bool unpivoted; /* X is skew, gamma is not zero */
  real norm_limit, growth_limit;
  int64_t n;
  real* work;
  int64_t n_work;
  lapack_int* pivots;
} task;

static inline real
larger_real(const real a, const real b)
{
  return a > b ? a : b;
}

/* The largest |delta X|_2 for elimination without pivoting. */
static inline real
norm_limit_scaled(const task* const c)
{
  return c->norm_limit * (c->gamma < 0 ? -c->gamma : c->gamma);
}

/* Is |K|_2 within its limit, going by what was seen of A? */
static inline bool
norm_is_small(const task* const c, const real squares)
{
  const real limit = norm_limit_scaled(c);
  return squares <= 2 * limit * limit;
}

/* y = alpha I + beta (gamma I + delta x)^-1 for n <= TINY, any layouts; NaN where x is not
   finite. False where the matrix is singular, y then undefined. */
bool TYPED(invert_small)(const task* c, view x, view y);

/* a <- a^-1 without pivoting, n <= TINY, in rows `ld` apart; returns the largest magnitude
   of a pivot. */
real TYPED(invert_block)(int64_t n, real* a, int64_t ld);

/* Whether a batch goes across lanes (lane_inverse.c); then y = alpha I + beta (gamma I +
   delta x)^-1 for all of it, any layouts, but for the matrices whose flag is 1 in the end:
   their y is undefined, and they are to be inverted one by one, with pivoting. */
bool TYPED(batch_is_for_lanes)(int64_t n, int64_t n_matrices, bool unpivoted);
pz_status TYPED(invert_batch)(pz_backend_queue* q, const task* c, const pz_mat* x, const pz_mat* y,
                              unsigned char* flags);

#endif /* CPU_INVERSE_H */
