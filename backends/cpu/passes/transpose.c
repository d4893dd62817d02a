/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The transpose of a tile, in registers: as many rows as there are lanes by four columns at a
   time, which is how matrices get across lanes (pack.c), then four by four. Whole rows are
   read before the next ones: rows that lie a power of two apart share few places of the cache,
   and a tile read by columns would lose them again and again. */

#include "transpose.h"

#include "instructions.h"
#include "shuffle.h"

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAS_SHUFFLE 1
#endif
#endif

#ifdef HAS_SHUFFLE
/* to_ji = from_ij for four rows and columns. */
static inline void
transpose_quad(const real* const from, const int64_t from_step, real* const to,
               const int64_t to_step)
{
  const quad a = *(const quad_in_place*)from;
  const quad b = *(const quad_in_place*)(from + from_step);
  const quad c = *(const quad_in_place*)(from + 2 * from_step);
  const quad d = *(const quad_in_place*)(from + 3 * from_step);
  const quad ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const quad ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const quad cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const quad cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(quad_in_place*)to = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
  *(quad_in_place*)(to + to_step) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
  *(quad_in_place*)(to + 2 * to_step) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
  *(quad_in_place*)(to + 3 * to_step) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
}
#else
static inline void
transpose_quad(const real* const from, const int64_t from_step, real* const to,
               const int64_t to_step)
{
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      to[j * to_step + i] = from[i * from_step + j];
    }
  }
}
#endif

void
TYPED(transpose)(const int64_t rows, const int64_t cols, const real* const from,
                 const int64_t from_step, real* const to, const int64_t to_step)
{
  const int64_t whole_rows = rows / 4 * 4;
  const int64_t whole_cols = cols / 4 * 4;
  int64_t first = 0;
  for (; LANES > 4 && first + LANES <= rows; first += LANES) {
    for (int64_t j = 0; j < whole_cols; j += 4) {
      lane v[4];
      LANE_UNROLL
      for (int64_t k = 0; k < 4; ++k) {
        v[k] = lane_gather_quads(from + (first + k) * from_step + j, from_step);
      }
      lane_transpose(v);
      LANE_UNROLL
      for (int64_t k = 0; k < 4; ++k) {
        *(lane_in_place*)(to + (j + k) * to_step + first) = v[k];
      }
    }
    for (int64_t j = whole_cols; j < cols; ++j) {
      for (int64_t k = first; k < first + LANES; ++k) {
        to[j * to_step + k] = from[k * from_step + j];
      }
    }
  }
  for (int64_t i = first; i < whole_rows; i += 4) {
    for (int64_t j = 0; j < whole_cols; j += 4) {
      transpose_quad(from + i * from_step + j, from_step, to + j * to_step + i, to_step);
    }
    for (int64_t j = whole_cols; j < cols; ++j) {
      for (int64_t k = i; k < i + 4; ++k) {
        to[j * to_step + k] = from[k * from_step + j];
      }
    }
  }
  for (int64_t i = whole_rows; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      to[j * to_step + i] = from[i * from_step + j];
    }
  }
}
