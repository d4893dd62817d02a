/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products with and solutions of large triangular matrices. */

#ifndef CPU_TRIANGULAR_H
#define CPU_TRIANGULAR_H

#include "multiply.h"

/* x = alpha t^-1 x or, without `solve`, alpha t x, of which the triangle alone is read. Any strides
   of t, one unit stride of x. */
void TYPED(apply_triangle)(const blocks* m, bool solve, pz_triangle triangle, pz_diagonal diagonal,
                           real alpha, view t, view x);

/* The same for x t^-1 or x t. */
void TYPED(apply_triangle_right)(const blocks* m, bool solve, pz_triangle triangle,
                                 pz_diagonal diagonal, real alpha, view t, view x);

#endif /* CPU_TRIANGULAR_H */
