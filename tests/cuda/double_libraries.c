/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* cuBLAS and cuSOLVER of the double in one precision: BLAS and LAPACK on matrices that lie
   column after column, once the stream is done. Compiled twice, with DOUBLE_REAL_BITS 32 and
   64. Workspace is what was asked for, overwritten to its last element. */

#include "double.h"

#include <cblas.h>
#include <lapacke.h>

#include <stdlib.h>
#include <string.h>

#if DOUBLE_REAL_BITS == 32
typedef float real;
#define CUBLAS(name) cublasS##name
#define CUSOLVER(name) cusolverDnS##name
#define BLAS(name) cblas_s##name
#define LAPACK(name) LAPACKE_s##name
#else
typedef double real;
#define CUBLAS(name) cublasD##name
#define CUSOLVER(name) cusolverDnD##name
#define BLAS(name) cblas_d##name
#define LAPACK(name) LAPACKE_d##name
#endif

/* ---- cuBLAS ------------------------------------------------------------------------------- */

static CBLAS_TRANSPOSE
operation(const cublasOperation_t t)
{
  return t == CUBLAS_OP_N ? CblasNoTrans : CblasTrans;
}

static CBLAS_UPLO
triangle_of(const cublasFillMode_t t)
{
  return t == CUBLAS_FILL_MODE_LOWER ? CblasLower : CblasUpper;
}

static char
letter(const cublasFillMode_t t)
{
  return t == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U';
}

