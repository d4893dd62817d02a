/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entry by entry: copies, sums and products of operands of equal shape. Each operation is
   a function on a strip of n elements (strips.h). */

#include "passes.h"
#include "strips.h"

#include <string.h>

static void
copy_strip(const int64_t n, real* const* const at, const int64_t* const step,
           const void* const arguments)
{
  (void)arguments;
  const real* const x = at[0];
  real* const y = at[1];
  const int64_t sx = step[0];
  const int64_t sy = step[1];
  if (sx == 1 && sy == 1) {
    memcpy(y, x, (size_t)n * sizeof(real));
  } else {
    for (int64_t i = 0; i < n; ++i) {
      y[i * sy] = x[i * sx];
    }
  }
}

pz_status
TYPED(copy)(pz_backend_queue* const q, const pz_mat* const x, const pz_mat* const y)
{
  cpu_loops l;
  cpu_loops_init(&l, 2, (const pz_mat* const[]){x, y});
  TYPED(run_strips)(q, &l, copy_strip, NULL);
  return PZ_OK;
}

static void
fill_strip(const int64_t n, real* const* const at, const int64_t* const step,
           const void* const arguments)
{
  const real value = *(const real*)arguments;
  real* const y = at[0];
  const int64_t sy = step[0];
  if (sy == 1) {
    for (int64_t i = 0; i < n; ++i) {
      y[i] = value;
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      y[i * sy] = value;
    }
  }
}

pz_status
TYPED(fill)(pz_backend_queue* const q, const double value, const pz_mat* const y)
{
  (void)q;
  const real v = (real)value;
  cpu_loops l;
  cpu_loops_init(&l, 1, &y);
  TYPED(run_strips)(q, &l, fill_strip, &v);
  return PZ_OK;
}

/* Coefficients of the strips below. */
typedef struct coefficients {
  real a;
  real b;
} coefficients;

/* y = a x */
static void
scaled_strip(const int64_t n, real* const* const at, const int64_t* const step,
             const void* const arguments)
{
  const real a = ((const coefficients*)arguments)->a;
  const real* const x = at[0];
  real* const y = at[1];
  const int64_t sx = step[0];
  const int64_t sy = step[1];
  if (sx == 1 && sy == 1) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      y[i] = a * x[i];
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      y[i * sy] = a * x[i * sx];
    }
  }
}

/* y = a x + b y */
static void
axpby_strip(const int64_t n, real* const* const at, const int64_t* const step,
            const void* const arguments)
{
  const coefficients c = *(const coefficients*)arguments;
  const real* const x = at[0];
  real* const y = at[1];
  const int64_t sx = step[0];
  const int64_t sy = step[1];
  if (sx == 1 && sy == 1) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      y[i] = c.a * x[i] + c.b * y[i];
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      y[i * sy] = c.a * x[i * sx] + c.b * y[i * sy];
    }
  }
}

pz_status
TYPED(axpby)(pz_backend_queue* const q, const double a, const pz_mat* const x, const double b,
             const pz_mat* const y)
{
  (void)q;
  const coefficients c = {(real)a, (real)b};
  cpu_loops l;
  cpu_loops_init(&l, 2, (const pz_mat* const[]){x, y});
  TYPED(run_strips)(q, &l, b == 0.0 ? scaled_strip : axpby_strip, &c);
  return PZ_OK;
}

pz_status
TYPED(scale)(pz_backend_queue* const q, const double a, const pz_mat* const y)
{
  return TYPED(axpby)(q, a, y, 0.0, y);
}

/* z = a x * y */
static void
product_strip(const int64_t n, real* const* const at, const int64_t* const step,
              const void* const arguments)
{
  const real a = ((const coefficients*)arguments)->a;
  const real* const x = at[0];
  const real* const y = at[1];
  real* const z = at[2];
  const int64_t sx = step[0];
  const int64_t sy = step[1];
  const int64_t sz = step[2];
  if (sx == 1 && sy == 1 && sz == 1) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      z[i] = a * x[i] * y[i];
    }
  } else if (sx == 0 && sy == 1 && sz == 1) { /* a number per strip */
    const real ax = a * x[0];
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      z[i] = ax * y[i];
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      z[i * sz] = a * x[i * sx] * y[i * sy];
    }
  }
}

