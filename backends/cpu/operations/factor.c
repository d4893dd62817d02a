/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Solutions, Cholesky factors and eigenvalues. Batches of small matrices go across lanes first
   (small/); what does not come out well there, and large matrices, are done one by one: in blocks
   (blocks/lu.c, blocks/cholesky.c), eigenvalues by LAPACK.

   A matrix that has entries that are not finite has NaN for its results. */

#include "operations.h"

#include "batch.h"
#include "batches.h"
#include "finite.h"
#include "lapack.h"
#include "lu.h"
#include "passes.h"
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

/* Those whose flag is 1; all without flags. A copy of `a` with columns as runs is factored in scratch,
   the solutions start as the right-hand sides in place. */
static pz_status
solve_one_by_one(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
                 const pz_mat* const b, const pz_mat* const x, const unsigned char* const flags)
{
  const int64_t n = a->rows;
  const double terms = (double)(n * n) * ((double)n / 3 + (double)x->cols);
  blocks m;
  PZ_TRY(TYPED(blocks_init)(q, larger(n, x->cols), MULTIPLY_NANOSECONDS * terms, &m));
  real* const data = cpu_scratch(q, CPU_SCRATCH_A, (size_t)(n * n) * sizeof(real));
  int32_t* const pivots = cpu_scratch(q, CPU_SCRATCH_INTEGER, (size_t)n * sizeof(int32_t));
  if (!data || !pivots) {
    return cpu_no_memory(q);
  }
  const view factors = view_columns(data, n, n);
  int64_t singular = -1;
  for (int64_t k = 0; k < x->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const view from = view_of(a, k);
    const view to = view_normalized(view_of(x, k));
    if (!TYPED_ONCE(view_finite)(from)) {
      TYPED(view_fill)((real)NAN, to);
      continue;
    }
    TYPED(view_copy)(from, factors);
    TYPED(view_copy)(view_of(b, k), to);
    if (!TYPED(solve_large)(&m, in == PZ_SPD, factors, pivots, to)) {
      TYPED(view_fill)((real)NAN, to);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0
             ? PZ_OK
             : cpu_singular(q, in == PZ_SPD ? "is not positive definite" : "is singular", singular);
}

/* Matrix k as a batch of one. */
static pz_mat
one_of(const pz_mat* const m, const int64_t k)
{
  pz_mat one = *m;
  one.byte_offset += (uint64_t)(k * m->batch_stride) * sizeof(real);
  one.batch = 1;
  return one;
}

static pz_status
factor_one_by_one(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
                  const pz_mat* const l, const unsigned char* const flags)
{
  const double n = (double)a->rows;
  blocks m;
  PZ_TRY(TYPED(blocks_init)(q, a->rows, MULTIPLY_NANOSECONDS * n * n * n / 6, &m));
  int64_t singular = -1;
  for (int64_t k = 0; k < l->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const pz_mat from = one_of(a, k);
    const pz_mat to = one_of(l, k);
    PZ_TRY(TYPED(triangle)(q, triangle, 0, &from, &to));
    const view v = view_normalized(view_of(l, k));
    if (!TYPED_ONCE(triangle_finite)(triangle, v)) {
      TYPED(view_fill)((real)NAN, v);
    } else if (!TYPED(factor_cholesky)(&m, triangle == PZ_LOWER ? v : view_transposed(v))) {
      TYPED(view_fill)((real)NAN, v);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "is not positive definite", singular);
}

pz_status
TYPED(solve)(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
             const pz_mat* const b, const pz_mat* const x, const pz_fault* const fault)
{
  (void)fault;
  unsigned char* flags = NULL;
  if (is_for_lanes(q, a, x, &flags)) {
    PZ_TRY(flags ? TYPED(solve_lanes)(q, in, a, b, x, flags) : cpu_no_memory(q));
  }
  return solve_one_by_one(q, in, a, b, x, flags);
}

pz_status
TYPED(potrf)(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
             const pz_mat* const l, const pz_fault* const fault)
{
  (void)fault;
  unsigned char* flags = NULL;
  if (is_for_lanes(q, a, l, &flags)) {
    PZ_TRY(flags ? TYPED(potrf_lanes)(q, triangle, a, l, flags) : cpu_no_memory(q));
  }
  return factor_one_by_one(q, triangle, a, l, flags);
}

pz_status
TYPED(eigh)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const w,
            const pz_mat* const v, const pz_fault* const fault)
{
  (void)fault;
  unsigned char* flags = NULL;
  if (a->rows <= LANES_MOST && a->batch >= EIGEN_FEWEST) {
    flags = cpu_scratch(q, CPU_SCRATCH_FLAGS, (size_t)a->batch);
    PZ_TRY(flags ? TYPED(eigh_lanes)(q, a, w, v, flags) : cpu_no_memory(q));
  }
  return TYPED_ONCE(lapack_eigh)(q, a, w, v, flags);
}
