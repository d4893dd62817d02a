/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices with singular values within a radius of 1, f(s) = 1 + radius sin s or 1 + radius tanh s
   (spectrum.h). The distance is that of the farthest singular value. */

#include "spectrum.h"

#include <math.h>

enum { RADIUS = OWN_OPTIONS, MAP };
enum { SIN, TANH };
static const char* const maps[] = {"sin", "tanh"};

// clang-format off

PZ_KERNEL(within, 3, 1, 0,
  PZ_TENSOR_ARG(0, s);
  PZ_TENSOR_ARG(1, f);
  PZ_TENSOR_ARG(2, slope);
  PZ_REAL_ARG(0, signed_radius);
  const real radius = pz_abs(signed_radius);
  const int is_sin = signed_radius > (real)0;
  f[i] = 1 + radius * (is_sin != 0 ? pz_sin(s[i]) : pz_tanh(s[i]));
  slope[i] = radius * (is_sin != 0 ? pz_cos(s[i])
                                   : 4 * pz_logistic(2 * s[i]) * pz_logistic(-2 * s[i]));
)

// clang-format on

/* Negative: the radius of tanh. */
static double
signed_radius(const pz_call* const c)
{
  const double radius = c->options[RADIUS].as.real;
  return c->options[MAP].as.integer == SIN ? radius : -radius;
}

static double
from_annulus(const pz_call* const c, const int64_t k, const int64_t r, const double* const sigma,
             const double det)
{
  const double far = fmax(fabs(sigma[0] - 1.0), fabs(sigma[k - 1] - 1.0));
  (void)r;
  (void)det;
  return isfinite(sigma[0]) ? fmax(0.0, far - c->options[RADIUS].as.real) : NAN;
}

/* `share` of the radius is how near to 1 and -1 tanh may come. */
static bool
invert(const pz_call* const c, const int64_t r, const double share, double* const sigma)
{
  const double radius = c->options[RADIUS].as.real;
  const bool is_sin = c->options[MAP].as.integer == SIN;
  const double most = is_sin ? 1.0 : 1.0 - share;
  bool reached = true;
  for (int64_t j = 0; j < r; ++j) {
    const double t = radius > 0.0 ? (sigma[j] - 1.0) / radius : 0.0;
    const double kept = fmax(-most, fmin(most, t));
    reached = reached && (is_sin || c->intent != PZ_ASSIGN || fabs(t) < 1.0);
    sigma[j] = is_sin ? asin(kept) : atanh(kept);
  }
  return reached;
}

static const spectrum almost = {.value = &within,
                                .parameter = signed_radius,
                                .distance = from_annulus,
                                .invert = invert,
                                .reachable = "values less than the radius from 1"};

SPECTRUM_CALLBACKS(almost)

static const pz_option options[] = {
    SPECTRUM_OPTIONS,
    [RADIUS] = PZ_OPTION_REAL("radius", 0.5, 0.0, 1.0, "how far singular values are from 1"),
    [MAP] = PZ_OPTION_CHOICE("map", SIN, maps, "what keeps them within the radius"),
};

const pz_parametrization factors_almost_orthogonal = {
    .size = sizeof(factors_almost_orthogonal),
    .option_size = sizeof(pz_option),
    .id = "almost_orthogonal",
    .summary = "Matrices with singular values near 1",
    .tags = "matrix orthogonal",
    .formula =
        "Y = U diag(1 + radius sin s) V^T, or tanh s; U, V are values of `orthogonal`\n"
        "domain: left n x k, spectrum of k numbers, right m x k, k = min(n, m)\n"
        "right inverse: singular values and vectors; registered values are moved to the radius\n"
        "cost: n m k multiply-adds forward and those of two frames, three times as many in vjp",
    PZ_OPTIONS(options),
    SPECTRUM_TABLE(almost),
};
