/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* y = alpha I + beta A^-1 with A = gamma I + delta X.

   Without pivoting A is inverted by 2 x 2 blocks,

     A11 <- A11^-1    T = A11 A12    U = A21 A11    A22 <- (A22 - A21 T)^-1
     A12 <- -T A22    A21 <- -A22 U    A11 <- A11 - T A21,

   all products, 2 n^3 operations, with Gauss-Jordan elimination at the bottom. For skew X
   the symmetric part of A, and of every Schur complement, is at least |gamma|, so no pivot
   is smaller. What may grow is the Schur complements, and with them the error, by
   |delta X / gamma| at worst; every growth shows in the pivots. So the largest pivot is
   watched, and where it exceeds the largest entry of A by more than GROWTH, the matrix is
   inverted again by pivoted LU, as any other matrix is at once.

   Rows as runs throughout: LAPACK then sees A^T and returns its inverse, which rows as
   runs show as A^-1. */

#include "typed.h"

#include <string.h>

/* Growth of pivots up to which elimination without pivoting is as good as with it. */
static const real GROWTH = 8;

/* ---- Gauss-Jordan on a buffer of padded rows -------------------------------- */

/* a <- a^-1, n x n in rows of `width`; returns the largest magnitude of a pivot. */
static inline __attribute__((always_inline)) real
eliminate(const int64_t width, const int64_t n, real* const restrict a)
{
  real most = 0;
  for (int64_t k = 0; k < n; ++k) {
    real* const row = a + k * width;
    const real pivot = row[k];
    const real inverse = 1 / pivot;
    const real magnitude = pivot < 0 ? -pivot : pivot;
    most = magnitude > most ? magnitude : most;
    row[k] = 1;
    for (int64_t j = 0; j < width; ++j) {
      row[j] *= inverse;
    }
    for (int64_t i = 0; i < n; ++i) {
      if (i != k) {
        real* const other = a + i * width;
        const real f = other[k];
        other[k] = 0;
        for (int64_t j = 0; j < width; ++j) {
          other[j] -= f * row[j];
        }
      }
    }
  }
  return most;
}

