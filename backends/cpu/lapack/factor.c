/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Eigenvalues, singular values and Schur forms by LAPACK. Each matrix is copied into scratch with
   columns as runs, as LAPACK has it, factored there, and its factors are copied out into any layout:
   O(n^2) beside O(n^3), and inputs stay as they are. Workspace is asked for once per call.

   Where LAPACK cannot be used, eigenvalues and singular values are left to the reference backend,
   which has no Schur form.

   LAPACK's iterations need not end on NaN or infinities, so a matrix with such entries
   never reaches it: all its results are NaN. */

#include "lapack.h"

#include "copy.h"
#include "finite.h"
#include "libraries.h"
#include "scratch.h"

#include <limits.h>
#include <string.h>

enum { WIDE = CPU_REAL_BITS == 64 }; /* index into the functions of both types */

/* Scratch of a call: one matrix and its factors, LAPACK's workspaces. */
typedef struct scratch {
  real* a;
  real* b;
  real* c;
  real* work;
  int32_t n_work;
  int32_t* integers;
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
  out->n_work = (int32_t)n_work;
  out->a = cpu_scratch(q, CPU_SCRATCH_A, (size_t)a * sizeof(real));
  out->b = b == 0 ? NULL : cpu_scratch(q, CPU_SCRATCH_B, (size_t)b * sizeof(real));
  out->c = c == 0 ? NULL : cpu_scratch(q, CPU_SCRATCH_C, (size_t)c * sizeof(real));
  out->work = cpu_scratch(q, CPU_SCRATCH_WORK, (size_t)out->n_work * sizeof(real));
  out->integers =
      cpu_scratch(q, CPU_SCRATCH_INTEGER, (size_t)larger(integers, 1) * sizeof(int32_t));
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
static pz_status
eigh_with(const cpu_lapack* const lapack, pz_backend_queue* const q, const pz_mat* const a,
          const pz_mat* const w, const pz_mat* const v, const unsigned char* const flags)
{
  const int32_t n = (int32_t)a->rows;
  const char* const job = v ? "V" : "N";
  const int64_t wide = sizeof(double) / sizeof(real);
  const int32_t query = -1;
  double asked = 1;
  int32_t integers = 1;
  int32_t info = 0;
  lapack->syevd(job, "L", &n, NULL, &n, NULL, &asked, &query, &integers, &query, &info, 1, 1);
  scratch s;
  // syev, the simpler iteration that helps out, needs 3 n
  asked = fmax(asked, 3.0 * n);
  PZ_TRY(take_scratch(q, wide * n * n, wide * n, 0, (double)wide * asked, integers, &s));
  double* const matrix = (double*)(void*)s.a;
  double* const values = (double*)(void*)s.b;
  double* const work = (double*)(void*)s.work;
  const int32_t n_work = (int32_t)(s.n_work / wide);
  int64_t failed = -1;
  for (int64_t b = 0; b < a->batch; ++b) {
    if (flags && !flags[b]) {
      continue;
    }
    const view from = view_of(a, b);
    bool done = false;
    if (TYPED(view_finite)(from)) {
      widen(from, matrix);
      lapack->syevd(job, "L", &n, matrix, &n, values, work, &n_work, s.integers, &integers, &info,
                    1, 1);
      if (info != 0) {
        widen(from, matrix);
        lapack->syev(job, "L", &n, matrix, &n, values, work, &n_work, &info, 1, 1);
      }
      done = info == 0;
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
TYPED(lapack_eigh)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const w,
                   const pz_mat* const v, const unsigned char* const flags)
{
  const cpu_lapack* lapack = NULL;
  if (flags && !memchr(flags, 1, (size_t)a->batch)) {
    return PZ_OK;
  }
  if (a->rows > INT_MAX || cpu_lapack_begin(&lapack) != PZ_OK) {
    return PZ_UNSUPPORTED;
  }
  const pz_status status = eigh_with(lapack, q, a, w, v, flags);
  cpu_lapack_end();
  return status;
}

static pz_status
svd_with(const cpu_lapack* const lapack, pz_backend_queue* const q, const pz_mat* const a,
         const pz_mat* const u, const pz_mat* const s, const pz_mat* const vt)
{
  cpu_gesdd* const gesdd = lapack->gesdd[WIDE];
  cpu_gesvd* const gesvd = lapack->gesvd[WIDE];
  const int32_t m = (int32_t)a->rows;
  const int32_t n = (int32_t)a->cols;
  const int32_t k = m < n ? m : n;
  const char* const job = u ? "S" : "N";
  const int32_t query = -1;
  real asked[2] = {1, 1};
  int32_t info = 0;
  gesdd(job, &m, &n, NULL, &m, NULL, NULL, &m, NULL, &k, &asked[0], &query, NULL, &info, 1);
  gesvd(job, job, &m, &n, NULL, &m, NULL, NULL, &m, NULL, &k, &asked[1], &query, &info, 1, 1);
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
      gesdd(job, &m, &n, t.a, &m, t.c, t.b, &m, right, &k, t.work, &t.n_work, t.integers, &info, 1);
      if (info != 0) {
        copy_view(q, from, matrix);
        gesvd(job, job, &m, &n, t.a, &m, t.c, t.b, &m, right, &k, t.work, &t.n_work, &info, 1, 1);
      }
      done = info == 0;
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
TYPED(svd)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const u,
           const pz_mat* const s, const pz_mat* const vt, const pz_fault* const fault)
{
  const cpu_lapack* lapack = NULL;
  (void)fault;
  if (larger(a->rows, a->cols) > INT_MAX || cpu_lapack_begin(&lapack) != PZ_OK) {
    return PZ_UNSUPPORTED;
  }
  const pz_status status = svd_with(lapack, q, a, u, s, vt);
  cpu_lapack_end();
  return status;
}

static pz_status
schur_with(const cpu_lapack* const lapack, pz_backend_queue* const q, const pz_mat* const a,
           const pz_mat* const t, const pz_mat* const z)
{
  cpu_gees* const gees = lapack->gees[WIDE];
  const int32_t n = (int32_t)a->rows;
  const int32_t query = -1;
  int32_t sorted = 0;
  int32_t info = 0;
  real asked = 1;
  gees("V", "N", NULL, &n, NULL, &n, &sorted, NULL, NULL, NULL, &n, &asked, &query, NULL, &info, 1,
       1);
  scratch s;
  PZ_TRY(take_scratch(q, (int64_t)n * n, (int64_t)n * n, 2 * (int64_t)n, (double)asked, 0, &s));
  const view matrix = view_columns(s.a, n, n);
  int64_t failed = -1;
  for (int64_t b = 0; b < a->batch; ++b) {
    const view from = view_of(a, b);
    bool done = false;
    if (TYPED(view_finite)(from)) {
      copy_view(q, from, matrix);
      gees("V", "N", NULL, &n, s.a, &n, &sorted, s.c, s.c + n, s.b, &n, s.work, &s.n_work, NULL,
           &info, 1, 1);
      done = info == 0;
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

pz_status
TYPED(schur)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const t,
             const pz_mat* const z, const pz_fault* const fault)
{
  const cpu_lapack* lapack = NULL;
  (void)fault;
  if (a->rows > INT_MAX) {
    return PZ_UNSUPPORTED;
  }
  const pz_status begun = cpu_lapack_begin(&lapack);
  if (begun != PZ_OK) { /* the reference backend has none */
    char reason[256];
    cpu_lapack_describe(sizeof(reason), reason);
    return q->host->fail(begun, "no Schur form: %s", reason);
  }
  const pz_status status = schur_with(lapack, q, a, t, z);
  cpu_lapack_end();
  return status;
}
