/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The coefficients solve the order conditions, computed with 60 digits. The bounds keep the backward
   error below the unit roundoff. */

#include "exponential_schemes.h"

#include <math.h>

const expm_scheme expm_schemes[EXPM_SCHEMES] = {
    {
        .degree = 1,
        .products = 0,
        .bound = {1.19e-7, 2.2e-16},
        .last = {1.0, 1.0},
    },
    {
        // I + X + (X/2) X
        .degree = 2,
        .products = 1,
        .bound = {5.98e-4, 2.58e-8},
        .left = {{0.0, 0.5}},
        .right = {{0.0, 1.0}},
        .last = {1.0, 1.0},
    },
    {
        // I + X + X2 (I/2 + X/6 + X2/24)
        .degree = 4,
        .products = 2,
        .bound = {5.12e-2, 3.40e-4},
        .left = {{0.0, 1.0}, {0.0, 0.0, 1.0}},
        .right = {{0.0, 1.0}, {1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0}},
        .last = {1.0, 1.0, 0.0},
    },
    {
        // v3 = X2 (x1 X + x2 X2),  v4 = (x3 X2 + v3)(x4 I + x5 X + x6 X2 + x7 v3)
        .degree = 8,
        .products = 3,
        .bound = {0.580, 4.99e-2},
        .left = {{0.0, 1.0}, {0.0, 0.0, 1.0}, {0.0, 0.0, 2.0 / 3.0, 1.0}},
        .right =
            {
                {0.0, 1.0},
                {0.0, 0.10836465678522780852, 0.027091164196306952131},
                {0.54676145797072405251, 0.16112557339541759283, 0.014090917158378207731,
                 0.033792797010870504141},
            },
        .last = {1.0, 1.0, 0.13549236135285063166, 0.0},
    },
    {
        // v4 = B4 B4,  v5 = (B2 + B3 + v4)(B3 + v4),  B's in I, X, X2, X3
        .degree = 12,
        .products = 4,
        .bound = {1.46, 0.300},
        .left =
            {
                {0.0, 1.0},
                {0.0, 0.0, 1.0},
                {0.0, -0.13181061013830184016, -0.020278555405892590793, -0.0067595184686308635978},
                {5.497867657420412752, 1.2542958885706323613, 0.10530887011529250074,
                 0.017195450574175066241, 1.0},
            },
        .right =
            {
                {0.0, 1.0},
                {0.0, 1.0},
                {0.0, -0.13181061013830184016, -0.020278555405892590793, -0.0067595184686308635978},
                {0.18188869982170465169, 0.05502798439930792559, 0.093515907705362690433,
                 0.0061070052889834187641, 1.0},
            },
        .last = {0.0, 0.46932117595418786031, -0.20099424927047156207, -0.046239461340630845337,
                 0.0},
    },
    {
        // v4 = X6 = X3 X3,  v5 = B1 B5,  v6 = (B3 + B4 + v5)(B4 + v5),  B's in I, X, X2, X3, X6
        .degree = 18,
        .products = 5,
        .bound = {3.01, 1.09},
        .left =
            {
                {0.0, 1.0},
                {0.0, 0.0, 1.0},
                {0.0, 0.0, 0.0, 1.0},
                {0.0, -0.10036558103014462087, -0.0080292464824115696693,
                 -0.00089213849804572996325, 0.0},
                {-11.058071288535287316, 1.6125176868819237811, 0.12477411482493251588,
                 0.0225731558180510319, 0.000019579475957000983719, 1.0},
            },
        .right =
            {
                {0.0, 1.0},
                {0.0, 1.0},
                {0.0, 0.0, 0.0, 1.0},
                {0.0, 0.0, -0.092336461936711858493, -0.016936493900208171575,
                 -0.000014008679818203615861},
                {-0.090431683239081056197, -0.067640451907138190756, 0.067596130177045964608,
                 0.029555257042931552743, -0.000013918025751606070112, 1.0},
            },
        .last = {0.0, 0.39784974949964507615, 1.3678377846041171992, 0.49828962252538267756,
                 -0.00063789819459472330924, 0.0},
    },
};

double
expm_growth(const double bound, const int steps, const double* const size,
            const double* const ratio)
{
  enum { FIRST_OMITTED = 19 };
  const double roundings = 32.0;   /* in units of I and X 2^-s: exp of the larger bound */
  double power[FIRST_OMITTED + 1]; /* log p(k) */
  if (steps <= 1) {
    return ratio[1]; /* p(k) <= p(1) ratio^(k-1) for all k */
  }
  power[1] = log(size[0]);
  for (int k = 2; k <= FIRST_OMITTED; ++k) {
    power[k] = power[k - 1] + log(k - 1 <= steps ? size[k - 1] : ratio[steps]);
  }
  const double growth = exp((power[FIRST_OMITTED] - power[1]) / (FIRST_OMITTED - 1));
  int least = 0;
  (void)frexp(growth / bound, &least);
  least = least > 0 ? least : 0;
  for (int more = 0;; ++more) {
    const double shift = (least + more) * log(2.0);
    double factorial = 1.0;
    double sum = 0.0;
    for (int k = 1; k < FIRST_OMITTED; ++k) {
      factorial *= k;
      sum += exp(power[k] - k * shift) / factorial;
    }
    if (!(sum > ldexp(roundings, more) * fmax(1.0, exp(power[1] - shift)))) {
      return more > 0 ? ldexp(0.75 * bound, least + more) : growth;
    }
  }
}

/* The sum of exponent-weighted logarithms that bounds log |X^k| for k = 6 q + r. */
static double
log_power_bound(const double log2nd, const double log3rd, const double log6th, const int k)
{
  const int q = k / 6;
  switch (k % 6) {
  case 0:
    return q * log6th;
  case 1: /* 7 = 2 + 2 + 3 */
    return (q - 1) * log6th + 2.0 * log2nd + log3rd;
  case 2:
    return q * log6th + log2nd;
  case 3:
    return q * log6th + log3rd;
  case 4:
    return q * log6th + 2.0 * log2nd;
  default:
    return q * log6th + log2nd + log3rd;
  }
}

/* A bound on |X^k|^(1/k), k >= 19, from the norms of X^2, X^3 and X^6. */
static double
powers_bound(const bool normal, const double second, const double third, const double sixth)
{
  if (normal) { /* |X^k| = |X|^k in the spectral norm */
    return fmin(sqrt(second), fmin(cbrt(third), pow(sixth, 1.0 / 6.0)));
  }
  const double logs[EXPM_POWERS] = {log(second), log(third), log(sixth)};
  double bound = -INFINITY;
  for (int k = 19; k < 25; ++k) {
    const double each = log_power_bound(logs[0], logs[1], logs[2], k) / k;
    bound = each <= bound ? bound : each;
  }
  return exp(bound);
}

/* The largest t >= 0 with 2^t <= ratio; 0 if there is none. */
static int
squarings_within(const double ratio)
{
  int t = 0;
  if (!(ratio >= 2.0)) {
    return 0;
  }
  if (isinf(ratio)) {
    return 1022;
  }
  (void)frexp(ratio, &t); /* 2^(t-1) <= ratio */
  return t - 1;
}

int
expm_spared(const double bound, const bool normal, const double norm, const double rounding,
            const double norms[EXPM_POWERS])
{
  const int rounded = squarings_within(rounding > 0.0 ? EXPM_ROUNDING / rounding : INFINITY);
  if (rounded == 0) {
    return 0;
  }
  const int truncation =
      squarings_within(bound / fmin(norm, powers_bound(normal, norms[0], norms[1], norms[2])));
  return truncation < rounded ? truncation : rounded;
}
