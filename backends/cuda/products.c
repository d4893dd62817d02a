/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products and triangular solutions by cuBLAS, which knows columns only: where rows lie one
   after the other, the transposed problem is handed over. Thresholds are guesses: nothing
   here has been timed on a GPU. */

#include "cuda_backend.h"

#include <limits.h>

enum {
  TINY = 8,        /* products of matrices up to this order, many of them: a kernel of ours */
  TINY_BATCH = 64, /* what is many */
  BLOCK = 32,      /* triangles up to this order: one kernel of ours */
  SYRK_ROWS = 256, /* from here on half the work is worth a call per matrix */
  SYRK_BATCH = 4,
};

static cublasOperation_t
operation(const cuda_columns* const c)
{
  return c->turned ? CUBLAS_OP_T : CUBLAS_OP_N;
}

static bool
is_tiny(const pz_mat* const a, const pz_mat* const y)
{
  return y->batch >= TINY_BATCH && y->rows <= TINY && y->cols <= TINY && a->cols <= TINY;
}

pz_status
cuda_gemm(pz_backend_queue* const base, const double alpha, const pz_mat* const a,
          const pz_mat* const b, const double beta, const pz_mat* const y)
{
  cuda_queue* const q = cuda_of(base);
  // y^T = b^T a^T
  const bool turned = gpu_row_major(y);
  const pz_mat left = turned ? pz_mat_transposed(b) : *a;
  const pz_mat right = turned ? pz_mat_transposed(a) : *b;
  const pz_mat out = turned ? pz_mat_transposed(y) : *y;
  cuda_columns l;
  cuda_columns r;
  cuda_columns o;
  if (is_tiny(a, y) || !cuda_columns_of(&left, &l) || !cuda_columns_of(&right, &r) ||
      !cuda_columns_of(&out, &o) || o.turned) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(cuda_need_blas(q));
  const bool entered = cuda_enter(q->shared->handle);
  const pz_status status =
      cuda_in(y->dtype)->gemm(q, operation(&l), operation(&r), (int)out.rows, (int)out.cols,
                              (int)left.cols, alpha, &l, &r, beta, &o, (int)y->batch);
  cuda_leave(entered);
  return status;
}

/* One triangle, mirrored in place: exactly symmetric. */
pz_status
cuda_syrk(pz_backend_queue* const base, const double alpha, const pz_mat* const a,
          const double beta, const pz_mat* const y)
{
  cuda_queue* const q = cuda_of(base);
  const bool turned = gpu_row_major(y);
  const pz_mat out = turned ? pz_mat_transposed(y) : *y;
  cuda_columns from;
  cuda_columns to;
  if (y->rows < SYRK_ROWS || y->batch > SYRK_BATCH || !gpu_offers(base, y->dtype) ||
      !cuda_columns_of(a, &from) || !cuda_columns_of(&out, &to) || to.turned) {
    return gpu_syrk(base, alpha, a, beta, y);
  }
  pz_status status = cuda_need_blas(q);
  if (status != PZ_OK) {
    return status == PZ_UNSUPPORTED ? gpu_syrk(base, alpha, a, beta, y) : status;
  }
  const uint64_t size = pz_dtype_size(y->dtype);
  const bool entered = cuda_enter(q->shared->handle);
  for (int64_t k = 0; k < y->batch && status == PZ_OK; ++k) {
    status = cuda_in(y->dtype)->syrk(
        q, operation(&from), (int)y->rows, (int)a->cols, alpha,
        cuda_at(from.data, (uint64_t)(k * from.batch_stride) * size), from.ld, beta,
        cuda_at(to.data, (uint64_t)(k * to.batch_stride) * size), to.ld);
  }
  cuda_leave(entered);
  PZ_TRY(status);
  return gpu_fold(base, PZ_UPPER, 1, &out, &out);
}

pz_status
cuda_trsm(pz_backend_queue* const base, const bool lower, const bool unit, const pz_mat* const t,
          const pz_mat* const b)
{
  cuda_queue* const q = cuda_of(base);
  cuda_columns tc;
  cuda_columns bc;
  if (b->rows <= BLOCK || !cuda_columns_of(t, &tc) || !cuda_columns_of(b, &bc)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(cuda_need_blas(q));
  // columns of b: t^-1 b; rows of b: b^T t^-T
  const cublasSideMode_t side = bc.turned ? CUBLAS_SIDE_RIGHT : CUBLAS_SIDE_LEFT;
  const cublasFillMode_t triangle =
      lower != tc.turned ? CUBLAS_FILL_MODE_LOWER : CUBLAS_FILL_MODE_UPPER;
  const cublasOperation_t tt = tc.turned != bc.turned ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasDiagType_t diagonal = unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT;
  const int m = (int)(bc.turned ? b->cols : b->rows);
  const int n = (int)(bc.turned ? b->rows : b->cols);
  const int batch = (int)b->batch;
  void* tp = NULL;
  void* bp = NULL;
  if (batch > 1) {
    const size_t bytes = (size_t)batch * sizeof(void*);
    PZ_TRY(cuda_side_reserve(q, 2 * cuda_side_size(bytes)));
    tp = cuda_side_take(q, bytes);
    bp = cuda_side_take(q, bytes);
    pz_mat each = *t;
    each.batch = b->batch;
    PZ_TRY(cuda_pointers(q, &each, tp));
    PZ_TRY(cuda_pointers(q, b, bp));
  }
  const cuda_typed* const typed = cuda_in(b->dtype);
  const bool entered = cuda_enter(q->shared->handle);
  const pz_status status =
      batch > 1
          ? typed->trsm_batched(q, side, triangle, tt, diagonal, m, n, tp, tc.ld, bp, bc.ld, batch)
          : typed->trsm(q, side, triangle, tt, diagonal, m, n, tc.data, tc.ld, bc.data, bc.ld);
  cuda_leave(entered);
  return status;
}
