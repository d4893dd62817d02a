/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Factorizations by LAPACK, one matrix of a batch after the other. Where `flags` is not NULL, only
   those matrices whose flag is not 0. */

#ifndef CPU_LAPACK_H
#define CPU_LAPACK_H

#include "view.h"

#include <parametrize/backend.h>

/* The operations of pz_backend_ops. */
TYPED_ONCE_OPERATION(qr, const pz_mat* a, const pz_mat* basis, const pz_mat* r);
TYPED_ONCE_OPERATION(svd, const pz_mat* a, const pz_mat* u, const pz_mat* s, const pz_mat* vt,
                     const pz_fault* fault);
TYPED_ONCE_OPERATION(schur, const pz_mat* a, const pz_mat* t, const pz_mat* z,
                     const pz_fault* fault);

/* The same, without a fault to report to. */
TYPED_ONCE_OPERATION(lapack_solve, uint32_t in, const pz_mat* a, const pz_mat* b, const pz_mat* x,
                     const unsigned char* flags);
TYPED_ONCE_OPERATION(lapack_potrf, pz_triangle triangle, const pz_mat* a, const pz_mat* l,
                     const unsigned char* flags);
TYPED_ONCE_OPERATION(lapack_eigh, const pz_mat* a, const pz_mat* w, const pz_mat* v,
                     const unsigned char* flags);

/* a <- a^-1, n x n in rows or columns `ld` apart; false where a is singular. `work` holds at least
   n numbers, better 64 n. */
bool TYPED_ONCE(lapack_invert)(int64_t n, real* a, int64_t ld, int32_t* pivots, real* work,
                               int64_t n_work);

/* An upper bound, as a rule, of |K|_2 for I + K = a, skew K in rows; `work` holds 2 n numbers. */
real TYPED_ONCE(skew_norm_estimate)(view a, real* work);

#endif /* CPU_LAPACK_H */
