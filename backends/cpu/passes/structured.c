/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Passes over square matrices that tie entry (i, j) to entry (j, i), each in one sweep of
   memory: every entry is read once and written once, by pairs of tiles mirrored in the
   diagonal, so that the transposed side stays in the nearest cache.

   A matrix whose columns are runs is its transpose with rows as runs. Since fold's and
   symmetrize's results satisfy y^T = sign y, and those of fold_adjoint mirror into the
   other triangle with that sign, all layouts reduce to rows as runs and one factor. */

#include "structured.h"

#include "libraries.h"
#include "passes.h"
#include "scratch.h"
#include "transpose.h"

#include <string.h>

/* Rows of the result as runs of x and y; the factor by which layouts differ. */
static pass
pass_of(const pass_kind kind, const view x, const view y, const bool upper, const int sign)
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
      .kind = kind,
  };
  return p;
}

/* to = f from, n entries: a whole tile's row as a rule. */
static inline void
scale_row(const int64_t n, const real f, const real* const from, real* const to)
{
  if (n == TILE) {
#pragma omp simd
    for (int64_t j = 0; j < TILE; ++j) {
      to[j] = f * from[j];
    }
    return;
  }
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) {
    to[j] = f * from[j];
  }
}

/* to = f from + g other, likewise. */
static inline void
add_rows(const int64_t n, const real f, const real* const from, const real g,
         const real* const other, real* const to)
{
  if (n == TILE) {
#pragma omp simd
    for (int64_t j = 0; j < TILE; ++j) {
      to[j] = f * from[j] + g * other[j];
    }
    return;
  }
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) {
    to[j] = f * from[j] + g * other[j];
  }
}

/* y_ij = f x_ij and y_ji = f s x_ij for rows i0 .. i1-1 and columns j0 .. j1-1 of the
   triangle; a tile on the diagonal is cut by it. */
static void
fold_tile(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
          const int64_t j1, const real* const x, real* const y)
{
  const real f = p->factor;
  const real g = p->factor * p->mirror;
  if (LANES > 4 && (i1 - i0) % LANES == 0 && (j1 - j0) % LANES == 0) {
    TYPED(fold_squares)(p, i0, i1, j0, j1, x, y);
    return;
  }
  if (i0 != j0) {
    real mirrored[TILE * TILE];
    TYPED(transpose)(i1 - i0, j1 - j0, x + i0 * p->ldx + j0, p->ldx, mirrored, TILE);
    for (int64_t i = i0; i < i1; ++i) {
      scale_row(j1 - j0, f, x + i * p->ldx + j0, y + i * p->ldy + j0);
    }
    for (int64_t j = j0; j < j1; ++j) {
      scale_row(i1 - i0, g, mirrored + (j - j0) * TILE, y + j * p->ldy + i0);
    }
    return;
  }
  // both triangles of the tile by rows, the other one's from the transpose
  const int64_t n = i1 - i0;
  const real* const at = x + i0 * p->ldx + i0;
  real mirrored[TILE * TILE];
  TYPED(transpose)(n, n, at, p->ldx, mirrored, TILE);
  for (int64_t i = 0; i < n; ++i) {
    const tile_mask* const after = mask_after(i);
    const real* const own = at + i * p->ldx;
    const real* const other = mirrored + i * TILE;
    const real* const behind = p->upper ? own : other;
    const real* const before = p->upper ? other : own;
    const real u = p->upper ? f : g;
    const real v = p->upper ? g : f;
    real* const to = y + (i0 + i) * p->ldy + i0;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) {
      to[j] = after[j] != 0 ? u * behind[j] : v * before[j];
    }
    to[i] = p->mirror > 0 ? own[i] : 0;
  }
}

/* y_ij = f (x_ij + s x_ji) in the triangle, zero in the other. */
static void
adjoint_tile(const pass* const p, const int64_t i0, const int64_t i1, const int64_t j0,
             const int64_t j1, const real* const x, real* const y)
{
  const real f = p->factor;
  const real g = p->factor * p->mirror;
  if (LANES > 4 && (i1 - i0) % LANES == 0 && (j1 - j0) % LANES == 0) {
    TYPED(adjoint_squares)(p, i0, i1, j0, j1, x, y);
    return;
  }
  if (i0 != j0) {
    real mirrored[TILE * TILE];
    TYPED(transpose)(j1 - j0, i1 - i0, x + j0 * p->ldx + i0, p->ldx, mirrored, TILE);
    for (int64_t j = j0; j < j1; ++j) {
      memset(y + j * p->ldy + i0, 0, (size_t)(i1 - i0) * sizeof(real));
    }
    for (int64_t i = i0; i < i1; ++i) {
      add_rows(j1 - j0, f, x + i * p->ldx + j0, g, mirrored + (i - i0) * TILE, y + i * p->ldy + j0);
    }
    return;
  }
  const int64_t n = i1 - i0;
  const real* const at = x + i0 * p->ldx + i0;
  real mirrored[TILE * TILE];
  TYPED(transpose)(n, n, at, p->ldx, mirrored, TILE);
  for (int64_t i = 0; i < n; ++i) {
    const tile_mask* const after = mask_after(i);
    const real* const own = at + i * p->ldx;
    const real* const other = mirrored + i * TILE;
    const tile_mask kept = p->upper ? 1 : 0;
    real* const to = y + (i0 + i) * p->ldy + i0;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) {
      const real sum = f * own[j] + g * other[j];
      to[j] = after[j] == kept ? sum : 0;
    }
    to[i] = p->mirror > 0 ? own[i] : 0;
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
#pragma omp simd
      for (int64_t j = 0; j < j1 - j0; ++j) {
        to[j] = other[j] = f * (from[j] + s * other[j]);
      }
    }
    TYPED(transpose)(i1 - i0, j1 - j0, mirrored, TILE, back, TILE);
    for (int64_t j = j0; j < j1; ++j) {
      const real* const other = back + (j - j0) * TILE;
      real* const to = y + j * p->ldy + i0;
#pragma omp simd
      for (int64_t i = 0; i < i1 - i0; ++i) {
        to[i] = s * other[i];
      }
    }
    return;
  }
  // f (x_ij + s x_ji) mirrored is itself times s, rounding included
  const int64_t n = i1 - i0;
  const real* const at = x + i0 * p->ldx + i0;
  real mirrored[TILE * TILE];
  TYPED(transpose)(n, n, at, p->ldx, mirrored, TILE);
  for (int64_t i = 0; i < n; ++i) {
    real* const to = y + (i0 + i) * p->ldy + i0;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) {
      to[j] = f * (at[i * p->ldx + j] + s * mirrored[i * TILE + j]);
    }
    to[i] = s > 0 ? 2 * f * at[i * p->ldx + i] : 0;
  }
}

