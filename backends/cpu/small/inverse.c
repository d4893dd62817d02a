/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses of small matrices, and of the blocks that larger ones end in: Gauss-Jordan
   elimination in place, on a copy whose rows are padded to whole quads, the width known when
   compiled. */

#include "inverse.h"

#include "inverse_rotation.h"
#include "lane_eliminate.h"
#include "passes.h"

#include <string.h>

/* ---- Gauss-Jordan on a buffer of padded rows -------------------------------- */

#define VECTOR quad
#define VECTOR_IN_PLACE quad_in_place
#define VECTOR_ENTRIES 4
#define BY_VECTORS(name) name##_by_quads
#include "eliminate_tmpl.h"
#undef VECTOR
#undef VECTOR_IN_PLACE
#undef VECTOR_ENTRIES
#undef BY_VECTORS
#define VECTOR lane
#define VECTOR_IN_PLACE lane_in_place
#define VECTOR_ENTRIES LANES
#define BY_VECTORS(name) name##_by_lanes
#include "eliminate_tmpl.h"

/* Rows that whole vectors fill are eliminated by these, shorter ones by quads. */
static inline __attribute__((always_inline)) real
eliminate(const int64_t width, const int64_t n, real* const a)
{
  return width % LANES == 0 ? eliminate_by_lanes(width, n, a) : eliminate_by_quads(width, n, a);
}

static inline __attribute__((always_inline)) bool
eliminate_pivoted(const int64_t width, const int64_t n, real* const a)
{
  return width % LANES == 0 ? eliminate_pivoted_by_lanes(width, n, a)
                            : eliminate_pivoted_by_quads(width, n, a);
}

real
TYPED(invert_block)(const int64_t n, real* const a, const int64_t ld)
{
  real buffer[INVERSE_BLOCK * INVERSE_BLOCK] = {0};
  for (int64_t i = 0; i < n; ++i) {
    memcpy(buffer + i * INVERSE_BLOCK, a + i * ld, (size_t)n * sizeof(real));
    buffer[i * INVERSE_BLOCK + i] -= 1;
  }
  const real most = eliminate(INVERSE_BLOCK, n, buffer);
  for (int64_t i = 0; i < n; ++i) {
    memcpy(a + i * ld, buffer + i * INVERSE_BLOCK, (size_t)n * sizeof(real));
    a[i * ld + i] += 1;
  }
  return most;
}

/* ---- small matrices ---------------------------------------------------------- */

/* The other triangle of rows of `width`, from the one that is there. */
static inline __attribute__((always_inline)) void
mirror(const int64_t width, const inversion* const c, real* const a)
{
  for (int64_t i = 0; i < c->n; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      real* const below = &a[i * width + j];
      real* const above = &a[j * width + i];
      if (c->by == PZ_BY_UPPER) {
        *below = c->sign * *above;
      } else {
        *above = c->sign * *below;
      }
    }
    a[i * width + i] = c->sign < 0 ? 0 : a[i * width + i];
  }
}

/* One pass: read, eliminate in a buffer, write. */
static inline __attribute__((always_inline)) bool
invert_padded(const int64_t width, const inversion* const c, const view x, const view y)
{
  real a[INVERSE_BLOCK * INVERSE_BLOCK];
  bool unpivoted = c->unpivoted;
  for (;; unpivoted = false) {
    const real scale = unpivoted ? c->k_scale : c->delta;
    real squares = 0;
    real odd = 0;
    for (int64_t i = 0; i < c->n; ++i) {
      real* const row = a + i * width;
      for (int64_t j = 0; j < c->n; ++j) {
        row[j] = scale * x.data[i * x.row_stride + j * x.col_stride];
      }
      for (int64_t j = c->n; j < width; ++j) {
        row[j] = 0;
      }
    }
    if (c->by != 0) {
      mirror(width, c, a);
    }
#pragma omp simd reduction(+ : odd, squares)
    for (int64_t j = 0; j < c->n * width; ++j) {
      squares += a[j] * a[j];
      odd += a[j] * 0;
    }
    if (unpivoted) {
      if (squares <= squares_limit(c) && eliminate(width, c->n, a) <= PIVOT_REACH) {
        break;
      }
      continue;
    }
    if (odd != 0) {
      TYPED(view_fill)((real)NAN, y);
      return true;
    }
    for (int64_t i = 0; i < c->n; ++i) {
      a[i * width + i] += c->gamma;
    }
    if (!eliminate_pivoted(width, c->n, a)) {
      return false;
    }
    break;
  }
  const real scale = unpivoted ? c->d_scale : c->beta;
  const real shift = unpivoted ? c->d_shift : c->alpha;
  real odd = 0;
  for (int64_t i = 0; i < c->n; ++i) {
    real* const row = a + i * width;
    for (int64_t j = 0; j < width; ++j) {
      row[j] *= scale;
      odd += row[j] * 0;
    }
    row[i] += shift;
    for (int64_t j = 0; j < c->n; ++j) {
      y.data[i * y.row_stride + j * y.col_stride] = row[j];
    }
  }
  return odd == 0;
}

/* The closed form, every lane being the same matrix; false beyond its limits, and where x is not skew
   or not finite. */
static bool
invert_rotation(const inversion* const c, const view x, const view y)
{
  const int64_t n = c->n;
  const real sign = c->by == PZ_BY_UPPER ? -1 : 1;
  const view from = c->by == PZ_BY_UPPER ? view_transposed(x) : x;
  lane below[3];
  lane whole[9];
  bool skew = true;
  for (int64_t e = 0; e < n * n && c->by == 0; ++e) {
    const int64_t i = e / n;
    const int64_t j = e % n;
    skew = skew && x.data[i * x.row_stride + j * x.col_stride] +
                           x.data[j * x.row_stride + i * x.col_stride] ==
                       0;
  }
  for (int64_t i = 1, e = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j, ++e) {
      below[e] = lane_of(sign * from.data[i * from.row_stride + j * from.col_stride]);
    }
  }
  if (!skew || invert_closed(c, n, below, whole)[0] == 0) {
    return false;
  }
  for (int64_t e = 0; e < n * n; ++e) {
    y.data[e / n * y.row_stride + e % n * y.col_stride] = whole[e][0];
  }
  return true;
}

bool
TYPED(invert_small)(const inversion* const c, const view x, const view y)
{
  if (c->unpivoted && (c->n == 2 || c->n == 3) && invert_rotation(c, x, y)) {
    return true;
  }
  return c->n <= 4   ? invert_padded(4, c, x, y)
         : c->n <= 8 ? invert_padded(8, c, x, y)
                     : invert_padded(INVERSE_BLOCK, c, x, y);
}
