/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Gauss-Jordan elimination on a buffer of rows that VECTORs of VECTOR_ENTRIES entries fill; included
   for each kind of them. BY_VECTORS makes the names. */

/* Step k of the elimination: row k divided by its pivot, then subtracted from all others, the
   column of the pivot becoming that of the inverse. With `beyond` what lies on the diagonal is
   the distance from one. Rows are read and written as whole vectors only: a vector read after one
   of its entries was written would wait for that to settle. Returns the pivot. */
static inline __attribute__((always_inline)) real
BY_VECTORS(eliminate_column)(const bool beyond, const int64_t width, const int64_t n,
                             const int64_t k, real* const a)
{
  enum { MOST = (INVERSE_BLOCK + VECTOR_ENTRIES - 1) / VECTOR_ENTRIES };
  static const real units[2 * INVERSE_BLOCK] = {[INVERSE_BLOCK] = 1};
  const int64_t vectors = width / VECTOR_ENTRIES;
  const real diagonal = a[k * width + k];
  const real pivot = beyond ? 1 + diagonal : diagonal;
  const real inverse = 1 / pivot;
  const real left = beyond ? -diagonal * inverse : inverse;
  VECTOR kept[MOST]; /* one, zero in column k */
  VECTOR row[MOST];
  for (int64_t j = 0; j < vectors; ++j) {
    const VECTOR unit = *(const VECTOR_IN_PLACE*)(units + INVERSE_BLOCK - k + VECTOR_ENTRIES * j);
    kept[j] = 1 - unit;
    row[j] = (*(VECTOR_IN_PLACE*)(a + k * width + VECTOR_ENTRIES * j) * kept[j] + unit) * inverse;
  }
  for (int64_t i = 0; i < n; ++i) {
    const real f = a[i * width + k];
    for (int64_t j = 0; j < vectors; ++j) {
      VECTOR_IN_PLACE* const to = (VECTOR_IN_PLACE*)(a + i * width + VECTOR_ENTRIES * j);
      *to = *to * kept[j] - f * row[j];
    }
  }
  for (int64_t j = 0; j < vectors; ++j) {
    *(VECTOR_IN_PLACE*)(a + k * width + VECTOR_ENTRIES * j) =
        row[j] * kept[j] + left * (1 - kept[j]);
  }
  return pivot;
}

/* a <- (I + a)^-1 - I, n x n in rows of `width`; returns the largest distance of a pivot from
   PIVOT_MIDDLE. */
static inline __attribute__((always_inline)) real
BY_VECTORS(eliminate)(const int64_t width, const int64_t n, real* const a)
{
  real most = 0;
  for (int64_t k = 0; k < n; ++k) {
    const real off = BY_VECTORS(eliminate_column)(true, width, n, k, a) - PIVOT_MIDDLE;
    most = larger_real(off < 0 ? -off : off, most);
  }
  return most;
}

/* a <- a^-1 with rows exchanged for the largest pivot; false where that is zero. */
static inline __attribute__((always_inline)) bool
BY_VECTORS(eliminate_pivoted)(const int64_t width, const int64_t n, real* const a)
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
    (void)BY_VECTORS(eliminate_column)(false, width, n, k, a);
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
