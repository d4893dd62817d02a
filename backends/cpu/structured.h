/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Passes that tie entry (i, j) to entry (j, i), shared by small matrices and large ones. */

#ifndef CPU_STRUCTURED_H
#define CPU_STRUCTURED_H

#include "typed.h"

typedef enum pass_kind {
  PASS_FOLD,       /* y_ij = f x_ij and y_ji = f s x_ij for (i, j) in the triangle */
  PASS_ADJOINT,    /* y_ij = f (x_ij + s x_ji) in the triangle, zero in the other */
  PASS_SYMMETRIZE, /* y_ij = f (x_ij + s x_ji) throughout */
} pass_kind;

/* A pass over matrices as memory shows them, rows as runs. On the diagonal a fold and its
   adjoint have y_ii = x_ii, symmetrize y_ii = 2 f x_ii, and all have zero where s is -1. */
typedef struct pass {
  int64_t n;
  int64_t ldx;
  int64_t ldy;
  real factor; /* f */
  real mirror; /* s: 1 or -1 */
  bool upper;
  pass_kind kind;
} pass;

/* Small matrices (structured_small.c): false where the tiles of structured.c do better. */
bool TYPED(pass_small)(pz_backend_queue* q, const pass* p, const pz_mat* x, const pz_mat* y);

#endif /* CPU_STRUCTURED_H */
