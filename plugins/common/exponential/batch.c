/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Moves, scales and addresses the matrices of a batch. */

#include "exponential.h"

#include <math.h>

pz_tensor*
expm_range(pz_view* const view, const pz_tensor* const t, const int64_t first, const int64_t count)
{
  const int64_t n = pz_rows(t);
  pz_tensor* const out = pz_view_reshaped(view, t, 3, (const int64_t[]){count, n, n});
  out->byte_offset += (uint64_t)(first * n * n) * pz_dtype_size(t->dtype);
  return out;
}

pz_status
expm_host_array(pz_call* const c, const int64_t count, const size_t size, void** const out)
{
  return pz_work_host(c, (size_t)count * size, out);
}

pz_status
expm_write_indices(pz_call* const c, const int64_t n, const int64_t* const order,
                   pz_tensor* const index)
{
  void* memory = NULL;
  PZ_TRY(expm_host_array(c, n, sizeof(double), &memory));
  double* const number = memory;
  for (int64_t i = 0; i < n; ++i) {
    number[i] = (double)order[i];
  }
  return pz_write(c, number, index);
}

pz_status
expm_gather(pz_call* const c, const bool put, const pz_tensor* const index,
            const pz_tensor* const x, pz_tensor* const y)
{
  const int64_t shape[2] = {pz_batch(x), pz_rows(x) * pz_cols(x)};
  pz_view x_view;
  pz_view y_view;
  const pz_tensor* const from = pz_view_reshaped(&x_view, x, 2, shape);
  pz_tensor* const to = pz_view_reshaped(&y_view, y, 2, shape);
  return put ? pz_put(c, false, index, from, to) : pz_take(c, index, from, to);
}

pz_status
expm_write_powers(pz_call* const c, const int64_t n, const int64_t* const t, const double power,
                  pz_tensor* const factor)
{
  void* memory = NULL;
  PZ_TRY(expm_host_array(c, n, sizeof(double), &memory));
  double* const number = memory;
  for (int64_t i = 0; i < n; ++i) {
    number[i] = exp2(power * (double)t[i]);
  }
  return pz_write(c, number, factor);
}

pz_status
expm_scale(pz_call* const c, const pz_tensor* const factor, pz_tensor* const x)
{
  pz_view view;
  pz_tensor* const matrices = expm_range(&view, x, 0, pz_batch(x));
  return pz_scale_by(c, PZ_OVER_BOTH, factor, matrices, matrices);
}
