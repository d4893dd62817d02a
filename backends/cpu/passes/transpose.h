/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Transposes of tiles. */

#ifndef CPU_TRANSPOSE_H
#define CPU_TRANSPOSE_H

#include "real.h"

#include <stdint.h>

/* to_ji = from_ij, rows x cols entries of `from`; rows of both are runs, `..._step`
   apart. For tiles that the nearest cache holds. */
void TYPED(transpose)(int64_t rows, int64_t cols, const real* from, int64_t from_step, real* to,
                      int64_t to_step);

/* Asks for a tile of runs `step` apart before it is used: rows far apart in memory are not
   foreseen by the processor. */
static inline void
prefetch_tile(const int64_t rows, const int64_t cols, const real* const first, const int64_t step)
{
  enum { LINE = 64 / (CPU_REAL_BITS / 8) };
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; j += LINE) {
      __builtin_prefetch(first + i * step + j);
    }
  }
}

#endif /* CPU_TRANSPOSE_H */
