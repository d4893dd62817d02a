/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* p a = l u with row pivots, by panels of 32 columns: a kernel for the panel, then swaps, a
   triangle and a product for what lies right of it. The factors lie along columns, as panels
   are gone through. */

#include "gpu.h"

enum { PANEL = 32 };

size_t
gpu_lu_bytes(const pz_mat* const a)
{
  return gpu_mat_bytes(a->dtype, a->batch, a->rows, a->cols) +
         gpu_mat_bytes(PZ_I64, a->batch, a->rows, 1) + gpu_flags_bytes(a->batch);
}

pz_status
gpu_lu_begin(pz_backend_queue* const q, const uint32_t dtype, const int64_t batch, const int64_t n,
             gpu_lu* const lu)
{
  const pz_mat w = gpu_take_mat(q, dtype, batch, n, n);
  lu->w = pz_mat_transposed(&w);
  lu->pivots = gpu_take_mat(q, PZ_I64, 1, 1, batch * n);
  return gpu_flags(q, batch, &lu->bad);
}

static pz_status
panel(pz_backend_queue* const q, const gpu_lu* const lu, const int64_t first, const int64_t width,
      const pz_fault* const fault)
{
  const int64_t n = lu->w.rows;
  gpu_call call = gpu_begin(lu->w.dtype);
  gpu_mat(&call, &lu->w);
  gpu_array(&call, &lu->pivots);
  gpu_array(&call, &lu->bad);
  gpu_fault(&call, fault);
  gpu_integer(&call, PZ_SINGULAR);
  gpu_integer(&call, n);
  gpu_integer(&call, first);
  gpu_integer(&call, width);
  gpu_integer(&call, lu->w.batch);
  gpu_groups(&call, 1, 1, lu->w.batch, GPU_GROUP_ITEMS, 1);
  PZ_TRY(gpu_run(q, GPU_lu_panel, &call));
  if (width == n) {
    return PZ_OK;
  }
  gpu_call swap = gpu_begin(lu->w.dtype);
  gpu_mat(&swap, &lu->w);
  gpu_array(&swap, &lu->pivots);
  gpu_integer(&swap, n);
  gpu_integer(&swap, first);
  gpu_integer(&swap, width);
  gpu_integer(&swap, lu->w.batch);
  gpu_groups(&swap, (n - width + 63) / 64, 1, lu->w.batch, 64, 1);
  return gpu_run(q, GPU_lu_swap, &swap);
}

pz_status
gpu_lu_factor(pz_backend_queue* const q, const gpu_lu* const lu, const pz_fault* const fault)
{
  const int64_t n = lu->w.rows;
  if (q->driver->getrf) {
    const pz_status status = q->driver->getrf(q, &lu->w, &lu->pivots, &lu->bad, fault);
    if (status != PZ_UNSUPPORTED) {
      return status;
    }
  }
  for (int64_t at = 0; at < n; at += PANEL) {
    const int64_t width = n - at < PANEL ? n - at : PANEL;
    const int64_t rest = at + width;
    PZ_TRY(panel(q, lu, at, width, fault));
    if (rest < n) {
      // u12 <- l11^-1 a12, a22 <- a22 - l21 u12
      const pz_mat l11 = pz_mat_block(&lu->w, at, width, at, width);
      const pz_mat u12 = pz_mat_block(&lu->w, at, width, rest, n - rest);
      const pz_mat l21 = pz_mat_block(&lu->w, rest, n - rest, at, width);
      const pz_mat a22 = pz_mat_block(&lu->w, rest, n - rest, rest, n - rest);
      PZ_TRY(gpu_substitute(q, true, true, &l11, &u12));
      PZ_TRY(gpu_gemm(q, -1.0, &l21, &u12, 1.0, &a22));
    }
  }
  return PZ_OK;
}

/* b <- u^-1 l^-1 p b, NaN where singular. */
pz_status
gpu_lu_solve(pz_backend_queue* const q, const gpu_lu* const lu, const pz_mat* const b)
{
  gpu_call call = gpu_begin(b->dtype);
  gpu_mat(&call, b);
  gpu_array(&call, &lu->pivots);
  gpu_integer(&call, b->rows);
  gpu_integer(&call, b->cols);
  gpu_integer(&call, b->batch);
  gpu_groups(&call, (b->cols + 63) / 64, 1, b->batch, 64, 1);
  PZ_TRY(gpu_run(q, GPU_lu_permute, &call));
  PZ_TRY(gpu_scale_or_spoil(q, 1.0, &lu->bad, b));
  PZ_TRY(gpu_substitute(q, true, true, &lu->w, b));
  return gpu_substitute(q, false, false, &lu->w, b);
}

pz_status
gpu_solve(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
          const pz_mat* const b, const pz_mat* const x, const pz_fault* const fault)
{
  gpu_lu lu;
  (void)in;
  if (!gpu_offers(q, a->dtype)) {
    return PZ_UNSUPPORTED;
  }
  PZ_TRY(gpu_reserve(q, gpu_lu_bytes(a)));
  PZ_TRY(gpu_lu_begin(q, a->dtype, x->batch, a->rows, &lu));
  PZ_TRY(gpu_copy(q, a, &lu.w));
  PZ_TRY(gpu_copy(q, b, x));
  PZ_TRY(gpu_lu_factor(q, &lu, fault));
  return gpu_lu_solve(q, &lu, x);
}
