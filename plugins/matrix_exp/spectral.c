/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential of symmetric matrices by eigenvalues. With X = V diag(w) V^T,

     exp(X) = Z Z^T,  Z = V diag(exp(w/2))

   which is positive semidefinite up to rounding for any w. The adjoint (Daleckii-Krein) reuses the
   eigenvectors:

     gX = V (F o (V^T G V)) V^T,  F_ij = (exp w_i - exp w_j) / (w_i - w_j)
        = exp(max) (1 - exp(-d)) / d,  d = |w_i - w_j|,  and exp(w_i) at d = 0

   The last form has no cancellation and overflows only if exp(max) does. The right inverse is
   V diag(log w) V^T if every w > 0. At registration, or inside a chain, the tensor is projected
   first: to its symmetric part, with every w raised to at least n eps times the largest. If the
   input of forward is positive definite, the bound for w is 1 instead of 0. */

#include "matrix_exp.h"

#include <math.h>

// clang-format off

PZ_KERNEL(expm_half_exponential, 2, 0, 0,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, e);
  e[i] = pz_exp((real)0.5 * w[i]);
)

/* One item per matrix: w <- log(max(w, least, slack times its largest magnitude)). */
PZ_KERNEL(expm_logarithm, 1, 2, 1,
  PZ_TENSOR_ARG(0, w);
  PZ_REAL_ARG(0, least);
  PZ_REAL_ARG(1, slack);
  PZ_INTEGER_ARG(0, n);
  const pz_int first = i * n;
  const real size = slack * pz_max(pz_abs(w[first]), pz_abs(w[first + n - 1]));
  const real lowest = size > least ? size : least;
  for (pz_int j = first; j < first + n; ++j) {
    w[j] = pz_log(w[j] < lowest ? lowest : w[j]);
  }
)

/* One item per eigenvalue: w <- v^T Y v, its Rayleigh quotient, unless w is above the bound. */
PZ_KERNEL(expm_rayleigh, 3, 1, 1,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, v);
  PZ_TENSOR_ARG(2, y);
  PZ_REAL_ARG(0, bound);
  PZ_INTEGER_ARG(0, n);
  const pz_int first = i / n * n * n;
  const pz_int k = i % n;
  real sum = 0;
  for (pz_int e = 0; e < n * n && w[i] <= bound; ++e) {
    sum += v[first + e / n * n + k] * y[first + e] * v[first + e % n * n + k];
  }
  w[i] = w[i] <= bound ? sum : w[i];
)

/* One item per entry of F o T. */
PZ_KERNEL(expm_divided_difference, 2, 0, 1,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, t);
  PZ_INTEGER_ARG(0, n);
  const pz_int matrix = i / (n * n);
  const real a = w[matrix * n + i / n % n];
  const real b = w[matrix * n + i % n];
  const real d = a > b ? a - b : b - a;
  const real e = pz_exp(a > b ? a : b);
  t[i] *= d == (real)0 ? e : e * (-pz_expm1(-d) / d);
)

// clang-format on

static pz_spec
row_spec(const pz_tensor* const x)
{
  return pz_spec_make(x->dtype, x->ndim - 1, x->shape);
}

pz_status
expm_spectral(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_spec row = row_spec(x);
  pz_tensor w;
  pz_tensor v;
  pz_tensor e;
  pz_tensor z;
  pz_tensor product;
  PZ_TRY(pz_save(c, &row, &w));
  PZ_TRY(pz_save_like(c, x, &v));
  PZ_TRY(pz_work(c, &row, &e));
  PZ_TRY(pz_work_like(c, x, &z));
  PZ_TRY(pz_work_like(c, x, &product));
  PZ_TRY(pz_eigh(c, x, &w, &v));
  PZ_TRY(pz_launch(c, &expm_half_exponential, pz_count(&w), (const pz_tensor* const[]){&w, &e},
                   NULL, NULL));
  // Y <- Z Z^T, exactly symmetric
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &e, &v, &z));
  PZ_TRY(pz_syrk(c, PZ_N, 1.0, &z, 0.0, &product));
  return pz_symmetrize(c, 0.5, 1, &product, y);
}

pz_status
expm_spectral_vjp(pz_call* const c, const pz_tensor* const gy, pz_tensor* const gx)
{
  pz_tensor w;
  pz_tensor v;
  pz_tensor s;
  pz_tensor t;
  PZ_TRY(pz_saved(c, 0, &w));
  PZ_TRY(pz_saved(c, 1, &v));
  PZ_TRY(pz_work_like(c, gy, &s));
  PZ_TRY(pz_work_like(c, gy, &t));
  // T <- F o (V^T G V)
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &v, gy, 0.0, &s));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &s, &v, 0.0, &t));
  PZ_TRY(pz_launch(c, &expm_divided_difference, pz_count(&t), (const pz_tensor* const[]){&w, &t},
                   NULL, (const int64_t[]){pz_rows(gy)}));
  // gX <- V T V^T
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &v, &t, 0.0, &s));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &s, &v, 0.0, gx);
}

