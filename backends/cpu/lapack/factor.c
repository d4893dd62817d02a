/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Factorizations by LAPACK. Each matrix is copied into scratch with columns as runs, as
   LAPACK has it, factored there, and its factors are copied out into any layout: O(n^2)
   beside O(n^3), and inputs stay as they are. Workspace is asked for once per call.

   LAPACK's iterations need not end on NaN or infinities, so a matrix with such entries
   never reaches it: all its results are NaN. */

#include "lapack.h"

#include "blas.h"
#include "blas_names.h"
#include "copy.h"
#include "finite.h"
#include "scratch.h"

#include <limits.h>

/* Scratch of a call: one matrix and its factors, LAPACK's workspaces. */
typedef struct scratch {
  real* a;
  real* b;
  real* c;
  real* work;
  lapack_int n_work;
  lapack_int* integers;
} scratch;

/* Takes elements for three matrices (0: none), the real workspace LAPACK asked for, and
   integers. PZ_UNSUPPORTED where a size exceeds LAPACK's integers. */
static pz_status
take_scratch(pz_backend_queue* const q, const int64_t a, const int64_t b, const int64_t c,
             const double asked, const int64_t integers, scratch* const out)
{
  // sizes come back as floating point: the next larger one that may have been meant
  const double n_work = asked * (1.0 + 2.0 * (double)REAL_EPSILON) + 1.0;
  if (!(n_work < (double)INT_MAX)) {
    return PZ_UNSUPPORTED;
  }
  out->n_work = (lapack_int)n_work;
  out->a = cpu_scratch(q, CPU_SCRATCH_A, (size_t)a * sizeof(real));
  out->b = b == 0 ? NULL : cpu_scratch(q, CPU_SCRATCH_B, (size_t)b * sizeof(real));
  out->c = c == 0 ? NULL : cpu_scratch(q, CPU_SCRATCH_C, (size_t)c * sizeof(real));
  out->work = cpu_scratch(q, CPU_SCRATCH_WORK, (size_t)out->n_work * sizeof(real));
  out->integers =
      cpu_scratch(q, CPU_SCRATCH_INTEGER, (size_t)larger(integers, 1) * sizeof(lapack_int));
  const bool taken =
      out->a && (b == 0 || out->b) && (c == 0 || out->c) && out->work && out->integers;
  return taken ? PZ_OK : cpu_no_memory(q);
}

/* Fills matrix k of each given output. */
static void
fill_nan(const pz_backend_queue* const q, const int64_t k, const uint32_t n,
         const pz_mat* const* const outputs)
{
  for (uint32_t i = 0; i < n; ++i) {
    if (outputs[i]) {
      fill_view(q, (real)NAN, view_of(outputs[i], k));
    }
  }
}

static pz_status
converged(pz_backend_queue* const q, const int64_t failed)
{
  return failed < 0 ? PZ_OK : cpu_singular(q, "has no factorization: no convergence", failed);
}

pz_status
TYPED(qr)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const basis,
          const pz_mat* const r)
{
  if (!TYPED(fits_blas)(a)) {
    return PZ_UNSUPPORTED;
  }
  const lapack_int m = (lapack_int)a->rows;
  const lapack_int n = (lapack_int)a->cols;
  const lapack_int k = m < n ? m : n;
  real asked[2] = {1, 1};
  (void)LAPACK(geqrf)(LAPACK_COL_MAJOR, m, n, NULL, m, NULL, &asked[0], -1);
  (void)LAPACK(orgqr)(LAPACK_COL_MAJOR, m, k, k, NULL, m, NULL, &asked[1], -1);
  scratch s;
  PZ_TRY(take_scratch(q, (int64_t)m * n, k, 0, fmax((double)asked[0], (double)asked[1]), 0, &s));
  const view factors = view_columns(s.a, m, n);
  for (int64_t b = 0; b < a->batch; ++b) {
    const view from = view_of(a, b);
    if (!TYPED(view_finite)(from)) {
      fill_nan(q, b, 2, (const pz_mat* const[]){basis, r});
      continue;
    }
    copy_view(q, from, factors);
    (void)LAPACK(geqrf)(LAPACK_COL_MAJOR, m, n, s.a, m, s.b, s.work, s.n_work);
    if (r) {
      const view to = view_of(r, b);
      const view upper = {s.a, k, n, 1, m};
      copy_view(q, upper, to);
      for (int64_t j = 0; j < k; ++j) {
        for (int64_t i = j + 1; i < k; ++i) {
          to.data[i * to.row_stride + j * to.col_stride] = 0;
        }
      }
    }
    if (basis) {
      (void)LAPACK(orgqr)(LAPACK_COL_MAJOR, m, k, k, s.a, m, s.b, s.work, s.n_work);
      copy_view(q, view_columns(s.a, m, k), view_of(basis, b));
    }
  }
  return PZ_OK;
}

/* The columns of x as doubles, one after the other; and back into y. */
static void
widen(const view x, double* const to)
{
  for (int64_t j = 0; j < x.cols; ++j) {
    for (int64_t i = 0; i < x.rows; ++i) {
      to[i + j * x.rows] = (double)x.data[i * x.row_stride + j * x.col_stride];
    }
  }
}

static void
narrow(const double* const from, const view y)
{
  for (int64_t j = 0; j < y.cols; ++j) {
    for (int64_t i = 0; i < y.rows; ++i) {
      y.data[i * y.row_stride + j * y.col_stride] = (real)from[i + j * y.rows];
    }
  }
}

/* In double whatever the type: V diag(w) V^T of float32 by LAPACK misses A by some n eps, so
   that what is made of it would be worse than by any product; and double costs a tenth more
   up to n = 64, two thirds at n = 512. */
