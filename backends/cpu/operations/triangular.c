/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Triangular products and solutions: across lanes, or in blocks. */

#include "operations.h"

#include "batch.h"
#include "batches.h"
#include "passes.h"
#include "triangular.h"

/* Whether a batch of triangular matrices t and what they are applied to goes across lanes. */
static bool
is_for_lanes(const pz_mat* const t, const pz_mat* const b)
{
  return t->rows <= LANES_MOST && b->rows <= LANES_MOST && b->cols <= LANES_MOST &&
         lanes_are_filled(b->batch);
}

/* Blocks for a batch of triangular matrices t and what they are applied to. */
static pz_status
blocks_for(pz_backend_queue* const q, const pz_mat* const t, const pz_mat* const b,
           blocks* const out)
{
  const double terms = 0.5 * (double)t->rows * (double)b->rows * (double)b->cols * (double)b->batch;
  return TYPED(blocks_init)(q, larger(b->rows, b->cols), MULTIPLY_NANOSECONDS * terms, out);
}

/* b = alpha t^{+-1} b or alpha b t^{+-1} for matrix k. */
static void
apply_one(const blocks* const m, const bool solve, const pz_side side, const pz_triangle triangle,
          const pz_diagonal diagonal, const real alpha, const view t, const view b)
{
  (side == PZ_LEFT ? TYPED(apply_triangle) : TYPED(apply_triangle_right))(m, solve, triangle,
                                                                          diagonal, alpha, t, b);
}

pz_status
TYPED(trmm)(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
            const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
            const pz_mat* const b)
{
  if (is_for_lanes(t, b) && b->rows * b->cols <= TRMM_LANES_MOST) {
    return TYPED(trmm_lanes)(q, side, triangle, diagonal, (real)alpha, t, b);
  }
  blocks m;
  PZ_TRY(blocks_for(q, t, b, &m));
  for (int64_t k = 0; k < b->batch; ++k) {
    apply_one(&m, false, side, triangle, diagonal, (real)alpha, view_of(t, k),
              view_normalized(view_of(b, k)));
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
  unsigned char* flags = NULL;
  if (is_for_lanes(t, b)) {
    flags = cpu_scratch(q, CPU_SCRATCH_FLAGS, (size_t)b->batch);
    PZ_TRY(flags ? TYPED(trsm_lanes)(q, side, triangle, diagonal, (real)alpha, t, b, flags)
                 : cpu_no_memory(q));
  }
  blocks m;
  PZ_TRY(blocks_for(q, t, b, &m));
  int64_t singular = -1;
  for (int64_t k = 0; k < b->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const view u = view_of(t, k);
    const view v = view_normalized(view_of(b, k));
    if (diagonal == PZ_NON_UNIT && zero_on_diagonal(u) >= 0) {
      TYPED(view_fill)((real)NAN, v);
      singular = singular < 0 ? k : singular;
      continue;
    }
    apply_one(&m, true, side, triangle, diagonal, (real)alpha, u, v);
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "has a zero on its diagonal", singular);
}
