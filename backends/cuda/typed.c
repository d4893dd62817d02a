/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Calls of cuBLAS and cuSOLVER in one precision: compiled twice, with CUDA_REAL_BITS 32 and
   64. Matrices lie column after column. Only this file sees the libraries' types of
   elements, so that the compiler checks every argument against NVIDIA's headers. */

#include "cuda_backend.h"

#if CUDA_REAL_BITS == 32
typedef float real;
#define BLAS(name) blas.cublasS##name
#define SOLVER(name) solver.cusolverDnS##name
#define TABLE cuda_typed_f32
#elif CUDA_REAL_BITS == 64
typedef double real;
#define BLAS(name) blas.cublasD##name
#define SOLVER(name) solver.cusolverDnD##name
#define TABLE cuda_typed_f64
#else
#error "CUDA_REAL_BITS is 32 or 64"
#endif

/* An array of addresses that our kernel wrote: the libraries take it without const. */
static real**
addresses(const void* const a)
{
  return (real**)(uintptr_t)a;
}

static pz_status
gemm(cuda_queue* const q, const cublasOperation_t ta, const cublasOperation_t tb, const int m,
     const int n, const int k, const double alpha, const cuda_columns* const a,
     const cuda_columns* const b, const double beta, const cuda_columns* const y, const int batch)
{
  const real scales[2] = {(real)alpha, (real)beta};
  return cuda_blas_checked(
      q,
      BLAS(gemmStridedBatched)(q->blas, ta, tb, m, n, k, &scales[0], (const real*)a->data, a->ld,
                               a->batch_stride, (const real*)b->data, b->ld, b->batch_stride,
                               &scales[1], (real*)y->data, y->ld, y->batch_stride, batch),
      "gemm");
}

static pz_status
syrk(cuda_queue* const q, const cublasOperation_t ta, const int n, const int k, const double alpha,
     const void* const a, const int lda, const double beta, void* const y, const int ldy)
{
  const real scales[2] = {(real)alpha, (real)beta};
  return cuda_blas_checked(q,
                           BLAS(syrk)(q->blas, CUBLAS_FILL_MODE_UPPER, ta, n, k, &scales[0],
                                      (const real*)a, lda, &scales[1], (real*)y, ldy),
                           "syrk");
}

static pz_status
trsm(cuda_queue* const q, const cublasSideMode_t side, const cublasFillMode_t triangle,
     const cublasOperation_t tt, const cublasDiagType_t diagonal, const int m, const int n,
     const void* const t, const int ldt, void* const b, const int ldb)
{
  const real one = 1;
  return cuda_blas_checked(q,
                           BLAS(trsm)(q->blas, side, triangle, tt, diagonal, m, n, &one,
                                      (const real*)t, ldt, (real*)b, ldb),
                           "trsm");
}

static pz_status
trsm_batched(cuda_queue* const q, const cublasSideMode_t side, const cublasFillMode_t triangle,
             const cublasOperation_t tt, const cublasDiagType_t diagonal, const int m, const int n,
             const void* const t, const int ldt, const void* const b, const int ldb,
             const int batch)
{
  const real one = 1;
  return cuda_blas_checked(q,
                           BLAS(trsmBatched)(q->blas, side, triangle, tt, diagonal, m, n, &one,
                                             (const real* const*)addresses(t), ldt, addresses(b),
                                             ldb, batch),
                           "trsm");
}

static pz_status
getrf_batched(cuda_queue* const q, const int n, const void* const a, const int lda,
              void* const pivots, void* const info, const int batch)
{
  return cuda_blas_checked(
      q, BLAS(getrfBatched)(q->blas, n, addresses(a), lda, (int*)pivots, (int*)info, batch),
      "getrf");
}

static pz_status
getrf(cuda_queue* const q, const int n, void* const a, const int lda, void* const work,
      int* const n_work, void* const pivots, void* const info)
{
  return cuda_solver_checked(
      q,
      !a ? SOLVER(getrf_bufferSize)(q->solver, n, n, NULL, lda, n_work)
         : SOLVER(getrf)(q->solver, n, n, (real*)a, lda, (real*)work, (int*)pivots, (int*)info),
      "getrf");
}

