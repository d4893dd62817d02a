/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products with the Helmert matrix V in O(n): with q_k = x_k / sqrt(k (k + 1)),

     (V x)_i = q_i + q_(i+1) + .. - (i - 1) q_(i-1)
     (V^T y)_k = (y_1 + .. + y_k - k y_(k+1)) / sqrt(k (k + 1))

   Equal entries of y give exact zeros. */

#include "vectors.h"

// clang-format off

PZ_KERNEL(helmert_constants, 2, 0, 1,
  PZ_TENSOR_ARG(0, part);
  PZ_TENSOR_ARG(1, count);
  const real k = (real)(i + 1);
  part[i] = 1 / pz_sqrt(k * (k + 1));
  count[i] = k;
)

PZ_ROW_KERNEL(helmert_value, 3, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, part);
  PZ_ROW_IN(2, count);
  PZ_ROW_OUT(0, y);
  PZ_ROW_REVERSE_SCAN(y, j, n, part[j][r] * x[j][r]);
  PZ_ROW_EACH(j, 1) {
    y[n][r] = 0;
  }
  PZ_ROW_EACH(j, n) {
    y[j + 1][r] = y[j + 1][r] - count[j][r] * (part[j][r] * x[j][r]);
  }
)

PZ_ROW_KERNEL(helmert_adjoint, 3, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, part);
  PZ_ROW_IN(2, count);
  PZ_ROW_OUT(0, x);
  PZ_ROW_SCAN(x, j, n - 1, y[j][r]);
  PZ_ROW_EACH(j, n - 1) {
    x[j][r] = part[j][r] * (x[j][r] - count[j][r] * y[j + 1][r]);
  }
)

// clang-format on

const pz_kernel* const vectors_helmert = &helmert_constants;

pz_status
vectors_helmert_value(pz_call* const c, const int32_t dim, const pz_tensor* const constants,
                      const pz_tensor* const x, pz_tensor* const y)
{
  return vectors_launch(c, &helmert_value, dim, PZ_TENSORS(x, &constants[0], &constants[1]),
                        PZ_OUTPUTS(y));
}

pz_status
vectors_helmert_adjoint(pz_call* const c, const int32_t dim, const pz_tensor* const constants,
                        const pz_tensor* const y, pz_tensor* const x)
{
  return vectors_launch(c, &helmert_adjoint, dim, PZ_TENSORS(y, &constants[0], &constants[1]),
                        PZ_OUTPUTS(x));
}
