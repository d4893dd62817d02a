/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Bits from here to there, of whatever type: words of 32 or 64 bits. */

#define GPU_TILE 32

#define GPU_TRANSFER(bits)                                                                        \
  /* y = x; items along columns, rows, batch. */                                                  \
  GPU_KERNEL void copy##bits(GPU_GLOBAL const gpu_word##bits *x, GPU_VIEW_(x),                     \
                             GPU_GLOBAL gpu_word##bits *y, GPU_VIEW_(y), pz_int cols,              \
                             pz_int rows, pz_int batch)                                           \
  {                                                                                               \
    GPU_EACH(k, 2, batch)                                                                         \
    {                                                                                             \
      GPU_EACH(i, 1, rows)                                                                        \
      {                                                                                           \
        GPU_EACH(j, 0, cols)                                                                      \
        {                                                                                         \
          GPU_AT(y, k, i, j) = GPU_AT(x, k, i, j);                                                \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
                                                                                                  \
  /* The same where x is contiguous along rows and y along columns: through a tile. */            \
  GPU_KERNEL void transpose##bits(GPU_GLOBAL const gpu_word##bits *x, GPU_VIEW_(x),                \
                                  GPU_GLOBAL gpu_word##bits *y, GPU_VIEW_(y), pz_int cols,         \
                                  pz_int rows, pz_int batch)                                      \
  {                                                                                               \
    GPU_LOCAL gpu_word##bits tile[GPU_TILE][GPU_TILE + 1];                                        \
    const int lane = GPU_LOCAL_ID(0);                                                             \
    const pz_int col = GPU_GROUP(0) * GPU_TILE;                                                   \
    GPU_EACH_GROUP(k, 2, batch)                                                                   \
    GPU_EACH_GROUP(down, 1, (rows + GPU_TILE - 1) / GPU_TILE)                                     \
    {                                                                                             \
      const pz_int row = down * GPU_TILE;                                                         \
      for (int t = GPU_LOCAL_ID(1); t < GPU_TILE; t += GPU_LOCAL_SIZE(1)) {                       \
        if (row + lane < rows && col + t < cols) {                                                \
          tile[t][lane] = GPU_AT(x, k, row + lane, col + t);                                      \
        }                                                                                         \
      }                                                                                           \
      GPU_BARRIER();                                                                              \
      for (int t = GPU_LOCAL_ID(1); t < GPU_TILE; t += GPU_LOCAL_SIZE(1)) {                       \
        if (row + t < rows && col + lane < cols) {                                                \
          GPU_AT(y, k, row + t, col + lane) = tile[lane][t];                                      \
        }                                                                                         \
      }                                                                                           \
      GPU_BARRIER();                                                                              \
    }                                                                                             \
  }                                                                                               \
                                                                                                  \
  /* y = the word `value` everywhere. */                                                          \
  GPU_KERNEL void fill##bits(GPU_GLOBAL gpu_word##bits *y, GPU_VIEW_(y), pz_int value,             \
                             pz_int cols, pz_int rows, pz_int batch)                              \
  {                                                                                               \
    GPU_EACH(k, 2, batch)                                                                         \
    {                                                                                             \
      GPU_EACH(i, 1, rows)                                                                        \
      {                                                                                           \
        GPU_EACH(j, 0, cols)                                                                      \
        {                                                                                         \
          GPU_AT(y, k, i, j) = (gpu_word##bits)value;                                             \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
  }

GPU_TRANSFER(32)
GPU_TRANSFER(64)
