/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arithmetic on arrays of double. */

#ifndef TOOLS_CHECK_NUMBERS_H
#define TOOLS_CHECK_NUMBERS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

static inline double
inner(const int64_t n, const double* const x, const double* const y)
{
  double sum = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    sum += x[k] * y[k];
  }
  return sum;
}

static inline double
norm(const int64_t n, const double* const x)
{
  return sqrt(inner(n, x, x));
}

/* The largest magnitude; NaN if an entry is. */
static inline double
largest(const int64_t n, const double* const x)
{
  double most = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    const double size = fabs(x[k]);
    most = size > most || isnan(size) ? size : most;
  }
  return most;
}

static inline double
largest_difference(const int64_t n, const double* const x, const double* const y)
{
  double most = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    const double size = fabs(x[k] - y[k]);
    most = size > most || isnan(size) ? size : most;
  }
  return most;
}

static inline bool
all_finite(const int64_t n, const double* const x)
{
  return isfinite(largest(n, x));
}

#endif /* TOOLS_CHECK_NUMBERS_H */
