/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entries between two bounds a < b, by the logistic function s:

     y = a + (b - a) s(x)        dy/dx = (b - a) s(x) s(-x)

   From x >= 0 on, y is b - (b - a) s(-x), which keeps the distance from the nearer bound. The
   derivative is computed from x for the same reason. Right inverse: log(y - a) - log(b - y). At
   registration, entries on or beyond a bound become sqrt(eps) (b - a) inside. */

#include "bounds.h"

#include <math.h>

enum { LOWER, UPPER }; /* options, and buffers */

// clang-format off

PZ_ROW_KERNEL(interval_value, 3, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, a);
  PZ_ROW_IN(2, b);
  PZ_ROW_OUT(0, y);
  PZ_ROW_EACH(j, n) {
    const real part = (b[j][r] - a[j][r]) * pz_logistic(-pz_abs(x[j][r]));
    y[j][r] = x[j][r] < (real)0 ? a[j][r] + part : b[j][r] - part;
  }
)

/* out <- dy/dx g: vjp and jvp alike. */
PZ_ROW_KERNEL(interval_slope, 4, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, a);
  PZ_ROW_IN(2, b);
  PZ_ROW_IN(3, g);
  PZ_ROW_OUT(0, out);
  PZ_ROW_EACH(j, n) {
    out[j][r] = g[j][r] * (b[j][r] - a[j][r]) * pz_logistic(x[j][r]) * pz_logistic(-x[j][r]);
  }
)

PZ_ROW_KERNEL(interval_density, 3, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, a);
  PZ_ROW_IN(2, b);
  PZ_ROW_OUT(0, out);
  PZ_ROW_EACH(j, n) {
    out[j][r] = pz_log(b[j][r] - a[j][r]) - pz_softplus(-x[j][r]) - pz_softplus(x[j][r]);
  }
)

PZ_KERNEL(interval_density_slope, 3, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, out);
  out[i] = -g[i] * pz_tanh(x[i] / 2);
)

PZ_ROW_KERNEL(interval_inverse, 3, 1, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, a);
  PZ_ROW_IN(2, b);
  PZ_ROW_OUT(0, x);
  PZ_REAL_ARG(0, tau);
  PZ_ROW_EACH(j, n) {
    const real width = b[j][r] - a[j][r];
    const real above = y[j][r] <= a[j][r] ? tau * width : (y[j][r] >= b[j][r] ? width - tau * width : y[j][r] - a[j][r]);
    const real below = y[j][r] <= a[j][r] ? width - tau * width : (y[j][r] >= b[j][r] ? tau * width : b[j][r] - y[j][r]);
    x[j][r] = pz_log(above) - pz_log(below);
  }
)

PZ_ROW_KERNEL(interval_beyond, 3, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, a);
  PZ_ROW_IN(2, b);
  PZ_ROW_OUT(0, beyond);
  PZ_ROW_EACH(j, n) {
    beyond[j][r] = pz_max(a[j][r] - y[j][r], y[j][r] - b[j][r]);
  }
)

// clang-format on

static const double fallbacks[] = {[LOWER] = 0.0, [UPPER] = 1.0};

static int64_t
count_of(const pz_call* const c, const uint32_t option)
{
  return c->options[option].as.tensor ? pz_count(c->options[option].as.tensor) : 1;
}

static pz_status
interval_plan(pz_call* const c, const pz_spec* const given)
{
  const int64_t n =
      count_of(c, LOWER) > count_of(c, UPPER) ? count_of(c, LOWER) : count_of(c, UPPER);
  for (int64_t j = 0; j < n; ++j) {
    const double a = bounds_number(c, LOWER, fallbacks[LOWER], j);
    const double b = bounds_number(c, UPPER, fallbacks[UPPER], j);
    if (!(a < b) || !isfinite(b - a)) {
      return pz_fail(c, PZ_INVALID, "found bounds %g and %g, expected lower < upper, both finite",
                     a, b);
    }
  }
  PZ_TRY(bounds_declare(c, LOWER, "lower", given));
  PZ_TRY(bounds_declare(c, UPPER, "upper", given));
  PZ_TRY(pz_declare_density(c, 0, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
interval_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  PZ_TRY(bounds_fill(c, LOWER, fallbacks[LOWER], &c->new_buffer[LOWER]));
  return bounds_fill(c, UPPER, fallbacks[UPPER], &c->new_buffer[UPPER]);
}

/* Launches a kernel on x and the bounds, and g where it is not NULL. */
static pz_status
launch(pz_call* const c, const pz_row_kernel* const kernel, const pz_tensor* const x,
       const pz_tensor* const g, pz_tensor* const out, const double* const reals)
{
  pz_view a;
  pz_view b;
  return pz_launch_rows(
      c, kernel, bounds_rows(x), -1,
      PZ_TENSORS(x, bounds_row(&a, &c->buffer[LOWER], x), bounds_row(&b, &c->buffer[UPPER], x), g),
      PZ_OUTPUTS(out), reals, NULL);
}

static pz_status
interval_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return launch(c, &interval_value, x, NULL, y, NULL);
}

/* vjp and jvp */
static pz_status
interval_times_slope(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                     const pz_tensor* const g, pz_tensor* const out)
{
  (void)y;
  return launch(c, &interval_slope, x, g, out, NULL);
}

static pz_status
interval_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const double tau = sqrt(pz_dtype_epsilon(y->dtype));
  if (c->intent == PZ_ASSIGN) {
    pz_tensor beyond;
    PZ_TRY(pz_work_like(c, y, &beyond));
    PZ_TRY(launch(c, &interval_beyond, y, NULL, &beyond, NULL));
    PZ_TRY(bounds_check(c, &beyond, false));
  }
  return launch(c, &interval_inverse, y, NULL, x, &tau);
}

static pz_status
interval_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  pz_tensor beyond;
  PZ_TRY(pz_work_like(c, y, &beyond));
  PZ_TRY(launch(c, &interval_beyond, y, NULL, &beyond, NULL));
  return bounds_distance_of(c, &beyond, distance);
}

static pz_status
interval_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                     pz_tensor* const out)
{
  (void)y;
  return launch(c, &interval_density, x, NULL, out, NULL);
}

static pz_status
interval_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                         const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  return pz_launch(c, &interval_density_slope, pz_count(x), PZ_TENSORS(x, g_out, gx), NULL, NULL);
}

static const pz_option interval_options[] = {
    [LOWER] =
        PZ_OPTION_TENSOR("lower", "lower bound (default 0), or one for each entry of the last "
                                  "dimension or of the value"),
    [UPPER] = PZ_OPTION_TENSOR("upper", "the same of the upper bound (default 1)"),
};

const pz_parametrization bounds_interval = {
    .size = sizeof(bounds_interval),
    .option_size = sizeof(pz_option),
    .id = "interval",
    .summary = "Entries between two bounds",
    .tags = "statistics bound",
    .formula =
        "y = a + (b - a) / (1 + e^-x)\n"
        "domain: any shape; never overflows\n"
        "right inverse: log(y - a) - log(b - y); registered entries that are not inside become "
        "sqrt(eps) (b - a) from the bound they passed\n"
        "log |det|: log(b - a) - softplus(x) - softplus(-x)\n"
        "cost: one pass over memory",
    PZ_OPTIONS(interval_options),
    .plan = interval_plan,
    .init = interval_init,
    .forward = interval_forward,
    .right_inverse = interval_right_inverse,
    .vjp = interval_times_slope,
    .residual = interval_residual,
    .log_abs_det = interval_log_abs_det,
    .log_abs_det_vjp = interval_log_abs_det_vjp,
    .jvp = interval_times_slope,
};
