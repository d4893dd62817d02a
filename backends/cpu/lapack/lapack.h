/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Eigenvalues, singular values and Schur forms by LAPACK, one matrix of a batch after the other. Where `flags` is not NULL, only
   those matrices whose flag is not 0. */

#ifndef CPU_LAPACK_H
#define CPU_LAPACK_H

#include "view.h"

#include <parametrize/backend.h>

/* The operations of pz_backend_ops. */
TYPED_ONCE_OPERATION(svd, const pz_mat* a, const pz_mat* u, const pz_mat* s, const pz_mat* vt,
                     const pz_fault* fault);
TYPED_ONCE_OPERATION(schur, const pz_mat* a, const pz_mat* t, const pz_mat* z,
                     const pz_fault* fault);

/* The same, without a fault to report to. */
TYPED_ONCE_OPERATION(lapack_eigh, const pz_mat* a, const pz_mat* w, const pz_mat* v,
                     const unsigned char* flags);

#endif /* CPU_LAPACK_H */
