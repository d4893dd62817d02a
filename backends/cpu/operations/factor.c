/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Solutions, Cholesky factors and eigenvalues. Batches of small matrices go across lanes first
   (small/); only what does not come out well there, and large matrices, go to LAPACK one by one. */

#include "operations.h"

#include "batch.h"
#include "batches.h"
#include "blas.h"
#include "lapack.h"
#include "tuning.h"

/* Whether a batch goes across lanes; `*flags` then has a byte for each of its matrices, or is
   NULL without memory. */
static bool
is_for_lanes(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const x,
             unsigned char** const flags)
{
  if (a->rows > LANES_MOST || x->cols > LANES_MOST || !lanes_are_filled(x->batch)) {
    return false;
  }
  *flags = cpu_scratch(q, CPU_SCRATCH_FLAGS, (size_t)x->batch);
  return true;
}

pz_status
TYPED(solve)(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
             const pz_mat* const b, const pz_mat* const x, const pz_fault* const fault)
{
  (void)fault;
  if (!TYPED_ONCE(fits_blas)(a) || !TYPED_ONCE(fits_blas)(x)) {
    return PZ_UNSUPPORTED;
  }
  unsigned char* flags = NULL;
  if (is_for_lanes(q, a, x, &flags)) {
    PZ_TRY(flags ? TYPED(solve_lanes)(q, in, a, b, x, flags) : cpu_no_memory(q));
  }
  return TYPED_ONCE(lapack_solve)(q, in, a, b, x, flags);
}

pz_status
TYPED(potrf)(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
             const pz_mat* const l, const pz_fault* const fault)
{
  (void)fault;
  if (!TYPED_ONCE(fits_blas)(a) || !TYPED_ONCE(fits_blas)(l)) {
    return PZ_UNSUPPORTED;
  }
  unsigned char* flags = NULL;
  if (is_for_lanes(q, a, l, &flags)) {
    PZ_TRY(flags ? TYPED(potrf_lanes)(q, triangle, a, l, flags) : cpu_no_memory(q));
  }
  return TYPED_ONCE(lapack_potrf)(q, triangle, a, l, flags);
}

pz_status
TYPED(eigh)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const w,
            const pz_mat* const v, const pz_fault* const fault)
{
  (void)fault;
  if (!TYPED_ONCE(fits_blas)(a)) {
    return PZ_UNSUPPORTED;
  }
  unsigned char* flags = NULL;
  if (a->rows <= LANES_MOST && a->batch >= EIGEN_FEWEST) {
    flags = cpu_scratch(q, CPU_SCRATCH_FLAGS, (size_t)a->batch);
    PZ_TRY(flags ? TYPED(eigh_lanes)(q, a, w, v, flags) : cpu_no_memory(q));
  }
  return TYPED_ONCE(lapack_eigh)(q, a, w, v, flags);
}
