/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products: by the driver's library, else by the tiled kernels. */

#include "gpu.h"

enum { SMALL = 12 };

/* By our own kernels; with `upper` what lies below the diagonal may be left undone. */
static pz_status
multiply(pz_backend_queue* const q, const bool upper, const double alpha, const pz_mat* const a,
         const pz_mat* const b, const double beta, const pz_mat* const y)
{
  gpu_call call = gpu_begin(y->dtype);
  gpu_real(&call, alpha);
  gpu_mat(&call, a);
  gpu_mat(&call, b);
  gpu_real(&call, beta);
  gpu_mat(&call, y);
  if ((y->rows <= SMALL && y->cols <= SMALL) || y->rows == 1 || y->cols == 1) {
    gpu_integer(&call, a->cols);
    gpu_over(&call, y->cols, y->rows, y->batch);
    return gpu_run(q, GPU_gemm_entries, &call);
  }
  const bool large = y->rows > 32 && y->cols > 32;
  const int64_t tile = large ? 64 : 32;
  gpu_integer(&call, y->rows);
  gpu_integer(&call, y->cols);
  gpu_integer(&call, a->cols);
  gpu_integer(&call, upper);
  gpu_integer(&call, y->batch);
  gpu_groups(&call, (y->cols + tile - 1) / tile, (y->rows + tile - 1) / tile, y->batch, 16, 16);
  return gpu_run(q, large ? GPU_gemm64 : GPU_gemm32, &call);
}

pz_status
gpu_gemm(pz_backend_queue* const q, const double alpha, const pz_mat* const a,
         const pz_mat* const b, const double beta, const pz_mat* const y)
{
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  if (q->driver->gemm) {
    const pz_status status = q->driver->gemm(q, alpha, a, b, beta, y);
    if (status != PZ_UNSUPPORTED) {
      return status;
    }
  }
  return multiply(q, false, alpha, a, b, beta, y);
}

/* The upper triangle of the product, mirrored in place: exactly symmetric. */
pz_status
gpu_syrk(pz_backend_queue* const q, const double alpha, const pz_mat* const a, const double beta,
         const pz_mat* const y)
{
  const pz_mat at = pz_mat_transposed(a);
  pz_status status = PZ_UNSUPPORTED;
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  if (q->driver->gemm) {
    status = q->driver->gemm(q, alpha, a, &at, beta, y);
  }
  if (status == PZ_UNSUPPORTED) {
    status = multiply(q, true, alpha, a, &at, beta, y);
  }
  PZ_TRY(status);
  return gpu_fold(q, PZ_UPPER, 1, y, y);
}
