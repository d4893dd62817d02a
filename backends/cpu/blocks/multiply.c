/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of large matrices, as Goto and van de Geijn (2008) do them. A tile of y,
   MULTIPLY_ROWS x MULTIPLY_VECTORS vectors, is summed in registers over packed operands: of a,
   MULTIPLY_ROWS rows side by side, of b, as many columns as the tile has. Packed rows of b stay in
   the first cache while all of a passes, packed a in the second one.

   An entry of y is a sum over `inner`, MULTIPLY_MOST_INNER terms at a time, each of which is added to
   y when it is complete. That holds in every tile, also in those at the border, which are
   computed whole in a buffer. So results depend neither on threads nor on what lies around. */

#include "multiply.h"

#include "lane.h"
#include "libraries.h"
#include "product.h"
#include "transpose.h"

#include <string.h>

enum {
  WIDTH = MULTIPLY_VECTORS * LANES, /* of a tile */
  NARROW = LANES,                   /* of the last one, where that is enough */
};

static int64_t
rounded(const int64_t n, const int64_t step)
{
  return (n + step - 1) / step * step;
}

pz_status
TYPED(blocks_init)(pz_backend_queue* const q, const int64_t most, const double nanoseconds,
                   blocks* const out)
{
  const int64_t inner = smaller(most, MULTIPLY_MOST_INNER);
  const int64_t rows = rounded(smaller(most, MULTIPLY_MOST_ROWS), MULTIPLY_ROWS);
  const int64_t cols = rounded(smaller(most, MULTIPLY_MOST_COLS), WIDTH);
  out->host = q->host;
  out->threads = cpu_threads(nanoseconds);
  out->each = rounded(inner * (rows + cols), 64 / (int64_t)sizeof(real));
  out->packed =
      cpu_scratch(q, CPU_SCRATCH_PACK, (size_t)out->each * (size_t)out->threads * sizeof(real));
  return out->packed ? PZ_OK : cpu_no_memory(q);
}

/* Rows of `inner` terms of b for a tile, packed or where they are, `step` apart. */
typedef struct right_rows {
  const real* first;
  int64_t step;
} right_rows;

/* y = alpha a b, or y + alpha a b, of `rows` x `vectors` from packed a; both known when compiled. */
LANE_INLINE void
tile(const int64_t rows, const int64_t vectors, const int64_t inner, const real* a,
     const right_rows right, const real alpha, const bool add, real* const y, const int64_t ldy)
{
  const real* b = right.first;
  lane sum[MULTIPLY_ROWS][MULTIPLY_VECTORS];
  LANE_UNROLL
  for (int64_t r = 0; r < rows; ++r) {
    __builtin_prefetch(y + r * ldy, 1);
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      sum[r][v] = lane_of(0);
    }
  }
  for (int64_t p = 0; p < inner; ++p) {
    lane row[MULTIPLY_VECTORS];
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      row[v] = *(const lane_in_place*)(b + v * LANES);
    }
    LANE_UNROLL
    for (int64_t r = 0; r < rows; ++r) {
      const real f = a[r];
      LANE_UNROLL
      for (int64_t v = 0; v < vectors; ++v) {
        sum[r][v] += f * row[v];
      }
    }
    a += MULTIPLY_ROWS;
    b += right.step;
  }
  LANE_UNROLL
  for (int64_t r = 0; r < rows; ++r) {
    LANE_UNROLL
    for (int64_t v = 0; v < vectors; ++v) {
      lane_in_place* const to = (lane_in_place*)(y + r * ldy + v * LANES);
      if (add) {
        *to += alpha * sum[r][v];
      } else {
        *to = alpha * sum[r][v];
      }
    }
  }
}

