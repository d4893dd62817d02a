/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Factorizations of large square matrices without structure, and of positive definite ones. */

#ifndef CPU_LU_H
#define CPU_LU_H

#include "multiply.h"

/* P a = L U in the place of a, whose columns are runs; L has a unit diagonal. Row i was exchanged
   with row pivots[i] in step i. False where a pivot is zero, a then undefined. */
bool TYPED(factor_lu)(const blocks* m, view a, int32_t* pivots);

/* a <- a^-1, columns as runs; false where a is singular, a then undefined. `work` holds n^2
   numbers. */
bool TYPED(invert_lu)(const blocks* m, view a, int32_t* pivots, real* work);

/* x = a^-1 x, a overwritten by its factors, as above or, with `definite`, L L^T. False where a has none,
   x then undefined. */
bool TYPED(solve_large)(const blocks* m, bool definite, view a, int32_t* pivots, view x);

/* a = L L^T in the place of the lower triangle of a, one unit stride; the other one is not touched. False where a is
   not positive definite. */
bool TYPED(factor_cholesky)(const blocks* m, view a);

#endif /* CPU_LU_H */
