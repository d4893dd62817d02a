/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Systems of equations of a batch of small matrices across lanes, by Gaussian elimination on
   [A | B] with rows exchanged for the largest pivot, lane by lane, or by Cholesky factors.
   Lanes go through the same steps, so one that meets a zero goes on regardless; it is flagged,
   as one whose solution is not finite, and its system left to be solved by itself. */

#include "batches.h"

#include "batch.h"
#include "lane_cholesky.h"
#include "lane_flag.h"
#include "pack.h"

typedef struct batch {
  const pz_mat* a;
  const pz_mat* b;
  const pz_mat* x;
  bool definite;
  unsigned char* flags;
} batch;

/* y = x; NaN where an entry is not finite, else 0. */
static lane
copy(const int64_t rows, const int64_t cols, const lane_view x, const lane_view y)
{
  lane odd = lane_of(0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const lane v = x.at[i * x.row + j * x.col];
      odd += 0 * v;
      y.at[i * y.row + j * y.col] = v;
    }
  }
  return odd;
}

/* Exchanges row k of `cols` entries with that of the largest magnitude in column k. */
static void
exchange_rows(const int64_t k, const int64_t rows, const int64_t cols, const lane_view w)
{
  lane_mask here[LANES_MOST];
  lane* other[LANES_MOST];
  int64_t n = 0;
  lane most = lane_magnitude(w.at[k * (w.row + w.col)]);
  lane_mask best = (lane_integer)k - (lane_mask){0};
  for (int64_t i = k + 1; i < rows; ++i) {
    const lane magnitude = lane_magnitude(w.at[i * w.row + k * w.col]);
    const lane_mask larger_here = lane_above(magnitude, most);
    most = lane_select(larger_here, magnitude, most);
    best = (larger_here & (lane_integer)i) | (~larger_here & best);
  }
  for (int64_t i = k + 1; i < rows; ++i) {
    here[n] = (lane_mask)(best == (lane_integer)i);
    other[n] = w.at + i * w.row;
    n += lane_any(here[n]);
  }
  for (int64_t j = 0; j < cols; ++j) {
    const lane old = w.at[k * w.row + j];
    lane pivot = old;
    for (int64_t e = 0; e < n; ++e) {
      const lane v = other[e][j];
      pivot = lane_select(here[e], v, pivot);
      other[e][j] = lane_select(here[e], old, v);
    }
    w.at[k * w.row + j] = pivot;
  }
}

/* [A | B] in w, A n x n and B of `cols` columns, becomes L \ U and L^-1 P B, with inverses of U's
   diagonal on its own; returns which lanes have found a column of zeros. */
static lane_mask
eliminate(const int64_t n, const int64_t cols, const lane_view w)
{
  lane_mask dead = {0};
  for (int64_t k = 0; k < n; ++k) {
    // column k of L U, from the diagonal down
    const lane_view column = lane_view_transposed(lane_view_from(w, k, k));
    lane_reduce(n - k, k, lane_of(1), lane_view_transposed(lane_view_from(w, 0, k)),
                lane_view_transposed(lane_view_from(w, k, 0)), column, column);
    exchange_rows(k, n, n + cols, w);
    const lane pivot = column.at[0];
    const lane inverse = 1 / pivot;
    dead |= (lane_mask)(pivot == 0);
    column.at[0] = inverse;
    for (int64_t i = 1; i < n - k; ++i) {
      column.at[i * column.col] *= inverse;
    }
    // row k of U and of L^-1 P B
    const lane_view row = lane_view_from(w, k, k + 1);
    lane_reduce(n + cols - k - 1, k, lane_of(1), lane_view_from(w, k, 0),
                lane_view_from(w, 0, k + 1), row, row);
  }
  return dead;
}

static void
solve_group(const void* const context, const int64_t first, const int64_t count, lane* const memory)
{
  const batch* const t = context;
  const int64_t n = t->a->rows;
  const int64_t cols = t->x->cols;
  lane* const loaded = memory;
  const lane_view w = {loaded + n * larger(n, cols), lane_width(n + cols), 1};
  const lane_view right = lane_view_from(w, 0, n);
  const lane_view x = lane_view_loaded(t->x, loaded);
  lane_mask dead;
  lane_load_matrices(t->a, first, count, loaded);
  lane odd = copy(n, n, lane_view_loaded(t->a, loaded), w);
  lane_load_matrices(t->b, first, count, loaded);
  (void)copy(n, cols, lane_view_loaded(t->b, loaded), right);
  if (t->definite) {
    dead = lane_cholesky(n, w, w) | lane_invert_diagonal(n, w);
    lane_substitute(n, cols, w, right, right);
    lane_substitute(n, cols, lane_view_reversed(lane_view_transposed(w), n),
                    lane_view_rows_reversed(right, n), lane_view_rows_reversed(x, n));
  } else {
    dead = eliminate(n, cols, w);
    lane_substitute(n, cols, lane_view_reversed(w, n), lane_view_rows_reversed(right, n),
                    lane_view_rows_reversed(x, n));
  }
  for (int64_t e = 0; e < n * cols; ++e) {
    odd += 0 * loaded[e];
  }
  lane_store_matrices(t->x, first, count, loaded);
  lane_flag(dead | (lane_mask)(odd != 0), count, t->flags + first);
}

pz_status
TYPED(solve_lanes)(pz_backend_queue* const q, const uint32_t in, const pz_mat* const a,
                   const pz_mat* const b, const pz_mat* const x, unsigned char* const flags)
{
  const batch t = {a, b, x, in == PZ_SPD, flags};
  const int64_t n = a->rows;
  const int64_t cols = n + x->cols;
  return TYPED(lane_loop)(q, x->batch, LANES, n * (larger(n, x->cols) + lane_width(cols)),
                          0.05 * (double)(n * cols * (n + 8)), solve_group, &t);
}
