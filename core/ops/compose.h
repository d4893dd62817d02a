/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inside of the compositions: one function per way of making an operation from others, and
   short names for the operations they are made of. All run with the mutex held, on scratch
   that the caller gives back. */

#ifndef PZI_COMPOSE_H
#define PZI_COMPOSE_H

#include "dispatch.h"
#include "mat.h"

/* Kernels see matrices of either layout as (ld, batch stride): entry (r, c) of matrix k is
   at k bs + (ld > 0 ? r ld + c : r - c ld). */
static inline int64_t
pzi_code_ld(const pz_mat* const m)
{
  return pzi_mat_row_major(m) ? m->row_stride : -m->col_stride;
}

/* Runs a kernel on whole operands, natively. */
pz_status pzi_compose_launch(pz_queue* queue, const pz_kernel* kernel, int64_t n_items, uint32_t n,
                             const pz_mat* const* mats, const double* reals,
                             const int64_t* integers);

/* Operations by any route. */
pz_status pzi_do_fill(pz_queue* queue, double value, const pz_mat* y);
pz_status pzi_do_copy(pz_queue* queue, const pz_mat* x, const pz_mat* y);
pz_status pzi_do_axpby(pz_queue* queue, double a, const pz_mat* x, double b, const pz_mat* y);
pz_status pzi_do_add_identity(pz_queue* queue, double a, const pz_mat* y);
/* y = shift I + a x */
pz_status pzi_do_shifted(pz_queue* queue, double shift, double a, const pz_mat* x, const pz_mat* y);
pz_status pzi_do_gemm(pz_queue* queue, double alpha, const pz_mat* a, const pz_mat* b, double beta,
                      const pz_mat* y);
/* triangle, sign or axis, kind as in pz_ops; x to y */
pz_status pzi_do_pass(pz_queue* queue, pzi_op op, int which, int sign, int64_t offset,
                      const pz_mat* x, const pz_mat* y);

/* compose_elementwise.c */
pz_status pzi_copy_dense(pz_queue* queue, const pzi_request* r);
pz_status pzi_copy_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_copy_lines(pz_queue* queue, const pzi_request* r);
pz_status pzi_fill_dense(pz_queue* queue, const pzi_request* r);
pz_status pzi_fill_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_fill_lines(pz_queue* queue, const pzi_request* r);
pz_status pzi_axpby_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_scale_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_hadamard_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_combine_terms(pz_queue* queue, const pzi_request* r);

/* compose_matrix.c */
pz_status pzi_add_identity_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_mirror_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_triangle_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_diagonal_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_norm_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_dot_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_scale_by_kernel(pz_queue* queue, const pzi_request* r);

/* compose_product.c */
pz_status pzi_gemm_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_syrk_gemm(pz_queue* queue, const pzi_request* r);
pz_status pzi_trmm_gemm(pz_queue* queue, const pzi_request* r);
pz_status pzi_trsm_kernel(pz_queue* queue, const pzi_request* r);

/* compose_inverse.c */
pz_status pzi_inverse_blocks(pz_queue* queue, const pzi_request* r);
pz_status pzi_inverse_solve(pz_queue* queue, const pzi_request* r);
pz_status pzi_inverse_adjoint(pz_queue* queue, const pzi_request* r);
pz_status pzi_solve_inverse(pz_queue* queue, const pzi_request* r);

#endif /* PZI_COMPOSE_H */
