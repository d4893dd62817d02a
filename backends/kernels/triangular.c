/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Solutions with triangles, and the Cholesky factor, by blocks: a kernel for the block on
   the diagonal, products for the rest. What is singular is marked in a vector of flags. */

#include "gpu.h"

enum { BLOCK = 32, COLUMNS = 64 };

static int64_t
smaller(const int64_t a, const int64_t b)
{
  return a < b ? a : b;
}

/* ---- flags ------------------------------------------------------------------- */

size_t
gpu_flags_bytes(const int64_t batch)
{
  return gpu_mat_bytes(PZ_I64, batch, 1, 1);
}

pz_status
gpu_flags(pz_backend_queue* const q, const int64_t batch, pz_mat* const out)
{
  *out = gpu_take_mat(q, PZ_I64, 1, 1, batch);
  return gpu_fill(q, 0.0, out);
}

void
gpu_array(gpu_call* const call, const pz_mat* const array)
{
  gpu_buffer(call, array->data);
  gpu_integer(call, (int64_t)(array->byte_offset / sizeof(int64_t)));
}

pz_status
gpu_scale_or_spoil(pz_backend_queue* const q, const double a, const pz_mat* const bad,
                   const pz_mat* const y)
{
  const pz_mat to = gpu_row_major(y) ? *y : pz_mat_transposed(y);
  gpu_call call = gpu_begin(y->dtype);
  gpu_real(&call, a);
  gpu_array(&call, bad);
  gpu_mat(&call, &to);
  gpu_over(&call, to.cols, to.rows, to.batch);
  return gpu_run(q, GPU_scale_or_spoil, &call);
}

/* ---- solutions ------------------------------------------------------------------ */

static pz_status
solve_block(pz_backend_queue* const q, const bool lower, const bool unit, const pz_mat* const t,
            const pz_mat* const b)
{
  gpu_call call = gpu_begin(b->dtype);
  gpu_integer(&call, lower);
  gpu_integer(&call, unit);
  gpu_mat(&call, t);
  gpu_mat(&call, b);
  gpu_integer(&call, b->rows);
  gpu_integer(&call, b->cols);
  gpu_integer(&call, b->batch);
  gpu_groups(&call, (b->cols + COLUMNS - 1) / COLUMNS, 1, b->batch, COLUMNS, 1);
  return gpu_run(q, GPU_trsm_block, &call);
}

/* b <- t^-1 b: block after block, each taken off the rows that are left. */
pz_status
gpu_substitute(pz_backend_queue* const q, const bool lower, const bool unit, const pz_mat* const t,
               const pz_mat* const b)
{
  const int64_t n = b->rows;
  const int64_t blocks = (n + BLOCK - 1) / BLOCK;
  if (q->driver->trsm) {
    const pz_status status = q->driver->trsm(q, lower, unit, t, b);
    if (status != PZ_UNSUPPORTED) {
      return status;
    }
  }
  for (int64_t step = 0; step < blocks; ++step) {
    const int64_t at = BLOCK * (lower ? step : blocks - 1 - step);
    const int64_t width = smaller(BLOCK, n - at);
    const int64_t rest = lower ? at + width : 0;
    const int64_t left = lower ? n - rest : at;
    const pz_mat tile = pz_mat_block(t, at, width, at, width);
    const pz_mat x = pz_mat_block(b, at, width, 0, b->cols);
    PZ_TRY(solve_block(q, lower, unit, &tile, &x));
    if (left > 0) {
      const pz_mat below = pz_mat_block(t, rest, left, at, width);
      const pz_mat others = pz_mat_block(b, rest, left, 0, b->cols);
      PZ_TRY(gpu_gemm(q, -1.0, &below, &x, 1.0, &others));
    }
  }
  return PZ_OK;
}

