/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Factorizations by cuSOLVER and cuBLAS. Nothing waits for them: what they say of a matrix
   stays on the device, where a kernel turns it into marks and the fault word. Iterations need
   not end on NaN or infinities, so a matrix with such entries is set to zero before, and its
   results are NaN. Scratch that lies along rows is the transpose of columns. */

#include "cuda_backend.h"

#include <limits.h>

enum {
  SMALL = 32,         /* one kernel of ours factors so small a triangle */
  BATCHED_ROWS = 256, /* up to here a batch goes through one call, beyond through many */
  JACOBI_ROWS = 32,   /* a batch of symmetric matrices in one call */
};

static uint64_t
matrix_bytes(const pz_mat* const m, const int64_t k)
{
  return (uint64_t)(k * m->batch_stride) * pz_dtype_size(m->dtype);
}

static void*
matrix_of(const pz_mat* const m, const int64_t k)
{
  return cuda_at(m->data, m->byte_offset + matrix_bytes(m, k));
}

static bool
fits(const pz_mat* const m)
{
  return m->rows <= INT_MAX / m->cols && m->batch <= INT_MAX;
}

static int
larger(const int a, const int b)
{
  return a > b ? a : b;
}

/* ---- for the shared layer ------------------------------------------------------------------ */

/* p w = l u in place; w lies along columns without gaps. */
pz_status
cuda_getrf(pz_backend_queue* const base, const pz_mat* const w, const pz_mat* const pivots,
           const pz_mat* const bad, const pz_fault* const fault)
{
  cuda_queue* const q = cuda_of(base);
  const cuda_typed* const typed = cuda_in(w->dtype);
  const int n = (int)w->rows;
  const int64_t batch = w->batch;
  const bool together = batch > 1 && w->rows <= BATCHED_ROWS && cuda_blas_open(NULL);
  if (!fits(w)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(together ? cuda_need_blas(q) : cuda_need_solver(q));
  int n_work = 0;
  const bool entered = cuda_enter(q->shared->handle);
  pz_status status = together ? PZ_OK : typed->getrf(q, n, NULL, n, NULL, &n_work, NULL, NULL);
  cuda_leave(entered);
  PZ_TRY(status);
  const size_t pivot_bytes = (size_t)batch * (size_t)n * sizeof(int);
  const size_t info_bytes = (size_t)batch * sizeof(int);
  const size_t work_bytes =
      together ? (size_t)batch * sizeof(void*) : (size_t)n_work * pz_dtype_size(w->dtype);
  PZ_TRY(cuda_side_reserve(q, cuda_side_size(pivot_bytes) + cuda_side_size(info_bytes) +
                                  cuda_side_size(work_bytes)));
  int* const from = (int*)cuda_side_take(q, pivot_bytes);
  int* const info = (int*)cuda_side_take(q, info_bytes);
  void* const work = cuda_side_take(q, work_bytes);
  if (together) {
    PZ_TRY(cuda_pointers(q, w, work));
  }
  const bool again = cuda_enter(q->shared->handle);
  if (together) {
    status = typed->getrf_batched(q, n, work, n, from, info, (int)batch);
  }
  for (int64_t k = 0; k < batch && !together && status == PZ_OK; ++k) {
    status = typed->getrf(q, n, matrix_of(w, k), n, work, &n_work, from + k * n, info + k);
  }
  cuda_leave(again);
  PZ_TRY(status);
  gpu_call call = gpu_begin(PZ_F32);
  gpu_buffer(&call, from);
  gpu_array(&call, pivots);
  gpu_over(&call, batch * n, 1, 1);
  PZ_TRY(cuda_run(base, CUDA_PIVOTS, &call));
  return cuda_report(q, info, bad, fault);
}

/* l l^T in place, of the lower triangle; the upper one is left alone. */
pz_status
cuda_potrf(pz_backend_queue* const base, const pz_mat* const l, const pz_mat* const bad,
           const pz_fault* const fault)
{
  cuda_queue* const q = cuda_of(base);
  const cuda_typed* const typed = cuda_in(l->dtype);
  const int n = (int)l->rows;
  const bool together = l->batch > 1 && l->rows <= BATCHED_ROWS;
  cuda_columns c;
  if (l->rows <= SMALL || !fits(l) || !cuda_columns_of(l, &c)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(cuda_need_solver(q));
  const cublasFillMode_t triangle = c.turned ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
  int n_work = 0;
  const bool entered = cuda_enter(q->shared->handle);
  pz_status status =
      together ? PZ_OK : typed->potrf(q, triangle, n, NULL, c.ld, NULL, &n_work, NULL);
  cuda_leave(entered);
  PZ_TRY(status);
  const size_t info_bytes = (size_t)l->batch * sizeof(int);
  const size_t work_bytes =
      together ? (size_t)l->batch * sizeof(void*) : (size_t)n_work * pz_dtype_size(l->dtype);
  PZ_TRY(cuda_side_reserve(q, cuda_side_size(info_bytes) + cuda_side_size(work_bytes)));
  int* const info = (int*)cuda_side_take(q, info_bytes);
  void* const work = cuda_side_take(q, work_bytes);
  if (together) {
    PZ_TRY(cuda_pointers(q, l, work));
  }
  const bool again = cuda_enter(q->shared->handle);
  if (together) {
    status = typed->potrf_batched(q, triangle, n, work, c.ld, info, (int)l->batch);
  }
  for (int64_t k = 0; k < l->batch && !together && status == PZ_OK; ++k) {
    status = typed->potrf(q, triangle, n, cuda_at(c.data, matrix_bytes(l, k)), c.ld, work, &n_work,
                          info + k);
  }
  cuda_leave(again);
  PZ_TRY(status);
  return cuda_report(q, info, bad, fault);
}

/* ---- orthogonal factorizations ---------------------------------------------------------------- */

/* Marks matrices of `w` with entries that are not finite and makes them zero. */
static pz_status
shield(pz_backend_queue* const q, const pz_mat* const w, pz_mat* const bad)
{
  PZ_TRY(gpu_flags(q, w->batch, bad));
  gpu_call mark = gpu_begin(w->dtype);
  gpu_mat(&mark, w);
  gpu_array(&mark, bad);
  gpu_over(&mark, w->cols, w->rows, w->batch);
  PZ_TRY(cuda_run(q, CUDA_MARK_NOT_FINITE, &mark));
  gpu_call blank = gpu_begin(w->dtype);
  gpu_array(&blank, bad);
  gpu_mat(&blank, w);
  gpu_over(&blank, w->cols, w->rows, w->batch);
  return cuda_run(q, CUDA_BLANK, &blank);
}

/* y = x, of either dtype. */
static pz_status
convert(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const y)
{
  if (x->dtype == y->dtype) {
    return gpu_copy(q, x, y);
  }
  gpu_call call = gpu_begin(PZ_F64);
  gpu_mat(&call, x);
  gpu_mat(&call, y);
  gpu_over(&call, y->cols, y->rows, y->batch);
  return cuda_run(q, x->dtype == PZ_F32 ? CUDA_WIDEN : CUDA_NARROW, &call);
}

/* y = x, NaN where bad. */
static pz_status
hand_out(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const bad,
         const pz_mat* const y)
{
  PZ_TRY(convert(q, x, y));
  return gpu_scale_or_spoil(q, 1.0, bad, y);
}

pz_status
cuda_qr(pz_backend_queue* const base, const pz_mat* const a, const pz_mat* const basis,
        const pz_mat* const r)
{
  cuda_queue* const q = cuda_of(base);
  const cuda_typed* const typed = cuda_in(a->dtype);
  const int64_t k = a->rows < a->cols ? a->rows : a->cols;
  const int64_t batch = basis ? basis->batch : r->batch;
  if (!gpu_offers(base, a->dtype) || !fits(a)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(cuda_need_solver(q));
  const int m = (int)a->rows;
  const int n = (int)a->cols;
  int asked[2] = {0, 0};
  bool entered = cuda_enter(q->shared->handle);
  pz_status status = typed->geqrf(q, m, n, NULL, NULL, NULL, &asked[0], NULL);
  if (status == PZ_OK && basis) {
    status = typed->orgqr(q, m, (int)k, NULL, NULL, NULL, &asked[1], NULL);
  }
  cuda_leave(entered);
  PZ_TRY(status);
  int n_work = larger(asked[0], asked[1]);
  const size_t work_bytes = (size_t)n_work * pz_dtype_size(a->dtype);
  PZ_TRY(cuda_side_reserve(q, cuda_side_size(sizeof(int)) + cuda_side_size(work_bytes)));
  int* const info = (int*)cuda_side_take(q, sizeof(int)); /* of arguments, which are right */
  void* const work = cuda_side_take(q, work_bytes);
  PZ_TRY(gpu_reserve(base, gpu_mat_bytes(a->dtype, batch, n, m) +
                               gpu_mat_bytes(a->dtype, batch, 1, k) + gpu_flags_bytes(batch)));
  const pz_mat w = gpu_take_mat(base, a->dtype, batch, n, m);
  const pz_mat tau = gpu_take_mat(base, a->dtype, batch, 1, k);
  const pz_mat columns = pz_mat_transposed(&w);
  pz_mat bad;
  PZ_TRY(gpu_copy(base, a, &columns));
  PZ_TRY(shield(base, &w, &bad));
  entered = cuda_enter(q->shared->handle);
  for (int64_t i = 0; i < batch && status == PZ_OK; ++i) {
    status = typed->geqrf(q, m, n, matrix_of(&w, i), matrix_of(&tau, i), work, &n_work, info);
  }
  cuda_leave(entered);
  PZ_TRY(status);
  if (r) {
    const pz_mat top = pz_mat_block(&columns, 0, k, 0, n);
    PZ_TRY(gpu_band(base, PZ_UPPER, 0, &top, r));
    PZ_TRY(gpu_scale_or_spoil(base, 1.0, &bad, r));
  }
  if (!basis) {
    return PZ_OK;
  }
  entered = cuda_enter(q->shared->handle);
  for (int64_t i = 0; i < batch && status == PZ_OK; ++i) {
    status = typed->orgqr(q, m, (int)k, matrix_of(&w, i), matrix_of(&tau, i), work, &n_work, info);
  }
  cuda_leave(entered);
  PZ_TRY(status);
  const pz_mat first = pz_mat_block(&columns, 0, m, 0, k);
  return hand_out(base, &first, &bad, basis);
}

/* In double, float32 too: eigenvalues near zero keep their digits in functions of a matrix. */
pz_status
cuda_eigh(pz_backend_queue* const base, const pz_mat* const a, const pz_mat* const w,
          const pz_mat* const v, const pz_fault* const fault)
{
  cuda_queue* const q = cuda_of(base);
  const cuda_typed* const typed = cuda_in(PZ_F64);
  const int64_t batch = w->batch;
  const bool together = batch > 1 && a->rows <= JACOBI_ROWS;
  if (!gpu_offers(base, a->dtype) || !fits(a)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(cuda_need_solver(q));
  const int n = (int)a->rows;
  int n_work = 0;
  bool entered = cuda_enter(q->shared->handle);
  pz_status status =
      together ? typed->syevj_batched(q, v != NULL, n, NULL, NULL, NULL, &n_work, NULL, (int)batch)
               : typed->syevd(q, v != NULL, n, NULL, NULL, NULL, &n_work, NULL);
  cuda_leave(entered);
  PZ_TRY(status);
  const size_t info_bytes = (size_t)batch * sizeof(int);
  const size_t work_bytes = (size_t)n_work * pz_dtype_size(PZ_F64);
  PZ_TRY(cuda_side_reserve(q, cuda_side_size(info_bytes) + cuda_side_size(work_bytes)));
  int* const info = (int*)cuda_side_take(q, info_bytes);
  void* const work = cuda_side_take(q, work_bytes);
  PZ_TRY(gpu_reserve(base, gpu_mat_bytes(PZ_F64, batch, n, n) + gpu_mat_bytes(PZ_F64, batch, n, 1) +
                               gpu_flags_bytes(batch)));
  const pz_mat matrix = gpu_take_mat(base, PZ_F64, batch, n, n);
  const pz_mat values = gpu_take_mat(base, PZ_F64, batch, n, 1);
  pz_mat bad;
  PZ_TRY(convert(base, a, &matrix));
  PZ_TRY(shield(base, &matrix, &bad));
  entered = cuda_enter(q->shared->handle);
  if (together) {
    status = typed->syevj_batched(q, v != NULL, n, matrix_of(&matrix, 0), matrix_of(&values, 0),
                                  work, &n_work, info, (int)batch);
  }
  for (int64_t i = 0; i < batch && !together && status == PZ_OK; ++i) {
    status = typed->syevd(q, v != NULL, n, matrix_of(&matrix, i), matrix_of(&values, i), work,
                          &n_work, info + i);
  }
  cuda_leave(entered);
  PZ_TRY(status);
  PZ_TRY(cuda_report(q, info, &bad, fault));
  PZ_TRY(hand_out(base, &values, &bad, w));
  const pz_mat vectors = pz_mat_transposed(&matrix);
  return v ? hand_out(base, &vectors, &bad, v) : PZ_OK;
}

/* cuSOLVER wants tall matrices: a wide one is factored transposed. With p >= k the extents of
   the tall one, t = l diag(s) r. */
pz_status
cuda_svd(pz_backend_queue* const base, const pz_mat* const a, const pz_mat* const u,
         const pz_mat* const s, const pz_mat* const vt, const pz_fault* const fault)
{
  cuda_queue* const q = cuda_of(base);
  const cuda_typed* const typed = cuda_in(a->dtype);
  const bool tall = a->rows >= a->cols;
  const int64_t batch = s->batch;
  if (!gpu_offers(base, a->dtype) || !fits(a)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(cuda_need_solver(q));
  const int p = (int)(tall ? a->rows : a->cols);
  const int k = (int)(tall ? a->cols : a->rows);
  int n_work = 0;
  bool entered = cuda_enter(q->shared->handle);
  pz_status status = typed->gesvd(q, u != NULL, p, k, NULL, NULL, NULL, NULL, NULL, &n_work, NULL);
  cuda_leave(entered);
  PZ_TRY(status);
  const size_t info_bytes = (size_t)batch * sizeof(int);
  const size_t work_bytes = (size_t)n_work * pz_dtype_size(a->dtype);
  PZ_TRY(cuda_side_reserve(q, cuda_side_size(info_bytes) + cuda_side_size(work_bytes)));
  int* const info = (int*)cuda_side_take(q, info_bytes);
  void* const work = cuda_side_take(q, work_bytes);
  PZ_TRY(gpu_reserve(base, 2 * gpu_mat_bytes(a->dtype, batch, k, p) +
                               gpu_mat_bytes(a->dtype, batch, k, k) +
                               gpu_mat_bytes(a->dtype, batch, k, 1) + gpu_flags_bytes(batch)));
  const pz_mat t = gpu_take_mat(base, a->dtype, batch, k, p);
  const pz_mat l = gpu_take_mat(base, a->dtype, batch, k, p);
  const pz_mat r = gpu_take_mat(base, a->dtype, batch, k, k);
  const pz_mat values = gpu_take_mat(base, a->dtype, batch, k, 1);
  const pz_mat given = tall ? pz_mat_transposed(&t) : t;
  pz_mat bad;
  PZ_TRY(gpu_copy(base, a, &given));
  PZ_TRY(shield(base, &t, &bad));
  entered = cuda_enter(q->shared->handle);
  for (int64_t i = 0; i < batch && status == PZ_OK; ++i) {
    status = typed->gesvd(q, u != NULL, p, k, matrix_of(&t, i), matrix_of(&values, i),
                          matrix_of(&l, i), matrix_of(&r, i), work, &n_work, info + i);
  }
  cuda_leave(entered);
  PZ_TRY(status);
  PZ_TRY(cuda_report(q, info, &bad, fault));
  PZ_TRY(hand_out(base, &values, &bad, s));
  if (!u) {
    return PZ_OK;
  }
  // a = l s r, or a = (l s r)^T = r^T s l^T; both lie here transposed
  const pz_mat lc = pz_mat_transposed(&l);
  const pz_mat rc = pz_mat_transposed(&r);
  PZ_TRY(hand_out(base, tall ? &lc : &r, &bad, u));
  return hand_out(base, tall ? &rc : &l, &bad, vt);
}
