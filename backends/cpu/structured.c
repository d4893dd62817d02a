/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Passes over square matrices that tie entry (i, j) to entry (j, i), each in one sweep of
   memory: every entry is read once and written once, by pairs of tiles mirrored in the
   diagonal, so that the transposed side stays in the nearest cache.

   A matrix whose columns are runs is its transpose with rows as runs. Since fold's and
   symmetrize's results satisfy y^T = sign y, and those of fold_adjoint mirror into the
   other triangle with that sign, all layouts reduce to rows as runs and one factor. */

#include "typed.h"

#include <string.h>

/* What is done to the entries i of one run of rows, a mirrored pair of tiles at a time. */
typedef struct pass {
  int64_t n;
  int64_t ldx;
  int64_t ldy;
  real factor; /* of the entry (i, j) above the diagonal or below, as the pass says */
  real mirror; /* sign */
  bool upper;
} pass;

/* Rows of the result as runs of x and y; the factor by which layouts differ. */
static pass
pass_of(const view x, const view y, const bool upper, const int sign)
{
  const bool x_rows = x.col_stride == 1;
  const bool y_rows = y.col_stride == 1;
  const pass p = {
      .n = x.rows,
      .ldx = x_rows ? x.row_stride : x.col_stride,
      .ldy = y_rows ? y.row_stride : y.col_stride,
      .factor = x_rows == y_rows ? (real)1 : (real)sign,
      .mirror = (real)sign,
      .upper = upper,
  };
  return p;
}

/* y_ij = f x_ij and y_ji = f s x_ij for rows i0 .. i1-1 and columns j0 .. j1-1 of the
   triangle; a tile on the diagonal is cut by it. */
static void
fold_tile(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
          const int64_t j1, const real* const x, real* const y)
{
  const real f = p->factor;
  const real g = p->factor * p->mirror;
  if (i0 != j0) {
    real mirrored[TILE * TILE];
    TYPED(transpose)(i1 - i0, j1 - j0, x + i0 * p->ldx + j0, p->ldx, mirrored, TILE);
    for (int64_t i = i0; i < i1; ++i) {
      const real* const from = x + i * p->ldx;
      real* const to = y + i * p->ldy;
      for (int64_t j = j0; j < j1; ++j) {
        to[j] = f * from[j];
      }
    }
    for (int64_t j = j0; j < j1; ++j) {
      const real* const other = mirrored + (j - j0) * TILE;
      real* const to = y + j * p->ldy + i0;
      for (int64_t i = 0; i < i1 - i0; ++i) {
        to[i] = g * other[i];
      }
    }
    return;
  }
  for (int64_t i = i0; i < i1; ++i) {
    for (int64_t j = p->upper ? i + 1 : i0; j < (p->upper ? i1 : i); ++j) {
      y[i * p->ldy + j] = f * x[i * p->ldx + j];
      y[j * p->ldy + i] = g * x[i * p->ldx + j];
    }
    y[i * p->ldy + i] = p->mirror > 0 ? x[i * p->ldx + i] : 0;
  }
}

/* y_ij = f (x_ij + s x_ji) in the triangle, zero in the other. */
static void
adjoint_tile(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
             const int64_t j1, const real* const x, real* const y)
{
  const real f = p->factor;
  const real g = p->factor * p->mirror;
  if (i0 != j0) {
    real mirrored[TILE * TILE];
    TYPED(transpose)(j1 - j0, i1 - i0, x + j0 * p->ldx + i0, p->ldx, mirrored, TILE);
    for (int64_t j = j0; j < j1; ++j) {
      memset(y + j * p->ldy + i0, 0, (size_t)(i1 - i0) * sizeof(real));
    }
    for (int64_t i = i0; i < i1; ++i) {
      const real* const from = x + i * p->ldx + j0;
      const real* const other = mirrored + (i - i0) * TILE;
      real* const to = y + i * p->ldy + j0;
      for (int64_t j = 0; j < j1 - j0; ++j) {
        to[j] = f * from[j] + g * other[j];
      }
    }
    return;
  }
  for (int64_t i = i0; i < i1; ++i) {
    for (int64_t j = p->upper ? i + 1 : i0; j < (p->upper ? i1 : i); ++j) {
      y[i * p->ldy + j] = f * x[i * p->ldx + j] + g * x[j * p->ldx + i];
      y[j * p->ldy + i] = 0;
    }
    y[i * p->ldy + i] = p->mirror > 0 ? x[i * p->ldx + i] : 0;
  }
}