pz_status
gpu_trsm(pz_backend_queue* const q, const pz_side side, const pz_triangle triangle,
         const pz_diagonal diagonal, const double alpha, const pz_mat* const t,
         const pz_mat* const b, const pz_fault* const fault)
{
  // b t^-1 = (t^-T b^T)^T
  const bool left = side == PZ_LEFT;
  const pz_mat tl = left ? *t : pz_mat_transposed(t);
  const pz_mat bl = left ? *b : pz_mat_transposed(b);
  const bool lower = (triangle == PZ_LOWER) == left;
  const bool unit = diagonal == PZ_UNIT;
  pz_mat bad;
  if (!gpu_offers(q, b->dtype)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(gpu_reserve(q, gpu_flags_bytes(b->batch)));
  PZ_TRY(gpu_flags(q, b->batch, &bad));
  if (!unit) {
    gpu_call call = gpu_begin(t->dtype);
    gpu_mat(&call, t);
    gpu_array(&call, &bad);
    gpu_fault(&call, fault);
    gpu_integer(&call, PZ_SINGULAR);
    gpu_integer(&call, t->rows);
    gpu_over(&call, b->batch, 1, 1);
    PZ_TRY(gpu_run(q, GPU_check_diagonal, &call));
  }
  if (!unit || alpha != 1.0) {
    PZ_TRY(gpu_scale_or_spoil(q, alpha, &bad, b));
  }
  return gpu_substitute(q, lower, unit, &tl, &bl);
}

/* ---- Cholesky --------------------------------------------------------------------- */

/* The lower triangle of `l` in place. */
static pz_status
factor(pz_backend_queue* const q, const pz_mat* const l, const pz_mat* const bad,
       const pz_fault* const fault)
{
  const int64_t n = l->rows;
  if (q->driver->potrf) {
    const pz_status status = q->driver->potrf(q, l, bad, fault);
    if (status != PZ_UNSUPPORTED) {
      return status;
    }
  }
  for (int64_t at = 0; at < n; at += BLOCK) {
    const int64_t width = smaller(BLOCK, n - at);
    const int64_t rest = at + width;
    const pz_mat tile = pz_mat_block(l, at, width, at, width);
    gpu_call call = gpu_begin(l->dtype);
    gpu_mat(&call, &tile);
    gpu_array(&call, bad);
    gpu_fault(&call, fault);
    gpu_integer(&call, PZ_SINGULAR);
    gpu_integer(&call, width);
    gpu_integer(&call, l->batch);
    gpu_groups(&call, 1, 1, l->batch, BLOCK, 1);
    PZ_TRY(gpu_run(q, GPU_potrf_block, &call));
    if (rest < n) {
      // l21 <- a21 l11^-T, a22 <- a22 - l21 l21^T
      const pz_mat l21 = pz_mat_block(l, rest, n - rest, at, width);
      const pz_mat l21t = pz_mat_transposed(&l21);
      const pz_mat l22 = pz_mat_block(l, rest, n - rest, rest, n - rest);
      PZ_TRY(gpu_substitute(q, true, false, &tile, &l21t));
      PZ_TRY(gpu_gemm(q, -1.0, &l21, &l21t, 1.0, &l22));
    }
  }
  return PZ_OK;
}

pz_status
gpu_potrf(pz_backend_queue* const q, const pz_triangle triangle, const pz_mat* const a,
          const pz_mat* const l, const pz_fault* const fault)
{
  // the upper factor is the transpose of the lower one of a^T
  const bool lower = triangle == PZ_LOWER;
  const pz_mat al = lower ? *a : pz_mat_transposed(a);
  const pz_mat ll = lower ? *l : pz_mat_transposed(l);
  pz_mat bad;
  if (!gpu_offers(q, l->dtype)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(gpu_reserve(q, gpu_flags_bytes(l->batch)));
  PZ_TRY(gpu_flags(q, l->batch, &bad));
  PZ_TRY(gpu_band(q, PZ_LOWER, 0, &al, &ll));
  PZ_TRY(factor(q, &ll, &bad, fault));
  gpu_call call = gpu_begin(l->dtype);
  gpu_array(&call, &bad);
  gpu_mat(&call, &ll);
  gpu_over(&call, ll.cols, ll.rows, ll.batch);
  return gpu_run(q, GPU_potrf_finish, &call);
}