/* A tile of `rows` <= MULTIPLY_ROWS: as a whole, or by powers of two. */
LANE_INLINE void
tile_of(const int64_t vectors, int64_t rows, const int64_t inner, const real* a, const right_rows b,
        const real alpha, const bool add, real* y, const int64_t ldy)
{
  if (rows == MULTIPLY_ROWS) {
    tile(MULTIPLY_ROWS, vectors, inner, a, b, alpha, add, y, ldy);
    return;
  }
  LANE_UNROLL
  for (int64_t step = 8; step > 0; step /= 2) {
    if (step < MULTIPLY_ROWS && rows >= step) {
      tile(step < MULTIPLY_ROWS ? step : 1, vectors, inner, a, b, alpha, add, y, ldy);
      a += step;
      y += step * ldy;
      rows -= step;
    }
  }
}

static void
wide_tile(const int64_t rows, const int64_t inner, const real* const a, const right_rows b,
          const real alpha, const bool add, real* const y, const int64_t ldy)
{
  tile_of(MULTIPLY_VECTORS, rows, inner, a, b, alpha, add, y, ldy);
}

static void
narrow_tile(const int64_t rows, const int64_t inner, const real* const a, const right_rows b,
            const real alpha, const bool add, real* const y, const int64_t ldy)
{
  tile_of(1, rows, inner, a, b, alpha, add, y, ldy);
}

/* Rows of x one after the other, filled up to `width`, which is known when compiled. */
LANE_INLINE void
pack(const view x, const int64_t width, real* const to)
{
  if (x.cols < width && x.col_stride == 1) {
    for (int64_t p = 0; p < x.rows; ++p) {
      memset(to + p * width, 0, (size_t)width * sizeof(real));
      copy_few(x.cols, x.data + p * x.row_stride, to + p * width);
    }
  } else if (x.cols < width || (x.col_stride != 1 && x.row_stride != 1)) {
    TYPED(pad_rows)(x, width, to);
  } else if (x.col_stride == 1) {
    for (int64_t p = 0; p < x.rows; ++p) {
      memcpy(to + p * width, x.data + p * x.row_stride, (size_t)width * sizeof(real));
    }
  } else {
    TYPED(transpose)(width, x.rows, x.data, x.col_stride, to, width);
  }
}

/* The width of the tiles from column j on. */
static int64_t
width_at(const int64_t j, const int64_t cols)
{
  return cols - j <= NARROW ? NARROW : WIDTH;
}

/* With `in_place` only the last columns, where they fill no tile. */
static void
pack_right(const bool in_place, const view b, real* const to)
{
  for (int64_t j = in_place ? b.cols / WIDTH * WIDTH : 0; j < b.cols; j += WIDTH) {
    const view strip = view_block(b, 0, b.rows, j, smaller(WIDTH, b.cols - j));
    if (width_at(j, b.cols) == WIDTH) {
      pack(strip, WIDTH, to + j * b.rows);
    } else {
      pack(strip, NARROW, to + j * b.rows);
    }
  }
}

static void
pack_left(const view a, real* const to)
{
  for (int64_t i = 0; i < a.rows; i += MULTIPLY_ROWS) {
    const view strip = view_block(a, i, smaller(MULTIPLY_ROWS, a.rows - i), 0, a.cols);
    pack(view_transposed(strip), MULTIPLY_ROWS, to + i * a.cols);
  }
}

typedef struct product {
  real alpha;
  bool add;
  product_part part;
  view a;
  view b;
  view y; /* rows are runs */
} product;

/* Does the part have an entry among these, all of them? Rows from i on, columns from j on. */
static bool
has_some(const product_part part, const int64_t i, const int64_t rows, const int64_t j,
         const int64_t cols)
{
  return part == PRODUCT_WHOLE || (part == PRODUCT_LOWER ? i + rows - 1 >= j : j + cols - 1 >= i);
}

static bool
has_all(const product_part part, const int64_t i, const int64_t rows, const int64_t j,
        const int64_t cols)
{
  return part == PRODUCT_WHOLE || (part == PRODUCT_LOWER ? i >= j + cols - 1 : j >= i + rows - 1);
}