static pz_status
potrf(cuda_queue* const q, const cublasFillMode_t triangle, const int n, void* const a,
      const int lda, void* const work, int* const n_work, void* const info)
{
  return cuda_solver_checked(
      q,
      !a ? SOLVER(potrf_bufferSize)(q->solver, triangle, n, NULL, lda, n_work)
         : SOLVER(potrf)(q->solver, triangle, n, (real*)a, lda, (real*)work, *n_work, (int*)info),
      "potrf");
}

static pz_status
potrf_batched(cuda_queue* const q, const cublasFillMode_t triangle, const int n,
              const void* const a, const int lda, void* const info, const int batch)
{
  return cuda_solver_checked(
      q, SOLVER(potrfBatched)(q->solver, triangle, n, addresses(a), lda, (int*)info, batch),
      "potrf");
}

static pz_status
geqrf(cuda_queue* const q, const int m, const int n, void* const a, void* const tau,
      void* const work, int* const n_work, void* const info)
{
  return cuda_solver_checked(q,
                             !a ? SOLVER(geqrf_bufferSize)(q->solver, m, n, NULL, m, n_work)
                                : SOLVER(geqrf)(q->solver, m, n, (real*)a, m, (real*)tau,
                                                (real*)work, *n_work, (int*)info),
                             "geqrf");
}

static pz_status
orgqr(cuda_queue* const q, const int m, const int k, void* const a, const void* const tau,
      void* const work, int* const n_work, void* const info)
{
  return cuda_solver_checked(
      q,
      !a ? SOLVER(orgqr_bufferSize)(q->solver, m, k, k, NULL, m, NULL, n_work)
         : SOLVER(orgqr)(q->solver, m, k, k, (real*)a, m, (const real*)tau, (real*)work, *n_work,
                         (int*)info),
      "orgqr");
}

static cusolverEigMode_t
mode_of(const bool vectors)
{
  return vectors ? CUSOLVER_EIG_MODE_VECTOR : CUSOLVER_EIG_MODE_NOVECTOR;
}

static pz_status
syevd(cuda_queue* const q, const bool vectors, const int n, void* const a, void* const w,
      void* const work, int* const n_work, void* const info)
{
  const cublasFillMode_t lower = CUBLAS_FILL_MODE_LOWER;
  return cuda_solver_checked(
      q,
      !a ? SOLVER(syevd_bufferSize)(q->solver, mode_of(vectors), lower, n, NULL, n, NULL, n_work)
         : SOLVER(syevd)(q->solver, mode_of(vectors), lower, n, (real*)a, n, (real*)w, (real*)work,
                         *n_work, (int*)info),
      "syevd");
}

static pz_status
syevj_batched(cuda_queue* const q, const bool vectors, const int n, void* const a, void* const w,
              void* const work, int* const n_work, void* const info, const int batch)
{
  const cublasFillMode_t lower = CUBLAS_FILL_MODE_LOWER;
  return cuda_solver_checked(
      q,
      !a ? SOLVER(syevjBatched_bufferSize)(q->solver, mode_of(vectors), lower, n, NULL, n, NULL,
                                           n_work, q->jacobi, batch)
         : SOLVER(syevjBatched)(q->solver, mode_of(vectors), lower, n, (real*)a, n, (real*)w,
                                (real*)work, *n_work, (int*)info, q->jacobi, batch),
      "syevj");
}

static pz_status
gesvd(cuda_queue* const q, const bool vectors, const int m, const int n, void* const a,
      void* const s, void* const u, void* const vt, void* const work, int* const n_work,
      void* const info)
{
  const signed char job = vectors ? 'S' : 'N';
  return cuda_solver_checked(q,
                             !a ? SOLVER(gesvd_bufferSize)(q->solver, m, n, n_work)
                                : SOLVER(gesvd)(q->solver, job, job, m, n, (real*)a, m, (real*)s,
                                                (real*)u, m, (real*)vt, n, (real*)work, *n_work,
                                                NULL, (int*)info),
                             "gesvd");
}

const cuda_typed TABLE = {
    .gemm = gemm,
    .syrk = syrk,
    .trsm = trsm,
    .trsm_batched = trsm_batched,
    .getrf_batched = getrf_batched,
    .getrf = getrf,
    .potrf = potrf,
    .potrf_batched = potrf_batched,
    .geqrf = geqrf,
    .orgqr = orgqr,
    .syevd = syevd,
    .syevj_batched = syevj_batched,
    .gesvd = gesvd,
};
