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

/* Is |K|_2 within its limit, going by what was seen of A? */
static inline bool
norm_is_small(const task* const c, const real squares)
{
  const real limit = c->norm_limit * (c->gamma < 0 ? -c->gamma : c->gamma);
  return squares <= 2 * limit * limit;
}

/* y = alpha I + beta (gamma I + delta x)^-1 for n <= TINY, any layouts; NaN where x is not
   finite. False where the matrix is singular, y then undefined. */
bool TYPED(invert_small)(const task* c, view x, view y);

/* a <- a^-1 without pivoting, n <= TINY, in rows `ld` apart; returns the largest magnitude
   of a pivot. */
real TYPED(invert_block)(int64_t n, real* a, int64_t ld);

#endif /* CPU_INVERSE_H */