/* The same with rows exchanged for the largest pivot; false where that is zero. */
static inline __attribute__((always_inline)) bool
eliminate_pivoted(const int64_t width, const int64_t n, real* const restrict a)
{
  int64_t exchanged[TINY];
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
    real* const row = a + k * width;
    if (best != k) {
      for (int64_t j = 0; j < width; ++j) {
        const real v = row[j];
        row[j] = a[best * width + j];
        a[best * width + j] = v;
      }
    }
    const real inverse = 1 / row[k];
    row[k] = 1;
    for (int64_t j = 0; j < width; ++j) {
      row[j] *= inverse;
    }
    for (int64_t i = 0; i < n; ++i) {
      if (i != k) {
        real* const other = a + i * width;
        const real f = other[k];
        other[k] = 0;
        for (int64_t j = 0; j < width; ++j) {
          other[j] -= f * row[j];
        }
      }
    }
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

/* ---- large matrices ---------------------------------------------------------- */

real
TYPED(invert_unpivoted)(const int64_t n, real* const a, const int64_t ld, real* const work)
{
  if (n <= TINY) {
    real buffer[TINY * TINY] = {0};
    for (int64_t i = 0; i < n; ++i) {
      memcpy(buffer + i * TINY, a + i * ld, (size_t)n * sizeof(real));
    }
    const real most = eliminate(TINY, n, buffer);
    for (int64_t i = 0; i < n; ++i) {
      memcpy(a + i * ld, buffer + i * TINY, (size_t)n * sizeof(real));
    }
    return most;
  }
  // halves of whole bottom blocks
  const int64_t n1 = (n / 2 + TINY - 1) / TINY * TINY;
  const int64_t n2 = n - n1;
  const view a11 = {a, n1, n1, ld, 1};
  const view a12 = {a + n1, n1, n2, ld, 1};
  const view a21 = {a + n1 * ld, n2, n1, ld, 1};
  const view a22 = {a + n1 * ld + n1, n2, n2, ld, 1};
  const view t = {work, n1, n2, n2, 1};
  const view u = {work + n1 * n2, n2, n1, n1, 1};

  // A11 <- A11^-1;  T = A11 A12;  U = A21 A11
  const real most1 = TYPED(invert_unpivoted)(n1, a11.data, ld, work);
  TYPED(view_gemm)(1, a11, a12, 0, t);
  TYPED(view_gemm)(1, a21, a11, 0, u);
  // A22 <- (A22 - A21 T)^-1
  TYPED(view_gemm)(-1, a21, t, 1, a22);
  const real most2 = TYPED(invert_unpivoted)(n2, a22.data, ld, work + 2 * n1 * n2);
  // A12 <- -T A22;  A21 <- -A22 U;  A11 <- A11 - T A21
  TYPED(view_gemm)(-1, t, a22, 0, a12);
  TYPED(view_gemm)(-1, a22, u, 0, a21);
  TYPED(view_gemm)(-1, t, a21, 1, a11);
  return most1 > most2 ? most1 : most2;
}

/* Rows of `to` = gamma I + delta x; returns the largest magnitude, or NaN or infinity where
   an entry is not finite. */
static real
shifted(const real gamma, const real delta, const view x, const view to)
{
  TYPED(view_copy)(x, to);
  real most = 0;
  real odd = 0; /* NaN as soon as an entry is not finite */
  for (int64_t i = 0; i < to.rows; ++i) {
    real* const row = to.data + i * to.row_stride;
    for (int64_t j = 0; j < to.cols; ++j) {
      row[j] *= delta;
    }
    row[i] += gamma;
    for (int64_t j = 0; j < to.cols; ++j) {
      const real magnitude = row[j] < 0 ? -row[j] : row[j];
      most = magnitude > most ? magnitude : most;
    }
#pragma omp simd reduction(+ : odd)
    for (int64_t j = 0; j < to.cols; ++j) {
      odd += row[j] * 0;
    }
  }
  return most + odd;
}

/* y = alpha I + beta y; false where the result is not finite. */
static bool
finish(const real alpha, const real beta, const view y)
{
  real odd = 0;
  for (int64_t i = 0; i < y.rows; ++i) {
    real* const row = y.data + i * y.row_stride;
#pragma omp simd reduction(+ : odd)
    for (int64_t j = 0; j < y.cols; ++j) {
      row[j] *= beta;
      odd += row[j] * 0;
    }
    row[i] += alpha;
  }
  return odd == 0;
}

/* What a whole call works with. */
typedef struct task {
  real alpha, beta, gamma, delta;
  bool unpivoted;
  int64_t n;
  real* work;
  int64_t n_work;
  lapack_int* pivots;
} task;

static bool
invert_large(const task* const c, const view x, const view y)
{
  const real most = shifted(c->gamma, c->delta, x, y);
  if (!(most < (real)INFINITY)) {
    TYPED(view_fill)((real)NAN, y);
    return true;
  }
  if (c->unpivoted) {
    const real pivot = TYPED(invert_unpivoted)(c->n, y.data, y.row_stride, c->work);
    if (pivot <= GROWTH * most && finish(c->alpha, c->beta, y)) {
      return true;
    }
    (void)shifted(c->gamma, c->delta, x, y);
  }
  const lapack_int n = (lapack_int)c->n;
  const lapack_int ld = (lapack_int)y.row_stride;
  return LAPACK(getrf)(LAPACK_COL_MAJOR, n, n, y.data, ld, c->pivots) == 0 &&
         LAPACK(getri)(LAPACK_COL_MAJOR, n, y.data, ld, c->pivots, c->work,
                       (lapack_int)c->n_work) == 0 &&
         finish(c->alpha, c->beta, y);
}

/* ---- small matrices ---------------------------------------------------------- */

/* One pass: read, eliminate in a buffer, write. */
static inline __attribute__((always_inline)) bool
invert_padded(const int64_t width, const task* const c, const view x, const view y)
{
  real a[TINY * TINY];
  bool unpivoted = c->unpivoted;
  for (;;) {
    real most = 0;
    real odd = 0;
    for (int64_t i = 0; i < c->n; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        a[i * width + j] = j < c->n ? c->delta * x.data[i * x.row_stride + j * x.col_stride] : 0;
      }
      a[i * width + i] += c->gamma;
      for (int64_t j = 0; j < width; ++j) {
        const real v = a[i * width + j];
        const real magnitude = v < 0 ? -v : v;
        most = magnitude > most ? magnitude : most;
        odd += v * 0;
      }
    }
    if (odd != 0) {
      TYPED(view_fill)((real)NAN, y);
      return true;
    }
    if (unpivoted ? eliminate(width, c->n, a) <= GROWTH * most
                  : eliminate_pivoted(width, c->n, a)) {
      break;
    }
    if (!unpivoted) {
      return false;
    }
    unpivoted = false;
  }
  real odd = 0;
  for (int64_t i = 0; i < c->n; ++i) {
    for (int64_t j = 0; j < c->n; ++j) {
      const real v = c->beta * a[i * width + j] + (i == j ? c->alpha : 0);
      odd += v * 0;
      y.data[i * y.row_stride + j * y.col_stride] = v;
    }
  }
  return odd == 0;
}

static bool
invert_small(const task* const c, const view x, const view y)
{
  return c->n <= 4   ? invert_padded(4, c, x, y)
         : c->n <= 8 ? invert_padded(8, c, x, y)
                     : invert_padded(TINY, c, x, y);
}

pz_status
TYPED(shifted_inverse)(pz_backend_queue* const q, const uint32_t in, const double alpha,
                       const double beta, const double gamma, const double delta,
                       const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  (void)fault;
  if (!fits_blas(x) || !fits_blas(y)) {
    return PZ_UNSUPPORTED;
  }
  // the inverse of the transpose is the transpose of the inverse
  const bool by_row = cpu_runs_by_row(y);
  const pz_mat from = by_row ? *x : cpu_transposed(x);
  const pz_mat to = by_row ? *y : cpu_transposed(y);
  const int64_t n = y->rows;
  task c = {
      .alpha = (real)alpha,
      .beta = (real)beta,
      .gamma = (real)gamma,
      .delta = (real)delta,
      .unpivoted = in == PZ_SKEW && (real)gamma != 0,
      .n = n,
  };
  if (n > TINY) {
    const lapack_int most = INT_MAX / 64;
    c.n_work = c.unpivoted ? n * n : 64 * (n < most ? n : most);
    c.n_work = larger(c.n_work, 64 * smaller(n, most));
    c.work = cpu_scratch(q, CPU_SLOT_WORK, (size_t)c.n_work * sizeof(real));
    c.pivots = cpu_scratch(q, CPU_SLOT_INTEGER, (size_t)n * sizeof(lapack_int));
    if (!c.work || !c.pivots) {
      return cpu_no_memory(q);
    }
    c.n_work = smaller(c.n_work, INT_MAX);
  }
  int64_t singular = -1;
  for (int64_t k = 0; k < to.batch; ++k) {
    const view u = view_of(&from, k);
    const view v = view_of(&to, k);
    if (!(n <= TINY ? invert_small(&c, u, v) : invert_large(&c, u, v))) {
      TYPED(view_fill)((real)NAN, v);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "is singular", singular);
}
