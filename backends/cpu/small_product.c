/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of small matrices, for which a library call costs more than its arithmetic. Rows of
   b are padded to whole vectors, a few rows of the sum stay in registers, and entries of a
   are spread over all lanes; strides of a do not matter. */

#include "lanes.h"

#include <string.h>

enum { MOST = CPU_SMALL_PRODUCT, WIDEST = MOST + 16 };

typedef struct product {
  int64_t inner;
  const real* a;
  int64_t a_row;
  int64_t a_col;
  const real* b; /* rows of whole vectors */
  int64_t ldb;
  real* y;
  int64_t ldy;
  real alpha;
  real beta;
} product;

/* `rows` x `vectors` of y from (i, j) on; both known when compiled. */
LANE_INLINE void
product_block(const product* const t, const int64_t rows, const int64_t vectors, const int64_t i,
              const int64_t j)
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

static void
product_run(const product* const t, const int64_t rows, const int64_t width)
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

/* Rows of x in rows of `width`, the rest zero. */
static void
pad_rows(const view x, const int64_t width, real* const to)
{
  if (x.col_stride != 1 && x.row_stride == 1) {
    TYPED(transpose)(x.cols, x.rows, x.data, x.col_stride, to, width);
  }
  for (int64_t i = 0; i < x.rows; ++i) {
    real* const row = to + i * width;
    if (x.col_stride == 1) {
      memcpy(row, x.data + i * x.row_stride, (size_t)x.cols * sizeof(real));
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

bool
TYPED(small_product)(const real alpha, const view a, const view b, const real beta, const view y)
{
  if (larger(larger(y.rows, y.cols), a.cols) > MOST) {
    return false;
  }
  if (y.col_stride != 1 && y.row_stride == 1) { /* y^T = b^T a^T */
    return TYPED(small_product)(alpha, view_transposed(b), view_transposed(a), beta,
                                view_transposed(y));
  }
  real padded[MOST * WIDEST];
  real sums[MOST * WIDEST];
  const int64_t width = (y.cols + LANES - 1) / LANES * LANES;
  const bool b_fits = b.col_stride == 1 && b.cols == width;
  const bool y_fits = y.col_stride == 1 && y.cols == width;
  const product t = {
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
    pad_rows(b, width, padded);
  }
  if (!y_fits && beta != 0) {
    pad_rows(y, width, sums);
  }
  product_run(&t, y.rows, width);
  for (int64_t i = 0; i < y.rows && !y_fits; ++i) {
    if (y.col_stride == 1) {
      memcpy(y.data + i * y.row_stride, sums + i * width, (size_t)y.cols * sizeof(real));
      continue;
    }
    for (int64_t j = 0; j < y.cols; ++j) {
      y.data[i * y.row_stride + j * y.col_stride] = sums[i * width + j];
    }
  }
  return true;
}
