/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Householder QR. Reflector j, H_j = I - tau_j v_j v_j^T with v_j zero above entry j and 1
   at it, maps column j of H_(j-1) ... H_0 a onto a multiple of the j-th unit vector; then
   r = H_(k-1) ... H_0 a and the columns of q are those of H_0 ... H_(k-1) I.

   A matrix with an entry that is not finite gives NaN throughout. */

#include "reference.h"

#include <math.h>

// x <- (I - tau v v^T) x on entries j .. m-1, v_j = 1 standing for what is stored there
static void
reflect(const int64_t m, const int64_t j, const double tau, const double* const v, double* const x)
{
  double sum = x[j];
  for (int64_t i = j + 1; i < m; ++i) {
    sum += v[i] * x[i];
  }
  x[j] -= tau * sum;
  for (int64_t i = j + 1; i < m; ++i) {
    x[i] -= tau * sum * v[i];
  }
}

// beta = -sign(x_j) |x|, tau = (beta - x_j)/beta, v = x/(x_j - beta); x_j <- beta, the rest
// of x <- v. A column that is zero below its head needs no reflection.
static double
make_reflector(const int64_t m, const int64_t j, double* const x)
{
  double below = 0.0;
  for (int64_t i = j + 1; i < m; ++i) {
    below += x[i] * x[i];
  }
  if (below == 0.0) {
    return 0.0;
  }
  const double head = x[j];
  const double beta = -copysign(sqrt(head * head + below), head);
  for (int64_t i = j + 1; i < m; ++i) {
    x[i] /= head - beta;
  }
  x[j] = beta;
  return (beta - head) / beta;
}

/* Row j of `columns` is column j of a (n of them, m long); tau has k entries. */
static void
factor(const int64_t m, const int64_t n, const int64_t k, double* const columns, double* const tau)
{
  for (int64_t j = 0; j < k; ++j) {
    double* const v = columns + j * m;
    tau[j] = make_reflector(m, j, v);
    for (int64_t l = j + 1; l < n; ++l) {
      reflect(m, j, tau[j], v, columns + l * m);
    }
  }
}

pz_status
pzi_reference_qr(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const basis,
                 const pz_mat* const r)
{
  const int64_t m = a->rows;
  const int64_t n = a->cols;
  const int64_t k = m < n ? m : n;
  const pz_mat at = pz_mat_transposed(a);
  double* columns;
  PZ_TRY(pzi_reference_scratch(q, n * m + k + m, &columns));
  double* const tau = columns + n * m;
  double* const x = tau + k;
  for (int64_t p = 0; p < a->batch; ++p) {
    int exponent;
    pzi_reference_load(&at, p, columns);
    if (!pzi_reference_normalize(n * m, columns, &exponent)) {
      if (basis) {
        pzi_reference_store_nan(basis, p);
      }
      if (r) {
        pzi_reference_store_nan(r, p);
      }
      continue;
    }
    factor(m, n, k, columns, tau);
    for (int64_t j = 0; r && j < n; ++j) {
      for (int64_t i = 0; i < k; ++i) {
        pzi_reference_put(r, p, i, j, i <= j ? ldexp(columns[j * m + i], exponent) : 0.0);
      }
    }
    for (int64_t j = 0; basis && j < k; ++j) {
      for (int64_t i = 0; i < m; ++i) {
        x[i] = i == j ? 1.0 : 0.0;
      }
      for (int64_t l = k; l-- > 0;) {
        reflect(m, l, tau[l], columns + l * m, x);
      }
      for (int64_t i = 0; i < m; ++i) {
        pzi_reference_put(basis, p, i, j, x[i]);
      }
    }
  }
  return PZ_OK;
}
