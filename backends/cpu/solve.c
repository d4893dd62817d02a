/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Systems of equations and Cholesky factors. A copy of `a` with columns as runs is factored
   in scratch (P A = L U, or A = L L^T); the solutions start as the right-hand sides in
   place and go through two triangular solves of BLAS, whatever their layout.

   A matrix with entries that are not finite never reaches LAPACK: its results are NaN.

   Batches of small matrices go across lanes first (lane_solve.c, lane_factor.c), and only what
   does not come out well goes on by itself. */

#include "lanes.h"

/* x = 0 where finite, NaN elsewhere, summed. */
static real
odd_run(const int64_t n, const real* const x, const int64_t step)
{
  real odd = 0;
  if (step == 1) {
#pragma omp simd reduction(+ : odd)
    for (int64_t i = 0; i < n; ++i) {
      odd += x[i] * 0;
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      odd += x[i * step] * 0;
    }
  }
  return odd;
}

bool
TYPED(view_finite)(const view given)
{
  const view x = given.col_stride == 1 ? given : view_transposed(given);
  for (int64_t i = 0; i < x.rows; ++i) {
    if (odd_run(x.cols, x.data + i * x.row_stride, x.col_stride) != 0) {
      return false;
    }
  }
  return true;
}

bool
TYPED(triangle_finite)(const pz_triangle triangle, const view x)
{
  for (int64_t i = 0; i < x.rows; ++i) {
    const int64_t begin = triangle == PZ_UPPER ? i : 0;
    const int64_t end = triangle == PZ_UPPER ? x.cols : i + 1;
    if (odd_run(end - begin, x.data + i * x.row_stride + begin * x.col_stride, x.col_stride) != 0) {
      return false;
    }
  }
  return true;
}

/* Exchanges rows of x as getrf did, in its order. */
static void
exchange_rows(const int64_t n, const lapack_int* const pivots, const view x)
{
  for (int64_t i = 0; i < n; ++i) {
    const int64_t other = pivots[i] - 1;
    if (other != i) {
      real* const a = x.data + i * x.row_stride;
      real* const b = x.data + other * x.row_stride;
      for (int64_t j = 0; j < x.cols; ++j) {
        const real v = a[j * x.col_stride];
        a[j * x.col_stride] = b[j * x.col_stride];
        b[j * x.col_stride] = v;
      }
    }
  }
}

/* x = a^-1 x, a overwritten by its factors; false where a has none. */
static bool
solve_one(const uint32_t in, const view a, lapack_int* const pivots, const view x)
{
  const lapack_int n = (lapack_int)a.rows;
  if (in == PZ_SPD) {
    if (LAPACK(potrf)(LAPACK_COL_MAJOR, 'L', n, a.data, n) != 0) {
      return false;
    }
    TYPED(view_trsm)(PZ_LOWER, PZ_NON_UNIT, 1, a, x);
    TYPED(view_trsm)(PZ_UPPER, PZ_NON_UNIT, 1, view_transposed(a), x);
    return true;
  }
  if (LAPACK(getrf)(LAPACK_COL_MAJOR, n, n, a.data, n, pivots) != 0) {
    return false;
  }
  exchange_rows(n, pivots, x);
  TYPED(view_trsm)(PZ_LOWER, PZ_UNIT, 1, a, x);
  TYPED(view_trsm)(PZ_UPPER, PZ_NON_UNIT, 1, a, x);
  return true;
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

/* Whether a batch goes across lanes; `*flags` then has a byte for each of its matrices, or is
   NULL without memory. */
static bool
is_for_lanes(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const x,
             unsigned char** const flags)
{
  if (a->rows > CPU_LANES_MOST || x->cols > CPU_LANES_MOST || !lanes_are_filled(x->batch)) {
    return false;
  }
  *flags = cpu_scratch(q, CPU_SLOT_FLAGS, (size_t)x->batch);
  return true;
}

pz_status
TYPED(solve)(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
             const pz_mat* const b, const pz_mat* const x, const pz_fault* const fault)
{
  (void)fault;
  if (!fits_blas(a) || !fits_blas(x)) {
    return PZ_UNSUPPORTED;
  }
  const int64_t n = a->rows;
  real* const data = cpu_scratch(q, CPU_SLOT_A, (size_t)(n * n) * sizeof(real));
  lapack_int* const pivots = cpu_scratch(q, CPU_SLOT_INTEGER, (size_t)n * sizeof(lapack_int));
  if (!data || !pivots) {
    return cpu_no_memory(q);
  }
  const view factors = view_columns(data, n, n);
  unsigned char* flags = NULL;
  if (is_for_lanes(q, a, x, &flags)) {
    PZ_TRY(flags ? TYPED(solve_lanes)(q, in, a, b, x, flags) : cpu_no_memory(q));
  }
  int64_t singular = -1;
  for (int64_t k = 0; k < x->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const view from = view_of(a, k);
    const view to = view_settled(view_of(x, k));
    if (!TYPED(view_finite)(from)) {
      TYPED(view_fill)((real)NAN, to);
      continue;
    }
    TYPED(view_copy)(from, factors);
    TYPED(view_copy)(view_of(b, k), to);
    if (!solve_one(in, factors, pivots, to)) {
      TYPED(view_fill)((real)NAN, to);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0
             ? PZ_OK
             : cpu_singular(q, in == PZ_SPD ? "is not positive definite" : "is singular", singular);
}

pz_status
TYPED(potrf)(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
             const pz_mat* const l, const pz_fault* const fault)
{
  (void)fault;
  if (!fits_blas(a) || !fits_blas(l)) {
    return PZ_UNSUPPORTED;
  }
  const lapack_int n = (lapack_int)a->rows;
  // LAPACK sees rows as runs transposed
  const bool by_row = cpu_runs_by_row(l);
  const char uplo = (triangle == PZ_LOWER) == by_row ? 'U' : 'L';
  unsigned char* flags = NULL;
  if (is_for_lanes(q, a, l, &flags)) {
    PZ_TRY(flags ? TYPED(potrf_lanes)(q, triangle, a, l, flags) : cpu_no_memory(q));
  }
  int64_t singular = -1;
  for (int64_t k = 0; k < l->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const pz_mat from = one_of(a, k);
    const pz_mat to = one_of(l, k);
    PZ_TRY(TYPED(triangle)(q, triangle, 0, &from, &to));
    const view v = view_of(l, k);
    const int64_t step = by_row ? v.row_stride : v.col_stride;
    if (!TYPED(triangle_finite)(triangle, v)) {
      TYPED(view_fill)((real)NAN, v);
    } else if (LAPACK(potrf)(LAPACK_COL_MAJOR, uplo, n, v.data, (lapack_int)larger(step, n)) != 0) {
      TYPED(view_fill)((real)NAN, v);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "is not positive definite", singular);
}
