/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "dense.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

double*
reals(const int64_t n)
{
  double* const a = calloc((size_t)(n > 0 ? n : 1), sizeof(*a));
  ck_assert_ptr_nonnull(a);
  return a;
}

double
largest(const int64_t n, const double* const x)
{
  double out = 0.0;
  for (int64_t k = 0; k < n && !isnan(out); ++k) {
    out = fabs(x[k]) <= out ? out : fabs(x[k]);
  }
  return out;
}

double
largest_difference(const int64_t n, const double* const x, const double* const y)
{
  double out = 0.0;
  for (int64_t k = 0; k < n && !isnan(out); ++k) {
    out = fabs(x[k] - y[k]) <= out ? out : fabs(x[k] - y[k]);
  }
  return out;
}

double
inner(const int64_t n, const double* const x, const double* const y)
{
  double out = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    out += x[k] * y[k];
  }
  return out;
}

double
frobenius(const int64_t n, const double* const a)
{
  double sum = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    sum += a[k] * a[k];
  }
  return sqrt(sum);
}

double
distance(const int64_t n, const double* const a, const double* const b)
{
  double sum = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    sum += (a[k] - b[k]) * (a[k] - b[k]);
  }
  return sqrt(sum);
}

void
product(const int64_t m, const int64_t n, const int64_t p, const double* const a,
        const double* const b, double* const c)
{
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < p; ++j) {
      c[i * p + j] = 0.0;
    }
    for (int64_t l = 0; l < n; ++l) {
      for (int64_t j = 0; j < p; ++j) {
        c[i * p + j] += a[i * n + l] * b[l * p + j];
      }
    }
  }
}

void
transpose(const int64_t m, const int64_t n, const double* const a, double* const t)
{
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      t[j * m + i] = a[i * n + j];
    }
  }
}

double
orthogonality(const int64_t m, const int64_t n, const double* const a)
{
  double* const t = reals(m * n);
  double* const gram = reals(n * n);
  transpose(m, n, a, t);
  product(n, m, n, t, a, gram);
  for (int64_t i = 0; i < n; ++i) {
    gram[i * n + i] -= 1.0;
  }
  const double defect = frobenius(n * n, gram);
  free(t);
  free(gram);
  return defect;
}
