/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Exponentials of small matrices and their adjoints: one matrix after the other in rows of whole
   vectors (exponential_rows.c), or as many at once as a vector has lanes (exponential_lanes.c).
   exponential.c chooses. */

#ifndef CPU_EXPONENTIAL_H
#define CPU_EXPONENTIAL_H

#include "lane.h"

#include <exponential_schemes.h>

#include <parametrize/backend.h>

#include <stdbool.h>

#include <math.h>

enum {
  EXPM_PRODUCTS = EXPM_MOST_PRODUCTS,
  EXPM_VALUES = EXPM_PRODUCTS + 1, /* I, X and all products but the last */
  EXPM_POLYNOMIALS = EXPM_SCHEMES,
};

/* A scheme in this type. */
typedef struct expm_polynomial {
  int products;
  real bound;
  real left[EXPM_PRODUCTS][EXPM_VALUES];
  real right[EXPM_PRODUCTS][EXPM_VALUES];
  real last[EXPM_VALUES];
} expm_polynomial;

typedef struct expm_batch {
  const pz_mat* x;
  const pz_mat* gy; /* NULL: y takes the value, else the gradient */
  const pz_mat* y;
  bool skew;
  bool symmetric;
  int n_polynomials;
  expm_polynomial polynomials[EXPM_POLYNOMIALS];
  int64_t part; /* matrices in a part of the loop */
  int64_t room; /* vectors of scratch for a thread */
  lane* memory;
} expm_batch;

/* Is the norm of a square the square of a norm, in the spectral norm? Then |X^2|^(1/2), in the
   norms of entries, overstates it less, and a product is worth the squarings it spares, each of
   which doubles the error. */
static inline bool
expm_normal(const expm_batch* const t)
{
  return t->skew || t->symmetric;
}

/* Are norms of the powers of a general matrix worth their cost? Not for few squarings, nor in
   float32, where the last bound is nearly EXPM_ROUNDING. */
static inline bool
expm_may_spare(const expm_batch* const t, const int64_t squarings)
{
  return squarings >= 5 && !expm_normal(t) &&
         t->polynomials[t->n_polynomials - 1].bound * 2 <= EXPM_ROUNDING;
}

/* Squarings that bring a norm beyond the last bound below it. Skew matrices of norm 3, whose
   exponentials have norm 1, would lose a digit to the size of the terms: they go below 2. */
static inline int64_t
expm_squarings(const expm_batch* const t, const real norm)
{
  const real bound = t->polynomials[t->n_polynomials - 1].bound;
  const int most = CPU_REAL_BITS == 32 ? 126 : 1022; /* 2^-s stays normal */
  int k = 0;
  if (!(norm > bound) || !isfinite(norm)) {
    return 0;
  }
  (void)frexp((double)norm / (double)(t->skew && bound > 2 ? 2 : bound), &k);
  return k < most ? k : most;
}

/* Part k of an expm_batch, across lanes or by rows. */
void TYPED(exponential_lanes)(void* context, int64_t k, uint32_t thread);
void TYPED(exponential_rows)(void* context, int64_t k, uint32_t thread);

/* The operations of pz_backend_ops. */
TYPED_OPERATION(exponential, uint32_t in, const pz_mat* x, const pz_mat* y);
TYPED_OPERATION(exponential_adjoint, uint32_t in, const pz_mat* x, const pz_mat* gy,
                const pz_mat* gx);

#endif /* CPU_EXPONENTIAL_H */
