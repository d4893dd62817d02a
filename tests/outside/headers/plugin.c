/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every macro and inline function of plugin.h, expanded once, in what C11 and C++11 have in common.
   Compiled as both at full warnings; nothing runs. */

#include <parametrize/plugin.h>

// clang-format off
PZ_KERNEL(doubled, 2, 1, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, factor);
  PZ_INTEGER_ARG(0, n);
  const real a = pz_exp(x[i]) + pz_expm1(x[i]) + pz_log(x[i]) + pz_log1p(x[i]) + pz_sqrt(x[i]);
  const real b = pz_abs(x[i]) + pz_sin(x[i]) + pz_cos(x[i]) + pz_tan(x[i]) + pz_tanh(x[i]);
  const real d = pz_pow(a, b) + pz_min(a, b) + pz_max(a, b) + pz_atan2(a, b) + pz_hypot(a, b);
  y[i % n] = factor * d * pz_unit_scale(a);
)

PZ_ROW_KERNEL(over_rows, 2, 2, 1, 1,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, v);
  PZ_ROW_OUT(0, y);
  PZ_REAL_ARG(0, factor);
  PZ_INTEGER_ARG(0, least);
  PZ_ROW_MAX(top, j, n, x[j][r]);
  PZ_ROW_SUM(total, j, PZ_LENGTH_IN(0), pz_exp(x[j][r] - top[r]));
  PZ_ROW_NORM(size, scale, j, n, x[j][r]);
  PZ_ROW_SCAN(y, j, PZ_LENGTH_OUT(0), x[j][r] * factor);
  PZ_ROW_REVERSE_SCAN(y, j, n, y[j][r]);
  PZ_ROW_PRODUCT_SCAN(y, j, n, y[j][r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = j < least ? y[j][r] * v[r] : y[j][r] / total[r];
  }
  PZ_VALUE_OUT(1, total[r] + size[r] / scale[r]);
)
// clang-format on

static const char* const sides[] = {"left", "right"};

static const pz_option options[] = {
    PZ_OPTION_REAL("rate", 0.5, 0.0, 1.0, "a real"),
    PZ_OPTION_INTEGER("count", 3, 0, 9007199254740992, "an integer"),
    PZ_OPTION_FLAG("quick", 1, "a flag"),
    PZ_OPTION_CHOICE("side", 1, sides, "a choice"),
    PZ_OPTION_TENSOR("weights", "a tensor"),
};

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_parameter(c, "scale", given));
  PZ_TRY(pz_declare_buffer(c, "mask", given));
  PZ_TRY(pz_declare_fold(c, PZ_UPPER));
  PZ_TRY(pz_take_triangle(c));
  PZ_TRY(pz_declare_density(c, 2, PZ_UPPER_TRIANGLE, PZ_UPPER_TRIANGLE));
  return pz_declare_value(c, given, PZ_SYMMETRIC);
}

static pz_status
services(pz_call* const c, const pz_tensor* const x)
{
  const pz_spec spec = pz_spec_of_numbers(pz_spec_of(x), PZ_SLICES_OF_DIM, -1);
  pz_tensor t;
  void* memory = NULL;
  const void* saved = NULL;
  const uint64_t mark = pz_work_mark(c);
  PZ_TRY(pz_work(c, &spec, &t));
  PZ_TRY(pz_work_like(c, x, &t));
  PZ_TRY(pz_work_host(c, 64, &memory));
  PZ_TRY(pz_save(c, &spec, &t));
  PZ_TRY(pz_save_like(c, x, &t));
  PZ_TRY(pz_save_host(c, 64, &memory));
  PZ_TRY(pz_saved(c, 0, &t));
  PZ_TRY(pz_saved_host(c, 0, &saved));
  PZ_TRY(pz_new_original(c, 0, &t));
  pz_work_release(c, mark);
  return pz_wants(c, 0) ? PZ_OK : pz_fail(c, PZ_INVALID, "found %d", 1);
}

static pz_status
elementwise(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_tensor* const both[2] = {x, y};
  const double ones[2] = {1.0, 1.0};
  PZ_TRY(pz_copy(c, x, y));
  PZ_TRY(pz_fill(c, 1.0, y));
  PZ_TRY(pz_axpby(c, 1.0, x, 0.0, y));
  PZ_TRY(pz_scale(c, 2.0, y));
  PZ_TRY(pz_hadamard(c, 1.0, x, x, 0.0, y));
  PZ_TRY(pz_combine(c, 0.0, 2, ones, both, y));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, y));
  pz_tensor* const outputs[2] = {y, y};
  PZ_TRY(pz_launch_rows(c, &over_rows, PZ_ALONG_DIM, -1, both, outputs, ones, y->shape));
