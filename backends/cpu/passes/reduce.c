/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Norms and inner products along a dimension. All sums run in double. Along runs a sum has
   several lanes; across runs a block of columns is accumulated row by row, so memory is
   read in its own order either way.

   The root of a sum of squares is taken plainly and, only where squares left the range of
   double, again on entries scaled by the largest. */

#include "reduce.h"

#include "passes.h"
#include "scratch.h"

enum { BLOCK = 128 }; /* columns accumulated together */

/* Sum over n entries of x (and y), `sx` (`sy`) elements apart. */
static double
sum_run(const term what, const int64_t n, const real* const x, const int64_t sx,
        const real* const y, const int64_t sy, const double scale)
{
  double sum = 0.0;
  switch (what) {
  case TERM_MAGNITUDE:
    if (sx == 1) {
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < n; ++i) {
        sum += fabs((double)x[i]);
      }
    } else {
      for (int64_t i = 0; i < n; ++i) {
        sum += fabs((double)x[i * sx]);
      }
    }
    break;
  case TERM_SQUARE:
    if (sx == 1) {
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < n; ++i) {
        sum += (double)x[i] * (double)x[i];
      }
    } else {
      for (int64_t i = 0; i < n; ++i) {
        sum += (double)x[i * sx] * (double)x[i * sx];
      }
    }
    break;
  case TERM_LARGEST: /* no sum */
    break;
  case TERM_SCALED_SQUARE:
    for (int64_t i = 0; i < n; ++i) {
      const double v = (double)x[i * sx] / scale;
      sum += v * v;
    }
    break;
  case TERM_PRODUCT:
    if (sx == 1 && sy == 1) {
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < n; ++i) {
        sum += (double)x[i] * (double)y[i];
      }
    } else {
      for (int64_t i = 0; i < n; ++i) {
        sum += (double)x[i * sx] * (double)y[i * sy];
      }
    }
    break;
  }
  return sum;
}

/* Adds the terms of m neighbouring entries of one row to m totals. */
static void
add_row(const term what, const int64_t m, const real* const x, const int64_t sx,
        const real* const y, const int64_t sy, double* const total)
{
  switch (what) {
  case TERM_MAGNITUDE:
    for (int64_t j = 0; j < m; ++j) {
      total[j] += fabs((double)x[j * sx]);
    }
    break;
  case TERM_SQUARE:
    for (int64_t j = 0; j < m; ++j) {
      total[j] += (double)x[j * sx] * (double)x[j * sx];
    }
    break;
  case TERM_PRODUCT:
    for (int64_t j = 0; j < m; ++j) {
      total[j] += (double)x[j * sx] * (double)y[j * sy];
    }
    break;
  case TERM_LARGEST:
  case TERM_SCALED_SQUARE: /* taken along single columns only */
    break;
  }
}

/* Largest magnitude of n entries, NaN if any is NaN. */
static double
largest(const int64_t n, const real* const x, const int64_t sx)
{
  real most = 0;
  real nan = 0; /* becomes NaN with the first one */
  if (sx == 1) {
#pragma omp simd reduction(max : most) reduction(+ : nan)
    for (int64_t i = 0; i < n; ++i) {
      const real v = x[i] < 0 ? -x[i] : x[i];
      most = v > most ? v : most;
      nan += v == v ? 0 : v;
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      const real v = x[i * sx] < 0 ? -x[i * sx] : x[i * sx];
      most = v > most ? v : most;
      nan += v == v ? 0 : v;
    }
  }
  return nan == nan ? (double)most : (double)nan;
}

/* Likewise of a matrix. */
static double
largest_all(const view given)
{
  const view x = given.col_stride == 1 || given.rows == 1 ? given : view_transposed(given);
  double most = 0.0;
  for (int64_t i = 0; i < x.rows; ++i) {
    const double v = largest(x.cols, x.data + i * x.row_stride, x.col_stride);
    if (v != v) {
      return v;
    }
    most = v > most ? v : most;
  }
  return most;
}

/* The root of the sum of squares `sum`, taken again where that left the range of double. */
static double
root(const double sum, const view x)
{
  if (cpu_sum_is_plain(sum)) {
    return sqrt(sum);
  }
  const double scale = largest_all(x);
  if (scale == 0.0 || !(scale < INFINITY)) {
    return scale;
  }
  double scaled = 0.0;
  for (int64_t i = 0; i < x.rows; ++i) {
    scaled += sum_run(TERM_SCALED_SQUARE, x.cols, x.data + i * x.row_stride, x.col_stride, NULL, 0,
                      scale);
  }
  return scale * sqrt(scaled);
}

