/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random numbers. */

#include "gpu.h"

#include <math.h>

/* How many of the 2^53 integers count as 1. */
static int64_t
bernoulli_threshold(const double probability)
{
  if (!(probability > 0.0)) {
    return 0;
  }
  return probability >= 1.0 ? (int64_t)1 << 53 : (int64_t)ceil(probability * 0x1p53);
}

pz_status
gpu_random(pz_backend_queue* const q, const pz_distribution kind, const uint64_t key,
           const uint64_t first, const double a, const double b, const pz_mat* const y)
{
  const uint32_t dtype = kind == PZ_BITS ? PZ_F32 : y->dtype;
  if (!gpu_offers(q, dtype)) {
    return PZ_UNSUPPORTED;
  }
  gpu_call call = gpu_begin(dtype);
  if (kind != PZ_BITS) {
    gpu_integer(&call, kind);
  }
  gpu_integer(&call, (int64_t)key);
  gpu_integer(&call, (int64_t)first);
  if (kind != PZ_BITS) {
    gpu_integer(&call, kind == PZ_BERNOULLI ? bernoulli_threshold(a) : 0);
    gpu_real(&call, a);
    gpu_real(&call, b);
    gpu_real(&call, b - a);
  }
  gpu_mat(&call, y);
  gpu_over(&call, y->cols, 1, 1);
  return gpu_run(q, kind == PZ_BITS ? GPU_random_bits : GPU_random_reals, &call);
}