#ifndef __cplusplus
  PZ_TRY(pz_launch_rows(c, &over_rows, PZ_WHOLE, 0, PZ_TENSORS(x, x), PZ_OUTPUTS(y, y),
                        PZ_REALS(1.0), PZ_INTEGERS(3)));
#endif
  return pz_launch(c, &doubled, pz_count(y), both, ones, y->shape);
}

static pz_status
matrices(pz_call* const c, const pz_tensor* const x, pz_tensor* const y, pz_tensor* const d)
{
  double numbers[1] = {0.0};
  PZ_TRY(pz_add_identity(c, 1.0, y));
  PZ_TRY(pz_fold(c, PZ_UPPER, 1, x, y));
  PZ_TRY(pz_fold_adjoint(c, PZ_LOWER, -1, x, y));
  PZ_TRY(pz_symmetrize(c, 0.5, 1, x, y));
  PZ_TRY(pz_triangle(c, PZ_UPPER, 1, x, y));
  PZ_TRY(pz_get_diagonal(c, x, d));
  PZ_TRY(pz_set_diagonal(c, d, y));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, x, d));
  PZ_TRY(pz_dot(c, PZ_OVER_ROWS, x, x, d));
  PZ_TRY(pz_scale_by(c, PZ_OVER_COLS, d, x, y));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, x, x, 0.0, y));
  PZ_TRY(pz_syrk(c, PZ_T, 1.0, x, 0.0, y));
  PZ_TRY(pz_trmm(c, PZ_LEFT, PZ_UPPER, PZ_N, PZ_UNIT, 1.0, x, y));
  PZ_TRY(pz_trsm(c, PZ_RIGHT, PZ_LOWER, PZ_T, PZ_NON_UNIT, 1.0, x, y));
  const double* all = NULL;
  PZ_TRY(pz_read(c, d, numbers));
  PZ_TRY(pz_read_all(c, d, &all));
  return pz_write(c, all, d);
}

static pz_status
factors(pz_call* const c, const pz_tensor* const x, pz_tensor* const y, pz_tensor* const d)
{
  const pz_shift shift = {1.0, 2.0, 1.0, -1.0};
  PZ_TRY(pz_shifted_inverse(c, c->in, &shift, x, y));
  PZ_TRY(pz_shifted_inverse_adjoint(c, c->in, &shift, x, x, y));
  PZ_TRY(pz_solve(c, PZ_GENERAL, x, x, y));
  PZ_TRY(pz_potrf(c, PZ_LOWER, x, y));
  PZ_TRY(pz_qr(c, x, y, NULL));
  PZ_TRY(pz_eigh(c, x, d, y));
  PZ_TRY(pz_svd(c, x, NULL, d, NULL));
  PZ_TRY(pz_schur(c, x, y, y));
  PZ_TRY(pz_exponential(c, PZ_SKEW, x, y));
  PZ_TRY(pz_exponential_adjoint(c, PZ_SKEW, x, x, y));
  PZ_TRY(pz_take(c, d, x, y));
  return pz_put(c, true, d, x, y);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_view view;
  pz_view other;
  pz_tensor d;
  PZ_TRY(services(c, x));
  PZ_TRY(elementwise(c, pz_view_of(&view, x), y));
  PZ_TRY(pz_work_like(c, pz_view_block(&view, x, 0, 1, 0, 1), &d));
  PZ_TRY(matrices(c, pz_view_transposed(&view, x), y, &d));
  PZ_TRY(factors(c, pz_view_matrix(&view, x, 0), pz_view_reshaped(&other, y, 2, y->shape), &d));
  return pz_batch(y) == pz_rows(y) + pz_cols(y) ? PZ_OK : PZ_MISMATCH;
}

/* The members after `forward` are zero: tables grow at the tail. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
static const pz_parametrization doubling = {
    sizeof(pz_parametrization),
    sizeof(pz_option),
    "doubling",
    "Twice the original",
    NULL,
    options,
    sizeof(options) / sizeof(options[0]),
    0,
    plan,
    NULL,
    forward,
    pz_copy_right_inverse,
    NULL,
    NULL,
    pz_zero_residual,
    NULL,
    NULL,
    NULL,
    pz_zero_log_abs_det,
    pz_zero_log_abs_det_vjp,
};
#ifndef __cplusplus
static const pz_parametrization named = {
    .size = sizeof(pz_parametrization),
    .option_size = sizeof(pz_option),
    .id = "named",
    PZ_OPTIONS(options),
    .forward = forward,
};
#define NAMED , PZ_PARAMETRIZATION(&named)
#else
#define NAMED
#endif

PZ_PLUGIN(doubling, "1.0.0", PZ_PARAMETRIZATION(&doubling) NAMED);
