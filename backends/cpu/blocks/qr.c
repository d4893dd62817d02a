/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A = Q R by Householder's reflections H = I - tau v v^T, the products of which are kept as

     H1 ... Hb = I - V T V^T,   T = [T1, -tau T1 V1^T v; 0, tau]   (Schreiber and Van Loan 1989),

   QR_BLOCK of them at a time: what they do to the other columns, and to Q, are products. A column is
   scaled by a power of two before its norm is taken, which then neither overflows nor vanishes.

   A matrix with entries that are not finite has NaN for its factors. */

#include "qr.h"

#include "finite.h"
#include "multiply.h"
#include "passes.h"
#include "triangular.h"
#include "tuning.h"

#include <string.h>

typedef struct work {
  blocks m;
  view factors; /* columns are runs: R, and below the diagonal the reflections */
  view t;       /* QR_BLOCK x k: T of every block */
  real* v;      /* V of the block in use, columns as runs */
  real* w;      /* QR_BLOCK rows as long as those of factors or Q */
} work;

/* x = (beta, v): H x = (beta, 0), v_0 = 1 is not stored. Returns tau. */
static real
reflect(const int64_t n, real* const x)
{
  const real below = TYPED(largest_magnitude)(n - 1, x + 1);
  if (below == 0) {
    return 0;
  }
  const real most = larger_real(below, x[0] < 0 ? -x[0] : x[0]);
  const int exponent = ilogb((double)most);
  const int least = CPU_REAL_BITS == 32 ? -100 : -1000;
  const int power = exponent > least ? exponent : least;
  const real scale = (real)ldexp(1.0, -power);
  const real first = x[0] * scale;
  real squares = first * first;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 1; i < n; ++i) {
    const real v = x[i] * scale;
    squares += v * v;
  }
  const real norm = SQRT(squares);
  const real beta = first > 0 ? -norm : norm;
  const real divisor = first - beta;
#pragma omp simd
  for (int64_t i = 1; i < n; ++i) {
    x[i] = x[i] * scale / divisor;
  }
  x[0] = (real)ldexp((double)beta, power);
  return (beta - first) / beta;
}

/* Reflects columns [begin, end) of the factors and makes their T. */
static void
factor_panel(const work* const s, const int64_t begin, const int64_t end)
{
  const view a = s->factors;
  for (int64_t j = begin; j < end; ++j) {
    real* const column = a.data + j + j * a.col_stride;
    const int64_t rows = a.rows - j;
    const real tau = reflect(rows, column);
    const real diagonal = column[0];
    column[0] = 1;
    const view v = {column, rows, 1, 1, rows};
    // w = V^T v of the reflections before, and C^T v of the columns after
    const int64_t before = j - begin;
    const int64_t after = end - j - 1;
    const view w1 = {s->w, before, 1, 1, before};
    const view w2 = {s->w + QR_BLOCK, after, 1, 1, after};
    const view c = view_block(a, j, rows, j + 1, after);
    if (before > 0) {
      const view vs = view_block(a, j, rows, begin, before);
      TYPED(multiply_vector)(&s->m, 1, view_transposed(vs), v, 0, w1);
    }
    if (after > 0) {
      TYPED(multiply_vector)(&s->m, 1, view_transposed(c), v, 0, w2);
    }
    for (int64_t k = 0; k < after; ++k) {
      real* const to = c.data + k * c.col_stride;
      const real f = tau * w2.data[k];
#pragma omp simd
      for (int64_t i = 0; i < rows; ++i) {
        to[i] -= f * column[i];
      }
    }
    column[0] = diagonal;
    real* const t = s->t.data + j * QR_BLOCK;
    for (int64_t i = 0; i < before; ++i) {
      real sum = 0;
      for (int64_t k = i; k < before; ++k) {
        sum += s->t.data[(begin + k) * QR_BLOCK + i] * w1.data[k];
      }
      t[i] = -tau * sum;
    }
    t[before] = tau;
  }
}

/* V of the reflections [begin, end), with its ones and zeros. */
static view
fetch_reflections(const work* const s, const int64_t begin, const int64_t end)
{
  const int64_t rows = s->factors.rows - begin;
  const view v = view_columns(s->v, rows, end - begin);
  for (int64_t j = 0; j < v.cols; ++j) {
    real* const to = v.data + j * rows;
    const real* const from = s->factors.data + begin + (begin + j) * s->factors.col_stride;
    memset(to, 0, (size_t)j * sizeof(real));
    to[j] = 1;
    memcpy(to + j + 1, from + j + 1, (size_t)(rows - j - 1) * sizeof(real));
  }
  return v;
}

