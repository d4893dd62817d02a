/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* centred: vectors along the last dimension with mean 0, y = x - mean(x).

   The map is linear, symmetric and its own square, so vjp and jvp are the same, and every value is
   an original of itself. */

#include <parametrize/plugin.h>

/* clang-format off */
PZ_ROW_KERNEL(centred_value, 1, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_OUT(0, y);
  PZ_ROW_SUM(total, j, n, x[j][r]);
  PZ_ROW_VALUE(mean, total[r] / n);
  PZ_ROW_EACH(j, n) {
    y[j][r] = x[j][r] - mean[r];
  }
)

/* One number for each row: its mean, and the sum of magnitudes to compare it with. */
PZ_ROW_KERNEL(centred_mean, 1, 2, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_SUM(total, j, n, y[j][r]);
  PZ_ROW_SUM(size, j, n, pz_abs(y[j][r]));
  PZ_VALUE_OUT(0, total[r] / n);
  PZ_VALUE_OUT(1, size[r]);
)
/* clang-format on */

static pz_status
centred_plan(pz_call* c, const pz_spec* given)
{
  PZ_TRY(pz_expect_dims(c, given, 1, "vectors along the last"));
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
centre(pz_call* c, const pz_tensor* x, pz_tensor* y)
{
  return pz_launch_rows(c, &centred_value, PZ_ALONG_DIM, -1, PZ_TENSORS(x), PZ_OUTPUTS(y), NULL,
                        NULL);
}

static pz_status
centred_forward(pz_call* c, const pz_tensor* x, pz_tensor* y)
{
  return centre(c, x, y);
}

/* vjp, and jvp. */
static pz_status
centred_derivative(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* g,
                   pz_tensor* out)
{
  (void)x;
  (void)y;
  return centre(c, g, out);
}

/* The largest mean of a row, and the largest sum of magnitudes. */
static pz_status
measure(pz_call* c, const pz_tensor* y, double* mean, double* size)
{
  pz_spec one_per_row = pz_spec_of(y);
  pz_tensor means;
  pz_tensor sizes;
  one_per_row.shape[y->ndim - 1] = 1;
  if (pz_count(y) == 0) {
    *mean = *size = 0.0;
    return PZ_OK;
  }
  PZ_TRY(pz_work(c, &one_per_row, &means));
  PZ_TRY(pz_work(c, &one_per_row, &sizes));
  PZ_TRY(pz_launch_rows(c, &centred_mean, PZ_ALONG_DIM, -1, PZ_TENSORS(y),
                        PZ_OUTPUTS(&means, &sizes), NULL, NULL));
  PZ_TRY(pz_largest(c, &means, mean));
  return pz_largest(c, &sizes, size);
}

static pz_status
centred_residual(pz_call* c, const pz_tensor* y, double* distance)
{
  double size = 0.0;
  return measure(c, y, distance, &size);
}

/* When a tensor is registered, any will do: it loses its mean from now on. */
static pz_status
centred_right_inverse(pz_call* c, const pz_tensor* y, pz_tensor* x)
{
  if (c->intent == PZ_ASSIGN) {
    double mean = 0.0;
    double size = 0.0;
    PZ_TRY(measure(c, y, &mean, &size));
    if (!(mean <= 10.0 * pz_dtype_epsilon(y->dtype) * size)) {
      return pz_fail(c, PZ_OUTSIDE, "found mean %g along the last dimension, expected 0", mean);
    }
  }
  return pz_copy(c, y, x);
}

static const pz_parametrization centred_map = {
    .size = sizeof(centred_map),
    .id = "centred",
    .summary = "Vectors with mean 0, y = x - mean(x)",
    .plan = centred_plan,
    .forward = centred_forward,
    .right_inverse = centred_right_inverse,
    .vjp = centred_derivative,
    .residual = centred_residual,
    .jvp = centred_derivative,
};

PZ_PLUGIN(centred, "1.0.0", PZ_PARAMETRIZATION(&centred_map));
