/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| of the exponential from skew matrices, by their strict triangle, to rotations, by that
   of Q^T dQ. A skew X of order n has m = floor(n / 2) angles t_i: its eigenvalues are the pairs
   +-i t_i, and 0 if n is odd. Then

     log |det| = sum over i < j of c(t_i - t_j) + c(t_i + t_j), for odd n plus sum over i of c(t_i)
     c(t) = 2 log |sin(t / 2) / (t / 2)|

   and the gradient at the skew matrix is H = X V diag(h_i / t_i) V^T, where

     h_i = sum over j != i of c'(t_i - t_j) + c'(t_i + t_j), for odd n plus c'(t_i)
     c'(t) = cot(t / 2) - 2 / t

   The eigenvalues of X^T X = -X^2 are t_i^2, each twice, and V are its eigenvectors: c is smooth in
   t_i^2, so squaring loses no accuracy. Where t_i = 0, X V is zero, and so is that term of H. */

#include "exponential.h"

#include "log_det.h"

// clang-format off

/* One item per angle: t <- the root of the mean of its two eigenvalues. */
PZ_KERNEL(rotation_angles, 2, 0, 1,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, t);
  PZ_INTEGER_ARG(0, n);
  const pz_int m = n / 2;
  const pz_int first = i / m * n + n % 2 + i % m * 2;
  const real square = (real)0.5 * (w[first] + w[first + 1]);
  t[i] = square < (real)0 ? (real)0 : pz_sqrt(square);
)

/* One item per angle: the terms of log |det| that it has with itself and those before it. */
PZ_KERNEL(rotation_log_sines, 2, 0, 1,
  PZ_TENSOR_ARG(0, t);
  PZ_TENSOR_ARG(1, terms);
  PZ_INTEGER_ARG(0, n);
  const pz_int m = n / 2;
  const pz_int first = i / m * m;
  real sum = (real)0;
  for (pz_int j = first; j <= i; ++j) {
    for (int part = 0; part < 2; ++part) {
      const real a = j < i ? (part == 0 ? t[i] - t[j] : t[i] + t[j])
                           : (part == 0 && n % 2 == 1 ? t[i] : (real)0);
      const real b = (real)0.5 * a;
      sum += b == (real)0 ? (real)0 : (real)2 * pz_log(pz_abs(pz_sin(b) / b));
    }
  }
  terms[i] = sum;
)

/* One item per eigenvector: h / t of its angle, times the factor of its matrix. The series of c'
   is used below 1/2, where the difference would cancel. */
PZ_KERNEL(rotation_cotangents, 3, 0, 1,
  PZ_TENSOR_ARG(0, t);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, ratio);
  PZ_INTEGER_ARG(0, n);
  const pz_int m = n / 2;
  const pz_int first = i / n * m;
  const pz_int own = i % n < n % 2 ? (pz_int)-1 : first + (i % n - n % 2) / 2;
  const real at = own < 0 ? (real)0 : t[own];
  real sum = (real)0;
  for (pz_int j = first; j < first + m; ++j) {
    for (int part = 0; part < 2; ++part) {
      const real a = j != own ? (part == 0 ? at - t[j] : at + t[j])
                              : (part == 0 && n % 2 == 1 ? at : (real)0);
      const real v = a * a;
      const real series =
          (real)1 +
          v * ((real)(1.0 / 60) +
               v * ((real)(1.0 / 2520) +
                    v * ((real)(1.0 / 100800) +
                         v * ((real)(1.0 / 3991680) +
                              v * ((real)(691.0 / 108972864000) + v * (real)(1.0 / 6227020800))))));
      sum += v < (real)0.25 ? -a / (real)6 * series
                            : (real)1 / pz_tan((real)0.5 * a) - (real)2 / a;
    }
  }
  ratio[i] = at == (real)0 ? (real)0 : g[i / n] * (sum / at);
)

// clang-format on

/* w (..., n) and v <- eigenvalues and eigenvectors (v may be NULL) of X^T X, t (..., m) <- the
   angles. */
static pz_status
angles(pz_call* const c, const pz_tensor* const x, pz_tensor* const v, pz_tensor* const t)
{
  const int64_t n = pz_rows(x);
  const pz_spec row = pz_spec_make(x->dtype, x->ndim - 1, x->shape);
  pz_spec half = row;
  pz_tensor square;
  pz_tensor w;
  half.shape[half.ndim - 1] = n / 2;
  PZ_TRY(pz_work_like(c, x, &square));
  PZ_TRY(pz_work(c, &row, &w));
  PZ_TRY(pz_work(c, &half, t));
  PZ_TRY(pz_syrk(c, PZ_T, 1.0, x, 0.0, &square));
  PZ_TRY(pz_eigh(c, &square, &w, v));
  return pz_launch(c, &rotation_angles, pz_count(t), (const pz_tensor* const[]){&w, t}, NULL, &n);
}

pz_status
expm_rotation_log_abs_det(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                          pz_tensor* const out)
{
  const int64_t n = pz_rows(x);
  pz_tensor t;
  pz_tensor terms;
  if (n < 2 || pz_count(x) == 0) {
    return pz_fill(c, 0.0, out);
  }
  if (expm_is_closed(in, n)) {
    return expm_closed_log_abs_det(c, in, x, out);
  }
  PZ_TRY(angles(c, x, NULL, &t));
  PZ_TRY(pz_work_like(c, &t, &terms));
  PZ_TRY(pz_launch(c, &rotation_log_sines, pz_count(&t), (const pz_tensor* const[]){&t, &terms},
                   NULL, &n));
  return log_det_sum(c, &terms, out);
}

pz_status
expm_rotation_log_abs_det_vjp(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                              const pz_tensor* const g_out, pz_tensor* const gx)
{
  const int64_t n = pz_rows(x);
  const pz_spec row = pz_spec_make(x->dtype, x->ndim - 1, x->shape);
  pz_tensor t;
  pz_tensor v;
  pz_tensor ratio;
  pz_tensor scaled;
  pz_tensor product;
  if (n < 2 || pz_count(x) == 0) {
    return pz_fill(c, 0.0, gx);
  }
  if (expm_is_closed(in, n)) {
    return expm_closed_log_abs_det_vjp(c, in, x, g_out, gx);
  }
  PZ_TRY(pz_work_like(c, x, &v));
  PZ_TRY(pz_work(c, &row, &ratio));
  PZ_TRY(pz_work_like(c, x, &scaled));
  PZ_TRY(pz_work_like(c, x, &product));
  PZ_TRY(angles(c, x, &v, &t));
  PZ_TRY(pz_launch(c, &rotation_cotangents, pz_count(&ratio),
                   (const pz_tensor* const[]){&t, g_out, &ratio}, NULL, &n));
  // H <- X V diag(h / t) V^T; its strict triangle counts H and its transpose
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &ratio, &v, &scaled));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &scaled, &v, 0.0, &product));
  return pz_gemm(c, PZ_N, PZ_N, 0.5, x, &product, 0.0, gx);
}
