/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Almost-orthogonal layers (Prach and Lampert 2022): with P = W^T W, t_i = sum over j of |P_ij| and
   d = t^(-1/2), y = bound W diag(d) has a spectral norm of at most the bound, by products alone. For the gradient
   g of y, z_i = -bound <g_i, W_i> d_i^3/2 by columns,

     gW = bound g diag(d) + W Z,  Z_ij = sign(P_ij)(z_i + z_j)
     dy = bound (dW diag(d) - W diag(d^3 dt/2)),  dt_i = sum over j of sign(P_ij)(dP)_ij

   d of a column of zeros is 0. W is divided by a power of two first, which y does not see, so that P is in
   range.

   Values are the y for which the Perron value of |y^T y| is bound^2, on each block of columns that are not
   orthogonal to all of another block. Right inverse: W = y diag(f) with the Perron vectors f of the blocks. */

#include "nearest.h"

#include "orthogonal/orthogonal.h"
#include "refuse.h"

#include <math.h>
#include <string.h>

enum { SCALED, P, D, SCALE }; /* saved: W over its scale, and the inverse of that */
enum { POWER_STEPS = 10000 };

// clang-format off

PZ_KERNEL(aol_scale, 1, 0, 0,
  PZ_TENSOR_ARG(0, s);
  s[i] = s[i] == (real)0 ? (real)1 : pz_unit_scale(s[i]) + 0 * s[i];
)

PZ_KERNEL(aol_root, 1, 0, 0,
  PZ_TENSOR_ARG(0, t);
  t[i] = t[i] == (real)0 ? (real)0 : 1 / pz_sqrt(t[i]);
)

/* z <- -z d^3 / 2 */
PZ_KERNEL(aol_cube, 2, 0, 0,
  PZ_TENSOR_ARG(0, d);
  PZ_TENSOR_ARG(1, z);
  z[i] *= -d[i] * d[i] * d[i] / 2;
)

/* An item is an entry: out <- sign(p) a, a_ij = z_i + z_j. */
PZ_KERNEL(aol_signs, 3, 0, 1,
  PZ_TENSOR_ARG(0, p);
  PZ_TENSOR_ARG(1, z);
  PZ_TENSOR_ARG(2, out);
  PZ_INTEGER_ARG(0, m);
  const real a = z[i / m] + z[i / m / m * m + i % m];
  out[i] = p[i] > (real)0 ? a : p[i] < (real)0 ? -a : (real)0;
)

PZ_KERNEL(aol_sign, 1, 0, 0,
  PZ_TENSOR_ARG(0, p);
  p[i] = p[i] > (real)0 ? (real)1 : p[i] < (real)0 ? (real)-1 : (real)0;
)

// clang-format on

/* w <- x over its scale, s <- the inverse of that, p <- w^T w */
static pz_status
gram(pz_call* const c, const pz_tensor* const x, pz_tensor* const w, pz_tensor* const s,
     pz_tensor* const p)
{
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, x, s));
  PZ_TRY(pz_launch(c, &aol_scale, pz_count(s), PZ_TENSORS(s), NULL, NULL));
  PZ_TRY(pz_scale_by(c, PZ_OVER_BOTH, s, x, w));
  return pz_syrk(c, PZ_T, 1.0, w, 0.0, p);
}

pz_status
aol_forward(pz_call* const c, const double bound, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_spec square = orth_spec(x, pz_cols(x), pz_cols(x));
  const pz_spec row = orth_row_spec(x, pz_cols(x));
  const pz_spec one = pz_spec_make(x->dtype, x->ndim - 2, x->shape);
  pz_tensor w;
  pz_tensor p;
  pz_tensor d;
  pz_tensor s;
  PZ_TRY(pz_save_like(c, x, &w));
  PZ_TRY(pz_save(c, &square, &p));
  PZ_TRY(pz_save(c, &row, &d));
  PZ_TRY(pz_save(c, &one, &s));
  PZ_TRY(gram(c, x, &w, &s, &p));
  PZ_TRY(pz_norm(c, PZ_NORM_ONE, PZ_OVER_COLS, &p, &d));
  PZ_TRY(pz_launch(c, &aol_root, pz_count(&d), PZ_TENSORS(&d), NULL, NULL));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &d, &w, y));
  return pz_scale(c, bound, y);
}

