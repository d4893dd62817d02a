/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Eigenvalues of stable linear recursions.

     lru   x = (nu, theta), y = (re, im) of lambda = exp(-e^nu + i theta), |lambda| < 1
     s4d   y = -e^x < 0

   Derivatives of lru are computed from nu: the product of e^nu and the value is inf * 0 for large nu. With
   s = -exp(nu - e^nu),

     gnu = s (g_re cos theta + g_im sin theta),  gtheta = g_im re - g_re im
     log |det| = nu - 2 e^nu

   Right inverse of lru: theta = atan2(im, re) and nu = log(-l), l = log |lambda|, which does not cancel
   near the circle: log1p(q) / 2 with q = (a - 1)(a + 1) + b^2, a >= b the magnitudes of re and im. At
   registration, a modulus of 1 or more becomes exp(-tau), 0 becomes tau, and an entry of s4d that is
   not negative becomes -tau, tau = sqrt(eps). */

#include "series.h"

#include <math.h>

enum { LRU, S4D };
static const char* const forms[] = {"lru", "s4d"};

enum { FORM }; /* options */

// clang-format off

/* An item per pair of numbers. */
PZ_KERNEL(lru_value, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  const real size = pz_exp(-pz_exp(x[2 * i]));
  const real angle = x[2 * i + 1];
  y[2 * i] = size * pz_cos(angle);
  y[2 * i + 1] = size * pz_sin(angle);
)

PZ_KERNEL(lru_adjoint, 4, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, gx);
  const real slope = -pz_exp(x[2 * i] - pz_exp(x[2 * i]));
  const real angle = x[2 * i + 1];
  const real re = g[2 * i];
  const real im = g[2 * i + 1];
  gx[2 * i] = slope * (re * pz_cos(angle) + im * pz_sin(angle));
  gx[2 * i + 1] = im * y[2 * i] - re * y[2 * i + 1];
)

PZ_KERNEL(lru_tangent, 4, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_TENSOR_ARG(2, dx);
  PZ_TENSOR_ARG(3, dy);
  const real ds = -pz_exp(x[2 * i] - pz_exp(x[2 * i])) * dx[2 * i];
  const real angle = x[2 * i + 1];
  const real dangle = dx[2 * i + 1];
  dy[2 * i] = ds * pz_cos(angle) - y[2 * i + 1] * dangle;
  dy[2 * i + 1] = ds * pz_sin(angle) + y[2 * i] * dangle;
)

PZ_KERNEL(lru_inverse, 2, 1, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, x);
  PZ_REAL_ARG(0, tau);
  const real re = y[2 * i];
  const real im = y[2 * i + 1];
  const real a = pz_max(pz_abs(re), pz_abs(im));
  const real b = pz_min(pz_abs(re), pz_abs(im));
  const real q = (a - 1) * (a + 1) + b * b;
  const real l = q > (real)-0.5 ? (real)0.5 * pz_log1p(q) : pz_log(a == (real)0 ? tau : pz_hypot(a, b));
  x[2 * i] = pz_log(l >= (real)0 ? tau : -l);
  x[2 * i + 1] = pz_atan2(im, re);
)

/* beyond <- |lambda| - 1, 0 for lambda = 0 */
PZ_KERNEL(lru_beyond, 2, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, beyond);
  const real size = pz_hypot(y[2 * i], y[2 * i + 1]);
  beyond[i] = size == (real)0 ? (real)0 : size - 1;
)

PZ_KERNEL(lru_density, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, out);
  out[i] = x[2 * i] - 2 * pz_exp(x[2 * i]);
)

PZ_KERNEL(lru_density_slope, 3, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, gx);
  gx[2 * i] = g[i] * (1 - 2 * pz_exp(x[2 * i]));
  gx[2 * i + 1] = (real)0;
)

PZ_KERNEL(s4d_value, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = -pz_exp(x[i]);
)

PZ_KERNEL(s4d_inverse, 2, 1, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, x);
  PZ_REAL_ARG(0, tau);
  x[i] = pz_log(y[i] >= (real)0 ? tau : -y[i]);
)

// clang-format on

static bool
is_lru(const pz_call* const c)
{
  return c->options[FORM].as.integer == LRU;
}