typedef void tile_function(const pass* p, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
                           const real* x, real* y);

/* A pass over a batch: a part of the loop is a strip of tiles, or some small matrices. */
typedef struct sweep {
  pass p;
  tile_function* tile;
  const pz_mat* x;
  const pz_mat* y;
  int64_t strips; /* in a matrix */
  int64_t group;  /* matrices in a part where there is one strip in each */
} sweep;

/* The pairs of tiles of one strip of rows: (i, j) in the triangle. */
static void
sweep_strip(const sweep* const s, const int64_t k, const int64_t i0)
{
  const pass* const p = &s->p;
  const real* const from = view_of(s->x, k).data;
  real* const to = view_of(s->y, k).data;
  const int64_t i1 = smaller(i0 + TILE, p->n);
  const int64_t last = p->upper ? p->n : i1;
  for (int64_t j0 = p->upper ? i0 : 0; j0 < last; j0 += TILE) {
    const int64_t next = j0 + TILE;
    const int64_t ahead = smaller(TILE, last - next);
    if (ahead > 0) { /* long rows lie pages apart, which the processor does not foresee */
      prefetch_tile(i1 - i0, ahead, from + i0 * p->ldx + next, p->ldx);
      prefetch_tile(i1 - i0, ahead, to + i0 * p->ldy + next, p->ldy);
      prefetch_tile(ahead, i1 - i0, to + next * p->ldy + i0, p->ldy);
      if (p->kind != PASS_FOLD) {
        prefetch_tile(ahead, i1 - i0, from + next * p->ldx + i0, p->ldx);
      }
    }
    s->tile(p, i0, i1, j0, smaller(j0 + TILE, p->n), from, to);
  }
}

static void
sweep_part(void* const context, const int64_t k, const uint32_t thread)
{
  const sweep* const s = context;
  (void)thread;
  if (s->strips > 1) {
    sweep_strip(s, k / s->strips, k % s->strips * TILE);
    return;
  }
  const int64_t end = smaller((k + 1) * s->group, s->y->batch);
  for (int64_t m = k * s->group; m < end; ++m) {
    sweep_strip(s, m, 0);
  }
}

static pz_status
run(pz_backend_queue* const q, const pass p, tile_function* const tile, const pz_mat* const x,
    const pz_mat* const y)
{
  if (TYPED(pass_small)(q, &p, x, y)) {
    return PZ_OK;
  }
  sweep s = {.p = p, .tile = tile, .x = x, .y = y, .strips = (p.n + TILE - 1) / TILE, .group = 1};
  int64_t parts = s.strips * y->batch;
  if (s.strips == 1) {
    s.group = larger(1, 4096 / (p.n * p.n));
    parts = (y->batch + s.group - 1) / s.group;
  }
  q->host->parallel(cpu_threads(0.7 * (double)(p.n * p.n) * (double)y->batch), parts, sweep_part,
                    &s);
  return PZ_OK;
}

void
TYPED(fold_adjoint_tile)(const bool upper, const int sign, const int64_t n, const real* const x,
                         const int64_t ldx, real* const y, const int64_t ldy)
{
  const pass p = {
      .n = n,
      .ldx = ldx,
      .ldy = ldy,
      .factor = 1,
      .mirror = (real)sign,
      .upper = upper,
      .kind = PASS_ADJOINT,
  };
  adjoint_tile(&p, 0, n, 0, n, x, y);
}

pz_status
TYPED(fold)(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
            const pz_mat* const x, const pz_mat* const y)
{
  const view v = view_of(x, 0);
  // x with columns as runs: the other triangle of x^T
  const bool upper = (triangle == PZ_UPPER) == (v.col_stride == 1);
  return run(q, pass_of(PASS_FOLD, v, view_of(y, 0), upper, sign), fold_tile, x, y);
}

pz_status
TYPED(fold_adjoint)(pz_backend_queue* const q, const pz_triangle triangle, const int sign,
                    const pz_mat* const g, const pz_mat* const gx)
{
  const view v = view_of(gx, 0);
  // the triangle is that of the result as it lies in memory
  const bool upper = (triangle == PZ_UPPER) == (v.col_stride == 1);
  return run(q, pass_of(PASS_ADJOINT, view_of(g, 0), v, upper, sign), adjoint_tile, g, gx);
}

pz_status
TYPED(symmetrize)(pz_backend_queue* const q, const double a, const int sign, const pz_mat* const x,
                  const pz_mat* const y)
{
  pass p = pass_of(PASS_SYMMETRIZE, view_of(x, 0), view_of(y, 0), true, sign);
  p.factor *= (real)a;
  return run(q, p, symmetrize_tile, x, y);
}
