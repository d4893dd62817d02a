/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Square matrices to skew-symmetric ones, A = -A^T.

     A = T - T^T,  T = triu(X, 1)            (lower=1: T = tril(X, -1))

   Only the n (n - 1) / 2 entries of one strict triangle of X are parameters; the diagonal and the
   other triangle are not read. The function is linear, with the adjoint

     gX = triu(G - G^T, 1)                   (lower=1: tril(G - G^T, -1))

   and the right inverse T. For a matrix that is not skew, T is the right inverse of the skew matrix
   with the same triangle. Each pass reads and writes every entry at most once. */

#include "parity.h"

#include <parametrize/plugin.h>

enum { LOWER };
enum { PARITY = -1 };

static pz_triangle
parameter(const pz_call* const c)
{
  return c->options[LOWER].as.integer != 0 ? PZ_LOWER : PZ_UPPER;
}

static pz_status
skew_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_fold(c, parameter(c)));
  const uint32_t triangle = parameter(c) == PZ_UPPER ? PZ_STRICT_UPPER : PZ_STRICT_LOWER;
  PZ_TRY(pz_declare_density(c, 2, triangle, triangle));
  return pz_declare_value(c, given, PZ_SKEW);
}

static pz_status
skew_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const a)
{
  return pz_fold(c, parameter(c), PARITY, x, a);
}

static pz_status
skew_right_inverse(pz_call* const c, const pz_tensor* const a, pz_tensor* const x)
{
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(parity_check(c, PARITY, a));
  }
  const pz_triangle triangle = parameter(c);
  return pz_triangle(c, triangle, triangle == PZ_UPPER ? 1 : -1, a, x);
}

static pz_status
skew_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const a,
         const pz_tensor* const ga, pz_tensor* const gx)
{
  (void)x;
  (void)a;
  return pz_fold_adjoint(c, parameter(c), PARITY, ga, gx);
}

static pz_status
skew_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const a,
         const pz_tensor* const dx, pz_tensor* const da)
{
  (void)x;
  (void)a;
  return pz_fold(c, parameter(c), PARITY, dx, da);
}

static pz_status
skew_residual(pz_call* const c, const pz_tensor* const a, double* const distance)
{
  return parity_residual(c, PARITY, a, distance);
}

/* Independent standard normal entries in one triangle. */
static pz_status
skew_sample(pz_call* const c, pz_tensor* const a)
{
  pz_tensor x;
  PZ_TRY(pz_work_like(c, a, &x));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &x));
  return pz_fold(c, parameter(c), PARITY, &x, a);
}

static const pz_option skew_options[] = {
    [LOWER] = PZ_OPTION_FLAG("lower", 0, "use the lower triangle of X instead of the upper one"),
};

static const pz_parametrization skew = {
    .size = sizeof(skew),
    .option_size = sizeof(pz_option),
    .id = "skew",
    .summary = "Square matrices to skew-symmetric ones, A = -A^T",
    .tags = "matrix skew",
    .formula = "A = triu(X, 1) - triu(X, 1)^T; with lower: tril(X, -1) - tril(X, -1)^T\n"
               "domain: any square X, of which one triangle is read\n"
               "right inverse: the triangle of A; assigning checks that A is skew\n"
               "cost: one pass over memory, forward and vjp",
    PZ_OPTIONS(skew_options),
    .plan = skew_plan,
    .forward = skew_forward,
    .right_inverse = skew_right_inverse,
    .vjp = skew_vjp,
    .residual = skew_residual,
    .sample = skew_sample,
    .log_abs_det = pz_zero_log_abs_det,
    .log_abs_det_vjp = pz_zero_log_abs_det_vjp,
    .jvp = skew_jvp,
};

PZ_PLUGIN(skew, "1.0.0", PZ_PARAMETRIZATION(&skew));
