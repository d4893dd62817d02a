/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Whether entries are finite: x * 0 is 0 or NaN, and so is the sum of such products. */

#include "finite.h"

enum { SUMS = 16 }; /* sums of their own: of one, every addition would wait for the one before */

/* Adds 0 for each finite entry, NaN for each other. */
static void
add_run(const int64_t n, const real* const x, const int64_t step, real* const sums)
{
  int64_t i = 0;
  for (; step == 1 && i + SUMS <= n; i += SUMS) {
    for (int64_t k = 0; k < SUMS; ++k) {
      sums[k] += x[i + k] * 0;
    }
  }
  for (; i < n; ++i) {
    sums[i % SUMS] += x[i * step] * 0;
  }
}

static bool
all_finite(const real* const sums)
{
  real sum = 0;
  for (int64_t k = 0; k < SUMS; ++k) {
    sum += sums[k];
  }
  return sum == 0;
}

bool
TYPED(view_finite)(const view given)
{
  const view x = given.col_stride == 1 ? given : view_transposed(given);
  real sums[SUMS] = {0};
  for (int64_t i = 0; i < x.rows; ++i) {
    add_run(x.cols, x.data + i * x.row_stride, x.col_stride, sums);
  }
  return all_finite(sums);
}

bool
TYPED(triangle_finite)(const pz_triangle triangle, const view given)
{
  // columns as runs: the other triangle of the transpose
  const bool by_row = given.col_stride == 1;
  const view x = by_row ? given : view_transposed(given);
  const bool upper = (triangle == PZ_UPPER) == by_row;
  real sums[SUMS] = {0};
  for (int64_t i = 0; i < x.rows; ++i) {
    const int64_t begin = upper ? i : 0;
    const int64_t end = upper ? x.cols : i + 1;
    add_run(end - begin, x.data + i * x.row_stride + begin * x.col_stride, x.col_stride, sums);
  }
  return all_finite(sums);
}
