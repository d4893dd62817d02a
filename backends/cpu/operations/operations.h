/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations that choose, by order and number of matrices, between the loops of small/, blocks/ and the
   calls of lapack/. Arguments are those of pz_backend_ops. */

#ifndef CPU_OPERATIONS_H
#define CPU_OPERATIONS_H

#include "view.h"

#include <parametrize/backend.h>

TYPED_OPERATION(gemm, double alpha, const pz_mat* a, const pz_mat* b, double beta, const pz_mat* y);
TYPED_OPERATION(syrk, double alpha, const pz_mat* a, double beta, const pz_mat* y);
TYPED_OPERATION(trmm, pz_side side, pz_triangle triangle, pz_diagonal diagonal, double alpha,
                const pz_mat* t, const pz_mat* b);
TYPED_OPERATION(trsm, pz_side side, pz_triangle triangle, pz_diagonal diagonal, double alpha,
                const pz_mat* t, const pz_mat* b, const pz_fault* fault);
TYPED_OPERATION(shifted_inverse, uint32_t in, double alpha, double beta, double gamma, double delta,
                const pz_mat* x, const pz_mat* y, const pz_fault* fault);
TYPED_OPERATION(shifted_inverse_adjoint, uint32_t in, double alpha, double beta, double delta,
                const pz_mat* y, const pz_mat* gy, const pz_mat* gx);
TYPED_OPERATION(solve, uint32_t in, const pz_mat* a, const pz_mat* b, const pz_mat* x,
                const pz_fault* fault);
TYPED_OPERATION(potrf, pz_triangle triangle, const pz_mat* a, const pz_mat* l,
                const pz_fault* fault);
TYPED_OPERATION(eigh, const pz_mat* a, const pz_mat* w, const pz_mat* v, const pz_fault* fault);

/* Compiled once for each type. */
TYPED_ONCE_OPERATION(launch, const pz_kernel* kernel, int64_t n_items, const pz_mat* tensors,
                     const double* reals, const int64_t* integers);
TYPED_ONCE_OPERATION(launch_rows, const pz_row_kernel* kernel, int64_t rows, const pz_mat* tensors,
                     const double* reals, const int64_t* integers);

#endif /* CPU_OPERATIONS_H */
