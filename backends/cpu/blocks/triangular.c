/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* x = T^-1 x and x = T x by halves. For a lower triangle

     solve:   x1 <- T11^-1 x1,  x2 <- x2 - T21 x1,  x2 <- T22^-1 x2
     product: x2 <- T22 x2,     x2 <- x2 + T21 x1,  x1 <- T11 x1

   and for an upper one with the halves exchanged. Columns of x do not depend on each other:
   threads share them. */

#include "triangular.h"

#include "lane.h"
#include "libraries.h"
#include "product.h"

enum {
  TILE_ROWS = 4, /* at the bottom of the recursion */
  TILE_VECTORS = 2,
  STRIP = 4 * LANES, /* columns of x that are copied where rows are no runs */
};

typedef struct triangle_use {
  bool solve;
  bool upper;
  bool unit;
} triangle_use;

/* Rows of a triangle, the diagonal inverted where it divides, what is subtracted negative. */
static void
fetch_triangle(const triangle_use use, const view t, real* const to)
{
  const int64_t n = t.rows;
  const real sign = use.solve ? -1 : 1;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = use.upper ? i + 1 : 0; j < (use.upper ? n : i); ++j) {
      to[i * BLOCK_BASE + j] = sign * t.data[i * t.row_stride + j * t.col_stride];
    }
    const real diagonal = use.unit ? 1 : t.data[i * (t.row_stride + t.col_stride)];
    to[i * BLOCK_BASE + i] = use.solve ? 1 / diagonal : diagonal;
  }
}

/* `rows` from row i on of `vectors` of columns of x, both known when compiled: first the terms of the
   rows outside of these, which are done where it is a solution, then those among them. */
LANE_INLINE void
apply_to_tile(const int64_t rows, const int64_t vectors, const triangle_use use, const int64_t n,
              const int64_t i, const real* const t, real* const x, const int64_t step)
{
  lane sum[TILE_ROWS][TILE_VECTORS];
  lane old[TILE_ROWS][TILE_VECTORS];
  LANE_UNROLL
  for (int64_t r = 0; r < rows; ++r) {
    const real factor = use.solve ? 1 : t[(i + r) * (BLOCK_BASE + 1)];
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      old[r][v] = *(const lane_in_place*)(x + (i + r) * step + v * LANES);
      sum[r][v] = factor * old[r][v];
    }
  }
  const int64_t end = use.upper ? n : i;
  for (int64_t j = use.upper ? i + rows : 0; j < end; ++j) {
    lane other[TILE_VECTORS];
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      other[v] = *(const lane_in_place*)(x + j * step + v * LANES);
    }
    LANE_UNROLL
    for (int64_t r = 0; r < rows; ++r) {
      const real factor = t[(i + r) * BLOCK_BASE + j];
      LANE_UNROLL
      for (int64_t v = 0; v < vectors; ++v) {
        sum[r][v] += factor * other[v];
      }
    }
  }
  LANE_UNROLL
  for (int64_t k = 0; k < rows; ++k) {
    const int64_t r = use.upper ? rows - 1 - k : k;
    const real* const row = t + (i + r) * BLOCK_BASE + i;
    const real last = use.solve ? row[r] : 1;
    LANE_UNROLL
    for (int64_t c = 0; c < k; ++c) {
      const int64_t s = use.upper ? rows - 1 - c : c;
      LANE_UNROLL
      for (int64_t v = 0; v < vectors; ++v) {
        sum[r][v] += row[s] * (use.solve ? sum : old)[s][v];
      }
    }
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      sum[r][v] *= last;
      *(lane_in_place*)(x + (i + r) * step + v * LANES) = sum[r][v];
    }
  }
}

/* All rows, in the order in which what they need is there. */
LANE_INLINE void
apply_to_vectors(const int64_t vectors, const triangle_use use, const int64_t n,
                 const real* const t, real* const x, const int64_t step)
{
  const bool forwards = use.solve != use.upper;
  const int64_t whole = n / TILE_ROWS * TILE_ROWS;
  for (int64_t i = n - 1; !forwards && i >= whole; --i) {
    apply_to_tile(1, vectors, use, n, i, t, x, step);
  }
  for (int64_t k = 0; k < whole; k += TILE_ROWS) {
    apply_to_tile(TILE_ROWS, vectors, use, n, forwards ? k : whole - TILE_ROWS - k, t, x, step);
  }
  for (int64_t i = whole; forwards && i < n; ++i) {
    apply_to_tile(1, vectors, use, n, i, t, x, step);
  }
}

/* `cols` of x, whole vectors; the use known when compiled. */
LANE_INLINE void
apply_to_columns(const triangle_use use, const int64_t n, const real* const t, const int64_t cols,
                 real* const x, const int64_t step)
{
  int64_t j = 0;
  for (; j + TILE_VECTORS * LANES <= cols; j += TILE_VECTORS * LANES) {
    apply_to_vectors(TILE_VECTORS, use, n, t, x + j, step);
  }
  for (; j < cols; j += LANES) {
    apply_to_vectors(1, use, n, t, x + j, step);
  }
}

static void
apply_to_rows(const triangle_use use, const int64_t n, const real* const t, const int64_t cols,
              real* const x, const int64_t step)
{
  if (use.solve && use.upper) {
    apply_to_columns((triangle_use){true, true, use.unit}, n, t, cols, x, step);
  } else if (use.solve) {
    apply_to_columns((triangle_use){true, false, use.unit}, n, t, cols, x, step);
  } else if (use.upper) {
    apply_to_columns((triangle_use){false, true, use.unit}, n, t, cols, x, step);
  } else {
    apply_to_columns((triangle_use){false, false, use.unit}, n, t, cols, x, step);
  }
}

