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

/* Step k of the elimination: row k divided by its pivot, then subtracted from all others, the
   column of the pivot becoming that of the inverse. With `beyond` what lies on the diagonal is
   the distance from one. Rows are read and written as whole quads only: a quad read after one
   of its entries was written would wait for that to settle. Returns the pivot. */
static inline __attribute__((always_inline)) real
eliminate_column(const bool beyond, const int64_t width, const int64_t n, const int64_t k,
                 real* const a)
{
  enum { MOST = INVERSE_BLOCK / 4 };
  static const real units[2 * INVERSE_BLOCK] = {[INVERSE_BLOCK] = 1};
  const int64_t quads = width / 4;
  const real diagonal = a[k * width + k];
  const real pivot = beyond ? 1 + diagonal : diagonal;
  const real inverse = 1 / pivot;
  const real left = beyond ? -diagonal * inverse : inverse;
  quad kept[MOST]; /* one, zero in column k */
  quad row[MOST];
  for (int64_t j = 0; j < quads; ++j) {
    const quad unit = *(const quad_in_place*)(units + INVERSE_BLOCK - k + 4 * j);
    kept[j] = 1 - unit;
    row[j] = (*(quad_in_place*)(a + k * width + 4 * j) * kept[j] + unit) * inverse;
  }
  for (int64_t i = 0; i < n; ++i) {
    const real f = a[i * width + k];
    for (int64_t j = 0; j < quads; ++j) {
      quad_in_place* const to = (quad_in_place*)(a + i * width + 4 * j);
      *to = *to * kept[j] - f * row[j];
    }
  }
  for (int64_t j = 0; j < quads; ++j) {
    *(quad_in_place*)(a + k * width + 4 * j) = row[j] * kept[j] + left * (1 - kept[j]);
  }
  return pivot;
}

/* a <- (I + a)^-1 - I, n x n in rows of `width`; returns the largest distance of a pivot from
   PIVOT_MIDDLE. */
static inline __attribute__((always_inline)) real
eliminate(const int64_t width, const int64_t n, real* const a)
{
  real most = 0;
  for (int64_t k = 0; k < n; ++k) {
    const real off = eliminate_column(true, width, n, k, a) - PIVOT_MIDDLE;
    most = larger_real(off < 0 ? -off : off, most);
  }
  return most;
}

/* a <- a^-1 with rows exchanged for the largest pivot; false where that is zero. */
static inline __attribute__((always_inline)) bool
eliminate_pivoted(const int64_t width, const int64_t n, real* const a)
{
  int64_t exchanged[INVERSE_BLOCK];
  for (int64_t k = 0; k < n; ++k) {
    int64_t best = k;
    real most = 0;
    for (int64_t i = k; i < n; ++i) {
      const real v = a[i * width + k];
      const real magnitude = v < 0 ? -v : v;
      if (magnitude > most) {
        most = magnitude;
        best = i;
      }
    }
    if (most == 0) {
      return false;
    }
    exchanged[k] = best;
    if (best != k) {
      for (int64_t j = 0; j < width; ++j) {
        const real v = a[k * width + j];
        a[k * width + j] = a[best * width + j];
        a[best * width + j] = v;
      }
    }
    (void)eliminate_column(false, width, n, k, a);
  }
  // (P A)^-1 P: the exchanges as columns, backwards
  for (int64_t k = n; k-- > 0;) {
    if (exchanged[k] != k) {
      for (int64_t i = 0; i < n; ++i) {
        const real v = a[i * width + k];
        a[i * width + k] = a[i * width + exchanged[k]];
        a[i * width + exchanged[k]] = v;
      }
    }
  }
  return true;
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