/* A tile that y or the part does not have as a whole. */
static void
border_tile(const product* const t, const int64_t inner, const real* const a, const right_rows b,
            const int64_t width, const int64_t i, const int64_t rows, const int64_t j,
            const int64_t cols)
{
  real sums[MULTIPLY_ROWS * WIDTH] = {0};
  real* const y = t->y.data + i * t->y.row_stride + j;
  for (int64_t r = 0; t->add && r < rows; ++r) {
    copy_few(cols, y + r * t->y.row_stride, sums + r * WIDTH);
  }
  (width == WIDTH ? wide_tile : narrow_tile)(rows, inner, a, b, t->alpha, t->add, sums, WIDTH);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t diagonal = i + r - j; /* the column that is on it */
    const int64_t begin = t->part == PRODUCT_UPPER ? larger(diagonal, 0) : 0;
    const int64_t end = t->part == PRODUCT_LOWER ? smaller(diagonal + 1, cols) : cols;
    if (begin < end) {
      copy_few(end - begin, sums + r * WIDTH + begin, y + r * t->y.row_stride + begin);
    }
  }
}

/* Adds a block of packed rows times b, whose columns are packed or, with `in_place`, where they are, at
   (i0, j0) of y. */
static void
multiply_block(const product* const t, const real* const a, const int64_t i0, const int64_t rows,
               const bool in_place, const view b, const real* const packed, const int64_t j0)
{
  const int64_t inner = b.rows;
  for (int64_t j = 0; j < b.cols; j += WIDTH) {
    const int64_t width = width_at(j, b.cols);
    const int64_t w = smaller(width, b.cols - j);
    const bool here = in_place && j + WIDTH <= b.cols;
    const right_rows right = {here ? b.data + j : packed + j * inner, here ? b.row_stride : width};
    for (int64_t i = 0; i < rows; i += MULTIPLY_ROWS) {
      const int64_t h = smaller(MULTIPLY_ROWS, rows - i);
      const real* const left = a + i * inner;
      if (!has_some(t->part, i0 + i, h, j0 + j, w)) {
        continue;
      }
      if (w == width && has_all(t->part, i0 + i, h, j0 + j, w)) {
        real* const y = t->y.data + (i0 + i) * t->y.row_stride + j0 + j;
        (width == WIDTH ? wide_tile : narrow_tile)(h, inner, left, right, t->alpha, t->add, y,
                                                   t->y.row_stride);
      } else {
        border_tile(t, inner, left, right, width, i0 + i, h, j0 + j, w);
      }
    }
  }
}

/* Rows i0 to i1 and columns j0 to j1 of the product, by one thread. */
static void
multiply_range(const product* const given, real* const packed, const int64_t i0, const int64_t i1,
               const int64_t j0, const int64_t j1)
{
  product t = *given;
  const int64_t inner = t.a.cols;
  // few rows do not pay for packing what they are multiplied with
  const bool in_place = t.b.col_stride == 1 && i1 - i0 <= MULTIPLY_FEW_ROWS;
  for (int64_t j = j0; j < j1; j += MULTIPLY_MOST_COLS) {
    const int64_t cols = smaller(MULTIPLY_MOST_COLS, j1 - j);
    t.add = given->add;
    for (int64_t p = 0; p < inner; p += MULTIPLY_MOST_INNER) {
      const int64_t terms = smaller(MULTIPLY_MOST_INNER, inner - p);
      real* const left = packed + terms * rounded(cols, WIDTH);
      const view right = view_block(t.b, p, terms, j, cols);
      pack_right(in_place, right, packed);
      for (int64_t i = i0; i < i1; i += MULTIPLY_MOST_ROWS) {
        const int64_t rows = smaller(MULTIPLY_MOST_ROWS, i1 - i);
        if (has_some(t.part, i, rows, j, cols)) {
          pack_left(view_block(t.a, i, rows, p, terms), left);
          multiply_block(&t, left, i, rows, in_place, right, packed, j);
        }
      }
      t.add = true;
    }
  }
}

