/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices of bounded rank, f(s) = s, of fixed rank and with positive determinant, f(s) = log(1 + e^s), and
   with determinant 1, f(s) = e^(s - mean s) (spectrum.h). */

#include "spectrum.h"

#include <math.h>

// clang-format off

PZ_KERNEL(identity, 3, 0, 0,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, f);
  PZ_TENSOR_ARG(2, slope);
  f[i] = s[i];
  slope[i] = (real)1;
)

PZ_KERNEL(softplus, 3, 0, 0,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, f);
  PZ_TENSOR_ARG(2, slope);
  f[i] = pz_softplus(s[i]);
  slope[i] = pz_logistic(s[i]);
)

PZ_KERNEL(exponential, 3, 0, 0,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, f);
  PZ_TENSOR_ARG(2, slope);
  f[i] = pz_exp(s[i]);
  slope[i] = f[i];
)

// clang-format on

/* The first singular value beyond the rank. */
static double
beyond(const pz_call* const c, const int64_t k, const int64_t r, const double* const sigma,
       const double det)
{
  (void)c;
  (void)det;
  return isfinite(sigma[0]) ? (r < k ? sigma[r] : 0.0) : NAN;
}

/* The nearest matrix that is not on the other side is singular. */
static double
from_positive(const pz_call* const c, const int64_t k, const int64_t r, const double* const sigma,
              const double det)
{
  (void)c;
  (void)r;
  return isfinite(sigma[0]) ? (det < 0.0 ? sigma[k - 1] : 0.0) : NAN;
}

/* To first order: log det changes by the sum of d_i / sigma_i, whose least solution has the norm
   |log det| / |1 / sigma|. Beyond that, what makes the smallest value positive. */
static double
from_unit(const pz_call* const c, const int64_t k, const int64_t r, const double* const sigma,
          const double det)
{
  double log_det = 0.0;
  double norm = 0.0; /* of sigma[k - 1] / sigma */
  (void)c;
  (void)r;
  if (!isfinite(sigma[0]) || sigma[k - 1] == 0.0) {
    return isfinite(sigma[0]) ? 1.0 : NAN;
  }
  for (int64_t j = 0; j < k; ++j) {
    log_det += log(sigma[j]);
    norm = hypot(norm, sigma[k - 1] / sigma[j]);
  }
  return sigma[k - 1] * (fabs(log_det) / norm + (det < 0.0 ? 2.0 : 0.0));
}

static bool
invert_softplus(const pz_call* const c, const int64_t r, const double share, double* const sigma)
{
  const bool full = spectrum_raise(c, r, share, sigma);
  for (int64_t j = 0; j < r; ++j) {
    sigma[j] += log(-expm1(-sigma[j]));
  }
  return full;
}

static bool
invert_exponential(const pz_call* const c, const int64_t r, const double share, double* const sigma)
{
  double mean = 0.0;
  const bool full = spectrum_raise(c, r, share, sigma);
  for (int64_t j = 0; j < r; ++j) {
    sigma[j] = log(sigma[j]);
    mean += sigma[j] / (double)r;
  }
  for (int64_t j = 0; j < r; ++j) {
    sigma[j] -= mean;
  }
  return full;
}

static const spectrum low = {
    .ranked = true, .any_sign = true, .value = &identity, .distance = beyond};
static const spectrum fixed = {.ranked = true,
                               .value = &softplus,
                               .distance = beyond,
                               .invert = invert_softplus,
                               .reachable = "as many positive ones as the rank"};
static const spectrum general = {.square = true,
                                 .value = &softplus,
                                 .distance = from_positive,
                                 .invert = invert_softplus,
                                 .reachable = "an invertible matrix"};
static const spectrum special = {.square = true,
                                 .centred = true,
                                 .value = &exponential,
                                 .distance = from_unit,
                                 .invert = invert_exponential,
                                 .reachable = "an invertible matrix"};

SPECTRUM_CALLBACKS(low)
SPECTRUM_CALLBACKS(fixed)
SPECTRUM_CALLBACKS(general)
SPECTRUM_CALLBACKS(special)

static const pz_option square_options[] = {SPECTRUM_SQUARE_OPTIONS(3)};
static const pz_option options[] = {
    SPECTRUM_OPTIONS,
    [OWN_OPTIONS] = PZ_OPTION_INTEGER("rank", 0, 0, INT32_MAX, "the rank; 0: the smaller extent"),
};

const pz_parametrization factors_low_rank = {
    .size = sizeof(factors_low_rank),
    .option_size = sizeof(pz_option),
    .id = "low_rank",
    .summary = "Matrices of bounded rank",
    .tags = "matrix rank",
    .formula =
        "Y = U diag(s) V^T; U, V are values of `orthogonal`\n"
        "domain: left n x rank, spectrum of rank numbers, right m x rank\n"
        "right inverse: the largest singular values and their vectors\n"
        "cost: n m rank multiply-adds forward and those of two frames, three times as many in "
        "vjp",
    PZ_OPTIONS(options),
    SPECTRUM_TABLE(low),
};

const pz_parametrization factors_fixed_rank = {
    .size = sizeof(factors_fixed_rank),
    .option_size = sizeof(pz_option),
    .id = "fixed_rank",
    .summary = "Matrices of a given rank",
    .tags = "matrix rank",
    .formula =
        "Y = U diag(log(1 + e^s)) V^T; U, V are values of `orthogonal`\n"
        "domain: left n x rank, spectrum of rank numbers, right m x rank\n"
        "right inverse: the largest singular values and their vectors; registered values below "
        "sqrt(eps) times the largest become that\n"
        "cost: n m rank multiply-adds forward and those of two frames, three times as many in vjp",
    PZ_OPTIONS(options),
    SPECTRUM_TABLE(fixed),
};

const pz_parametrization factors_general_linear = {
    .size = sizeof(factors_general_linear),
    .option_size = sizeof(pz_option),
    .id = "general_linear",
    .summary = "Invertible matrices with positive determinant",
    .tags = "matrix invertible",
    .formula =
        "Y = U diag(log(1 + e^s)) V^T; U, V are rotations by `orthogonal`\n"
        "domain: left n x n, spectrum of n numbers, right n x n\n"
        "right inverse: singular values and vectors; of a registered matrix with negative "
        "determinant the last column of U changes sign, and values below sqrt(eps) times "
        "the largest become that\n"
        "cost: n^3 multiply-adds forward and those of two frames, three times as many in vjp",
    PZ_OPTIONS(square_options),
    SPECTRUM_TABLE(general),
};

const pz_parametrization factors_special_linear = {
    .size = sizeof(factors_special_linear),
    .option_size = sizeof(pz_option),
    .id = "special_linear",
    .summary = "Matrices with determinant 1",
    .tags = "matrix invertible",
    .formula =
        "Y = U diag(e^(s - mean s)) V^T; U, V are rotations by `orthogonal`\n"
        "domain: left n x n, spectrum of n numbers, right n x n\n"
        "right inverse: as general_linear, then divided by det^(1/n)\n"
        "cost: n^3 multiply-adds forward and those of two frames, three times as many in vjp",
    PZ_OPTIONS(square_options),
    SPECTRUM_TABLE(special),
};
