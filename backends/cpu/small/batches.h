/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Batches of small matrices across lanes. */

#ifndef CPU_BATCHES_H
#define CPU_BATCHES_H

#include "real.h"

#include <parametrize/backend.h>

/* Matrices whose flag is 1 in the end are left to be done one by one. */
pz_status TYPED(potrf_lanes)(pz_backend_queue* q, pz_triangle triangle, const pz_mat* a,
                             const pz_mat* l, unsigned char* flags);
pz_status TYPED(eigh_lanes)(pz_backend_queue* q, const pz_mat* a, const pz_mat* w, const pz_mat* v,
                            unsigned char* flags);
pz_status TYPED(solve_lanes)(pz_backend_queue* q, uint32_t in, const pz_mat* a, const pz_mat* b,
                             const pz_mat* x, unsigned char* flags);

/* Triangular t applied to b across lanes; flags are those of a zero on the diagonal, whose b is
   lost. */
pz_status TYPED(trmm_lanes)(pz_backend_queue* q, pz_side side, pz_triangle triangle,
                            pz_diagonal diagonal, real alpha, const pz_mat* t, const pz_mat* b);
pz_status TYPED(trsm_lanes)(pz_backend_queue* q, pz_side side, pz_triangle triangle,
                            pz_diagonal diagonal, real alpha, const pz_mat* t, const pz_mat* b,
                            unsigned char* flags);

#endif /* CPU_BATCHES_H */