/* One number per row of x (and y), into `out`, `step` elements apart. */
static void
sum_rows(const term what, const view x, const view y, real* const out, const int64_t step)
{
  const bool along = x.col_stride == 1 || x.row_stride != 1 || x.rows == 1;
  if (along) {
    for (int64_t i = 0; i < x.rows; ++i) {
      const view row = {x.data + i * x.row_stride, 1, x.cols, 0, x.col_stride};
      const double sum = sum_run(what, x.cols, row.data, x.col_stride, y.data + i * y.row_stride,
                                 y.col_stride, 1.0);
      out[i * step] = (real)(what == TERM_SQUARE ? root(sum, row) : sum);
    }
    return;
  }
  for (int64_t i0 = 0; i0 < x.rows; i0 += BLOCK) {
    const int64_t m = smaller(BLOCK, x.rows - i0);
    double total[BLOCK] = {0.0};
    for (int64_t j = 0; j < x.cols; ++j) {
      add_row(what, m, x.data + i0 * x.row_stride + j * x.col_stride, x.row_stride,
              y.data + i0 * y.row_stride + j * y.col_stride, y.row_stride, total);
    }
    for (int64_t i = 0; i < m; ++i) {
      const view row = {x.data + (i0 + i) * x.row_stride, 1, x.cols, 0, x.col_stride};
      out[(i0 + i) * step] = (real)(what == TERM_SQUARE ? root(total[i], row) : total[i]);
    }
  }
}

/* One number for all of x (and y). */
static double
sum_all(const term what, const view given_x, const view given_y)
{
  const bool by_row = given_x.col_stride == 1 || given_x.rows == 1;
  const view x = by_row ? given_x : view_transposed(given_x);
  const view y = by_row ? given_y : view_transposed(given_y);
  double sum = 0.0;
  for (int64_t i = 0; i < x.rows; ++i) {
    sum += sum_run(what, x.cols, x.data + i * x.row_stride, x.col_stride, y.data + i * y.row_stride,
                   y.col_stride, 1.0);
  }
  return what == TERM_SQUARE ? root(sum, x) : sum;
}

static void
largest_rows(const view x, real* const out, const int64_t step)
{
  for (int64_t i = 0; i < x.rows; ++i) {
    out[i * step] = (real)largest(x.cols, x.data + i * x.row_stride, x.col_stride);
  }
}

static void
reduce_one(const term what, const pz_axis axis, const view x, const view y, const view out)
{
  const bool by_rows = axis == PZ_OVER_ROWS;
  const view u = by_rows ? view_transposed(x) : x;
  const view v = by_rows ? view_transposed(y) : y;
  if (axis == PZ_OVER_BOTH) {
    out.data[0] = (real)(what == TERM_LARGEST ? largest_all(x) : sum_all(what, x, y));
  } else if (what == TERM_LARGEST) {
    largest_rows(u, out.data, out.row_stride);
  } else {
    sum_rows(what, u, v, out.data, out.row_stride);
  }
}

static pz_status
reduce(pz_backend_queue* const q, const term what, const pz_axis axis, const pz_mat* const x,
       const pz_mat* const y, const pz_mat* const out)
{
  unsigned char* flags = NULL;
  if (TYPED(reduction_is_for_lanes)(what, x, out)) {
    flags = cpu_scratch(q, CPU_SCRATCH_FLAGS, (size_t)out->batch);
    PZ_TRY(flags ? TYPED(reduce_lanes)(q, what, axis, x, y, out, flags) : cpu_no_memory(q));
  }
  for (int64_t k = 0; k < out->batch; ++k) {
    if (!flags || flags[k]) {
      reduce_one(what, axis, view_of(x, k), view_of(y, k), view_of(out, k));
    }
  }
  return PZ_OK;
}

pz_status
TYPED(norm)(pz_backend_queue* const q, const pz_norm kind, const pz_axis axis,
            const pz_mat* const x, const pz_mat* const out)
{
  const term what = kind == PZ_NORM_MAX   ? TERM_LARGEST
                    : kind == PZ_NORM_TWO ? TERM_SQUARE
                                          : TERM_MAGNITUDE;
  return reduce(q, what, axis, x, x, out);
}

pz_status
TYPED(dot)(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const x,
           const pz_mat* const y, const pz_mat* const out)
{
  return reduce(q, TERM_PRODUCT, axis, x, y, out);
}
