/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Short rows side by side, for row_kernel.h. A tile holds PZ_ROW_TILE_ rows: entry j of its row r is
   at j * PZ_ROW_TILE_ + r, so that a vector holds one entry of several rows. The moves are the same
   for each instruction set, so they are built once. */

#ifndef PARAMETRIZE_ROW_TILES_H
#define PARAMETRIZE_ROW_TILES_H

#include <parametrize/kernel_isa.h>
#include <parametrize/types.h>

enum {
  PZ_ROW_TILE_ = 16,  /* rows of a tile */
  PZ_ROW_SHORT_ = 32, /* entries of a row that has a place in a tile, at most */
  PZ_ROW_FEW_ = 8,    /* fewer rows than this are not worth a tile */
};

/* PZ_TURN_SIDE_(type): the side of the blocks that pz_turn_block_TYPE_ transposes in registers. */
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define PZ_TURN_SIDE_(type) ((int64_t)(16 / sizeof(type)))

typedef float pz_floats_ __attribute__((vector_size(16), aligned(4), may_alias));
typedef double pz_doubles_ __attribute__((vector_size(16), aligned(8), may_alias));

PZ_INLINE_ void
pz_turn_block_float_(const float* const x, const int64_t x_stride, float* const y,
                     const int64_t y_stride)
{
  const pz_floats_ a = *(const pz_floats_*)x;
  const pz_floats_ b = *(const pz_floats_*)(x + x_stride);
  const pz_floats_ c = *(const pz_floats_*)(x + 2 * x_stride);
  const pz_floats_ d = *(const pz_floats_*)(x + 3 * x_stride);
  const pz_floats_ ac = __builtin_shufflevector(a, c, 0, 4, 1, 5);
  const pz_floats_ bd = __builtin_shufflevector(b, d, 0, 4, 1, 5);
  const pz_floats_ ca = __builtin_shufflevector(a, c, 2, 6, 3, 7);
  const pz_floats_ db = __builtin_shufflevector(b, d, 2, 6, 3, 7);
  *(pz_floats_*)y = __builtin_shufflevector(ac, bd, 0, 4, 1, 5);
  *(pz_floats_*)(y + y_stride) = __builtin_shufflevector(ac, bd, 2, 6, 3, 7);
  *(pz_floats_*)(y + 2 * y_stride) = __builtin_shufflevector(ca, db, 0, 4, 1, 5);
  *(pz_floats_*)(y + 3 * y_stride) = __builtin_shufflevector(ca, db, 2, 6, 3, 7);
}

PZ_INLINE_ void
pz_turn_block_double_(const double* const x, const int64_t x_stride, double* const y,
                      const int64_t y_stride)
{
  const pz_doubles_ a = *(const pz_doubles_*)x;
  const pz_doubles_ b = *(const pz_doubles_*)(x + x_stride);
  *(pz_doubles_*)y = __builtin_shufflevector(a, b, 0, 2);
  *(pz_doubles_*)(y + y_stride) = __builtin_shufflevector(a, b, 1, 3);
}
#endif
#endif
#ifndef PZ_TURN_SIDE_
#define PZ_TURN_SIDE_(type) ((int64_t)1)
#define pz_turn_block_float_(x, x_stride, y, y_stride) (void)(*(y) = *(x))
#define pz_turn_block_double_(x, x_stride, y, y_stride) (void)(*(y) = *(x))
#endif

/* pz_turn_TYPE_: y(j, i) <- x(i, j), n x m entries of x. Blocks overlap at the ends.
   pz_rows_in_TYPE_: `rows` rows of x into a tile, whose further rows become copies of the first. */
#define PZ_TILE_MOVES_(type)                                                                      \
  PZ_APART_ void pz_turn_##type##_(const type* const x, const int64_t x_stride, const int64_t n,  \
                                   const int64_t m, type* const y, const int64_t y_stride)        \
  {                                                                                               \
    const int64_t side = PZ_TURN_SIDE_(type);                                                     \
    if (n < side || m < side) {                                                                   \
      for (int64_t j = 0; j < m; ++j) {                                                           \
        for (int64_t i = 0; i < n; ++i) {                                                         \
          y[j * y_stride + i] = x[i * x_stride + j];                                              \
        }                                                                                         \
      }                                                                                           \
      return;                                                                                     \
    }                                                                                             \
    for (int64_t k = 0; k < m; k += side) {                                                       \
      const int64_t j = k + side <= m ? k : m - side;                                             \
      const type* from = x + j;                                                                   \
      type* to = y + j * y_stride;                                                                \
      for (int64_t i = 0; i + side <= n; i += side) {                                             \
        pz_turn_block_##type##_(from, x_stride, to, y_stride);                                    \
        from += side * x_stride;                                                                  \
        to += side;                                                                               \
      }                                                                                           \
      if (n % side != 0) {                                                                        \
        pz_turn_block_##type##_(x + (n - side) * x_stride + j, x_stride,                          \
                                y + j * y_stride + n - side, y_stride);                           \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  PZ_APART_ void pz_rows_in_##type##_(const type* const x, const int64_t stride,                  \
                                      const int64_t rows, const int64_t length, type* const tile) \
  {                                                                                               \
    pz_turn_##type##_(x, stride, rows, length, tile, PZ_ROW_TILE_);                               \
    for (int64_t j = 0; rows < PZ_ROW_TILE_ && j < length; ++j) {                                 \
      for (int64_t r = rows; r < PZ_ROW_TILE_; ++r) {                                             \
        tile[j * PZ_ROW_TILE_ + r] = tile[j * PZ_ROW_TILE_];                                      \
      }                                                                                           \
    }                                                                                             \
  }

PZ_TILE_MOVES_(float)
PZ_TILE_MOVES_(double)

#endif /* PARAMETRIZE_ROW_TILES_H */
