/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The matrix exponential of any square matrix, Y = exp(X). */

#include <parametrize/plugin.h>

static pz_status
matrix_exp_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given,
                          c->in == PZ_SKEW        ? PZ_ORTHOGONAL
                          : c->in == PZ_SYMMETRIC ? PZ_SPD
                                                  : PZ_GENERAL);
}

/* exp(X) = (sum of (X / 2^8)^k / k!)^(2^8) by Horner's rule. */
static pz_status
matrix_exp_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  enum { DEGREE = 18, SQUARINGS = 8 };
  pz_tensor power;
  PZ_TRY(pz_work_like(c, x, &power));
  PZ_TRY(c->ops->fill(c, 0.0, y));
  PZ_TRY(c->ops->add_identity(c, 1.0, y));
  for (int k = DEGREE; k > 0; --k) {
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0 / (k * (1 << SQUARINGS)), x, y, 0.0, &power));
    PZ_TRY(pz_copy(c, &power, y));
    PZ_TRY(c->ops->add_identity(c, 1.0, y));
  }
  for (int k = 0; k < SQUARINGS; ++k) {
    PZ_TRY(pz_copy(c, y, &power));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &power, &power, 0.0, y));
  }
  return PZ_OK;
}

static const pz_parametrization matrix_exp = {
    .size = sizeof(matrix_exp),
    .option_size = sizeof(pz_option),
    .id = "matrix_exp",
    .summary = "The matrix exponential",
    .formula = "Y = exp(X)",
    .plan = matrix_exp_plan,
    .forward = matrix_exp_forward,
};

PZ_PLUGIN(matrix_exp, "1.0.0", PZ_PARAMETRIZATION(&matrix_exp));
