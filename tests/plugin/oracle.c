/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef long double number;

static number*
numbers(const int64_t n)
{
  number* const out = calloc((size_t)(n > 0 ? n : 1), sizeof(number));
  if (!out) {
    abort();
  }
  return out;
}

static void
multiply(const int64_t n, const number* const x, const number* const y, number* const z)
{
  memset(z, 0, (size_t)(n * n) * sizeof(number));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < n; ++k) {
      const number a = x[i * n + k];
      for (int64_t j = 0; j < n; ++j) {
        z[i * n + j] += a * y[k * n + j];
      }
    }
  }
}

void
oracle_exp(const int64_t n, const double* const x, double* const y)
{
  enum { TERMS = 25 };
  int squarings = 0;
  (void)frexp(oracle_one_norm(1, n, x) / 0.25, &squarings);
  squarings = squarings > 0 ? squarings : 0;
  number* a = numbers(n * n);
  number* sum = numbers(n * n);
  number* room = numbers(n * n);
  for (int64_t k = 0; k < n * n; ++k) {
    a[k] = ldexpl((number)x[k], -squarings);
  }
  // sum <- I + A/1 (I + A/2 (I + ...))
  for (int64_t i = 0; i < n; ++i) {
    sum[i * n + i] = 1.0L;
  }
  for (int term = TERMS; term > 0; --term) {
    multiply(n, a, sum, room);
    for (int64_t k = 0; k < n * n; ++k) {
      sum[k] = room[k] / term + (k % (n + 1) == 0 ? 1.0L : 0.0L);
    }
  }
  for (int s = 0; s < squarings; ++s) {
    multiply(n, sum, sum, room);
    number* const swap = sum;
    sum = room;
    room = swap;
  }
  for (int64_t k = 0; k < n * n; ++k) {
    y[k] = (double)sum[k];
  }
  free(a);
  free(sum);
  free(room);
}

/* b <- a^-1 b with m columns; a is destroyed; returns det a. */
static number
eliminate(const int64_t n, number* const a, const int64_t m, number* const b)
{
  number determinant = 1.0L;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      pivot = fabsl(a[i * n + k]) > fabsl(a[pivot * n + k]) ? i : pivot;
    }
    for (int64_t j = 0; pivot != k && j < n; ++j) {
      const number swap = a[k * n + j];
      a[k * n + j] = a[pivot * n + j];
      a[pivot * n + j] = swap;
    }
    for (int64_t j = 0; pivot != k && j < m; ++j) {
      const number swap = b[k * m + j];
      b[k * m + j] = b[pivot * m + j];
      b[pivot * m + j] = swap;
    }
    determinant *= pivot == k ? a[k * n + k] : -a[k * n + k];
    for (int64_t i = 0; i < n; ++i) {
      if (i == k || a[i * n + k] == 0.0L) {
        continue;
      }
      const number l = a[i * n + k] / a[k * n + k];
      for (int64_t j = k; j < n; ++j) {
        a[i * n + j] -= l * a[k * n + j];
      }
      for (int64_t j = 0; j < m; ++j) {
        b[i * m + j] -= l * b[k * m + j];
      }
    }
  }
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = 0; j < m; ++j) {
      b[k * m + j] /= a[k * n + k];
    }
  }
  return determinant;
}

void
oracle_cayley(const int64_t n, const double* const x, double* const y)
{
  number* const a = numbers(n * n);
  number* const b = numbers(n * n);
  for (int64_t k = 0; k < n * n; ++k) {
    const number one = k % (n + 1) == 0 ? 1.0L : 0.0L;
    a[k] = one - x[k];
    b[k] = one + x[k];
  }
  (void)eliminate(n, a, n, b);
  for (int64_t k = 0; k < n * n; ++k) {
    y[k] = (double)b[k];
  }
  free(a);
  free(b);
}

void
oracle_product(const int64_t n, const bool tx, const bool ty, const double* const x,
               const double* const y, double* const z)
{
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      number sum = 0.0L;
      for (int64_t k = 0; k < n; ++k) {
        sum += (number)x[tx ? k * n + i : i * n + k] * y[ty ? j * n + k : k * n + j];
      }
      z[i * n + j] = (double)sum;
    }
  }
}

double
oracle_one_norm(const int64_t batch, const int64_t n, const double* const x)
{
  double most = 0.0;
  for (int64_t m = 0; m < batch; ++m) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (int64_t i = 0; i < n; ++i) {
        sum += fabs(x[(m * n + i) * n + j]);
      }
      most = sum > most ? sum : most;
    }
  }
  return most;
}

double
oracle_determinant(const int64_t n, const double* const x)
{
  number* const a = numbers(n * n);
  for (int64_t k = 0; k < n * n; ++k) {
    a[k] = x[k];
  }
  const number out = eliminate(n, a, 0, a);
  free(a);
  return (double)out;
}

double
oracle_cayley_condition(const int64_t n, const double* const q)
{
  number* const a = numbers(n * n);
  number* const b = numbers(n * n);
  double* const inverse = calloc((size_t)(n > 0 ? 2 * n * n : 1), sizeof(double));
  if (!inverse) {
    abort();
  }
  for (int64_t k = 0; k < n * n; ++k) {
    b[k] = k % (n + 1) == 0 ? 1.0L : 0.0L;
    a[k] = b[k] + q[k];
    inverse[n * n + k] = (double)a[k];
  }
  (void)eliminate(n, a, n, b);
  for (int64_t k = 0; k < n * n; ++k) {
    inverse[k] = (double)b[k];
  }
  const double out = oracle_one_norm(1, n, inverse) * oracle_one_norm(1, n, inverse + n * n);
  free(a);
  free(b);
  free(inverse);
  return out > 1.0 ? out : 1.0;
}

void
oracle_eigenvalues(const int64_t n, const double* const x, double* const w)
{
  enum { SWEEPS = 60 };
  number* const a = numbers(n * n);
  for (int64_t k = 0; k < n * n; ++k) {
    a[k] = x[k];
  }
  for (int sweep = 0; sweep < SWEEPS; ++sweep) {
    number off = 0.0L;
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        off += fabsl(a[p * n + q]);
        if (a[p * n + q] == 0.0L) {
          continue;
        }
        const number theta = (a[q * n + q] - a[p * n + p]) / (2.0L * a[p * n + q]);
        const number t = (theta < 0.0L ? -1.0L : 1.0L) / (fabsl(theta) + hypotl(theta, 1.0L));
        const number c = 1.0L / hypotl(t, 1.0L);
        const number s = t * c;
        for (int64_t k = 0; k < n; ++k) {
          const number u = a[k * n + p];
          const number v = a[k * n + q];
          a[k * n + p] = c * u - s * v;
          a[k * n + q] = s * u + c * v;
        }
        for (int64_t k = 0; k < n; ++k) {
          const number u = a[p * n + k];
          const number v = a[q * n + k];
          a[p * n + k] = c * u - s * v;
          a[q * n + k] = s * u + c * v;
        }
      }
    }
    if (off == 0.0L) {
      break;
    }
  }
  for (int64_t k = 0; k < n; ++k) {
    w[k] = (double)a[k * n + k];
  }
  free(a);
}
