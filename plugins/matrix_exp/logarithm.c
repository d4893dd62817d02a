/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The principal logarithm of a general matrix by the real Schur form Y = Z T Z^T, X = Z L Z^T.
   (common/exponential/rotation_log.c has the logarithm of rotations.)

   It exists if no eigenvalue is zero or negative. Complex 2 x 2 rotations make T triangular, and
   repeated square roots bring it close to I. There

     log(I + E) = sum over j of w_j E (I + t_j E)^-1

   with the nodes and weights of 7-point Gauss-Legendre quadrature on [0, 1], which is the diagonal
   Pade approximant (Higham 2008, 11.4). The result is multiplied by 2^k for k square roots, and its
   diagonal is replaced by the exact logarithms of the eigenvalues. All this is in double precision
   on the host, O(n^3) for each root. */

#include "matrix_exp.h"

#include "rotation.h"

#include <complex.h>
#include <math.h>

/* used <- Y after the checks of c->intent, or the nearest rotation. */
static pz_status
admit_rotation(pz_call* const c, const pz_tensor* const y, pz_tensor* const used)
{
  const int64_t batch = pz_batch(y);
  const double tolerance = 100.0 * (double)pz_rows(y) * pz_dtype_epsilon(y->dtype);
  const double* defect = NULL;
  PZ_TRY(rotation_defects(c, y, &defect));
  for (int64_t k = 0; k < batch; ++k) {
    const bool orthogonal = defect[k] <= tolerance;
    const bool proper = defect[batch + k] > 0.0;
    if (c->intent == PZ_REGISTER && !(orthogonal && proper)) {
      PZ_TRY(pz_work_like(c, y, used));
      return rotation_nearest(c, true, y, used);
    }
    if (!orthogonal) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch with Y^T Y at distance %.3g from the "
                     "identity, expected at most %.3g",
                     (long long)k, defect[k], tolerance);
    }
    if (!proper) {
      return pz_fail(c, PZ_SINGULAR,
                     "found matrix %lld of the batch with determinant -1, expected a rotation: "
                     "an orthogonal matrix of determinant -1 has no real logarithm",
                     (long long)k);
    }
  }
  return PZ_OK;
}

pz_status
expm_log_rotation(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  pz_tensor used = *y;
  if (c->intent != PZ_CHAIN) {
    PZ_TRY(admit_rotation(c, y, &used));
  }
  return expm_rotation_log(c, &used, x);
}

/* ---- upper triangular complex matrices on the host ---------------------------- */

/* a b, without the checks for infinities of the operator. */
static inline double complex
times(const double complex a, const double complex b)
{
  const double real = creal(a) * creal(b) - cimag(a) * cimag(b);
  return real + I * (creal(a) * cimag(b) + cimag(a) * creal(b));
}

/* The unitary matrix U = (u -conj v; v conj u) that makes a 2 x 2 block of T triangular. */
typedef struct turn {
  double complex u;
  double complex v;
} turn;

static turn
turn_of(const int64_t n, const double* const t, const int64_t j)
{
  const double a = t[j * n + j];
  const double b = t[j * n + j + 1];
  const double p = t[(j + 1) * n + j];
  const double d = t[(j + 1) * n + j + 1];
  const double half = 0.5 * (a - d);
  // an eigenvector (b, lambda - a) of (a b; p d)
  const double complex shift = csqrt(half * half + b * p) - half;
  const double size = hypot(b, cabs(shift));
  return (turn){b / size, shift / size};
}

/* Multiplies rows j, j+1 of the n x n matrix m by U^H (or U, `inverse`) and the columns by
   U (or U^H). */
static void
turn_matrix(const int64_t n, const turn w, const bool inverse, const int64_t j,
            double complex* const m)
{
  const double complex u = inverse ? conj(w.u) : w.u;
  const double complex v = inverse ? -w.v : w.v;
  for (int64_t k = 0; k < n; ++k) { /* U^H = (conj u, conj v; -v, u) */
    const double complex above = m[j * n + k];
    const double complex below = m[(j + 1) * n + k];
    m[j * n + k] = times(conj(u), above) + times(conj(v), below);
    m[(j + 1) * n + k] = times(u, below) - times(v, above);
  }
  for (int64_t k = 0; k < n; ++k) {
    const double complex left = m[k * n + j];
    const double complex right = m[k * n + j + 1];
    m[k * n + j] = times(left, u) + times(right, v);
    m[k * n + j + 1] = times(right, conj(u)) - times(left, conj(v));
  }
}

/* R <- the principal square root of T, column by column. `column` has n entries. */
static void
square_root(const int64_t n, const double complex* const t, double complex* const r,
            double complex* const column)
{
  for (int64_t j = 0; j < n; ++j) {
    column[j] = csqrt(t[j * n + j]);
    for (int64_t i = j; i-- > 0;) {
      double complex sum = t[i * n + j];
      for (int64_t k = i + 1; k < j; ++k) {
        sum -= times(r[i * n + k], column[k]);
      }
      column[i] = sum / (r[i * n + i] + column[j]);
    }
    for (int64_t i = 0; i < n; ++i) {
      r[i * n + j] = i <= j ? column[i] : 0.0;
    }
  }
}

