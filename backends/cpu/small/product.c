/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of small matrices, for which a library call costs more than its arithmetic. Rows of
   b are padded to whole vectors, a few rows of the sum stay in registers, and entries of a
   are spread over all lanes; strides of a do not matter. */

#include "product.h"

#include "lane.h"
#include "transpose.h"

#include <string.h>

enum { WIDEST = SMALL_PRODUCT_MOST + 16 };

/* `rows` x `vectors` of y from (i, j) on; both known when compiled. */
LANE_INLINE void
product_block(const padded_product* const t, const int64_t rows, const int64_t vectors,
              const int64_t i, const int64_t j)
{
  lane sum[8][2];
  LANE_UNROLL
  for (int64_t r = 0; r < rows; ++r) {
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      sum[r][v] = lane_of(0);
    }
  }
  const real* const a = t->a + i * t->a_row;
  for (int64_t p = 0; p < t->inner; ++p) {
    lane b[2];
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      b[v] = *(const lane_in_place*)(t->b + p * t->ldb + j + v * LANES);
    }
    LANE_UNROLL
    for (int64_t r = 0; r < rows; ++r) {
      const real f = a[r * t->a_row + p * t->a_col];
      LANE_UNROLL
      for (int64_t v = 0; v < vectors; ++v) {
        sum[r][v] += f * b[v];
      }
    }
  }
  LANE_UNROLL
  for (int64_t r = 0; r < rows; ++r) {
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      lane_in_place* const to = (lane_in_place*)(t->y + (i + r) * t->ldy + j + v * LANES);
      *to = t->beta == 0 ? t->alpha * sum[r][v] : t->alpha * sum[r][v] + t->beta * *to;
    }
  }
}

void
TYPED(multiply_padded)(const padded_product* const t, const int64_t rows, const int64_t width)
{
  int64_t j = 0;
  for (; j + 2 * LANES <= width; j += 2 * LANES) {
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) {
      product_block(t, 4, 2, i, j);
    }
    for (; i < rows; ++i) {
      product_block(t, 1, 2, i, j);
    }
  }
  for (; j < width; j += LANES) {
    int64_t i = 0;
    for (; i + 8 <= rows; i += 8) {
      product_block(t, 8, 1, i, j);
    }
    for (; i + 4 <= rows; i += 4) {
      product_block(t, 4, 1, i, j);
    }
    for (; i < rows; ++i) {
      product_block(t, 1, 1, i, j);
    }
  }
}

/* Runs so short that a call would cost more than the copy. */
static inline void
copy_run(const int64_t count, const real* const from, real* const to)
{
  int64_t j = 0;
  for (; j + LANES <= count; j += LANES) {
    *(lane_in_place*)(to + j) = *(const lane_in_place*)(from + j);
  }
  for (; j < count; ++j) {
    to[j] = from[j];
  }
}

void
TYPED(pad_rows)(const view x, const int64_t width, real* const to)
{
  if (x.col_stride != 1 && x.row_stride == 1) {
    TYPED(transpose)(x.cols, x.rows, x.data, x.col_stride, to, width);
  }
  for (int64_t i = 0; i < x.rows; ++i) {
    real* const row = to + i * width;
    if (x.col_stride == 1) {
      copy_run(x.cols, x.data + i * x.row_stride, row);
    } else if (x.row_stride != 1) {
      for (int64_t j = 0; j < x.cols; ++j) {
        row[j] = x.data[i * x.row_stride + j * x.col_stride];
      }
    }
    for (int64_t j = x.cols; j < width; ++j) {
      row[j] = 0;
    }
  }
}

void
TYPED(unpad_rows)(const real* const from, const int64_t width, const view y)
{
  if (y.col_stride != 1 && y.row_stride == 1) {
    TYPED(transpose)(y.rows, y.cols, from, width, y.data, y.col_stride);
    return;
  }
  for (int64_t i = 0; i < y.rows; ++i) {
    if (y.col_stride == 1) {
      copy_run(y.cols, from + i * width, y.data + i * y.row_stride);
      continue;
    }
    for (int64_t j = 0; j < y.cols; ++j) {
      y.data[i * y.row_stride + j * y.col_stride] = from[i * width + j];
    }
  }
}

/* y = alpha a b + beta y with y.cols and a.cols at most 4 quads: rows of b are padded to
   whole quads, `n` of them, known when compiled, and a row of the sum stays in registers. */
static inline __attribute__((always_inline)) void
tiny_product(const int64_t n, const real alpha, const view a, const view b, const real beta,
             const view y)
{
  quad rows[8 * 2];
  real sums[8];
  for (int64_t p = 0; p < b.rows; ++p) {
    real padded[8] = {0};
    for (int64_t j = 0; j < b.cols; ++j) {
      padded[j] = b.data[p * b.row_stride + j * b.col_stride];
    }
    memcpy(&rows[p * n], padded, (size_t)n * sizeof(quad));
  }
  for (int64_t i = 0; i < y.rows; ++i) {
    quad sum[2] = {{0}, {0}};
    for (int64_t p = 0; p < a.cols; ++p) {
      const real f = a.data[i * a.row_stride + p * a.col_stride];
      for (int64_t j = 0; j < n; ++j) {
        sum[j] += f * rows[p * n + j];
      }
    }
    memcpy(sums, sum, sizeof(sums));
    real* const to = y.data + i * y.row_stride;
    if (beta == 0) {
      for (int64_t j = 0; j < y.cols; ++j) {
        to[j * y.col_stride] = alpha * sums[j];
      }
    } else {
      for (int64_t j = 0; j < y.cols; ++j) {
        to[j * y.col_stride] = alpha * sums[j] + beta * to[j * y.col_stride];
      }
    }
  }
}

/* y = alpha a b + beta y by rows of y. */
static void
product_in_rows(const real alpha, const view a, const view b, const real beta, const view y)
{
  real padded[SMALL_PRODUCT_MOST * WIDEST];
  real sums[SMALL_PRODUCT_MOST * WIDEST];
  const int64_t width = (y.cols + LANES - 1) / LANES * LANES;
  const bool b_fits = b.col_stride == 1 && b.cols == width;
  const bool y_fits = y.col_stride == 1 && y.cols == width;
  const padded_product t = {
      .inner = a.cols,
      .a = a.data,
      .a_row = a.row_stride,
      .a_col = a.col_stride,
      .b = b_fits ? b.data : padded,
      .ldb = b_fits ? b.row_stride : width,
      .y = y_fits ? y.data : sums,
      .ldy = y_fits ? y.row_stride : width,
      .alpha = alpha,
      .beta = beta,
  };
  if (!b_fits) {
    TYPED(pad_rows)(b, width, padded);
  }
  if (!y_fits && beta != 0) {
    TYPED(pad_rows)(y, width, sums);
  }
  TYPED(multiply_padded)(&t, y.rows, width);
  if (!y_fits) {
    TYPED(unpad_rows)(sums, width, y);
  }
}

bool
TYPED(small_product)(const real alpha, const view a, const view b, const real beta, const view y)
{
  const int64_t most = larger(larger(a.cols, y.rows), y.cols);
  if (most > SMALL_PRODUCT_MOST) {
    return false;
  }
  if (most <= 4) {
    tiny_product(1, alpha, a, b, beta, y);
  } else if (most <= 8) {
    tiny_product(2, alpha, a, b, beta, y);
  } else if (y.col_stride != 1 && y.row_stride == 1) { /* y^T = b^T a^T */
    product_in_rows(alpha, view_transposed(b), view_transposed(a), beta, view_transposed(y));
  } else {
    product_in_rows(alpha, a, b, beta, y);
  }
  return true;
}
