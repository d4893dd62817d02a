/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| of the exponential. Its derivative at X has the eigenvalues (e^a - e^b) / (a - b) for
   pairs of eigenvalues a, b of X: ordered pairs for general X, by all entries; unordered ones for
   symmetric X, by the upper triangle. With d = (a - b) / 2,

     log |(e^a - e^b) / (a - b)| = Re (a + b) / 2 + log |sinh(d) / d|

   For symmetric X the gradient at X = V diag(l) V^T is V diag(h) V^T,

     h_i = 1 + sum over j != i of 1/2 + k(l_i - l_j),  k(d) = (coth(d / 2) - 2 / d) / 2

   Rotations: ../common/exponential/rotation_density.c. */

#include "matrix_exp.h"

#include "log_det.h"

#include <math.h>

// clang-format off

/* One item per eigenvalue: the terms of its pairs with itself and those before it. */
PZ_KERNEL(expm_log_differences, 2, 0, 1,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, terms);
  PZ_INTEGER_ARG(0, n);
  real sum = (real)0;
  for (pz_int j = i / n * n; j <= i; ++j) {
    const real d = pz_abs(w[i] - w[j]);
    sum += pz_max(w[i], w[j]) + (d == (real)0 ? (real)0 : pz_log(-pz_expm1(-d) / d));
  }
  terms[i] = sum;
)

/* One item per eigenvalue: h times the factor of its matrix. The series of k is used below 1/2,
   where the difference would cancel. */
PZ_KERNEL(expm_log_slopes, 3, 0, 1,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, h);
  PZ_INTEGER_ARG(0, n);
  const pz_int first = i / n * n;
  real sum = (real)1;
  for (pz_int j = first; j < first + n; ++j) {
    const real d = w[i] - w[j];
    const real v = -d * d;
    const real series =
        (real)1 +
        v * ((real)(1.0 / 60) +
             v * ((real)(1.0 / 2520) +
                  v * ((real)(1.0 / 100800) +
                       v * ((real)(1.0 / 3991680) +
                            v * ((real)(691.0 / 108972864000) + v * (real)(1.0 / 6227020800))))));
    const real k = pz_abs(d) < (real)0.5
                       ? d / (real)12 * series
                       : (real)0.5 / pz_tanh((real)0.5 * d) - (real)1 / d;
    sum += j == i ? (real)0 : (real)0.5 + k;
  }
  h[i] = g[i / n] * sum;
)

// clang-format on

/* ---- symmetric matrices --------------------------------------------------------- */

static pz_spec
row_spec(const pz_tensor* const x)
{
  return pz_spec_make(x->dtype, x->ndim - 1, x->shape);
}

static pz_status
symmetric_log_abs_det(pz_call* const c, const pz_tensor* const x, pz_tensor* const out)
{
  const int64_t n = pz_rows(x);
  const pz_spec row = row_spec(x);
  pz_tensor w;
  pz_tensor terms;
  PZ_TRY(pz_work(c, &row, &w));
  PZ_TRY(pz_work(c, &row, &terms));
  PZ_TRY(pz_eigh(c, x, &w, NULL));
  PZ_TRY(pz_launch(c, &expm_log_differences, pz_count(&w), (const pz_tensor* const[]){&w, &terms},
                   NULL, &n));
  return log_det_sum(c, &terms, out);
}

static pz_status
symmetric_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const g_out,
                          pz_tensor* const gx)
{
  const int64_t n = pz_rows(x);
  const pz_spec row = row_spec(x);
  pz_tensor w;
  pz_tensor v;
  pz_tensor h;
  pz_tensor scaled;
  PZ_TRY(pz_work(c, &row, &w));
  PZ_TRY(pz_work_like(c, x, &v));
  PZ_TRY(pz_work(c, &row, &h));
  PZ_TRY(pz_work_like(c, x, &scaled));
  PZ_TRY(pz_eigh(c, x, &w, &v));
  PZ_TRY(pz_launch(c, &expm_log_slopes, pz_count(&w), (const pz_tensor* const[]){&w, g_out, &h},
                   NULL, &n));
  // gX <- V diag(h) V^T
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &h, &v, &scaled));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &scaled, &v, 0.0, gx);
}

