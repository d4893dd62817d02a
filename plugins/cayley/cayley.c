/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The Cayley transform, Q = (I + X)(I - X)^-1. */

#include <parametrize/plugin.h>

static pz_status
cayley_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, c->in == PZ_SKEW ? PZ_ORTHOGONAL : PZ_GENERAL);
}

// Q = -I + 2 (I - X)^-1
static pz_status
cayley_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  return pz_shifted_inverse(c, c->in, -1.0, 2.0, 1.0, -1.0, x, q);
}

static pz_status
cayley_right_inverse(pz_call* const c, const pz_tensor* const q, pz_tensor* const x)
{
  pz_tensor y;
  PZ_TRY(pz_work_like(c, x, &y));
  // X = I - 2 (I + Q)^-1
  PZ_TRY(pz_shifted_inverse(c, PZ_GENERAL, 1.0, -2.0, 1.0, 1.0, q, &y));
  return c->in == PZ_SKEW ? c->ops->symmetrize(c, 0.5, -1, &y, x) : pz_copy(c, &y, x);
}

// gX = 1/2 (I + Q)^T gQ (I + Q)^T
static pz_status
cayley_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const q,
           const pz_tensor* const gq, pz_tensor* const gx)
{
  (void)x;
  pz_tensor n;
  pz_tensor w;
  PZ_TRY(pz_work_like(c, q, &n));
  PZ_TRY(pz_work_like(c, q, &w));
  PZ_TRY(pz_copy(c, q, &n));
  PZ_TRY(c->ops->add_identity(c, 1.0, &n));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &n, gq, 0.0, &w));
  return pz_gemm(c, PZ_N, PZ_T, 0.5, &w, &n, 0.0, gx);
}

static const pz_parametrization cayley = {
    .size = sizeof(cayley),
    .option_size = sizeof(pz_option),
    .id = "cayley",
    .summary = "Skew-symmetric matrices to rotations, Q = (I + X)(I - X)^-1",
    .plan = cayley_plan,
    .forward = cayley_forward,
    .right_inverse = cayley_right_inverse,
    .vjp = cayley_vjp,
};

PZ_PLUGIN(cayley, "1.0.0", PZ_PARAMETRIZATION(&cayley));