/* The exponentials of definite matrices have eigenvalues above 1. */
static double
least_eigenvalue(const pz_call* const c)
{
  return c->in == PZ_SPD ? 1.0 : 0.0;
}

/* out <- the numbers that decide membership, in one read: for each matrix the largest entry of its
   skew part, then for each its largest entry, then for each its n eigenvalues, ascending. w and v
   (may be NULL) <- eigenvalues and eigenvectors of the symmetric part. */
static pz_status
examine(pz_call* const c, const pz_tensor* const y, pz_tensor* const w, pz_tensor* const v,
        const double** const out)
{
  const int64_t n = pz_rows(y);
  const int64_t batch = pz_batch(y);
  const pz_spec all = pz_spec_make(y->dtype, 1, (const int64_t[]){batch * (n + 2)});
  pz_tensor numbers;
  pz_tensor part;
  PZ_TRY(pz_work(c, &all, &numbers));
  PZ_TRY(pz_work_like(c, y, &part));
  pz_view skew_view;
  pz_view size_view;
  pz_view w_view;
  pz_tensor* const skew = pz_view_reshaped(&skew_view, &numbers, y->ndim - 2, y->shape);
  pz_tensor* const size = pz_view_reshaped(&size_view, &numbers, y->ndim - 2, y->shape);
  pz_tensor* const copied = pz_view_reshaped(&w_view, &numbers, y->ndim - 1, y->shape);
  size->byte_offset += (uint64_t)batch * pz_dtype_size(y->dtype);
  copied->byte_offset += (uint64_t)(2 * batch) * pz_dtype_size(y->dtype);

  PZ_TRY(pz_symmetrize(c, 0.5, -1, y, &part));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &part, skew));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, y, size));
  PZ_TRY(pz_symmetrize(c, 0.5, 1, y, &part));
  PZ_TRY(pz_eigh(c, &part, w, v));
  if (v) { /* matrices scaled by their largest entry lose eigenvalues far below it */
    PZ_TRY(pz_launch(c, &expm_rayleigh, pz_count(w), (const pz_tensor* const[]){w, v, &part},
                     (const double[]){least_eigenvalue(c)}, (const int64_t[]){n}));
  }
  PZ_TRY(pz_copy(c, w, copied));
  return pz_read_all(c, &numbers, out);
}

pz_status
expm_log_definite(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t n = pz_rows(y);
  const int64_t batch = pz_batch(y);
  const double tolerance = 100.0 * (double)n * pz_dtype_epsilon(y->dtype);
  const double bound = least_eigenvalue(c);
  const double slack = c->intent == PZ_ASSIGN ? 0.0 : tolerance / 100.0;
  const pz_spec row = row_spec(y);
  const double* found = NULL;
  pz_tensor w;
  pz_tensor v;
  pz_tensor z;
  pz_tensor product;
  PZ_TRY(pz_work(c, &row, &w));
  PZ_TRY(pz_work_like(c, y, &v));
  PZ_TRY(pz_work_like(c, y, &z));
  PZ_TRY(pz_work_like(c, y, &product));
  PZ_TRY(examine(c, y, &w, &v, &found));
  for (int64_t k = 0; k < batch; ++k) {
    const double largest = found[batch + k];
    const double* const each = found + 2 * batch + k * n;
    const double size = fmax(fabs(each[0]), fabs(each[n - 1]));
    double least = each[0];
    for (int64_t j = 1; j < n; ++j) { /* they ascend but for those that were lost */
      least = each[j] < least ? each[j] : least;
    }
    if (c->intent == PZ_ASSIGN && !(found[k] <= tolerance * largest)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch at distance %.3g from a symmetric matrix, "
                     "expected at most %.3g",
                     (long long)k, found[k], tolerance * largest);
    }
    if (c->intent == PZ_ASSIGN ? !(least > bound) : !(size > 0.0)) {
      return pz_fail(c, c->intent == PZ_ASSIGN ? PZ_OUTSIDE : PZ_SINGULAR,
                     "found matrix %lld of the batch with smallest eigenvalue %.3g, expected a "
                     "positive definite one%s",
                     (long long)k, least, bound > 0.0 ? " with eigenvalues above 1" : "");
    }
  }
  // X <- V diag(log w) V^T, exactly symmetric
  PZ_TRY(pz_launch(c, &expm_logarithm, batch, (const pz_tensor* const[]){&w},
                   (const double[]){bound * (1.0 + slack), slack}, (const int64_t[]){n}));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &w, &v, &z));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &z, &v, 0.0, &product));
  return pz_symmetrize(c, 0.5, 1, &product, x);
}

pz_status
expm_definite_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const int64_t n = pz_rows(y);
  const int64_t batch = pz_batch(y);
  const pz_spec row = row_spec(y);
  const double* found = NULL;
  pz_tensor w;
  PZ_TRY(pz_work(c, &row, &w));
  PZ_TRY(examine(c, y, &w, NULL, &found));
  *distance = 0.0;
  for (int64_t k = 0; k < batch; ++k) {
    const double below = least_eigenvalue(c) - found[2 * batch + k * n];
    *distance = pz_max(*distance, pz_max(below, found[k]));
  }
  return PZ_OK;
}
