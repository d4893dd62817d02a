/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The ways of composing, one function each. All run with the mutex held, on scratch that
   pzi_compose releases. */

#ifndef PZI_COMPOSE_WAYS_H
#define PZI_COMPOSE_WAYS_H

#include "mat.h"
#include "request.h"

/* compose_elementwise.c */
pz_status pzi_compose_copy_dense(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_copy_lines(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_fill_dense(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_fill_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_fill_lines(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_axpby(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_scale(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_hadamard(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_combine(pz_queue* queue, const pzi_request* r);

/* compose_matrix.c */
pz_status pzi_compose_add_identity(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_mirror(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_copy_kernel(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_triangle(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_diagonal(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_norm(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_dot(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_scale_by(pz_queue* queue, const pzi_request* r);

/* compose_product.c */
pz_status pzi_compose_gemm(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_syrk(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_trmm(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_trsm(pz_queue* queue, const pzi_request* r);

/* compose_inverse.c */
pz_status pzi_compose_inverse_blocks(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_inverse_solve(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_inverse_adjoint(pz_queue* queue, const pzi_request* r);
pz_status pzi_compose_solve(pz_queue* queue, const pzi_request* r);

#endif /* PZI_COMPOSE_WAYS_H */