/* L <- log(I + E). */
static void
near_identity(const int64_t n, const double complex* const e, double complex* const l,
              double complex* const column)
{
  enum { NODES = 7 };
  static const double node[NODES] = {
      -0.94910791234275852453, -0.74153118559939443986, -0.40584515137739716691, 0.0,
      0.40584515137739716691,  0.74153118559939443986,  0.94910791234275852453,
  };
  static const double weight[NODES] = {
      0.12948496616886969327, 0.27970539148927666790, 0.38183005050511894495,
      0.41795918367346938776, 0.38183005050511894495, 0.27970539148927666790,
      0.12948496616886969327,
  };
  for (int64_t i = 0; i < n * n; ++i) {
    l[i] = 0.0;
  }
  for (int m = 0; m < NODES; ++m) {
    const double at = 0.5 * (1.0 + node[m]);
    for (int64_t j = 0; j < n; ++j) {
      // column <- (I + t E)^-1 E, column j
      for (int64_t i = j + 1; i-- > 0;) {
        double complex sum = 0.0;
        for (int64_t k = i + 1; k <= j; ++k) {
          sum += times(e[i * n + k], column[k]);
        }
        column[i] = (e[i * n + j] - at * sum) / (1.0 + at * e[i * n + i]);
        l[i * n + j] += 0.5 * weight[m] * column[i];
      }
    }
  }
}

/* The largest sum of magnitudes of a row of T - I; T <- T - I with `subtract`. */
static double
distance_from_identity(const int64_t n, double complex* const t, const bool subtract)
{
  double most = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    double sum = cabs(t[i * n + i] - 1.0);
    for (int64_t j = i + 1; j < n; ++j) {
      sum += cabs(t[i * n + j]);
    }
    most = sum <= most ? most : sum;
    if (subtract) {
      t[i * n + i] -= 1.0;
    }
  }
  return most;
}

/* t <- its logarithm, quasi upper triangular n x n. `room` has 3 n n + n entries. */
static pz_status
log_in_place(pz_call* const c, const int64_t n, double* const t, double complex* const room)
{
  enum { MOST_ROOTS = 100 };
  double complex* now = room;
  double complex* next = room + n * n;
  double complex* const eigenvalue = room + 2 * n * n; /* then the result */
  double complex* const column = room + 3 * n * n;
  for (int64_t k = 0; k < n * n; ++k) {
    if (!isfinite(t[k])) {
      return pz_fail(c, PZ_SINGULAR,
                     "found entries that are not finite, expected a matrix with a logarithm");
    }
    now[k] = t[k];
  }
  for (int64_t j = 0; j + 1 < n; ++j) {
    if (t[(j + 1) * n + j] != 0.0) {
      turn_matrix(n, turn_of(n, t, j), false, j, now);
      now[(j + 1) * n + j] = 0.0;
    }
  }
  for (int64_t j = 0; j < n; ++j) {
    const double complex lambda = now[j * n + j];
    if (cimag(lambda) == 0.0 && creal(lambda) <= 0.0) {
      return pz_fail(c, PZ_SINGULAR,
                     "found the real eigenvalue %.3g, expected none that is zero or negative: "
                     "there is no principal logarithm",
                     creal(lambda));
    }
    column[j] = clog(lambda);
  }
  double complex* const logarithm = room + 3 * n * n + n;
  for (int64_t j = 0; j < n; ++j) {
    logarithm[j] = column[j];
  }
  int roots = 0;
  while (distance_from_identity(n, now, false) > 0.264 && roots < MOST_ROOTS) {
    square_root(n, now, next, column);
    double complex* const swap = now;
    now = next;
    next = swap;
    ++roots;
  }
  (void)distance_from_identity(n, now, true);
  double complex* const l = eigenvalue;
  near_identity(n, now, l, column);
  const double factor = ldexp(1.0, roots);
  for (int64_t k = 0; k < n * n; ++k) {
    l[k] *= factor;
  }
  for (int64_t j = 0; j < n; ++j) {
    l[j * n + j] = logarithm[j];
  }
  for (int64_t j = 0; j + 1 < n; ++j) {
    if (t[(j + 1) * n + j] != 0.0) {
      turn_matrix(n, turn_of(n, t, j), true, j, l);
    }
  }
  for (int64_t k = 0; k < n * n; ++k) {
    t[k] = creal(l[k]);
  }
  return PZ_OK;
}

pz_status
expm_log_general(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t n = pz_rows(y);
  const int64_t batch = pz_batch(y);
  pz_tensor t;
  pz_tensor z;
  pz_tensor product;
  void* memory = NULL;
  void* room = NULL;
  PZ_TRY(pz_work_like(c, y, &t));
  PZ_TRY(pz_work_like(c, y, &z));
  PZ_TRY(pz_work_like(c, y, &product));
  PZ_TRY(pz_work_host(c, (size_t)(batch * n * n) * sizeof(double), &memory));
  PZ_TRY(pz_work_host(c, (size_t)(3 * n * n + 2 * n) * sizeof(double complex), &room));
  PZ_TRY(pz_schur(c, y, &t, &z));
  double* const host = memory;
  PZ_TRY(pz_read(c, &t, host));
  for (int64_t k = 0; k < batch; ++k) {
    PZ_TRY(log_in_place(c, n, host + k * n * n, room));
  }
  PZ_TRY(pz_write(c, host, &t));
  // X <- Z L Z^T
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &z, &t, 0.0, &product));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &product, &z, 0.0, x);
}
