/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products and eliminations on matrices across lanes, held in memory as one vector for each
   entry. */

#ifndef CPU_LANE_MATRIX_H
#define CPU_LANE_MATRIX_H

#include "lanes.h"

/* Entry (i, j) is at[i * row + j * col]. */
typedef struct lane_view {
  lane* at;
  int64_t row;
  int64_t col;
} lane_view;

LANE_INLINE lane_view
lane_view_transposed(const lane_view v)
{
  const lane_view t = {v.at, v.col, v.row};
  return t;
}

/* The matrix that lane_load(m) put at `at`. */
LANE_INLINE lane_view
lane_view_loaded(const pz_mat* const m, lane* const at)
{
  const bool by_row = cpu_runs_by_row(m);
  const lane_view v = {at, by_row ? m->cols : 1, by_row ? 1 : m->rows};
  return v;
}

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

/* a <- (I + a)^-1 - I for n x n in rows of `width` by Gauss-Jordan elimination without
   pivoting; returns the larger of `most` and the largest magnitude of a pivot. What lies on
   the diagonal is always the distance from one, so that nothing is rounded to fit beside it. */
LANE_INLINE lane
lane_eliminate(const int64_t n, const int64_t width, lane most, lane* const a)
{
  for (int64_t k = 0; k < n; ++k) {
    const lane beyond = a[k * width + k];
    const lane pivot = 1 + beyond;
    const lane inverse = 1 / pivot;
    most = lane_larger(lane_magnitude(pivot), most);
    for (int64_t j = 0; j < n; ++j) {
      a[k * width + j] *= inverse;
    }
    a[k * width + k] = inverse;
    for (int64_t i = 0; i < n; ++i) {
      if (i != k) {
        const lane f = a[i * width + k];
        a[i * width + k] = lane_of(0);
        for (int64_t j = 0; j < n; ++j) {
          a[i * width + j] -= f * a[k * width + j];
        }
      }
    }
    a[k * width + k] = -beyond * inverse;
  }
  return most;
}

/* c <- c - f r, four by four, in rows of `width`. */
LANE_INLINE void
lane_tile_subtract(const int64_t width, const lane* const f, const lane* const r, lane* const c)
{
  LANE_UNROLL
  for (int64_t i0 = 0; i0 < 4; i0 += LANE_TILE_ROWS) {
    lane sum[LANE_TILE_ROWS][4];
    LANE_UNROLL
    for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
      LANE_UNROLL
      for (int64_t j = 0; j < 4; ++j) {
        sum[i][j] = c[(i0 + i) * width + j];
      }
    }
    LANE_UNROLL
    for (int64_t p = 0; p < 4; ++p) {
      LANE_UNROLL
      for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
        const lane factor = f[(i0 + i) * width + p];
        LANE_UNROLL
        for (int64_t j = 0; j < 4; ++j) {
          sum[i][j] -= factor * r[p * width + j];
        }
      }
    }
    LANE_UNROLL
    for (int64_t i = 0; i < LANE_TILE_ROWS; ++i) {
      LANE_UNROLL
      for (int64_t j = 0; j < 4; ++j) {
        c[(i0 + i) * width + j] = sum[i][j];
      }
    }
  }
}

/* c <- sign (c + a b), four by four, c in place of a or b. */
LANE_INLINE void
lane_tile_product(const real sign, const int64_t a_width, const lane* const a,
                  const int64_t b_width, const lane* const b, const int64_t c_width, lane* const c)
{
  lane out[16];
  LANE_UNROLL
  for (int64_t i = 0; i < 4; ++i) {
    LANE_UNROLL
    for (int64_t j = 0; j < 4; ++j) {
      lane sum = c[i * c_width + j];
      LANE_UNROLL
      for (int64_t p = 0; p < 4; ++p) {
        sum += a[i * a_width + p] * b[p * b_width + j];
      }
      out[4 * i + j] = sign * sum;
    }
  }
  LANE_UNROLL
  for (int64_t i = 0; i < 4; ++i) {
    LANE_UNROLL
    for (int64_t j = 0; j < 4; ++j) {
      c[i * c_width + j] = out[4 * i + j];
    }
  }
}

/* The same as lane_eliminate by blocks of four rows and columns, `width` a multiple of four
   and n = width: every block of four pivots is inverted, multiplied into its rows, and these
   are subtracted from all others. */
static inline lane
lane_eliminate_blocks(const int64_t width, lane most, lane* const a)
{
  for (int64_t k = 0; k < width; k += 4) {
    lane d[16];
    for (int64_t i = 0; i < 16; ++i) {
      d[i] = a[(k + i / 4) * width + k + i % 4];
    }
    most = lane_eliminate(4, 4, most, d);
    for (int64_t j = 0; j < width; j += 4) {
      if (j != k) {
        lane* const r = a + k * width + j;
        lane_tile_product(1, 4, d, width, r, width, r);
      }
    }
    for (int64_t i = 0; i < width; i += 4) {
      if (i == k) {
        continue;
      }
      lane* const f = a + i * width + k;
      for (int64_t j = 0; j < width; j += 4) {
        if (j != k) {
          lane_tile_subtract(width, f, a + k * width + j, a + i * width + j);
        }
      }
      lane_tile_product(-1, width, f, 4, d, width, f);
    }
    for (int64_t i = 0; i < 16; ++i) {
      a[(k + i / 4) * width + k + i % 4] = d[i];
    }
  }
  return most;
}

#endif /* CPU_LANE_MATRIX_H */
