/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Systems of equations and Cholesky factors. A copy of `a` with columns as runs is factored
   in scratch (P A = L U, or A = L L^T); the solutions start as the right-hand sides in
   place and go through two triangular solves of BLAS, whatever their layout.

   A matrix with entries that are not finite never reaches LAPACK: its results are NaN. */

#include "lapack.h"

#include "blas.h"
#include "blas_names.h"
#include "copy.h"
#include "finite.h"
#include "scratch.h"

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
    TYPED(blas_trsm)(PZ_LOWER, PZ_NON_UNIT, 1, a, x);
    TYPED(blas_trsm)(PZ_UPPER, PZ_NON_UNIT, 1, view_transposed(a), x);
    return true;
  }
  if (LAPACK(getrf)(LAPACK_COL_MAJOR, n, n, a.data, n, pivots) != 0) {
    return false;
  }
  exchange_rows(n, pivots, x);
  TYPED(blas_trsm)(PZ_LOWER, PZ_UNIT, 1, a, x);
  TYPED(blas_trsm)(PZ_UPPER, PZ_NON_UNIT, 1, a, x);
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

pz_status
TYPED(lapack_solve)(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
                    const pz_mat* const b, const pz_mat* const x, const unsigned char* const flags)
{
  const int64_t n = a->rows;
  real* const data = cpu_scratch(q, CPU_SCRATCH_A, (size_t)(n * n) * sizeof(real));
  lapack_int* const pivots = cpu_scratch(q, CPU_SCRATCH_INTEGER, (size_t)n * sizeof(lapack_int));
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
    if (!TYPED(view_finite)(from)) {
      fill_view(q, (real)NAN, to);
      continue;
    }
    copy_view(q, from, factors);
    copy_view(q, view_of(b, k), to);
    if (!solve_one(in, factors, pivots, to)) {
      fill_view(q, (real)NAN, to);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0
             ? PZ_OK
             : cpu_singular(q, in == PZ_SPD ? "is not positive definite" : "is singular", singular);
}

pz_status
TYPED(lapack_potrf)(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
                    const pz_mat* const l, const unsigned char* const flags)
{
  const lapack_int n = (lapack_int)a->rows;
  // LAPACK sees rows as runs transposed
  const bool by_row = cpu_runs_by_row(l);
  const char uplo = (triangle == PZ_LOWER) == by_row ? 'U' : 'L';
  int64_t singular = -1;
  for (int64_t k = 0; k < l->batch; ++k) {
    if (flags && !flags[k]) {
      continue;
    }
    const pz_mat from = one_of(a, k);
    const pz_mat to = one_of(l, k);
    PZ_TRY(ops_of(q)->triangle(q, triangle, 0, &from, &to));
    const view v = view_of(l, k);
    const int64_t step = by_row ? v.row_stride : v.col_stride;
    if (!TYPED(triangle_finite)(triangle, v)) {
      fill_view(q, (real)NAN, v);
    } else if (LAPACK(potrf)(LAPACK_COL_MAJOR, uplo, n, v.data, (lapack_int)larger(step, n)) != 0) {
      fill_view(q, (real)NAN, v);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "is not positive definite", singular);
}
