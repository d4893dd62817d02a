/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structured passes. Matrices are seen as lying along rows: those along columns are
   transposed, and with them the triangle. */

#include "gpu.h"

typedef enum mode { FOLD = 0, FOLD_ADJOINT = 1, SYMMETRIZE = 2 } mode; /* structured.cl */

enum { TILE = 32, SMALL = 8 };

static pz_status
mirror(pz_backend_queue* const q, const mode what, const pz_triangle triangle, const double a,
       const int sign, const pz_mat* const x, const pz_mat* const y)
{
  const bool down = !gpu_row_major(x);
  const pz_mat from = down ? pz_mat_transposed(x) : *x;
  const pz_mat to = down ? pz_mat_transposed(y) : *y;
  const int64_t n = x->rows;
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(y->dtype);
  gpu_integer(&call, what);
  gpu_integer(&call, (triangle == PZ_UPPER) != down);
  gpu_real(&call, a);
  gpu_real(&call, sign);
  gpu_mat(&call, &from);
  gpu_mat(&call, &to);
  if (n <= SMALL) {
    gpu_over(&call, n, n, y->batch);
    call.argument[call.n - 2] = call.argument[call.n - 1];
    call.n -= 1;
    return gpu_run(q, GPU_mirror_small, &call);
  }
  gpu_integer(&call, n);
  gpu_integer(&call, y->batch);
  gpu_groups(&call, (n + TILE - 1) / TILE, (n + TILE - 1) / TILE, y->batch, TILE, 8);
  return gpu_run(q, GPU_mirror, &call);
}

pz_status
gpu_fold(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
         const pz_mat* const x, const pz_mat* const y)
{
  return mirror(q, FOLD, triangle, 1.0, sign, x, y);
}

pz_status
gpu_fold_adjoint(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
                 const pz_mat* const g, const pz_mat* const gx)
{
  return mirror(q, FOLD_ADJOINT, triangle, 1.0, sign, g, gx);
}

pz_status
gpu_symmetrize(pz_backend_queue* const q, const double a, const int sign, const pz_mat* const x,
               const pz_mat* const y)
{
  return mirror(q, SYMMETRIZE, PZ_UPPER, a, sign, x, y);
}

pz_status
gpu_band(pz_backend_queue* const q, const pz_triangle triangle, const int64_t offset,
         const pz_mat* const x, const pz_mat* const y)
{
  const bool down = !gpu_row_major(y);
  const bool upper = (triangle == PZ_UPPER) != down;
  const pz_mat from = down ? pz_mat_transposed(x) : *x;
  const pz_mat to = down ? pz_mat_transposed(y) : *y;
  const int64_t turned = offset == INT64_MIN ? INT64_MAX : -offset;
  const int64_t edge = down ? turned : offset;
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(y->dtype);
  gpu_integer(&call, upper ? edge : INT64_MIN);
  gpu_integer(&call, upper ? INT64_MAX : edge);
  gpu_mat(&call, &from);
  gpu_mat(&call, &to);
  gpu_over(&call, to.cols, to.rows, to.batch);
  return gpu_run(q, GPU_band, &call);
}
