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

/* Entries of a line of the caches. */
enum { LINE = 64 / (CPU_REAL_BITS / 8), VECTORS = LINE / LANES };

/* The same for a square of LINE rows and columns off the diagonal, whose lines are written one after the
   other. Where rows lie a multiple of pages apart, the nearest cache keeps few of their lines: a line
   written by halves would leave it in between. */
LANE_INLINE void
square_of_lines(const bool adjoint, const pass* const p, const int64_t i, const int64_t j,
                const real* const x, real* const y)
{
  const lane f = lane_of(p->factor);
  const lane g = lane_of(p->factor * p->mirror);
  const int64_t far = adjoint ? i : j; /* the rows of y that get what is transposed */
  const int64_t near = adjoint ? j : i;
  for (int64_t k = 0; k < LINE; ++k) {
    const real* const from = x + (i + k) * p->ldx + j;
    real* const to = y + (adjoint ? (j + k) * p->ldy + i : (i + k) * p->ldy + j);
    LANE_UNROLL
    for (int64_t v = 0; v < VECTORS; ++v) {
      *(lane_in_place*)(to + v * LANES) =
          adjoint ? lane_of(0) : f * *(const lane_in_place*)(from + v * LANES);
    }
  }
  for (int64_t first = 0; first < LINE; first += LANES) {
    lane mirrored[VECTORS][LANES];
    LANE_UNROLL
    for (int64_t v = 0; v < VECTORS; ++v) {
      lane_load_line(x + (near + v * LANES) * p->ldx + far + first, p->ldx, mirrored[v]);
    }
    for (int64_t k = 0; k < LANES; ++k) {
      const real* const from = x + (far + first + k) * p->ldx + near;
      real* const to = y + (far + first + k) * p->ldy + near;
      LANE_UNROLL
      for (int64_t v = 0; v < VECTORS; ++v) {
        const lane other = g * mirrored[v][k];
        *(lane_in_place*)(to + v * LANES) =
            adjoint ? f * *(const lane_in_place*)(from + v * LANES) + other : other;
      }
    }
  }
}

/* A tile by these where they fill it. */
LANE_INLINE void
tile_of(const bool adjoint, const pass* const p, const int64_t i0, const int64_t i1,
        const int64_t j0, const int64_t j1, const real* const x, real* const y)
{
  if (i0 == j0 || (i1 - i0) % LINE != 0 || (j1 - j0) % LINE != 0) {
    squares(adjoint, p, i0, i1, j0, j1, x, y);
    return;
  }
  for (int64_t i = i0; i < i1; i += LINE) {
    for (int64_t j = j0; j < j1; j += LINE) {
      square_of_lines(adjoint, p, i, j, x, y);
    }
  }
}

void
TYPED(fold_squares)(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
                    const int64_t j1, const real* const x, real* const y)
{
  tile_of(false, p, i0, i1, j0, j1, x, y);
}

void
TYPED(adjoint_squares)(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
                       const int64_t j1, const real* const x, real* const y)
{
  tile_of(true, p, i0, i1, j0, j1, x, y);
}
