/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Singular values by one-sided Jacobi rotations (Hestenes 1958; Demmel and Veselic 1992):
   columns of a (m >= n; a wide matrix is done transposed) are rotated in pairs until all
   are orthogonal. Their lengths are then s, their directions u, and the product of the
   rotations v. Small singular values come out with small relative errors.

   Columns that vanished leave u incomplete; it is completed to an orthonormal basis. A
   matrix with an entry that is not finite gives NaN throughout. */

#include "reference.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { SWEEP_LIMIT = 60 };

static double
inner(const int64_t n, const double* const x, const double* const y)
{
  double sum = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    sum += x[i] * y[i];
  }
  return sum;
}

// (x, y) <- (c x - s y, s x + c y)
static void
rotate(const int64_t n, const double c, const double s, double* const x, double* const y)
{
  for (int64_t i = 0; i < n; ++i) {
    const double old = x[i];
    x[i] = c * old - s * y[i];
    y[i] = s * old + c * y[i];
  }
}

/* Columns that were parallel to rounding leave nothing but rounding errors of the shorter
   one, `before` long (squared). Their direction means nothing and would be chased from
   sweep to sweep: such a column is zero. */
static void
clear_remnant(const int64_t m, const double before, double* const x)
{
  const double tolerance = 4.0 * DBL_EPSILON;
  if (inner(m, x, x) <= tolerance * tolerance * before) {
    memset(x, 0, (size_t)m * sizeof(*x));
  }
}

/* Makes columns x and y (m long) orthogonal, vx and vy (n long) along; false where they
   are already. */
static bool
orthogonalize(const int64_t m, double* const x, double* const y, const int64_t n, double* const vx,
              double* const vy)
{
  const double tolerance = 2.0 * DBL_EPSILON * sqrt((double)m);
  const double xx = inner(m, x, x);
  const double yy = inner(m, y, y);
  const double xy = inner(m, x, y);
  if (fabs(xy) <= fmax(tolerance * sqrt(xx) * sqrt(yy), DBL_MIN)) {
    return false;
  }
  const double zeta = (yy - xx) / (2.0 * xy);
  const double t = copysign(1.0, zeta) / (fabs(zeta) + hypot(zeta, 1.0));
  const double c = 1.0 / hypot(t, 1.0);
  rotate(m, c, t * c, x, y);
  clear_remnant(m, fmin(xx, yy), yy < xx ? y : x);
  if (vx) {
    rotate(n, c, t * c, vx, vy);
  }
  return true;
}

static void
swap(const int64_t n, double* const x, double* const y)
{
  for (int64_t i = 0; i < n; ++i) {
    const double t = x[i];
    x[i] = y[i];
    y[i] = t;
  }
}

/* Rotates n columns of length m, held as rows of u; v (n x n, may be NULL) along. False
   where the limit was reached. */
static bool
diagonalize(const int64_t m, const int64_t n, double* const u, double* const v)
{
  for (int sweep = 0; sweep < SWEEP_LIMIT; ++sweep) {
    bool rotated = false;
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        double* const vp = v ? v + p * n : NULL;
        double* const vq = v ? v + q * n : NULL;
        rotated |= orthogonalize(m, u + p * m, u + q * m, n, vp, vq);
      }
    }
    if (!rotated) {
      return true;
    }
  }
  return false;
}

/* Lengths of the columns into s, descending. */
static void
sort_descending(const int64_t m, const int64_t n, double* const s, double* const u, double* const v)
{
  for (int64_t j = 0; j < n; ++j) {
    s[j] = sqrt(inner(m, u + j * m, u + j * m));
  }
  for (int64_t i = 0; i < n; ++i) {
    int64_t most = i;
    for (int64_t j = i + 1; j < n; ++j) {
      most = s[j] > s[most] ? j : most;
    }
    if (most != i) {
      swap(1, s + i, s + most);
      swap(m, u + i * m, u + most * m);
      if (v) {
        swap(n, v + i * n, v + most * n);
      }
    }
  }
}

/* Makes column j of u orthonormal to those before it: the unit vector farthest from their
   span, less its projection, taken twice. */
static void
complete(const int64_t m, const int64_t j, double* const u)
{
  double* const x = u + j * m;
  double least = 2.0;
  int64_t best = 0;
  for (int64_t i = 0; i < m; ++i) {
    double covered = 0.0;
    for (int64_t l = 0; l < j; ++l) {
      covered += u[l * m + i] * u[l * m + i];
    }
    if (covered < least) {
      least = covered;
      best = i;
    }
  }
  for (int64_t i = 0; i < m; ++i) {
    x[i] = i == best ? 1.0 : 0.0;
  }
  for (int pass = 0; pass < 2; ++pass) {
    for (int64_t l = 0; l < j; ++l) {
      const double along = inner(m, u + l * m, x);
      for (int64_t i = 0; i < m; ++i) {
        x[i] -= along * u[l * m + i];
      }
    }
    const double length = sqrt(inner(m, x, x));
    for (int64_t i = 0; i < m; ++i) {
      x[i] /= length;
    }
  }
}

/* Directions of the columns. A length whose square has lost digits counts as zero. */
static void
normalize_columns(const int64_t m, const int64_t n, double* const s, double* const u)
{
  const double smallest = sqrt(DBL_MIN / DBL_EPSILON);
  for (int64_t j = 0; j < n; ++j) {
    if (s[j] < smallest) {
      s[j] = 0.0;
      complete(m, j, u);
      continue;
    }
    for (int64_t i = 0; i < m; ++i) {
      u[j * m + i] /= s[j];
    }
  }
}

pz_status
pzi_reference_svd(pz_backend_queue* const q, const pz_mat* const a, const pz_mat* const u,
                  const pz_mat* const s, const pz_mat* const vt, const pz_fault* const fault)
{
  const bool tall = a->rows >= a->cols;
  const int64_t m = tall ? a->rows : a->cols;
  const int64_t n = tall ? a->cols : a->rows;
  // columns as rows: of a^T where a is tall, of a itself, the transpose of a^T, where wide
  const pz_mat columns = tall ? pz_mat_transposed(a) : *a;
  int64_t bad = -1;
  double* left;
  (void)fault;
  PZ_TRY(pzi_reference_scratch(q, n * m + n * n + n, &left));
  double* const right = u ? left + n * m : NULL;
  double* const lengths = left + n * m + n * n;
  for (int64_t k = 0; k < a->batch; ++k) {
    int exponent;
    pzi_reference_load(&columns, k, left);
    const bool finite = pzi_reference_normalize(n * m, left, &exponent);
    for (int64_t e = 0; right && e < n * n; ++e) {
      right[e] = e / n == e % n ? 1.0 : 0.0;
    }
    if (!finite || !diagonalize(m, n, left, right)) {
      pzi_reference_store_nan(s, k);
      if (u) {
        pzi_reference_store_nan(u, k);
        pzi_reference_store_nan(vt, k);
      }
      bad = finite && bad < 0 ? k : bad;
      continue;
    }
    sort_descending(m, n, lengths, left, right);
    if (u) {
      const pz_mat ut = pz_mat_transposed(u);
      normalize_columns(m, n, lengths, left);
      pzi_reference_store(left, tall ? &ut : vt, k);
      pzi_reference_store(right, tall ? vt : &ut, k);
    }
    for (int64_t j = 0; j < n; ++j) {
      pzi_reference_put(s, k, j, 0, ldexp(lengths[j], exponent));
    }
  }
  return bad < 0 ? PZ_OK
                 : q->host->fail(PZ_SINGULAR,
                                 "singular values of matrix %lld of the batch did not converge",
                                 (long long)bad);
}