static cublasStatus_t
begin(const cublasHandle_t handle)
{
  if (double_fails()) {
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  double_finish(handle->stream);
  return double_current() ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

/* An m x n matrix of device memory. */
static bool
is_matrix(const void* const a, const int m, const int n, const int ld)
{
  return m > 0 && n > 0 && ld >= m &&
         double_owns(a, ((size_t)(n - 1) * (size_t)ld + (size_t)m) * sizeof(real));
}

cublasStatus_t
CUBLAS(gemmStridedBatched)(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m,
                           int n, int k, const real* alpha, const real* a, int lda,
                           long long int stride_a, const real* b, int ldb, long long int stride_b,
                           const real* beta, real* c, int ldc, long long int stride_c, int batch)
{
  const cublasStatus_t status = begin(handle);
  for (int i = 0; i < batch && status == CUBLAS_STATUS_SUCCESS; ++i) {
    const real* const ai = a + i * stride_a;
    const real* const bi = b + i * stride_b;
    real* const ci = c + i * stride_c;
    if (!(ta == CUBLAS_OP_N ? is_matrix(ai, m, k, lda) : is_matrix(ai, k, m, lda)) ||
        !(tb == CUBLAS_OP_N ? is_matrix(bi, k, n, ldb) : is_matrix(bi, n, k, ldb)) ||
        !is_matrix(ci, m, n, ldc)) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    BLAS(gemm)
    (CblasColMajor, operation(ta), operation(tb), m, n, k, *alpha, ai, lda, bi, ldb, *beta, ci,
     ldc);
  }
  return status;
}

cublasStatus_t
CUBLAS(syrk)(cublasHandle_t handle, cublasFillMode_t triangle, cublasOperation_t t, int n, int k,
             const real* alpha, const real* a, int lda, const real* beta, real* c, int ldc)
{
  const cublasStatus_t status = begin(handle);
  if (!(t == CUBLAS_OP_N ? is_matrix(a, n, k, lda) : is_matrix(a, k, n, lda)) ||
      !is_matrix(c, n, n, ldc)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (status == CUBLAS_STATUS_SUCCESS) {
    BLAS(syrk)
    (CblasColMajor, triangle_of(triangle), operation(t), n, k, *alpha, a, lda, *beta, c, ldc);
  }
  return status;
}

static cublasStatus_t
solve(const cublasSideMode_t side, const cublasFillMode_t triangle, const cublasOperation_t t,
      const cublasDiagType_t diagonal, const int m, const int n, const real alpha,
      const real* const a, const int lda, real* const b, const int ldb)
{
  const int order = side == CUBLAS_SIDE_LEFT ? m : n;
  if (!is_matrix(a, order, order, lda) || !is_matrix(b, m, n, ldb)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  BLAS(trsm)
  (CblasColMajor, side == CUBLAS_SIDE_LEFT ? CblasLeft : CblasRight, triangle_of(triangle),
   operation(t), diagonal == CUBLAS_DIAG_UNIT ? CblasUnit : CblasNonUnit, m, n, alpha, a, lda, b,
   ldb);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
CUBLAS(trsm)(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t triangle,
             cublasOperation_t t, cublasDiagType_t diagonal, int m, int n, const real* alpha,
             const real* a, int lda, real* b, int ldb)
{
  const cublasStatus_t status = begin(handle);
  return status == CUBLAS_STATUS_SUCCESS
             ? solve(side, triangle, t, diagonal, m, n, *alpha, a, lda, b, ldb)
             : status;
}

cublasStatus_t
CUBLAS(trsmBatched)(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t triangle,
                    cublasOperation_t t, cublasDiagType_t diagonal, int m, int n, const real* alpha,
                    const real* const a[], int lda, real* const b[], int ldb, int batch)
{
  cublasStatus_t status = begin(handle);
  for (int i = 0; i < batch && status == CUBLAS_STATUS_SUCCESS; ++i) {
    status = solve(side, triangle, t, diagonal, m, n, *alpha, a[i], lda, b[i], ldb);
  }
  return status;
}

cublasStatus_t
CUBLAS(getrfBatched)(cublasHandle_t handle, int n, real* const a[], int lda, int* pivots, int* info,
                     int batch)
{
  const cublasStatus_t status = begin(handle);
  for (int i = 0; i < batch && status == CUBLAS_STATUS_SUCCESS; ++i) {
    if (!is_matrix(a[i], n, n, lda) || !double_owns(pivots + i * n, (size_t)n * sizeof(int)) ||
        !double_owns(info + i, sizeof(int))) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    info[i] = LAPACK(getrf_work)(LAPACK_COL_MAJOR, n, n, a[i], lda, pivots + i * n);
  }
  return status;
}

/* ---- cuSOLVER -------------------------------------------------------------------------------- */

enum { WORKSPACE = 57 }; /* elements, whatever for */

/* `work` NULL: none is wanted. */
static cusolverStatus_t
ready(const cusolverDnHandle_t handle, real* const work, const int n_work, const int* const info)
{
  if (double_fails()) {
    return CUSOLVER_STATUS_INTERNAL_ERROR;
  }
  double_finish(handle->stream);
  if (!double_current() || !double_owns(info, sizeof(*info))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (work && (n_work < WORKSPACE || !double_owns(work, WORKSPACE * sizeof(real)))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (work) {
    memset(work, 0xff, WORKSPACE * sizeof(real));
  }
  return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t
ask(int* const n_work)
{
  *n_work = WORKSPACE;
  return double_fails() ? CUSOLVER_STATUS_INVALID_VALUE : CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t
CUSOLVER(getrf_bufferSize)(cusolverDnHandle_t handle, int m, int n, real* a, int lda, int* n_work)
{
  (void)handle;
  (void)a;
  return m == n && lda >= m ? ask(n_work) : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t
CUSOLVER(getrf)(cusolverDnHandle_t handle, int m, int n, real* a, int lda, real* work, int* pivots,
                int* info)
{
  const cusolverStatus_t status = ready(handle, work, WORKSPACE, info);
  if (!is_matrix(a, m, n, lda) || !double_owns(pivots, (size_t)n * sizeof(int))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (status == CUSOLVER_STATUS_SUCCESS) {
    *info = LAPACK(getrf_work)(LAPACK_COL_MAJOR, m, n, a, lda, pivots);
  }
  return status;
}

cusolverStatus_t
CUSOLVER(potrf_bufferSize)(cusolverDnHandle_t handle, cublasFillMode_t triangle, int n, real* a,
                           int lda, int* n_work)
{
  (void)handle;
  (void)triangle;
  (void)a;
  return lda >= n ? ask(n_work) : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t
CUSOLVER(potrf)(cusolverDnHandle_t handle, cublasFillMode_t triangle, int n, real* a, int lda,
                real* work, int n_work, int* info)
{
  const cusolverStatus_t status = ready(handle, work, n_work, info);
  if (!is_matrix(a, n, n, lda)) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (status == CUSOLVER_STATUS_SUCCESS) {
    *info = LAPACK(potrf_work)(LAPACK_COL_MAJOR, letter(triangle), n, a, lda);
  }
  return status;
}

cusolverStatus_t
CUSOLVER(potrfBatched)(cusolverDnHandle_t handle, cublasFillMode_t triangle, int n, real* a[],
                       int lda, int* info, int batch)
{
  const cusolverStatus_t status = ready(handle, NULL, 0, info);
  for (int i = 0; i < batch && status == CUSOLVER_STATUS_SUCCESS; ++i) {
    if (!is_matrix(a[i], n, n, lda)) {
      return CUSOLVER_STATUS_INVALID_VALUE;
    }
    info[i] = LAPACK(potrf_work)(LAPACK_COL_MAJOR, letter(triangle), n, a[i], lda);
  }
  return status;
}

cusolverStatus_t
CUSOLVER(geqrf_bufferSize)(cusolverDnHandle_t handle, int m, int n, real* a, int lda, int* n_work)
{
  (void)handle;
  (void)a;
  return n > 0 && lda >= m ? ask(n_work) : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t
CUSOLVER(geqrf)(cusolverDnHandle_t handle, int m, int n, real* a, int lda, real* tau, real* work,
                int n_work, int* info)
{
  const cusolverStatus_t status = ready(handle, work, n_work, info);
  if (!is_matrix(a, m, n, lda) || !double_owns(tau, (size_t)(m < n ? m : n) * sizeof(real))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (status == CUSOLVER_STATUS_SUCCESS) {
    *info = LAPACK(geqrf)(LAPACK_COL_MAJOR, m, n, a, lda, tau);
  }
  return status;
}

cusolverStatus_t
CUSOLVER(orgqr_bufferSize)(cusolverDnHandle_t handle, int m, int n, int k, const real* a, int lda,
                           const real* tau, int* n_work)
{
  (void)handle;
  (void)a;
  (void)tau;
  return m >= n && n >= k && lda >= m ? ask(n_work) : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t
CUSOLVER(orgqr)(cusolverDnHandle_t handle, int m, int n, int k, real* a, int lda, const real* tau,
                real* work, int n_work, int* info)
{
  const cusolverStatus_t status = ready(handle, work, n_work, info);
  if (!is_matrix(a, m, n, lda) || !double_owns(tau, (size_t)k * sizeof(real))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (status == CUSOLVER_STATUS_SUCCESS) {
    *info = LAPACK(orgqr)(LAPACK_COL_MAJOR, m, n, k, a, lda, tau);
  }
  return status;
}

cusolverStatus_t
CUSOLVER(syevd_bufferSize)(cusolverDnHandle_t handle, cusolverEigMode_t mode,
                           cublasFillMode_t triangle, int n, const real* a, int lda, const real* w,
                           int* n_work)
{
  (void)handle;
  (void)mode;
  (void)triangle;
  (void)a;
  (void)w;
  return lda >= n ? ask(n_work) : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t
CUSOLVER(syevd)(cusolverDnHandle_t handle, cusolverEigMode_t mode, cublasFillMode_t triangle, int n,
                real* a, int lda, real* w, real* work, int n_work, int* info)
{
  const cusolverStatus_t status = ready(handle, work, n_work, info);
  if (!is_matrix(a, n, n, lda) || !double_owns(w, (size_t)n * sizeof(real))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (status == CUSOLVER_STATUS_SUCCESS) {
    *info = LAPACK(syevd)(LAPACK_COL_MAJOR, mode == CUSOLVER_EIG_MODE_VECTOR ? 'V' : 'N',
                          letter(triangle), n, a, lda, w);
  }
  return status;
}

cusolverStatus_t
CUSOLVER(syevjBatched_bufferSize)(cusolverDnHandle_t handle, cusolverEigMode_t mode,
                                  cublasFillMode_t triangle, int n, const real* a, int lda,
                                  const real* w, int* n_work, syevjInfo_t params, int batch)
{
  return params && batch > 0 && n <= 32
             ? CUSOLVER(syevd_bufferSize)(handle, mode, triangle, n, a, lda, w, n_work)
             : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t
CUSOLVER(syevjBatched)(cusolverDnHandle_t handle, cusolverEigMode_t mode, cublasFillMode_t triangle,
                       int n, real* a, int lda, real* w, real* work, int n_work, int* info,
                       syevjInfo_t params, int batch)
{
  cusolverStatus_t status = params ? CUSOLVER_STATUS_SUCCESS : CUSOLVER_STATUS_INVALID_VALUE;
  for (int i = 0; i < batch && status == CUSOLVER_STATUS_SUCCESS; ++i) {
    status = CUSOLVER(syevd)(handle, mode, triangle, n, a + (size_t)i * (size_t)(lda * n), lda,
                             w + (size_t)i * (size_t)n, work, n_work, info + i);
  }
  return status;
}

cusolverStatus_t
CUSOLVER(gesvd_bufferSize)(cusolverDnHandle_t handle, int m, int n, int* n_work)
{
  (void)handle;
  return m >= n ? ask(n_work) : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t
CUSOLVER(gesvd)(cusolverDnHandle_t handle, signed char jobu, signed char jobvt, int m, int n,
                real* a, int lda, real* s, real* u, int ldu, real* vt, int ldvt, real* work,
                int n_work, real* rwork, int* info)
{
  const cusolverStatus_t status = ready(handle, work, n_work, info);
  (void)rwork;
  if (m < n || !is_matrix(a, m, n, lda) || !double_owns(s, (size_t)n * sizeof(real)) ||
      (jobu == 'S' && !is_matrix(u, m, n, ldu)) || (jobvt == 'S' && !is_matrix(vt, n, n, ldvt))) {
    return CUSOLVER_STATUS_INVALID_VALUE;
  }
  if (status == CUSOLVER_STATUS_SUCCESS) {
    real* const lost = calloc((size_t)n, sizeof(real));
    *info = LAPACK(gesvd)(LAPACK_COL_MAJOR, (char)jobu, (char)jobvt, m, n, a, lda, s, u, ldu, vt,
                          ldvt, lost);
    free(lost);
  }
  return status;
}
