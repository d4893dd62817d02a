/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* All operations of one element type as a table. */

#include "exponential.h"
#include "lapack.h"
#include "operations.h"
#include "passes.h"
#include "qr.h"

const pz_backend_ops TYPED(ops) = {
    .size = sizeof(pz_backend_ops),
    .copy = TYPED(copy),
    .fill = TYPED(fill),
    .axpby = TYPED(axpby),
    .scale = TYPED(scale),
    .hadamard = TYPED(hadamard),
    .combine = TYPED(combine),
    .add_identity = TYPED(add_identity),
    .fold = TYPED(fold),
    .fold_adjoint = TYPED(fold_adjoint),
    .symmetrize = TYPED(symmetrize),
    .triangle = TYPED(triangle),
    .get_diagonal = TYPED(get_diagonal),
    .set_diagonal = TYPED(set_diagonal),
    .norm = TYPED(norm),
    .dot = TYPED(dot),
    .scale_by = TYPED(scale_by),
    .gemm = TYPED(gemm),
    .syrk = TYPED(syrk),
    .trmm = TYPED(trmm),
    .trsm = TYPED(trsm),
    .shifted_inverse = TYPED(shifted_inverse),
    .solve = TYPED(solve),
    .potrf = TYPED(potrf),
    .qr = TYPED(qr),
    .eigh = TYPED(eigh),
    .svd = TYPED_ONCE(svd),
    .schur = TYPED_ONCE(schur),
    .take = TYPED(take),
    .put = TYPED(put),
    .random = TYPED_ONCE(random),
    .launch = TYPED_ONCE(launch),
    .launch_rows = TYPED_ONCE(launch_rows),
    .shifted_inverse_adjoint = TYPED(shifted_inverse_adjoint),
    .exponential = TYPED(exponential),
    .exponential_adjoint = TYPED(exponential_adjoint),
};
