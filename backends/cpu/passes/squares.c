/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tiles of structured passes by squares of LANES rows and columns, the mirrored one transposed
   in registers: every line of memory is read and written whole, once. */

#include "shuffle.h"
#include "structured.h"

/* Of row i of a square on the diagonal what lies behind it, before it, and on it. */
LANE_INLINE lane
row_of(const int64_t i, const lane behind, const lane before, const lane diagonal)
{
  const lane_mask after = *(const lane_mask_in_place*)mask_after(i) != 0;
  const lane_mask here = *(const lane_mask_in_place*)mask_after(i - 1) != 0;
  return lane_select(after, behind, lane_select(here, diagonal, before));
}

/* x is read where y's square is for a fold, and where its mirror image is for an adjoint: that is
   then added to it. */
LANE_INLINE void
squares(const bool adjoint, const pass* const p, const int64_t i0, const int64_t i1,
        const int64_t j0, const int64_t j1, const real* const x, real* const y)
{
  const lane f = lane_of(p->factor);
  const lane g = lane_of(p->factor * p->mirror);
  for (int64_t i = i0; i < i1; i += LANES) {
    for (int64_t j = j0; j < j1; j += LANES) {
      if (i != j && p->upper != (i < j)) {
        continue;
      }
      lane mirrored[LANES];
      const real* const from = x + i * p->ldx + j;
      real* const own = y + i * p->ldy + j;
      real* const other = y + j * p->ldy + i;
      lane_load_line(adjoint ? x + j * p->ldx + i : from, p->ldx, mirrored);
      for (int64_t k = 0; k < LANES; ++k) {
        const lane row = *(const lane_in_place*)(from + k * p->ldx);
        const lane u = adjoint ? f * row + g * mirrored[k] : f * row;
        const lane v = adjoint ? lane_of(0) : g * mirrored[k];
        if (i != j) {
          *(lane_in_place*)(own + k * p->ldy) = u;
          *(lane_in_place*)(other + k * p->ldy) = v;
        } else {
          *(lane_in_place*)(own + k * p->ldy) =
              row_of(k, p->upper ? u : v, p->upper ? v : u, p->mirror > 0 ? row : lane_of(0));
        }
      }
    }
  }
}

void
TYPED(fold_squares)(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
                    const int64_t j1, const real* const x, real* const y)
{
  squares(false, p, i0, i1, j0, j1, x, y);
}

void
TYPED(adjoint_squares)(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
                       const int64_t j1, const real* const x, real* const y)
{
  squares(true, p, i0, i1, j0, j1, x, y);
}
