/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "defective.h"

// clang-format off

PZ_ROW_KERNEL(value, 2, 1, 2, 0,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, t);
  PZ_ROW_OUT(0, y);
  PZ_REAL_ARG(0, drift);
  PZ_REAL_ARG(1, gain);
  PZ_ROW_VALUE(s, gain * pz_exp(t[r]) + drift);
  PZ_ROW_EACH(j, n) {
    y[j][r] = s[r] * pz_exp(x[j][r]);
  }
)

PZ_ROW_KERNEL(adjoint, 2, 2, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, gy);
  PZ_ROW_OUT(0, gx);
  PZ_REAL_ARG(0, factor);
  PZ_ROW_SUM(gt, j, n, gy[j][r] * y[j][r]);
  PZ_ROW_EACH(j, n) {
    gx[j][r] = factor * gy[j][r] * y[j][r];
  }
  PZ_VALUE_OUT(1, gt[r]);
)

PZ_ROW_KERNEL(tangent, 3, 1, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, dx);
  PZ_VALUE_IN(2, dt);
  PZ_ROW_OUT(0, dy);
  PZ_REAL_ARG(0, factor);
  PZ_ROW_EACH(j, n) {
    dy[j][r] = y[j][r] * (factor * dx[j][r] + dt[r]);
  }
)

PZ_ROW_KERNEL(inverse, 1, 2, 3, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_OUT(0, x);
  PZ_REAL_ARG(0, factor);
  PZ_REAL_ARG(1, least);
  PZ_REAL_ARG(2, gain);
  PZ_ROW_EACH(j, n) {
    x[j][r] = factor * pz_log(pz_max(y[j][r], least) / gain);
  }
  PZ_VALUE_OUT(1, (real)0);
)

PZ_ROW_KERNEL(below_zero, 1, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_MAX(most, j, n, -y[j][r]);
  PZ_VALUE_OUT(0, pz_max(most[r], (real)0));
)

PZ_KERNEL(overwrite, 1, 0, 0,
  PZ_TENSOR_ARG(0, x);
  x[i] = x[i] + (real)0.25;
)

PZ_KERNEL(beyond, 1, 0, 1,
  PZ_TENSOR_ARG(0, y);
  PZ_INTEGER_ARG(0, n);
  y[i + n] = y[i + n] + (real)0.25;
)

PZ_KERNEL(neighbour, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = y[i] + (real)0 * x[i + 1];
)

PZ_KERNEL(exponential, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = pz_exp(x[i]);
)

PZ_KERNEL(shifted, 2, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, more);
  y[i] = x[i] + more;
)

// clang-format on

const pz_row_kernel* const defective_value = &value;
const pz_row_kernel* const defective_adjoint = &adjoint;
const pz_row_kernel* const defective_tangent = &tangent;
const pz_row_kernel* const defective_inverse = &inverse;
const pz_row_kernel* const defective_below_zero = &below_zero;
const pz_kernel* const defective_overwrite = &overwrite;
const pz_kernel* const defective_beyond = &beyond;
const pz_kernel* const defective_neighbour = &neighbour;
const pz_kernel* const defective_exponential = &exponential;
const pz_kernel* const defective_shifted = &shifted;
