/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Eigenvalues and eigenvectors of symmetric matrices by cyclic Jacobi rotations (Golub and
   Van Loan, 8.5): each rotation makes one off-diagonal pair zero, and what it adds
   elsewhere shrinks quadratically sweep after sweep. A pair that is negligible beside
   both its diagonal entries is left alone, which keeps the small eigenvalues of graded
   positive definite matrices accurate.

   Ten sweeps suffice in practice; the limit is there so that nothing can go round for
   ever. A matrix with an entry that is not finite gives NaN throughout. */

#include "reference.h"

#include <float.h>
#include <math.h>

enum { SWEEP_LIMIT = 60 };

// t is the smaller root of t^2 + 2 theta t = 1, theta = (a_qq - a_pp) / (2 a_pq)
static double
tangent(const double app, const double aqq, const double apq)
{
  const double theta = (aqq - app) / (2.0 * apq);
  return copysign(1.0, theta) / (fabs(theta) + hypot(theta, 1.0));
}

// (x, y) <- (c x - s y, s x + c y), written so that a small s costs no accuracy
static void
rotate(const double s, const double tau, double* const x, double* const y)
{
  const double old = *x;
  *x -= s * (*y + tau * old);
  *y += s * (old - tau * *y);
}

/* Makes the pair (p, q) of symmetric a (n x n) zero; rows of `vectors` turn along. */
static void
annihilate(const int64_t n, const int64_t p, const int64_t q, double* const a,
           double* const vectors)
{
  const double apq = a[p * n + q];
  const double t = tangent(a[p * n + p], a[q * n + q], apq);
  const double c = 1.0 / hypot(t, 1.0);
  const double s = t * c;
  const double tau = s / (1.0 + c);
  a[p * n + p] -= t * apq;
  a[q * n + q] += t * apq;
  a[p * n + q] = 0.0;
  a[q * n + p] = 0.0;
  for (int64_t r = 0; r < n; ++r) {
    if (r != p && r != q) {
      rotate(s, tau, &a[p * n + r], &a[q * n + r]);
      a[r * n + p] = a[p * n + r];
      a[r * n + q] = a[q * n + r];
    }
  }
  for (int64_t r = 0; vectors && r < n; ++r) {
    rotate(s, tau, &vectors[p * n + r], &vectors[q * n + r]);
  }
}

/* Diagonalizes a; false where the limit was reached. */
static bool
diagonalize(const int64_t n, double* const a, double* const vectors)
{
  for (int sweep = 0; sweep < SWEEP_LIMIT; ++sweep) {
    bool rotated = false;
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        const double bound = sqrt(fabs(a[p * n + p])) * sqrt(fabs(a[q * n + q]));
        if (fabs(a[p * n + q]) > fmax(0.5 * DBL_EPSILON * bound, DBL_MIN)) {
          annihilate(n, p, q, a, vectors);
          rotated = true;
        }
      }
    }
    if (!rotated) {
      return true;
    }
  }
  return false;
}

/* Ascending: the diagonal of a into w, rows of `vectors` along. */
static void
sort_ascending(const int64_t n, const double* const a, double* const w, double* const vectors)
{
  for (int64_t i = 0; i < n; ++i) {
    w[i] = a[i * n + i];
  }
  for (int64_t i = 0; i < n; ++i) {
    int64_t least = i;
    for (int64_t j = i + 1; j < n; ++j) {
      least = w[j] < w[least] ? j : least;
    }
    const double t = w[i];
    w[i] = w[least];
    w[least] = t;
    for (int64_t r = 0; vectors && least != i && r < n; ++r) {
      const double x = vectors[i * n + r];
      vectors[i * n + r] = vectors[least * n + r];
      vectors[least * n + r] = x;
    }
  }
}

pz_status
pzi_reference_eigh(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const w,
                   const pz_mat* const v, const pz_fault* const fault)
{
  const int64_t n = a->rows;
  int64_t bad = -1;
  double* at;
  (void)fault;
  PZ_TRY(pzi_reference_scratch(q, 2 * n * n + n, &at));
  double* const values = at + n * n;
  double* const vectors = v ? values + n : NULL;
  for (int64_t k = 0; k < a->batch; ++k) {
    int exponent;
    pzi_reference_load(a, k, at);
    const bool finite = pzi_reference_normalize(n * n, at, &exponent);
    for (int64_t e = 0; vectors && e < n * n; ++e) {
      vectors[e] = e / n == e % n ? 1.0 : 0.0;
    }
    const bool done = finite && diagonalize(n, at, vectors);
    if (!done) {
      pzi_reference_store_nan(w, k);
      if (v) {
        pzi_reference_store_nan(v, k);
      }
      bad = finite && bad < 0 ? k : bad;
      continue;
    }
    sort_ascending(n, at, values, vectors);
    for (int64_t i = 0; i < n; ++i) {
      pzi_reference_put(w, k, i, 0, ldexp(values[i], exponent));
    }
    if (v) {
      const pz_mat rows = pz_mat_transposed(v);
      pzi_reference_store(vectors, &rows, k);
    }
  }
  return bad < 0 ? PZ_OK
                 : q->host->fail(PZ_SINGULAR,
                                 "eigenvalues of matrix %lld of the batch did not converge",
                                 (long long)bad);
}