/* c <- (I - V T V^T) c, or its transpose. */
static void
apply_reflections(const work* const s, const bool transposed, const view v, const view t,
                  const view c)
{
  if (c.cols == 0) {
    return;
  }
  const view w = {s->w, v.cols, c.cols, c.cols, 1};
  TYPED(view_gemm)(&s->m, 1, view_transposed(v), c, 0, w);
  TYPED(apply_triangle)
  (&s->m, false, transposed ? PZ_LOWER : PZ_UPPER, PZ_NON_UNIT, 1,
   transposed ? view_transposed(t) : t, w);
  TYPED(view_gemm)(&s->m, -1, v, w, 1, c);
}

static view
triangle_of(const work* const s, const int64_t begin, const int64_t end)
{
  const view t = {s->t.data + begin * QR_BLOCK, end - begin, end - begin, 1, QR_BLOCK};
  return t;
}

static void
factor(const work* const s)
{
  const view a = s->factors;
  const int64_t k = smaller(a.rows, a.cols);
  for (int64_t begin = 0; begin < k; begin += QR_BLOCK) {
    const int64_t end = smaller(begin + QR_BLOCK, k);
    factor_panel(s, begin, end);
    if (end < a.cols) {
      const view rest = view_block(a, begin, a.rows - begin, end, a.cols - end);
      apply_reflections(s, true, fetch_reflections(s, begin, end), triangle_of(s, begin, end),
                        rest);
    }
  }
}

/* q = the first columns of H1 H2 ... From the last block on: its own columns, which were those of the
   identity, become E - V T V1^T, V1 being the top of V; those behind have zeros there. */
static void
accumulate(const work* const s, const view q)
{
  const int64_t k = q.cols;
  TYPED(view_fill)(0, q);
  for (int64_t begin = (k - 1) / QR_BLOCK * QR_BLOCK; begin >= 0; begin -= QR_BLOCK) {
    const int64_t n = smaller(QR_BLOCK, k - begin);
    const int64_t rows = q.rows - begin;
    const view v = fetch_reflections(s, begin, begin + n);
    const view t = triangle_of(s, begin, begin + n);
    const view own = view_block(q, begin, rows, begin, n);
    const view w = {s->w, n, n, n, 1};
    apply_reflections(s, false, v, t, view_block(q, begin, rows, begin + n, k - begin - n));
    TYPED(view_copy)(view_transposed(view_block(v, 0, n, 0, n)), w);
    TYPED(apply_triangle)(&s->m, false, PZ_UPPER, PZ_NON_UNIT, 1, t, w);
    TYPED(view_gemm)(&s->m, -1, v, w, 0, own);
    for (int64_t j = 0; j < n; ++j) {
      own.data[j * (own.row_stride + own.col_stride)] += 1;
    }
  }
}

/* The upper triangle of the factors. */
static void
write_upper(const view factors, const view r)
{
  for (int64_t j = 0; j < r.cols; ++j) {
    const real* const column = factors.data + j * factors.col_stride;
    for (int64_t i = 0; i < r.rows; ++i) {
      r.data[i * r.row_stride + j * r.col_stride] = i <= j ? column[i] : 0;
    }
  }
}

pz_status
TYPED(qr)(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const basis,
          const pz_mat* const r)
{
  const int64_t m = a->rows;
  const int64_t n = a->cols;
  const int64_t k = smaller(m, n);
  const double terms = (double)m * (double)n * (double)k;
  work s;
  PZ_TRY(TYPED(blocks_init)(q, larger(m, n), MULTIPLY_NANOSECONDS * terms, &s.m));
  real* const factors = cpu_scratch(q, CPU_SCRATCH_A, (size_t)(m * n) * sizeof(real));
  real* const t = cpu_scratch(q, CPU_SCRATCH_B, (size_t)(QR_BLOCK * k) * sizeof(real));
  s.v = cpu_scratch(q, CPU_SCRATCH_C, (size_t)(QR_BLOCK * m) * sizeof(real));
  s.w = cpu_scratch(q, CPU_SCRATCH_WORK, (size_t)(QR_BLOCK * larger(n, QR_BLOCK)) * sizeof(real));
  if (!factors || !t || !s.v || !s.w) {
    return cpu_no_memory(q);
  }
  s.factors = view_columns(factors, m, n);
  s.t = view_columns(t, QR_BLOCK, k);
  for (int64_t b = 0; b < a->batch; ++b) {
    const view from = view_of(a, b);
    const bool finite = TYPED_ONCE(view_finite)(from);
    if (finite) {
      TYPED(view_copy)(from, s.factors);
      factor(&s);
    }
    if (r && finite) {
      write_upper(s.factors, view_of(r, b));
    } else if (r) {
      TYPED(view_fill)((real)NAN, view_of(r, b));
    }
    if (basis && finite) {
      accumulate(&s, view_normalized(view_of(basis, b)));
    } else if (basis) {
      TYPED(view_fill)((real)NAN, view_of(basis, b));
    }
  }
  return PZ_OK;
}