/* z = a x * y + b z */
static void
product_sum_strip(const int64_t n, real* const* const at, const int64_t* const step,
                  const void* const arguments)
{
  const coefficients c = *(const coefficients*)arguments;
  const real* const x = at[0];
  const real* const y = at[1];
  real* const z = at[2];
  const int64_t sx = step[0];
  const int64_t sy = step[1];
  const int64_t sz = step[2];
  if (sx == 1 && sy == 1 && sz == 1) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      z[i] = c.a * x[i] * y[i] + c.b * z[i];
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      z[i * sz] = c.a * x[i * sx] * y[i * sy] + c.b * z[i * sz];
    }
  }
}

pz_status
TYPED(hadamard)(pz_backend_queue* const q, const double a, const pz_mat* const x,
                const pz_mat* const y, const double b, const pz_mat* const z)
{
  (void)q;
  const coefficients c = {(real)a, (real)b};
  cpu_loops l;
  cpu_loops_init(&l, 3, (const pz_mat* const[]){x, y, z});
  TYPED(run_strips)(q, &l, b == 0.0 ? product_strip : product_sum_strip, &c);
  return PZ_OK;
}

/* y = x times its number in d, which is repeated along the axis by strides of zero. */
pz_status
TYPED(scale_by)(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const d,
                const pz_mat* const x, const pz_mat* const y)
{
  (void)q;
  const coefficients c = {1, 0};
  pz_mat repeated = *d;
  repeated.row_stride = axis == PZ_OVER_COLS ? d->row_stride : 0;
  repeated.col_stride = axis == PZ_OVER_ROWS ? d->row_stride : 0;
  cpu_loops l;
  cpu_loops_init(&l, 3, (const pz_mat* const[]){&repeated, x, y});
  TYPED(run_strips)(q, &l, product_strip, &c);
  return PZ_OK;
}

/* The coefficients of a sum, and how many. */
typedef struct sum {
  real a[8];
  uint32_t n;
} sum;

/* y = sum of a[k] x[k], by pieces that stay in registers or the nearest cache: y may be
   one of the x, so a piece is read whole before it is written. */
static void
sum_strip(const int64_t n, real* const* const at, const int64_t* const step,
          const void* const arguments)
{
  enum { PIECE = 64 };
  const sum* const s = arguments;
  for (int64_t i0 = 0; i0 < n; i0 += PIECE) {
    const int64_t m = smaller(PIECE, n - i0);
    real total[PIECE];
    for (uint32_t k = 0; k < s->n; ++k) {
      const real a = s->a[k];
      const real* const x = at[k] + i0 * step[k];
      const int64_t sx = step[k];
      if (k == 0 && sx == 1) {
        for (int64_t i = 0; i < m; ++i) {
          total[i] = a * x[i];
        }
      } else if (k == 0) {
        for (int64_t i = 0; i < m; ++i) {
          total[i] = a * x[i * sx];
        }
      } else if (sx == 1) {
        for (int64_t i = 0; i < m; ++i) {
          total[i] += a * x[i];
        }
      } else {
        for (int64_t i = 0; i < m; ++i) {
          total[i] += a * x[i * sx];
        }
      }
    }
    real* const y = at[s->n] + i0 * step[s->n];
    const int64_t sy = step[s->n];
    if (sy == 1) {
      memcpy(y, total, (size_t)m * sizeof(real));
      continue;
    }
    for (int64_t i = 0; i < m; ++i) {
      y[i * sy] = total[i];
    }
  }
}

pz_status
TYPED(combine)(pz_backend_queue* const q, const double shift, const uint32_t n,
               const double* const a, const pz_mat* const x, const pz_mat* const y)
{
  if (n == 0) {
    PZ_TRY(TYPED(fill)(q, 0.0, y));
  } else {
    sum s = {{0}, n};
    const pz_mat* operands[CPU_MAX_OPERANDS];
    for (uint32_t k = 0; k < n; ++k) {
      s.a[k] = (real)a[k];
      operands[k] = &x[k];
    }
    operands[n] = y;
    cpu_loops l;
    cpu_loops_init(&l, n + 1U, operands);
    TYPED(run_strips)(q, &l, sum_strip, &s);
  }
  return shift == 0.0 ? PZ_OK : TYPED(add_identity)(q, shift, y);
}

void
TYPED(view_copy)(const view x, const view y)
{
  const pz_mat from = mat_of(x);
  const pz_mat to = mat_of(y);
  (void)TYPED(copy)(NULL, &from, &to);
}

void
TYPED(view_fill)(const real value, const view y)
{
  const pz_mat m = mat_of(y);
  (void)TYPED(fill)(NULL, (double)value, &m);
}
