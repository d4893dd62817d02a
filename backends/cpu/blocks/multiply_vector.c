/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* y = alpha a x + beta y for a vector y: every entry of a is used once. Rows as runs are
   multiplied with x, several at a time; columns as runs are added up, so many rows at a time as the
   first cache holds. */

#include "multiply.h"

#include "lane.h"
#include "libraries.h"
#include "shuffle.h"

enum {
  ROWS_AT_ONCE = 4,
  STRIP_ROWS = 512,
  PART_ROWS = 128, /* of a part for a thread */
};

real
TYPED(largest_magnitude)(const int64_t n, const real* const x)
{
  lane most = lane_of(0);
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    most = lane_larger(lane_magnitude(*(const lane_in_place*)(x + i)), most);
  }
  real largest = 0;
  for (int64_t v = 0; v < LANES; ++v) {
    largest = larger_real(most[v], largest);
  }
  for (; i < n; ++i) {
    largest = larger_real(x[i] < 0 ? -x[i] : x[i], largest);
  }
  return largest;
}

typedef struct task {
  real alpha;
  real beta;
  view a;
  view x;
  view y;
  int64_t rows; /* of a part */
} task;

/* Products of four rows with x, runs of n. */
static void
dots(const int64_t n, const real* const a, const int64_t lda, const real* const x, real* const out)
{
  lane sums[ROWS_AT_ONCE] = {{0}};
  int64_t p = 0;
  for (; p + LANES <= n; p += LANES) {
    const lane factor = *(const lane_in_place*)(x + p);
    LANE_UNROLL
    for (int64_t r = 0; r < ROWS_AT_ONCE; ++r) {
      sums[r] += *(const lane_in_place*)(a + r * lda + p) * factor;
    }
  }
  lane_transpose(sums);
  const lane all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  LANE_UNROLL
  for (int64_t r = 0; r < ROWS_AT_ONCE; ++r) {
    real sum = all[r];
    LANE_UNROLL
    for (int64_t v = ROWS_AT_ONCE; v < LANES; v += ROWS_AT_ONCE) {
      sum += all[v + r];
    }
    out[r] = sum;
  }
  for (; p < n; ++p) {
    LANE_UNROLL
    for (int64_t r = 0; r < ROWS_AT_ONCE; ++r) {
      out[r] += a[r * lda + p] * x[p];
    }
  }
}

/* out = a x for rows as runs. */
static void
by_rows(const view a, const real* const x, real* const out)
{
  int64_t i = 0;
  for (; i + ROWS_AT_ONCE <= a.rows; i += ROWS_AT_ONCE) {
    dots(a.cols, a.data + i * a.row_stride, a.row_stride, x, out + i);
  }
  for (; i < a.rows; ++i) {
    // as one of four, so that its sum does not depend on its place
    real sums[ROWS_AT_ONCE];
    dots(a.cols, a.data + i * a.row_stride, 0, x, sums);
    out[i] = sums[0];
  }
}

/* out = a x for columns as runs, or any strides. */
static void
by_columns(const view a, const view x, real* const out)
{
  for (int64_t i = 0; i < a.rows; ++i) {
    out[i] = 0;
  }
  for (int64_t p = 0; p < a.cols; ++p) {
    const real* const column = a.data + p * a.col_stride;
    const real factor = x.data[p * x.row_stride];
    if (a.row_stride == 1) {
#pragma omp simd
      for (int64_t i = 0; i < a.rows; ++i) {
        out[i] += factor * column[i];
      }
    } else {
      for (int64_t i = 0; i < a.rows; ++i) {
        out[i] += factor * column[i * a.row_stride];
      }
    }
  }
}

static void
multiply_rows(const task* const t, const int64_t begin, const int64_t end)
{
  real sums[STRIP_ROWS];
  for (int64_t i = begin; i < end; i += STRIP_ROWS) {
    const int64_t rows = smaller(STRIP_ROWS, end - i);
    const view a = view_block(t->a, i, rows, 0, t->a.cols);
    if (a.col_stride == 1 && (t->x.row_stride == 1 || t->x.rows == 1)) {
      by_rows(a, t->x.data, sums);
    } else {
      by_columns(a, t->x, sums);
    }
    for (int64_t k = 0; k < rows; ++k) {
      real* const to = t->y.data + (i + k) * t->y.row_stride;
      const real sum = t->alpha * sums[k];
      *to = t->beta == 0 ? sum : sum + t->beta * *to;
    }
  }
}

static void
multiply_part(void* const context, const int64_t k, const uint32_t thread)
{
  const task* const t = context;
  (void)thread;
  multiply_rows(t, k * t->rows, smaller(t->y.rows, (k + 1) * t->rows));
}

void
TYPED(multiply_vector)(const blocks* const m, const real alpha, const view a, const view x,
                       const real beta, const view y)
{
  task t = {alpha, beta, a, x, y, PART_ROWS};
  const double entries = (double)a.rows * (double)a.cols;
  const uint32_t useful = m->threads < 2 ? 1 : cpu_threads(VECTOR_NANOSECONDS * entries);
  const uint32_t threads = useful < m->threads ? useful : m->threads;
  if (threads < 2) {
    multiply_rows(&t, 0, y.rows);
  } else {
    m->host->parallel(threads, (y.rows + t.rows - 1) / t.rows, multiply_part, &t);
  }
}
