/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations on matrices, each by any route: the vocabulary of the compositions. All run with the
   mutex held. */

#ifndef PZI_MAT_OPS_H
#define PZI_MAT_OPS_H

#include "mat.h"
#include "op.h"

pz_status pzi_mat_ops_fill(pz_queue* queue, double value, const pz_mat* y);
pz_status pzi_mat_ops_copy(pz_queue* queue, const pz_mat* x, const pz_mat* y);
pz_status pzi_mat_ops_axpby(pz_queue* queue, double a, const pz_mat* x, double b, const pz_mat* y);
pz_status pzi_mat_ops_add_identity(pz_queue* queue, double a, const pz_mat* y);
/* y = shift I + a x */
pz_status pzi_mat_ops_shifted(pz_queue* queue, double shift, double a, const pz_mat* x,
                              const pz_mat* y);
pz_status pzi_mat_ops_gemm(pz_queue* queue, double alpha, const pz_mat* a, const pz_mat* b,
                           double beta, const pz_mat* y);
/* y from x by an operation that has no other operands: its triangle or axis, its sign or kind, its
   offset. */
pz_status pzi_mat_ops_unary(pz_queue* queue, pzi_op op, int which, int sign, int64_t offset,
                            const pz_mat* x, const pz_mat* y);

/* Runs a kernel natively. Its last integers are the `n` ones given. Those before are two for each
   matrix, ld and stride, from the first on: entry (r, c) of matrix k is at
   k * stride + (ld > 0 ? r * ld + c : r - c * ld). A matrix without them is dense and row-major. */
pz_status pzi_mat_ops_launch(pz_queue* queue, const pz_kernel* kernel, int64_t n_items,
                             const pz_mat* mats, const double* reals, uint32_t n,
                             const int64_t* integers);

#endif /* PZI_MAT_OPS_H */