static pz_status
saved(pz_call* const c, pz_tensor* const w, pz_tensor* const p, pz_tensor* const d,
      pz_tensor* const s)
{
  PZ_TRY(pz_saved(c, SCALED, w));
  PZ_TRY(pz_saved(c, P, p));
  PZ_TRY(pz_saved(c, D, d));
  return pz_saved(c, SCALE, s);
}

pz_status
aol_vjp(pz_call* const c, const double bound, const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor w;
  pz_tensor p;
  pz_tensor d;
  pz_tensor s;
  pz_tensor z;
  pz_tensor signs;
  PZ_TRY(saved(c, &w, &p, &d, &s));
  PZ_TRY(pz_work_like(c, &d, &z));
  PZ_TRY(pz_work_like(c, &p, &signs));
  PZ_TRY(pz_dot(c, PZ_OVER_ROWS, g, &w, &z));
  PZ_TRY(pz_launch(c, &aol_cube, pz_count(&d), PZ_TENSORS(&d, &z), NULL, NULL));
  PZ_TRY(pz_launch(c, &aol_signs, pz_count(&p), PZ_TENSORS(&p, &z, &signs), NULL,
                   PZ_INTEGERS(pz_cols(&p))));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &d, g, gx));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, bound, &w, &signs, bound, gx));
  return pz_scale_by(c, PZ_OVER_BOTH, &s, gx, gx);
}

pz_status
aol_jvp(pz_call* const c, const double bound, const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor w;
  pz_tensor p;
  pz_tensor d;
  pz_tensor s;
  pz_tensor dw;
  pz_tensor dp;
  pz_tensor signs;
  pz_tensor dt;
  PZ_TRY(saved(c, &w, &p, &d, &s));
  PZ_TRY(pz_work_like(c, &w, &dw));
  PZ_TRY(pz_work_like(c, &p, &dp));
  PZ_TRY(pz_work_like(c, &p, &signs));
  PZ_TRY(pz_work_like(c, &d, &dt));
  PZ_TRY(pz_scale_by(c, PZ_OVER_BOTH, &s, dx, &dw));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &dw, &w, 0.0, &signs));
  PZ_TRY(pz_symmetrize(c, 1.0, 1, &signs, &dp));
  PZ_TRY(pz_copy(c, &p, &signs));
  PZ_TRY(pz_launch(c, &aol_sign, pz_count(&signs), PZ_TENSORS(&signs), NULL, NULL));
  PZ_TRY(pz_dot(c, PZ_OVER_COLS, &dp, &signs, &dt));
  PZ_TRY(pz_launch(c, &aol_cube, pz_count(&d), PZ_TENSORS(&d, &dt), NULL, NULL));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &d, &dw, dy));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &dt, &w, &dw));
  return pz_axpby(c, bound, &dw, bound, dy);
}

/* ---- the Perron vectors of |P|, on the host --------------------------------------------------- */

/* Marks with `name` the columns that column i is linked to by entries of p; returns how many. `list` has room
   for all. */
static int64_t
block_of(const int64_t m, const double* const p, const int64_t i, const int64_t name,
         int64_t* const block, int64_t* const list)
{
  int64_t n = 0;
  list[n++] = i;
  block[i] = name;
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = 0; j < m; ++j) {
      if (block[j] == 0 && p[list[k] * m + j] != 0.0) {
        block[j] = name;
        list[n++] = j;
      }
    }
  }
  return n;
}

/* f <- the Perron vector, of norm 1, of |p| on a block of n columns; returns the Perron value. Power steps, with the
   largest entry added on the diagonal, until bounds of the value agree. */
static double
perron(const int64_t m, const double* const p, const int64_t n, const int64_t* const list,
       const double eps, double* const f, double* const next)
{
  double shift = 0.0;
  double low = 0.0;
  double high = 1.0;
  double norm = 0.0;
  for (int64_t a = 0; a < n; ++a) {
    f[list[a]] = 1.0;
    shift = fmax(shift, fabs(p[list[a] * m + list[a]]));
  }
  for (int step = 0; step < POWER_STEPS && high - low > eps * high; ++step) {
    double size = 0.0;
    low = HUGE_VAL;
    high = 0.0;
    for (int64_t a = 0; a < n; ++a) {
      double sum = 0.0;
      for (int64_t b = 0; b < n; ++b) {
        sum += fabs(p[list[a] * m + list[b]]) * f[list[b]];
      }
      low = fmin(low, sum / f[list[a]]);
      high = fmax(high, sum / f[list[a]]);
      next[a] = sum + shift * f[list[a]];
      size = fmax(size, next[a]);
    }
    for (int64_t a = 0; a < n; ++a) {
      f[list[a]] = next[a] / size;
    }
  }
  for (int64_t a = 0; a < n; ++a) {
    norm = hypot(norm, f[list[a]]);
  }
  for (int64_t a = 0; a < n; ++a) {
    f[list[a]] /= norm;
  }
  return low / 2.0 + high / 2.0;
}

