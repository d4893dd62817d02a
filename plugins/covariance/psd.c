/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Positive semidefinite matrices of bounded rank, from any n x r matrix x:

     y = x x^T,  gx = (g + g^T) x,  dy = dx x^T + x dx^T

   x Q gives the same y for every orthogonal Q, so there is no log |det|. Right inverse: V sqrt(w) of the
   r largest eigenvalues w. At registration those below eps times the largest become that: a column of
   zeros has gradient 0 and would stay. */

#include "matrices.h"

#include <math.h>

enum { RANK }; /* option */

static const matrices symmetric = {"a symmetric matrix", true, false, false};

static pz_status
psd_plan(pz_call* const c, const pz_spec* const given)
{
  const int64_t rank = c->options[RANK].as.integer;
  PZ_TRY(c->direction == PZ_FROM_TENSOR ? pz_expect_square(c, given)
                                        : pz_expect_dims(c, given, 2, "matrices"));
  pz_spec x = *given;
  pz_spec y = *given;
  const int64_t n = given->shape[given->ndim - 2];
  int64_t* const cols = &x.shape[x.ndim - 1];
  const int64_t r = rank == 0 ? n : rank;
  if (r > n && n > 0) {
    return pz_fail(c, PZ_MISMATCH, "found matrices of order %lld, expected at least the rank, %lld",
                   (long long)n, (long long)r);
  }
  if (c->direction == PZ_FROM_INPUT && *cols != r) {
    return pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected %lld columns for that rank",
                   (long long)n, (long long)*cols, (long long)r);
  }
  x.structure = PZ_GENERAL;
  *cols = r;
  y.shape[y.ndim - 1] = n;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  return pz_declare_value(c, &y, PZ_SYMMETRIC);
}

static pz_status
psd_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_syrk(c, PZ_N, 1.0, x, 0.0, y);
}

static pz_status
psd_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
        const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor both;
  PZ_TRY(pz_work_like(c, y, &both));
  PZ_TRY(pz_symmetrize(c, 1.0, 1, g, &both));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &both, x, 0.0, gx);
}

static pz_status
psd_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
        const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor half;
  PZ_TRY(pz_work_like(c, y, &half));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, dx, x, 0.0, &half));
  return pz_symmetrize(c, 1.0, 1, &half, dy);
}

/* How far eigenvalues w of one matrix, in ascending order, are from those of a member: the most negative, or
   the largest beyond the rank. */
static double
spectral_distance(const int64_t n, const int64_t rank, const double* const w)
{
  return fmax(-w[0], rank < n ? fabs(w[n - rank - 1]) : 0.0);
}

static pz_status
psd_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t n = pz_rows(y);
  const int64_t rank = pz_cols(x);
  const double eps = pz_dtype_epsilon(y->dtype);
  const bool assign = c->intent == PZ_ASSIGN;
  const double* numbers = NULL;
  pz_tensor w;
  pz_tensor v;
  pz_tensor root;
  pz_view last;
  if (n == 0) {
    return PZ_OK;
  }
  if (assign) {
    PZ_TRY(matrices_check(c, &symmetric, y));
  }
  PZ_TRY(pz_work_like(c, y, &v));
  PZ_TRY(matrices_spectra(c, y, &w, &v, &numbers));
  for (int64_t k = 0; assign && k < pz_batch(y); ++k) {
    const double distance = spectral_distance(n, rank, numbers + k * n);
    const double allowed =
        matrices_tolerance(y) * fmax(fabs(numbers[k * n]), numbers[k * n + n - 1]);
    if (!(distance <= allowed)) {
      return pz_fail(c, PZ_OUTSIDE,
                     "found matrix %lld of the batch at distance %.3g from a positive semidefinite "
                     "matrix of rank %lld, expected at most %.3g",
                     (long long)k, distance, (long long)rank, allowed);
    }
  }
  // an assigned matrix keeps its zeros
  PZ_TRY(matrices_roots(c, assign ? 0.0 : eps, assign ? 0.0 : eps, &w, &root));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &root, &v, &v));
  return pz_copy(c, pz_view_block(&last, &v, 0, n, n - rank, rank), x);
}

static pz_status
psd_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const int64_t n = pz_rows(y);
  const int64_t rank = c->options[RANK].as.integer;
  const double* numbers = NULL;
  pz_tensor w;
  PZ_TRY(matrices_residual(c, &symmetric, y, distance));
  if (n == 0 || !isfinite(*distance)) {
    return PZ_OK;
  }
  PZ_TRY(matrices_spectra(c, y, &w, NULL, &numbers));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    *distance = fmax(*distance, spectral_distance(n, rank == 0 ? n : rank, numbers + k * n));
  }
  return PZ_OK;
}

static const pz_option psd_options[] = {
    [RANK] = PZ_OPTION_INTEGER("rank", 0, 0, INT32_MAX, "the largest rank; 0: the order"),
};

const pz_parametrization matrices_psd = {
    .size = sizeof(matrices_psd),
    .option_size = sizeof(pz_option),
    .id = "psd",
    .summary = "Positive semidefinite matrices of bounded rank",
    .tags = "statistics covariance rank",
    .formula = "Y = X X^T\n"
               "domain: any n x rank matrix X\n"
               "right inverse: the largest eigenvalues' roots times their vectors; registered ones "
               "below eps times the largest become that\n"
               "cost: n^2 rank multiply-adds forward, as many in vjp",
    PZ_OPTIONS(psd_options),
    .plan = psd_plan,
    .forward = psd_forward,
    .right_inverse = psd_right_inverse,
    .vjp = psd_vjp,
    .residual = psd_residual,
    .jvp = psd_jvp,
};