/* Columns that are no runs, or fewer than a vector, in a buffer. */
static void
apply_to_copy(const triangle_use use, const real* const t, const view x)
{
  real buffer[BLOCK_BASE * STRIP];
  const int64_t width = (x.cols + LANES - 1) / LANES * LANES;
  if (x.col_stride != 1) {
    TYPED(pad_rows)(x, width, buffer);
    apply_to_rows(use, x.rows, t, width, buffer, width);
    TYPED(unpad_rows)(buffer, width, x);
    return;
  }
  for (int64_t i = 0; i < x.rows; ++i) {
    memset(buffer + i * LANES, 0, LANES * sizeof(real));
    copy_few(x.cols, x.data + i * x.row_stride, buffer + i * LANES);
  }
  apply_to_rows(use, x.rows, t, LANES, buffer, LANES);
  for (int64_t i = 0; i < x.rows; ++i) {
    copy_few(x.cols, buffer + i * LANES, x.data + i * x.row_stride);
  }
}

static void
apply_base(const triangle_use use, const view t, const view x)
{
  real factors[BLOCK_BASE * BLOCK_BASE];
  const int64_t in_place = x.col_stride == 1 ? x.cols / LANES * LANES : 0;
  fetch_triangle(use, t, factors);
  apply_to_rows(use, t.rows, factors, in_place, x.data, x.row_stride);
  for (int64_t j = in_place; j < x.cols; j += STRIP) {
    apply_to_copy(use, factors, view_block(x, 0, x.rows, j, smaller(STRIP, x.cols - j)));
  }
}

static void
apply_halves(const blocks* const m, const triangle_use use, const view t, const view x)
{
  const int64_t n = t.rows;
  if (n <= BLOCK_BASE) {
    apply_base(use, t, x);
    return;
  }
  const int64_t n1 = (n / 2 + BLOCK_BASE - 1) / BLOCK_BASE * BLOCK_BASE;
  const int64_t n2 = n - n1;
  const view t11 = view_block(t, 0, n1, 0, n1);
  const view t22 = view_block(t, n1, n2, n1, n2);
  const view x1 = view_block(x, 0, n1, 0, x.cols);
  const view x2 = view_block(x, n1, n2, 0, x.cols);
  // target <- target +- off source
  const view off = use.upper ? view_block(t, 0, n1, n1, n2) : view_block(t, n1, n2, 0, n1);
  const view source = use.upper ? x2 : x1;
  const view target = use.upper ? x1 : x2;
  const view of_source = use.upper ? t22 : t11;
  const view of_target = use.upper ? t11 : t22;
  if (use.solve) {
    apply_halves(m, use, of_source, source);
    TYPED(view_gemm)(m, -1, off, source, 1, target);
    apply_halves(m, use, of_target, target);
  } else {
    apply_halves(m, use, of_target, target);
    TYPED(view_gemm)(m, 1, off, source, 1, target);
    apply_halves(m, use, of_source, source);
  }
}

typedef struct shared {
  const blocks* m;
  triangle_use use;
  real alpha;
  view t;
  view x;
  int64_t cols; /* of a part */
} shared;

static void
apply_part(void* const context, const int64_t k, const uint32_t thread)
{
  const shared* const s = context;
  const blocks own = blocks_of_thread(s->m, thread);
  const int64_t j = k * s->cols;
  const view x = view_block(s->x, 0, s->x.rows, j, smaller(s->cols, s->x.cols - j));
  const view lines = x.col_stride == 1 ? x : view_transposed(x);
  for (int64_t i = 0; s->alpha != 1 && i < lines.rows; ++i) {
    for (int64_t c = 0; c < lines.cols; ++c) {
      lines.data[i * lines.row_stride + c * lines.col_stride] *= s->alpha;
    }
  }
  apply_halves(&own, s->use, s->t, x);
}

void
TYPED(apply_triangle)(const blocks* const m, const bool solve, const pz_triangle triangle,
                      const pz_diagonal diagonal, const real alpha, const view t, const view x)
{
  const triangle_use use = {solve, triangle == PZ_UPPER, diagonal == PZ_UNIT};
  shared s = {m, use, alpha, t, x, x.cols};
  const double terms = 0.5 * (double)t.rows * (double)t.rows * (double)x.cols;
  const uint32_t useful = m->threads < 2 ? 1 : cpu_threads(MULTIPLY_NANOSECONDS * terms);
  const uint32_t threads = useful < m->threads ? useful : m->threads;
  if (threads > 1) {
    const int64_t each = (x.cols + 2 * (int64_t)threads - 1) / (2 * (int64_t)threads);
    s.cols = larger((each + STRIP - 1) / STRIP * STRIP, MULTIPLY_PART);
  }
  const int64_t parts = (x.cols + s.cols - 1) / s.cols;
  if (parts < 2) {
    apply_part(&s, 0, 0);
  } else {
    m->host->parallel(threads, parts, apply_part, &s);
  }
}

void
TYPED(apply_triangle_right)(const blocks* const m, const bool solve, const pz_triangle triangle,
                            const pz_diagonal diagonal, const real alpha, const view t,
                            const view x)
{
  // x t = (t^T x^T)^T
  TYPED(apply_triangle)
  (m, solve, triangle == PZ_UPPER ? PZ_LOWER : PZ_UPPER, diagonal, alpha, view_transposed(t),
   view_transposed(x));
}