typedef struct shared {
  const product* t;
  const blocks* m;
  int64_t rows; /* of a part */
  int64_t cols;
  int64_t across; /* parts side by side */
} shared;

static void
multiply_part(void* const context, const int64_t k, const uint32_t thread)
{
  const shared* const s = context;
  const view y = s->t->y;
  const int64_t i = k / s->across * s->rows;
  const int64_t j = k % s->across * s->cols;
  const int64_t i1 = smaller(y.rows, i + s->rows);
  const int64_t j1 = smaller(y.cols, j + s->cols);
  if (has_some(s->t->part, i, i1 - i, j, j1 - j)) {
    multiply_range(s->t, blocks_of_thread(s->m, thread).packed, i, i1, j, j1);
  }
}

/* y = beta y in the part; 0 without reading y. */
static void
scale_part(const product_part part, const real beta, const view y)
{
  for (int64_t i = 0; i < y.rows; ++i) {
    real* const row = y.data + i * y.row_stride;
    const int64_t begin = part == PRODUCT_UPPER ? i : 0;
    const int64_t end = part == PRODUCT_LOWER ? smaller(i + 1, y.cols) : y.cols;
    for (int64_t j = begin; j < end; ++j) {
      row[j] = beta == 0 ? 0 : beta * row[j];
    }
  }
}

void
TYPED(view_gemm_part)(const blocks* const m, const product_part part, const real alpha,
                      const view a, const view b, const real beta, const view y)
{
  if (!view_has_row_runs(y)) {
    const product_part other = part == PRODUCT_WHOLE   ? part
                               : part == PRODUCT_LOWER ? PRODUCT_UPPER
                                                       : PRODUCT_LOWER;
    TYPED(view_gemm_part)
    (m, other, alpha, view_transposed(b), view_transposed(a), beta, view_transposed(y));
    return;
  }
  if (alpha == 0 || (beta != 0 && beta != 1)) {
    scale_part(part, beta, y);
  }
  if (alpha == 0) {
    return;
  }
  const product t = {alpha, beta != 0, part, a, b, y};
  shared s = {&t, m, y.rows, y.cols, 1};
  const double terms = (double)y.rows * (double)y.cols * (double)a.cols;
  const uint32_t useful = m->threads < 2 ? 1 : cpu_threads(MULTIPLY_NANOSECONDS * terms);
  const uint32_t threads = useful < m->threads ? useful : m->threads;
  int64_t parts = 1;
  while (threads > 1 && parts < 2 * (int64_t)threads &&
         larger(s.rows, s.cols) >= 2 * MULTIPLY_PART) {
    if (s.rows > s.cols) {
      s.rows = rounded((s.rows + 1) / 2, MULTIPLY_ROWS);
    } else {
      s.cols = rounded((s.cols + 1) / 2, WIDTH);
    }
    s.across = (y.cols + s.cols - 1) / s.cols;
    parts = (y.rows + s.rows - 1) / s.rows * s.across;
  }
  if (parts == 1) {
    multiply_range(&t, m->packed, 0, y.rows, 0, y.cols);
  } else {
    m->host->parallel(threads, parts, multiply_part, &s);
  }
}

void
TYPED(view_gemm)(const blocks* const m, const real alpha, const view a, const view b,
                 const real beta, const view y)
{
  if (TYPED(small_product)(alpha, a, b, beta, y)) {
    return;
  }
  if (y.cols == 1) {
    TYPED(multiply_vector)(m, alpha, a, b, beta, y);
  } else if (y.rows == 1) {
    TYPED(multiply_vector)
    (m, alpha, view_transposed(b), view_transposed(a), beta, view_transposed(y));
  } else {
    TYPED(view_gemm_part)(m, PRODUCT_WHOLE, alpha, a, b, beta, y);
  }
}
