/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Triangular products and solutions: across lanes, or by BLAS. */

#include "operations.h"

#include "batch.h"
#include "batches.h"
#include "blas.h"
#include "passes.h"

/* Whether a batch of triangular matrices t and what they are applied to goes across lanes. */
static bool
is_for_lanes(const pz_mat* const t, const pz_mat* const b)
{
  return t->rows <= LANES_MOST && b->rows <= LANES_MOST && b->cols <= LANES_MOST &&
         lanes_are_filled(b->batch);
}

pz_status
TYPED(trmm)(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
            const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
            const pz_mat* const b)
{
  if (!TYPED_ONCE(fits_blas)(t) || !TYPED_ONCE(fits_blas)(b)) {
    return PZ_UNSUPPORTED;
  }
  if (is_for_lanes(t, b) && b->rows * b->cols <= TRMM_LANES_MOST) {
    return TYPED(trmm_lanes)(q, side, triangle, diagonal, (real)alpha, t, b);
  }
  for (int64_t k = 0; k < b->batch; ++k) {
    const view u = TYPED_ONCE(view_expressible)(q, t, k, CPU_SCRATCH_PACK);
    if (!u.data) {
      return cpu_no_memory(q);
    }
    const view v = view_normalized(view_of(b, k));
    TYPED_ONCE(blas_trmm)(side, triangle, diagonal, (real)alpha, u, v);
  }
  return PZ_OK;
}

/* Place of the first zero on the diagonal, or -1. */
static int64_t
zero_on_diagonal(const view t)
{
  for (int64_t i = 0; i < t.rows; ++i) {
    if (t.data[i * (t.row_stride + t.col_stride)] == 0) {
      return i;
    }
  }
  return -1;
}

pz_status
TYPED(trsm)(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
            const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
            const pz_mat* const b, const pz_fault* const fault)
{
  (void)fault;
  if (!TYPED_ONCE(fits_blas)(t) || !TYPED_ONCE(fits_blas)(b)) {
    return PZ_UNSUPPORTED;
  }
  unsigned char* flags = NULL;
  if (is_for_lanes(t, b)) {
    flags = cpu_scratch(q, CPU_SCRATCH_FLAGS, (size_t)b->batch);
    PZ_TRY(flags ? TYPED(trsm_lanes)(q, side, triangle, diagonal, (real)alpha, t, b, flags)
                 : cpu_no_memory(q));
  }
  int64_t singular = -1;
  for (int64_t k = 0; k < b->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const view u = TYPED_ONCE(view_expressible)(q, t, k, CPU_SCRATCH_PACK);
    if (!u.data) {
      return cpu_no_memory(q);
    }
    view v = view_normalized(view_of(b, k));
    if (diagonal == PZ_NON_UNIT && zero_on_diagonal(u) >= 0) {
      TYPED(view_fill)((real)NAN, v);
      singular = singular < 0 ? k : singular;
      continue;
    }
    // b op(t)^-1: op(t)^-T b^T
    if (side == PZ_LEFT) {
      TYPED_ONCE(blas_trsm)(triangle, diagonal, (real)alpha, u, v);
    } else {
      TYPED_ONCE(blas_trsm)
      (triangle == PZ_UPPER ? PZ_LOWER : PZ_UPPER, diagonal, (real)alpha, view_transposed(u),
       view_transposed(v));
    }
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "has a zero on its diagonal", singular);
}
