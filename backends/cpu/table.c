/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Portable kernels, and all operations of one element type as a table. */

#include "typed.h"

pz_status
TYPED(launch)(pz_backend_queue* const q, const pz_kernel* const kernel, const int64_t n_items,
              const pz_mat* const tensors, const double* const reals, const int64_t* const integers)
{
#if CPU_REAL_BITS == 32
  const pz_kernel_function function = kernel->f32;
#else
  const pz_kernel_function function = kernel->f64;
#endif
  void* places[PZ_KERNEL_MAX_ARGS] = {NULL};
  if (!function || kernel->n_tensors > PZ_KERNEL_MAX_ARGS) {
    return q->host->fail(PZ_UNSUPPORTED,
                         "kernel \"%s\" has %u tensors and %s C function, expected at most %d and "
                         "one",
                         kernel->name, (unsigned)kernel->n_tensors, function ? "a" : "no",
                         (int)PZ_KERNEL_MAX_ARGS);
  }
  for (uint32_t k = 0; k < kernel->n_tensors; ++k) {
    places[k] = tensors[k].data ? cpu_at(&tensors[k], 0) : NULL;
  }
  function(0, n_items, places, reals, integers);
  return PZ_OK;
}

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
    .svd = TYPED(svd),
    .schur = TYPED(schur),
    .take = TYPED(take),
    .put = TYPED(put),
    .random = TYPED(random),
    .launch = TYPED(launch),
    .shifted_inverse_adjoint = TYPED(shifted_inverse_adjoint),
    .exponential = TYPED(exponential),
    .exponential_adjoint = TYPED(exponential_adjoint),
};
