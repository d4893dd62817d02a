/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* y = alpha I + beta A^-1 with A = gamma I + delta X.

   Without pivoting A is inverted by 2 x 2 blocks,

     A11 <- A11^-1    T = A11 A12    U = A21 A11    A22 <- (A22 - A21 T)^-1
     A12 <- -T A22    A21 <- -A22 U    A11 <- A11 - T A21,

   all products, 2 n^3 operations, with Gauss-Jordan elimination at the bottom. For skew X
   the symmetric part of A, and of every Schur complement, is at least |gamma|: no pivot is
   smaller. It is done on A / gamma = I + K, so that the diagonal is near one where K is small;
   elimination of small matrices and blocks keeps there the distance from one, D = (I + K)^-1 - I
   in the end, and y = (alpha + beta / gamma) I + (beta / gamma) D.

   The price is an error that grows with K where pivoting would keep it down, in two ways.
   Multipliers grow with |K|, and Schur complements with |K|^2, which shows in the pivots. So K is
   bounded beforehand, by

     |K|_2 <= |K|_F / sqrt(2)    (singular values come in pairs),

   or, where that says too little, estimated by the power method; and the pivots are bounded
   afterwards (also from below, where a matrix turns out not to be skew). A matrix beyond either limit is inverted by pivoted LU, as any matrix is that is
   not known to be skew. The limits leave the error within twice that of LU on full, banded,
   graded and low rank K of norm 1e-6 to 1e4 (tests/backend/accuracy.c). |K|_F overstates
   |K|_2 by more the larger n is, so the first limit rises with n.

   Rows as runs throughout: LU then sees the columns of A^T and makes its inverse, which rows as
   runs show as A^-1. */

#include "operations.h"

#include "inverse.h"
#include "lane_eliminate.h"
#include "lu.h"
#include "passes.h"
#include "tuning.h"

#include <string.h>

/* Inverts a in rows in place and returns the largest distance of a pivot from PIVOT_MIDDLE; `work`
   holds n^2 elements. */
static real
invert_unpivoted(const blocks* const m, const int64_t n, real* const a, const int64_t ld,
                 real* const work)
{
  if (n <= INVERSE_BLOCK) {
    return TYPED(invert_block)(n, a, ld);
  }
  // halves of whole bottom blocks
  const int64_t n1 = (n / 2 + INVERSE_BLOCK - 1) / INVERSE_BLOCK * INVERSE_BLOCK;
  const int64_t n2 = n - n1;
  const view a11 = {a, n1, n1, ld, 1};
  const view a12 = {a + n1, n1, n2, ld, 1};
  const view a21 = {a + n1 * ld, n2, n1, ld, 1};
  const view a22 = {a + n1 * ld + n1, n2, n2, ld, 1};
  const view t = {work, n1, n2, n2, 1};
  const view u = {work + n1 * n2, n2, n1, n1, 1};

  // A11 <- A11^-1;  T = A11 A12;  U = A21 A11
  const real most1 = invert_unpivoted(m, n1, a11.data, ld, work);
  TYPED(view_gemm)(m, 1, a11, a12, 0, t);
  TYPED(view_gemm)(m, 1, a21, a11, 0, u);
  // A22 <- (A22 - A21 T)^-1
  TYPED(view_gemm)(m, -1, a21, t, 1, a22);
  const real most2 = invert_unpivoted(m, n2, a22.data, ld, work + 2 * n1 * n2);
  // A12 <- -T A22;  A21 <- -A22 U;  A11 <- A11 - T A21
  TYPED(view_gemm)(m, -1, t, a22, 0, a12);
  TYPED(view_gemm)(m, -1, a22, u, 0, a21);
  TYPED(view_gemm)(m, -1, t, a21, 1, a11);
  return larger_real(most1, most2);
}

/* What is seen of A when it is formed. */
typedef struct sight {
  real squares; /* the sum of the squares of delta X */
  bool finite;
} sight;

/* to = X. */
static void
fetch(pz_backend_queue* const q, const inversion* const c, const view x, const view to)
{
  if (c->by == 0) {
    TYPED(view_copy)(x, to);
    return;
  }
  const pz_mat part = mat_of(x);
  const pz_mat whole = mat_of(to);
  (void)TYPED(fold)(q, c->by == PZ_BY_UPPER ? PZ_UPPER : PZ_LOWER, c->sign < 0 ? -1 : 1, &part,
                    &whole);
}

/* Rows of `to` = gamma I + delta to. */
static sight
shift(const real gamma, const real delta, const view to)
{
  real squares = 0;
  real odd = 0; /* NaN as soon as an entry is not finite */
  for (int64_t i = 0; i < to.rows; ++i) {
    real* const row = to.data + i * to.row_stride;
    const real diagonal = delta * row[i] + gamma;
#pragma omp simd reduction(+ : odd, squares)
    for (int64_t j = 0; j < to.cols; ++j) {
      const real v = delta * row[j];
      squares += v * v;
      odd += v * 0;
      row[j] = v;
    }
    row[i] = diagonal;
    odd += diagonal * 0;
  }
  const sight s = {squares, odd == 0};
  return s;
}

/* The largest |K|_2 for elimination without pivoting; orders up to 3 have a closed form without
   such a limit (small/inverse_rotation.h). Of few rows none is spared the growth of the others. */
static real
norm_limit(const int64_t n)
{
  return (real)(n == 4 ? 3.0 : n == 5 ? 3.5 : fmax(4.0, 0.85 * sqrt((double)n)));
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

static real
norm_of(const int64_t n, const real* const x)
{
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    squares += (double)x[i] * (double)x[i];
  }
  return (real)sqrt(squares);
}

