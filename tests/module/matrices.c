/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "matrices.h"

#include <math.h>

double
matrix_norm_one(const pz_tensor* const a, const int64_t n)
{
  double most = 0.0;
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      sum += fabs(host_at(a, i * n + j));
    }
    most = sum > most ? sum : most;
  }
  return most;
}

/* Gram and Schmidt, twice, on normal rows; the determinant by elimination decides whether
   the last row is turned. */
pz_tensor
matrix_orthogonal(const int64_t n, const int sign)
{
  double a[16][16];
  double lu[16][16];
  ck_assert_int_le(n, 16);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      a[i][j] = test_normal(&seed);
    }
    for (int twice = 0; twice < 2; ++twice) {
      for (int64_t k = 0; k < i; ++k) {
        double dot = 0.0;
        for (int64_t j = 0; j < n; ++j) {
          dot += a[i][j] * a[k][j];
        }
        for (int64_t j = 0; j < n; ++j) {
          a[i][j] -= dot * a[k][j];
        }
      }
    }
    double size = 0.0;
    for (int64_t j = 0; j < n; ++j) {
      size += a[i][j] * a[i][j];
    }
    for (int64_t j = 0; j < n; ++j) {
      a[i][j] /= sqrt(size);
    }
  }
  memcpy(lu, a, sizeof(lu));
  double det = 1.0;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      pivot = fabs(lu[i][k]) > fabs(lu[pivot][k]) ? i : pivot;
    }
    for (int64_t j = 0; j < n; ++j) {
      const double kept = lu[k][j];
      lu[k][j] = lu[pivot][j];
      lu[pivot][j] = kept;
    }
    det *= pivot == k ? lu[k][k] : -lu[k][k];
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = lu[i][k] / lu[k][k];
      for (int64_t j = k; j < n; ++j) {
        lu[i][j] -= factor * lu[k][j];
      }
    }
  }
  const pz_tensor q = fixture_zeros(PZ_F32, n, n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const bool turn = i == n - 1 && det * sign < 0.0;
      host_put(&q, i * n + j, turn ? -a[i][j] : a[i][j]);
    }
  }
  return q;
}
