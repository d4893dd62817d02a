/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Whether entries are finite: x * 0 is 0 or NaN, and so is the sum of such products. */

#include "passes.h"

/* x = 0 where finite, NaN elsewhere, summed. */
static real
odd_run(const int64_t n, const real* const x, const int64_t step)
{
  real odd = 0;
  if (step == 1) {
#pragma omp simd reduction(+ : odd)
    for (int64_t i = 0; i < n; ++i) {
      odd += x[i] * 0;
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      odd += x[i * step] * 0;
    }
  }
  return odd;
}

bool
TYPED(view_finite)(const view given)
{
  const view x = given.col_stride == 1 ? given : view_transposed(given);
  for (int64_t i = 0; i < x.rows; ++i) {
    if (odd_run(x.cols, x.data + i * x.row_stride, x.col_stride) != 0) {
      return false;
    }
  }
  return true;
}

bool
TYPED(triangle_finite)(const pz_triangle triangle, const view x)
{
  for (int64_t i = 0; i < x.rows; ++i) {
    const int64_t begin = triangle == PZ_UPPER ? i : 0;
    const int64_t end = triangle == PZ_UPPER ? x.cols : i + 1;
    if (odd_run(end - begin, x.data + i * x.row_stride + begin * x.col_stride, x.col_stride) != 0) {
      return false;
    }
  }
  return true;
}
