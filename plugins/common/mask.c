/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "mask.h"

// clang-format off

PZ_ROW_KERNEL(mask_measure, 2, 2, 0, 0,
  PZ_ROW_IN(0, mask);
  PZ_ROW_IN(1, y);
  PZ_ROW_MAX(most, j, n, mask[j][r] == (real)0 ? pz_abs(y[j][r]) : (real)0);
  PZ_ROW_SUM(count, j, n, mask[j][r] == (real)0 && !(y[j][r] == (real)0) ? (real)1 : (real)0);
  PZ_VALUE_OUT(0, n < 1 ? (real)0 : most[r]);
  PZ_VALUE_OUT(1, count[r]);
)

// clang-format on

pz_status
mask_off(pz_call* const c, const pz_tensor* const mask, const pz_tensor* const y,
         double* const most, double* const count)
{
  const pz_spec two = pz_spec_make(y->dtype, 1, (const int64_t[]){2});
  double numbers[2];
  pz_tensor both;
  pz_view first;
  pz_view second;
  PZ_TRY(pz_work(c, &two, &both));
  pz_tensor* const largest = pz_view_reshaped(&first, &both, 0, NULL);
  pz_tensor* const counted = pz_view_reshaped(&second, &both, 0, NULL);
  counted->byte_offset += pz_dtype_size(y->dtype);
  PZ_TRY(pz_launch_rows(c, &mask_measure, PZ_WHOLE, 0, PZ_TENSORS(mask, y),
                        PZ_OUTPUTS(largest, counted), NULL, NULL));
  PZ_TRY(pz_read(c, &both, numbers));
  *most = numbers[0];
  *count = numbers[1];
  return PZ_OK;
}
