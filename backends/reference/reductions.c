/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reductions and scalings along a dimension. A reduction has one result per column, row
   or matrix; its terms are counted by t. */

#include "reference.h"

#include <math.h>

static int64_t
count_terms(const pz_mat* const x, const pz_axis axis)
{
  return axis == PZ_OVER_ROWS ? x->rows : axis == PZ_OVER_COLS ? x->cols : x->rows * x->cols;
}

/* Term t of result o of matrix k. */
static double
term(const pz_mat* const x, const pz_axis axis, const int64_t k, const int64_t o, const int64_t t)
{
  switch (axis) {
  case PZ_OVER_ROWS:
    return pzi_reference_get(x, k, t, o);
  case PZ_OVER_COLS:
    return pzi_reference_get(x, k, o, t);
  case PZ_OVER_BOTH:
    break;
  }
  return pzi_reference_get(x, k, t / x->cols, t % x->cols);
}

/* The largest magnitude; NaN if any term is NaN. */
static double
largest(const pz_mat* const x, const pz_axis axis, const int64_t k, const int64_t o)
{
  const int64_t n = count_terms(x, axis);
  double result = 0.0;
  for (int64_t t = 0; t < n; ++t) {
    const double magnitude = fabs(term(x, axis, k, o, t));
    if (isnan(magnitude)) {
      return magnitude;
    }
    result = fmax(result, magnitude);
  }
  return result;
}

static double
sum_magnitudes(const pz_mat* const x, const pz_axis axis, const int64_t k, const int64_t o)
{
  const int64_t n = count_terms(x, axis);
  double result = 0.0;
  for (int64_t t = 0; t < n; ++t) {
    result += fabs(term(x, axis, k, o, t));
  }
  return result;
}

// |x| = 2^e |2^-e x| with 2^e near the largest magnitude: no square overflows
static double
root_of_squares(const pz_mat* const x, const pz_axis axis, const int64_t k, const int64_t o)
{
  const int64_t n = count_terms(x, axis);
  const double peak = largest(x, axis, k, o);
  double sum = 0.0;
  int exponent = 0;
  if (peak == 0.0 || !isfinite(peak)) {
    return peak;
  }
  (void)frexp(peak, &exponent);
  for (int64_t t = 0; t < n; ++t) {
    const double scaled = ldexp(term(x, axis, k, o, t), -exponent);
    sum += scaled * scaled;
  }
  return ldexp(sqrt(sum), exponent);
}

pz_status
pzi_reference_norm(pz_backend_queue* const q, const pz_norm kind, const pz_axis axis,
                   const pz_mat* const x, const pz_mat* const out)
{
  (void)q;
  for (int64_t k = 0; k < out->batch; ++k) {
    for (int64_t o = 0; o < out->rows; ++o) {
      const double value = kind == PZ_NORM_ONE   ? sum_magnitudes(x, axis, k, o)
                           : kind == PZ_NORM_TWO ? root_of_squares(x, axis, k, o)
                                                 : largest(x, axis, k, o);
      pzi_reference_put(out, k, o, 0, value);
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_dot(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const x,
                  const pz_mat* const y, const pz_mat* const out)
{
  const int64_t n = count_terms(x, axis);
  (void)q;
  for (int64_t k = 0; k < out->batch; ++k) {
    for (int64_t o = 0; o < out->rows; ++o) {
      double sum = 0.0;
      for (int64_t t = 0; t < n; ++t) {
        sum += term(x, axis, k, o, t) * term(y, axis, k, o, t);
      }
      pzi_reference_put(out, k, o, 0, sum);
    }
  }
  return PZ_OK;
}

pz_status
pzi_reference_scale_by(pz_backend_queue* const q, const pz_axis axis, const pz_mat* const d,
                       const pz_mat* const x, const pz_mat* const y)
{
  (void)q;
  for (int64_t k = 0; k < y->batch; ++k) {
    for (int64_t i = 0; i < y->rows; ++i) {
      for (int64_t j = 0; j < y->cols; ++j) {
        const int64_t o = axis == PZ_OVER_ROWS ? j : axis == PZ_OVER_COLS ? i : 0;
        const double factor = pzi_reference_get(d, k, o, 0);
        pzi_reference_put(y, k, i, j, factor * pzi_reference_get(x, k, i, j));
      }
    }
  }
  return PZ_OK;
}
