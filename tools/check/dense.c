/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "dense.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

double*
reals(const int64_t n)
{
  double* const a = calloc((size_t)(n > 0 ? n : 1), sizeof(*a));
  if (!a) {
    abort();
  }
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

double
largest_orthogonality(const int64_t batch, const int64_t m, const int64_t n, const double* const a)
{
  const bool wide = m < n;
  const int64_t length = wide ? n : m;
  const int64_t k = wide ? m : n;
  const int64_t row = wide ? 1 : n;
  const int64_t column = wide ? n : 1;
  double most = 0.0;
  long double* const gram = calloc((size_t)(k * k + 1), sizeof(*gram));
  if (!gram) {
    abort();
  }
  for (const double* at = a; at < a + batch * m * n; at += m * n) {
    memset(gram, 0, (size_t)(k * k) * sizeof(*gram));
    for (int64_t r = 0; r < length; ++r) {
      for (int64_t i = 0; i < k; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
          gram[i * k + j] += (long double)at[r * row + i * column] * at[r * row + j * column];
        }
      }
    }
    for (int64_t i = 0; i < k; ++i) {
      gram[i * k + i] -= 1.0L;
    }
    for (int64_t i = 0; i < k * k && !isnan(most); ++i) {
      most = fabs((double)gram[i]) <= most ? most : fabs((double)gram[i]);
    }
  }
  free(gram);
  return most;
}
