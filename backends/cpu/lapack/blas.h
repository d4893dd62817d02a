/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* BLAS on matrices of any layout, one at a time. A call of these takes strides that BLAS can express;
   view_expressible packs others first. */

#ifndef CPU_BLAS_H
#define CPU_BLAS_H

#include "scratch.h"
#include "view.h"

/* Can BLAS's 32-bit integers count this matrix and its strides? */
bool TYPED_ONCE(fits_blas)(const pz_mat* m);

/* Matrix k of m as BLAS can take it: as it is, or packed into scratch. `data` is NULL where
   there is no memory for that. */
view TYPED_ONCE(view_expressible)(pz_backend_queue* q, const pz_mat* m, int64_t k,
                                  cpu_scratch_use use);

/* y = alpha a b + beta y */
void TYPED_ONCE(blas_gemm)(real alpha, view a, view b, real beta, view y);

/* The lower triangle of y = alpha a a^T + beta y; rows of y are runs. */
void TYPED_ONCE(blas_syrk)(real alpha, view a, real beta, view y);

/* b = alpha t b, or alpha b t */
void TYPED_ONCE(blas_trmm)(pz_side side, pz_triangle triangle, pz_diagonal diagonal, real alpha,
                           view t, view b);

/* b = alpha t^-1 b */
void TYPED_ONCE(blas_trsm)(pz_triangle triangle, pz_diagonal diagonal, real alpha, view t, view b);

#endif /* CPU_BLAS_H */