/* For each matrix, f and the number of its block's Perron value that is farthest from 1, y being over the bound;
   in host scratch. */
static pz_status
perron_vectors(pz_call* const c, const double bound, const pz_tensor* const y, double** const f,
               double** const value)
{
  const int64_t m = pz_cols(y);
  const int64_t batch = pz_batch(y);
  const double eps = pz_dtype_epsilon(y->dtype);
  const pz_spec square = orth_spec(y, m, m);
  const pz_spec one = pz_spec_make(y->dtype, y->ndim - 2, y->shape);
  pz_tensor w;
  pz_tensor p;
  pz_tensor s;
  void* memory = NULL;
  void* integers = NULL;
  PZ_TRY(pz_work_like(c, y, &w));
  PZ_TRY(pz_work(c, &square, &p));
  PZ_TRY(pz_work(c, &one, &s));
  PZ_TRY(pz_work_host(c, (size_t)(batch * (m * m + m + 2) + m) * sizeof(double), &memory));
  PZ_TRY(pz_work_host(c, (size_t)(2 * m) * sizeof(int64_t), &integers));
  double* const all = memory;
  double* const scale = all + batch * m * m;
  *value = scale + batch;
  *f = *value + batch;
  double* const next = *f + batch * m;
  int64_t* const block = integers;
  PZ_TRY(gram(c, y, &w, &s, &p));
  PZ_TRY(pz_read(c, &p, all));
  PZ_TRY(pz_read(c, &s, scale));
  for (int64_t k = 0; k < batch; ++k) {
    const double* const mine = all + k * m * m;
    memset(block, 0, (size_t)m * sizeof(*block));
    (*value)[k] = 1.0;
    for (int64_t i = 0; i < m; ++i) {
      if (block[i] != 0) {
        continue;
      }
      const int64_t n = block_of(m, mine, i, i + 1, block, block + m);
      if (mine[i * m + i] == 0.0) {
        (*f)[k * m + i] = 1.0; /* a column of zeros */
        continue;
      }
      const double found =
          sqrt(perron(m, mine, n, block + m, eps, *f + k * m, next)) / (scale[k] * bound);
      (*value)[k] = fabs(found - 1.0) <= fabs((*value)[k] - 1.0) ? (*value)[k] : found;
    }
  }
  return PZ_OK;
}

pz_status
aol_right_inverse(pz_call* const c, const double bound, const pz_tensor* const y,
                  pz_tensor* const x)
{
  const int64_t m = pz_cols(y);
  const double allowed =
      100.0 * (double)(pz_rows(y) > m ? pz_rows(y) : m) * pz_dtype_epsilon(y->dtype);
  const pz_spec row = orth_row_spec(y, m);
  double* f = NULL;
  double* value = NULL;
  pz_tensor factors;
  PZ_TRY(pz_work(c, &row, &factors));
  PZ_TRY(perron_vectors(c, bound, y, &f, &value));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    PZ_TRY(refuse_not_finite(c, isfinite(value[k]), k));
    if (c->intent == PZ_ASSIGN && !(fabs(value[k] - 1.0) <= allowed)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch with the root %.17g of the Perron value of "
                     "|Y^T Y|, expected %.17g",
                     (long long)k, value[k] * bound, bound);
    }
  }
  PZ_TRY(pz_write(c, f, &factors));
  return pz_scale_by(c, PZ_OVER_ROWS, &factors, y, x);
}

pz_status
aol_residual(pz_call* const c, const double bound, const pz_tensor* const y, double* const distance)
{
  double* f = NULL;
  double* value = NULL;
  PZ_TRY(perron_vectors(c, bound, y, &f, &value));
  for (int64_t k = 0; k < pz_batch(y) && !isnan(*distance); ++k) {
    const double each = bound * fabs(value[k] - 1.0);
    *distance = each <= *distance ? *distance : each;
  }
  return PZ_OK;
}