/* y_ij = f (x_ij + s x_ji) and y_ji = s y_ij. */
static void
symmetrize_tile(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
                const int64_t j1, const real* const x, real* const y)
{
  const real f = p->factor;
  const real s = p->mirror;
  if (i0 != j0) {
    real mirrored[TILE * TILE];
    real back[TILE * TILE];
    TYPED(transpose)(j1 - j0, i1 - i0, x + j0 * p->ldx + i0, p->ldx, mirrored, TILE);
    for (int64_t i = i0; i < i1; ++i) {
      const real* const from = x + i * p->ldx + j0;
      real* const other = mirrored + (i - i0) * TILE;
      real* const to = y + i * p->ldy + j0;
      for (int64_t j = 0; j < j1 - j0; ++j) {
        to[j] = other[j] = f * (from[j] + s * other[j]);
      }
    }
    TYPED(transpose)(i1 - i0, j1 - j0, mirrored, TILE, back, TILE);
    for (int64_t j = j0; j < j1; ++j) {
      const real* const other = back + (j - j0) * TILE;
      real* const to = y + j * p->ldy + i0;
      for (int64_t i = 0; i < i1 - i0; ++i) {
        to[i] = s * other[i];
      }
    }
    return;
  }
  for (int64_t i = i0; i < i1; ++i) {
    for (int64_t j = i + 1; j < i1; ++j) {
      const real v = f * (x[i * p->ldx + j] + s * x[j * p->ldx + i]);
      y[i * p->ldy + j] = v;
      y[j * p->ldy + i] = s * v;
    }
    y[i * p->ldy + i] = s > 0 ? 2 * f * x[i * p->ldx + i] : 0;
  }
}

typedef void tile_function(const pass* p, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
                           const real* x, real* y);

/* All pairs of tiles of each matrix of the batch: (i, j) in the triangle. */
static void
sweep(pass p, tile_function* const tile, const pz_mat* const x, const pz_mat* const y)
{
  for (int64_t b = 0; b < y->batch; ++b) {
    const real* const from = view_of(x, b).data;
    real* const to = view_of(y, b).data;
    for (int64_t i0 = 0; i0 < p.n; i0 += TILE) {
      const int64_t i1 = smaller(i0 + TILE, p.n);
      const int64_t first = p.upper ? i0 : 0;
      const int64_t last = p.upper ? p.n : i1;
      for (int64_t j0 = first; j0 < last; j0 += TILE) {
        tile(&p, i0, i1, j0, smaller(j0 + TILE, p.n), from, to);
      }
    }
  }
}

pz_status
TYPED(fold)(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
            const pz_mat* const x, const pz_mat* const y)
{
  (void)q;
  const view v = view_of(x, 0);
  // x with columns as runs: the other triangle of x^T
  const bool upper = (triangle == PZ_UPPER) == (v.col_stride == 1);
  sweep(pass_of(v, view_of(y, 0), upper, sign), fold_tile, x, y);
  return PZ_OK;
}

pz_status
TYPED(fold_adjoint)(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
                    const pz_mat* const g, const pz_mat* const gx)
{
  (void)q;
  const view v = view_of(gx, 0);
  // the triangle is that of the result as it lies in memory
  const bool upper = (triangle == PZ_UPPER) == (v.col_stride == 1);
  sweep(pass_of(view_of(g, 0), v, upper, sign), adjoint_tile, g, gx);
  return PZ_OK;
}

pz_status
TYPED(symmetrize)(pz_backend_queue* const q, const double a, const int sign, const pz_mat* const x,
                  const pz_mat* const y)
{
  (void)q;
  pass p = pass_of(view_of(x, 0), view_of(y, 0), true, sign);
  p.factor *= (real)a;
  sweep(p, symmetrize_tile, x, y);
  return PZ_OK;
}

static void
clear(const int64_t n, real* const x, const int64_t step)
{
  if (step == 1) {
    memset(x, 0, (size_t)n * sizeof(real));
  } else {
    for (int64_t i = 0; i < n; ++i) {
      x[i * step] = 0;
    }
  }
}

pz_status
TYPED(triangle)(pz_backend_queue* const q, const pz_triangle triangle, const int64_t offset,
                const pz_mat* const x, const pz_mat* const y)
{
  // in y^T: row - column >= offset, that is column - row <= -offset
  const bool by_row = cpu_runs_by_row(y);
  const pz_mat from = by_row ? *x : cpu_transposed(x);
  const pz_mat to = by_row ? *y : cpu_transposed(y);
  const bool upper = (triangle == PZ_UPPER) == by_row;
  const int64_t shift = by_row ? offset : -offset;
  const bool in_place = cpu_at(x, 0) == cpu_at(y, 0);
  const bool together = from.col_stride == 1 && to.col_stride == 1;

  if (!in_place && !together) {
    PZ_TRY(TYPED(copy)(q, x, y));
  }
  for (int64_t b = 0; b < to.batch; ++b) {
    const view u = view_of(&from, b);
    const view v = view_of(&to, b);
    for (int64_t i = 0; i < v.rows; ++i) {
      // columns begin .. end-1 of this row are kept
      const int64_t edge = smaller(larger(upper ? i + shift : i + shift + 1, 0), v.cols);
      const int64_t begin = upper ? edge : 0;
      const int64_t end = upper ? v.cols : edge;
      real* const row = v.data + i * v.row_stride;
      if (!in_place && together) {
        memcpy(row + begin, u.data + i * u.row_stride + begin,
               (size_t)(end - begin) * sizeof(real));
      }
      clear(begin, row, v.col_stride);
      clear(v.cols - end, row + end * v.col_stride, v.col_stride);
    }
  }
  return PZ_OK;
}