pz_status
TYPED(lapack_eigh)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const w,
                   const pz_mat* const v, const unsigned char* const flags)
{
  const lapack_int n = (lapack_int)a->rows;
  const char job = v ? 'V' : 'N';
  const int64_t wide = sizeof(double) / sizeof(real);
  double asked = 1;
  lapack_int integers = 1;
  (void)LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, job, 'L', n, NULL, n, NULL, &asked, -1, &integers,
                            -1);
  scratch s;
  // syev, the simpler iteration that helps out, needs 3 n
  asked = fmax(asked, 3.0 * n);
  PZ_TRY(take_scratch(q, wide * n * n, wide * n, 0, (double)wide * asked, integers, &s));
  double* const matrix = (double*)(void*)s.a;
  double* const values = (double*)(void*)s.b;
  double* const work = (double*)(void*)s.work;
  const lapack_int n_work = (lapack_int)(s.n_work / wide);
  int64_t failed = -1;
  for (int64_t b = 0; b < a->batch; ++b) {
    if (flags && !flags[b]) {
      continue;
    }
    const view from = view_of(a, b);
    bool done = false;
    if (TYPED(view_finite)(from)) {
      widen(from, matrix);
      done = LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, job, 'L', n, matrix, n, values, work, n_work,
                                 s.integers, integers) == 0;
      if (!done) {
        widen(from, matrix);
        done =
            LAPACKE_dsyev_work(LAPACK_COL_MAJOR, job, 'L', n, matrix, n, values, work, n_work) == 0;
      }
      failed = done || failed >= 0 ? failed : b;
    }
    if (!done) {
      fill_nan(q, b, 2, (const pz_mat* const[]){w, v});
      continue;
    }
    narrow(values, view_of(w, b));
    if (v) {
      narrow(matrix, view_of(v, b));
    }
  }
  return converged(q, failed);
}

pz_status
TYPED(svd)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const u,
           const pz_mat* const s, const pz_mat* const vt, const pz_fault* const fault)
{
  (void)fault;
  if (!TYPED(fits_blas)(a)) {
    return PZ_UNSUPPORTED;
  }
  const lapack_int m = (lapack_int)a->rows;
  const lapack_int n = (lapack_int)a->cols;
  const lapack_int k = m < n ? m : n;
  const char job = u ? 'S' : 'N';
  real asked[2] = {1, 1};
  (void)LAPACK(gesdd)(LAPACK_COL_MAJOR, job, m, n, NULL, m, NULL, NULL, m, NULL, k, &asked[0], -1,
                      NULL);
  (void)LAPACK(gesvd)(LAPACK_COL_MAJOR, job, job, m, n, NULL, m, NULL, NULL, m, NULL, k, &asked[1],
                      -1);
  scratch t;
  const int64_t n_u = (int64_t)m * k;
  PZ_TRY(take_scratch(q, (int64_t)m * n, n_u + (int64_t)k * n, k,
                      fmax((double)asked[0], (double)asked[1]), 8 * (int64_t)k, &t));
  const view matrix = view_columns(t.a, m, n);
  real* const right = t.b + n_u;
  int64_t failed = -1;
  for (int64_t b = 0; b < a->batch; ++b) {
    const view from = view_of(a, b);
    bool done = false;
    if (TYPED(view_finite)(from)) {
      copy_view(q, from, matrix);
      done = LAPACK(gesdd)(LAPACK_COL_MAJOR, job, m, n, t.a, m, t.c, t.b, m, right, k, t.work,
                           t.n_work, t.integers) == 0;
      if (!done) {
        copy_view(q, from, matrix);
        done = LAPACK(gesvd)(LAPACK_COL_MAJOR, job, job, m, n, t.a, m, t.c, t.b, m, right, k,
                             t.work, t.n_work) == 0;
      }
      failed = done || failed >= 0 ? failed : b;
    }
    if (!done) {
      fill_nan(q, b, 3, (const pz_mat* const[]){u, s, vt});
      continue;
    }
    copy_view(q, view_columns(t.c, k, 1), view_of(s, b));
    if (u) {
      copy_view(q, view_columns(t.b, m, k), view_of(u, b));
      copy_view(q, view_columns(right, k, n), view_of(vt, b));
    }
  }
  return converged(q, failed);
}

pz_status
TYPED(schur)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const t,
             const pz_mat* const z, const pz_fault* const fault)
{
  (void)fault;
  if (!TYPED(fits_blas)(a)) {
    return PZ_UNSUPPORTED;
  }
  const lapack_int n = (lapack_int)a->rows;
  lapack_int sorted = 0;
  real asked = 1;
  (void)LAPACK(gees)(LAPACK_COL_MAJOR, 'V', 'N', NULL, n, NULL, n, &sorted, NULL, NULL, NULL, n,
                     &asked, -1, NULL);
  scratch s;
  PZ_TRY(take_scratch(q, (int64_t)n * n, (int64_t)n * n, 2 * (int64_t)n, (double)asked, 0, &s));
  const view matrix = view_columns(s.a, n, n);
  int64_t failed = -1;
  for (int64_t b = 0; b < a->batch; ++b) {
    const view from = view_of(a, b);
    bool done = false;
    if (TYPED(view_finite)(from)) {
      copy_view(q, from, matrix);
      done = LAPACK(gees)(LAPACK_COL_MAJOR, 'V', 'N', NULL, n, s.a, n, &sorted, s.c, s.c + n, s.b,
                          n, s.work, s.n_work, NULL) == 0;
      failed = done || failed >= 0 ? failed : b;
    }
    if (!done) {
      fill_nan(q, b, 2, (const pz_mat* const[]){t, z});
      continue;
    }
    copy_view(q, matrix, view_of(t, b));
    copy_view(q, view_columns(s.b, n, n), view_of(z, b));
  }
  return converged(q, failed);
}