/* An upper bound, as a rule, of |K|_2 for I + K = a, skew K in rows; `work` holds 2 n numbers. Four
   steps of the power method come within a quarter. */
static real
skew_norm_estimate(const blocks* const m, const view a, real* const work)
{
  const int64_t n = a.rows;
  real* v = work;
  real* w = work + n;
  real estimate = 0;
  for (int64_t i = 0; i < n; ++i) {
    v[i] = (uint32_t)i * 0x9E3779B9U >> 31 ? 1 : -1;
  }
  for (int step = 0; step < 4; ++step) {
    const real before = norm_of(n, v);
    if (!(before > 0 && before <= REAL_MOST)) {
      break;
    }
    for (int64_t i = 0; i < n; ++i) {
      v[i] /= before;
      w[i] = v[i];
    }
    const view x = {v, n, 1, 1, n};
    const view y = {w, n, 1, 1, n};
    TYPED(multiply_vector)(m, 1, a, x, -1, y);
    estimate = norm_of(n, w);
    real* const next = w;
    w = v;
    v = next;
  }
  return (real)1.25 * estimate;
}

/* The same by a closer look, where that costs little beside the inversion. */
static bool
norm_is_estimated_small(const blocks* const m, const inversion* const c, const view a)
{
  return c->n >= 64 && skew_norm_estimate(m, a, c->work) <= c->norm_limit;
}

static bool
invert_large(pz_backend_queue* const q, const blocks* const m, const inversion* const c,
             const view x, const view y)
{
  if (c->unpivoted) {
    fetch(q, c, x, y);
    const sight seen = shift(1, c->k_scale, y);
    if (seen.finite && (seen.squares <= squares_limit(c) || norm_is_estimated_small(m, c, y)) &&
        invert_unpivoted(m, c->n, y.data, y.row_stride, c->work) <= PIVOT_REACH &&
        finish(c->alpha, c->d_scale, y)) {
      return true;
    }
  }
  fetch(q, c, x, y);
  if (!shift(c->gamma, c->delta, y).finite) {
    TYPED(view_fill)((real)NAN, y);
    return true;
  }
  return TYPED(invert_lu)(m, view_transposed(y), c->pivots, c->work) &&
         finish(c->alpha, c->beta, y);
}

/* The first matrix from k on that is still to be inverted: all are without flags. */
static int64_t
next_open(const unsigned char* const flags, const int64_t k, const int64_t n)
{
  if (!flags || k == n) {
    return k;
  }
  const unsigned char* const found = memchr(flags + k, 1, (size_t)(n - k));
  return found ? found - flags : n;
}

pz_status
TYPED(shifted_inverse)(pz_backend_queue* const q, const uint32_t in, const double alpha,
                       const double beta, const double gamma, const double delta,
                       const pz_mat* const x, const pz_mat* const y, const pz_fault* const fault)
{
  (void)fault;
  // the inverse of the transpose is the transpose of the inverse
  const bool by_row = cpu_runs_by_row(y);
  const pz_mat from = by_row ? *x : pz_mat_transposed(x);
  const pz_mat to = by_row ? *y : pz_mat_transposed(y);
  const int64_t n = y->rows;
  const uint32_t by = in & PZ_BY_TRIANGLE;
  const uint32_t structure = in ^ by;
  inversion c = {
      .alpha = (real)alpha,
      .beta = (real)beta,
      .gamma = (real)gamma,
      .delta = (real)delta,
      .unpivoted = structure == PZ_SKEW && (real)gamma != 0,
      // X and y are transposed where y has columns as runs
      .by = by == 0 || by_row ? by : by ^ PZ_BY_TRIANGLE,
      .sign = structure == PZ_SKEW ? -1 : 1,
      .k_scale = (real)(delta / gamma),
      .d_scale = (real)(beta / gamma),
      .d_shift = (real)(alpha + beta / gamma),
      .norm_limit = norm_limit(n),
      .n = n,
  };
  blocks m = {.threads = 1};
  if (n > INVERSE_BLOCK) {
    c.work = cpu_scratch(q, CPU_SCRATCH_WORK, (size_t)(n * n) * sizeof(real));
    c.pivots = cpu_scratch(q, CPU_SCRATCH_INTEGER, (size_t)n * sizeof(int32_t));
    if (!c.work || !c.pivots) {
      return cpu_no_memory(q);
    }
    PZ_TRY(TYPED(blocks_init)(q, n, MULTIPLY_NANOSECONDS * (double)(n * n * n), &m));
  }
  unsigned char* flags = NULL;
  if (TYPED(batch_is_for_lanes)(n, to.batch, c.unpivoted)) {
    flags = cpu_scratch(q, CPU_SCRATCH_FLAGS, (size_t)to.batch);
    if (!flags) {
      return cpu_no_memory(q);
    }
    PZ_TRY(TYPED(invert_batch)(q, &c, &from, &to, flags));
    c.unpivoted = false;
  }
  int64_t singular = -1;
  for (int64_t k = next_open(flags, 0, to.batch); k < to.batch;
       k = next_open(flags, k + 1, to.batch)) {
    const view u = view_of(&from, k);
    const view v = view_of(&to, k);
    if (!(n <= INVERSE_BLOCK ? TYPED(invert_small)(&c, u, v) : invert_large(q, &m, &c, u, v))) {
      TYPED(view_fill)((real)NAN, v);
      singular = singular < 0 ? k : singular;
    }
  }
  return singular < 0 ? PZ_OK : cpu_singular(q, "is singular", singular);
}
