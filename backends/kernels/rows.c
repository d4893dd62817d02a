/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rows by index. */

#include "gpu.h"

pz_status
gpu_take(pz_backend_queue* const q, const pz_mat* const index, const pz_mat* const x,
         const pz_mat* const y, const pz_fault* const fault)
{
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(y->dtype);
  gpu_array(&call, index);
  gpu_mat(&call, x);
  gpu_mat(&call, y);
  gpu_fault(&call, fault);
  gpu_integer(&call, PZ_INVALID);
  gpu_integer(&call, x->rows);
  gpu_over(&call, y->cols, y->rows, y->batch);
  return gpu_run(q, GPU_take, &call);
}

pz_status
gpu_put(pz_backend_queue* const q, const bool accumulate, const pz_mat* const index,
        const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  if (!gpu_offers(q, y->dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(y->dtype);
  gpu_integer(&call, accumulate);
  gpu_array(&call, index);
  gpu_mat(&call, x);
  gpu_mat(&call, y);
  gpu_fault(&call, fault);
  gpu_integer(&call, PZ_INVALID);
  gpu_integer(&call, y->rows);
  gpu_integer(&call, index->rows);
  gpu_over(&call, y->cols, y->batch, 1);
  return gpu_run(q, GPU_put, &call);
}