/* ---- general matrices ------------------------------------------------------------ */

/* log |sinh(d) / d| for d = a + b i. */
static double
log_sinhc(const double a, const double b)
{
  const double size = hypot(a, b);
  if (size < 1e-100) {
    return 0.0;
  }
  if (fabs(a) > 20.0) { // |sinh d| is exp(|a|) / 2 to rounding
    return fabs(a) - log(2.0) - log(size);
  }
  return log(hypot(sinh(a), sin(b)) / size);
}

/* re + i im <- the eigenvalues of a real Schur form. */
static void
eigenvalues(const int64_t n, const double* const t, double* const re, double* const im)
{
  for (int64_t i = 0; i < n; ++i) {
    const double below = i + 1 < n ? t[(i + 1) * n + i] : 0.0;
    re[i] = t[i * n + i];
    im[i] = 0.0;
    if (below != 0.0) {
      re[i + 1] = t[(i + 1) * n + i + 1];
      im[i] = sqrt(fabs(t[i * n + i + 1])) * sqrt(fabs(below));
      im[i + 1] = -im[i];
      ++i;
    }
  }
}

static double
sum_over_pairs(const int64_t n, const double* const re, const double* const im)
{
  double sum = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    sum += (double)n * re[i];
    for (int64_t j = 0; j < i; ++j) {
      sum += 2.0 * log_sinhc(0.5 * (re[i] - re[j]), 0.5 * (im[i] - im[j]));
    }
  }
  return sum;
}

/* The eigenvalues come from the real Schur form, which is computed on the host. */
static pz_status
general_log_abs_det(pz_call* const c, const pz_tensor* const x, pz_tensor* const out)
{
  const int64_t n = pz_rows(x);
  const int64_t batch = pz_batch(x);
  pz_tensor t;
  pz_tensor z;
  void* memory = NULL;
  PZ_TRY(pz_work_like(c, x, &t));
  PZ_TRY(pz_work_like(c, x, &z));
  PZ_TRY(pz_schur(c, x, &t, &z));
  PZ_TRY(pz_work_host(c, (size_t)(batch * n * n + batch + 2 * n) * sizeof(double), &memory));
  double* const entries = memory;
  double* const sums = entries + batch * n * n;
  double* const re = sums + batch;
  PZ_TRY(pz_read(c, &t, entries));
  for (int64_t k = 0; k < batch; ++k) {
    eigenvalues(n, entries + k * n * n, re, re + n);
    sums[k] = sum_over_pairs(n, re, re + n);
  }
  return pz_write(c, sums, out);
}

/* ---- the callbacks ------------------------------------------------------------------ */

pz_status
expm_log_abs_det(pz_call* const c, const pz_tensor* const x, pz_tensor* const out)
{
  if (pz_count(x) == 0) {
    return pz_fill(c, 0.0, out);
  }
  return expm_is_symmetric(c->in) ? symmetric_log_abs_det(c, x, out)
         : expm_is_skew(c->in)    ? expm_rotation_log_abs_det(c, c->in, x, out)
                                  : general_log_abs_det(c, x, out);
}

pz_status
expm_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const g_out,
                     pz_tensor* const gx)
{
  if (!expm_is_symmetric(c->in) && !expm_is_skew(c->in)) {
    return pz_fail(c, PZ_UNSUPPORTED,
                   "the gradient of log |det| is known after symmetric and skew matrices only");
  }
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  return expm_is_symmetric(c->in) ? symmetric_log_abs_det_vjp(c, x, g_out, gx)
                                  : expm_rotation_log_abs_det_vjp(c, c->in, x, g_out, gx);
}