/* Eigenvalues in t. */
static int64_t
count(const pz_call* const c, const pz_tensor* const t)
{
  return is_lru(c) ? pz_count(t) / 2 : pz_count(t);
}

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  const long long last = given->ndim > 0 ? (long long)given->shape[given->ndim - 1] : 1;
  if (is_lru(c) && last != 2) {
    return pz_fail(c, PZ_MISMATCH,
                   "found %lld numbers in the last dimension, expected 2, nu and theta", last);
  }
  PZ_TRY(pz_declare_density(c, is_lru(c) ? 1 : 0, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_launch(c, is_lru(c) ? &lru_value : &s4d_value, count(c, x), PZ_TENSORS(x, y), NULL,
                   NULL);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const g,
    pz_tensor* const gx)
{
  return is_lru(c) ? pz_launch(c, &lru_adjoint, count(c, x), PZ_TENSORS(x, y, g, gx), NULL, NULL)
                   : pz_hadamard(c, 1.0, g, y, 0.0, gx);
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const dx,
    pz_tensor* const dy)
{
  return is_lru(c) ? pz_launch(c, &lru_tangent, count(c, x), PZ_TENSORS(x, y, dx, dy), NULL, NULL)
                   : pz_hadamard(c, 1.0, dx, y, 0.0, dy);
}

/* How far each eigenvalue is beyond the bound. */
static pz_status
beyond_of(pz_call* const c, const pz_tensor* const y, pz_tensor* const beyond)
{
  const pz_spec spec = pz_spec_make(y->dtype, y->ndim - (is_lru(c) ? 1 : 0), y->shape);
  *beyond = *y;
  if (!is_lru(c)) {
    return PZ_OK;
  }
  PZ_TRY(pz_work(c, &spec, beyond));
  return pz_launch(c, &lru_beyond, count(c, y), PZ_TENSORS(y, beyond), NULL, NULL);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  static const series_bound bounds[] = {
      [LRU] = {"an eigenvalue of modulus 0 or 1", "an eigenvalue of modulus", 1.0},
      [S4D] = {"an eigenvalue of 0", "an eigenvalue of", 0.0},
  };
  const double tau = sqrt(pz_dtype_epsilon(y->dtype));
  if (c->intent == PZ_ASSIGN) {
    pz_tensor beyond;
    PZ_TRY(beyond_of(c, y, &beyond));
    PZ_TRY(series_check(c, &bounds[c->options[FORM].as.integer], tau * tau, &beyond));
  }
  return pz_launch(c, is_lru(c) ? &lru_inverse : &s4d_inverse, count(c, y), PZ_TENSORS(y, x), &tau,
                   NULL);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  pz_tensor beyond;
  PZ_TRY(beyond_of(c, y, &beyond));
  return series_distance(c, &beyond, distance);
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  (void)y;
  return is_lru(c) ? pz_launch(c, &lru_density, count(c, x), PZ_TENSORS(x, out), NULL, NULL)
                   : pz_copy(c, x, out);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  return is_lru(c)
             ? pz_launch(c, &lru_density_slope, count(c, x), PZ_TENSORS(x, g_out, gx), NULL, NULL)
             : pz_copy(c, g_out, gx);
}

static const pz_option options[] = {
    [FORM] = PZ_OPTION_CHOICE("form", LRU, forms,
                              "exp(-e^nu + i theta) of pairs (nu, theta), or -e^x of numbers"),
};

const pz_parametrization stable_diagonal = {
    .size = sizeof(stable_diagonal),
    .option_size = sizeof(pz_option),
    .id = "stable_diagonal",
    .summary = "Eigenvalues of stable linear recursions: inside the unit circle, or negative",
    .tags = "network series stable",
    .formula =
        "lru: (re, im) of exp(-e^nu + i theta) from (nu, theta), in the last dimension; s4d: -e^x\n"
        "domain: lru any shape whose last extent is 2, s4d any shape; e^x overflows above 709 "
        "(float32: 88)\n"
        "right inverse: nu = log(-log |lambda|), theta in [-pi, pi], s4d log(-y); registered "
        "moduli "
        "of 1 and more become exp(-sqrt(eps)), 0 and entries of s4d that are not negative "
        "sqrt(eps) "
        "from the bound\n"
        "log |det|: nu - 2 e^nu, -Inf from nu = 709 (float32: 88) on; s4d: x\n"
        "cost: one pass over memory",
    PZ_OPTIONS(options),
    .plan = plan,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .log_abs_det = log_abs_det,
    .log_abs_det_vjp = log_abs_det_vjp,
    .jvp = jvp,
};
