/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of matrices across lanes. */

#ifndef CPU_LANE_PRODUCT_H
#define CPU_LANE_PRODUCT_H

#include "lane_view.h"

#include <stdbool.h>

/* A tile of rows x cols of c = alpha a b from (i, j) on, added to c where `add`. */
LANE_INLINE void
lane_product_tile(const int64_t rows, const int64_t cols, const int64_t inner, const int64_t i,
                  const int64_t j, const bool add, const lane alpha, const lane_view a,
                  const lane_view b, const lane_view c)
{
  lane sum[4][4];
  LANE_UNROLL
  for (int64_t r = 0; r < rows; ++r) {
    LANE_UNROLL
    for (int64_t k = 0; k < cols; ++k) {
      sum[r][k] = lane_of(0);
    }
  }
  for (int64_t p = 0; p < inner; ++p) {
    LANE_UNROLL
    for (int64_t r = 0; r < rows; ++r) {
      const lane f = a.at[(i + r) * a.row + p * a.col];
      LANE_UNROLL
      for (int64_t k = 0; k < cols; ++k) {
        sum[r][k] += f * b.at[p * b.row + (j + k) * b.col];
      }
    }
  }
  LANE_UNROLL
  for (int64_t r = 0; r < rows; ++r) {
    LANE_UNROLL
    for (int64_t k = 0; k < cols; ++k) {
      lane* const to = &c.at[(i + r) * c.row + (j + k) * c.col];
      *to = add ? *to + alpha * sum[r][k] : alpha * sum[r][k];
    }
  }
}

/* `rows` rows of it. */
LANE_INLINE void
lane_product_rows(const int64_t rows, const int64_t inner, const int64_t cols, const int64_t i,
                  const bool add, const lane alpha, const lane_view a, const lane_view b,
                  const lane_view c)
{
  int64_t j = 0;
  for (; j + 4 <= cols; j += 4) {
    lane_product_tile(rows, 4, inner, i, j, add, alpha, a, b, c);
  }
  switch (cols - j) {
  case 3:
    lane_product_tile(rows, 3, inner, i, j, add, alpha, a, b, c);
    break;
  case 2:
    lane_product_tile(rows, 2, inner, i, j, add, alpha, a, b, c);
    break;
  case 1:
    lane_product_tile(rows, 1, inner, i, j, add, alpha, a, b, c);
    break;
  default:
    break;
  }
}

/* c = alpha a b, a rows x inner, added to c where `add`. */
LANE_INLINE void
lane_product(const int64_t rows, const int64_t inner, const int64_t cols, const bool add,
             const lane alpha, const lane_view a, const lane_view b, const lane_view c)
{
  int64_t i = 0;
  for (; i + LANE_TILE_ROWS <= rows; i += LANE_TILE_ROWS) {
    lane_product_rows(LANE_TILE_ROWS, inner, cols, i, add, alpha, a, b, c);
  }
  switch (rows - i) {
  case 3:
    lane_product_rows(3, inner, cols, i, add, alpha, a, b, c);
    break;
  case 2:
    lane_product_rows(2, inner, cols, i, add, alpha, a, b, c);
    break;
  case 1:
    lane_product_rows(1, inner, cols, i, add, alpha, a, b, c);
    break;
  default:
    break;
  }
}

#endif /* CPU_LANE_PRODUCT_H */
