/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Passes that tie entry (i, j) to entry (j, i), shared by small matrices and large ones. */

#ifndef CPU_STRUCTURED_H
#define CPU_STRUCTURED_H

#include "tuning.h"
#include "view.h"

#include <parametrize/backend.h>

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

/* Ones where an entry of row i of a tile on the diagonal lies behind it: mask_after(i)[j] for
   j > i. The row slides along a table, so that no loop's length depends on it. */
#if CPU_REAL_BITS == 32
typedef uint32_t tile_mask;
#else
typedef uint64_t tile_mask;
#endif

static inline const tile_mask*
mask_after(const int64_t i)
{
#define EIGHT_ONES 1, 1, 1, 1, 1, 1, 1, 1
  static const tile_mask masks[2 * TILE] = {
      [TILE] = EIGHT_ONES, EIGHT_ONES, EIGHT_ONES, EIGHT_ONES};
#undef EIGHT_ONES
  return masks + TILE - 1 - i;
}

/* Tiles whose extents are multiples of LANES (squares.c), x and y being whole matrices. */
void TYPED(fold_squares)(const pass* p, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
                         const real* x, real* y);
void TYPED(adjoint_squares)(const pass* p, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
                            const real* x, real* y);

/* Small matrices (structured_small.c): false where the tiles of structured.c do better. */
bool TYPED(pass_small)(pz_backend_queue* q, const pass* p, const pz_mat* x, const pz_mat* y);

#endif /* CPU_STRUCTURED_H */
