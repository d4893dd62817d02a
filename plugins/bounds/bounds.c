/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entries above or below a bound: with f(x) = e^x, log(1 + e^x) or x^2,

     positive      y = f(x)
     lower_bound   y = bound + f(x)
     upper_bound   y = bound - f(x)

   The derivative is computed from x, since y - bound has lost what the sum rounded away; that of e^x is y. e^x overflows
   above 709 (float32: 88), softplus never. Right inverse: f^-1(|y - bound|). At registration an entry
   on or beyond the bound becomes sqrt(eps) max(1, |bound|) from it. */

#include "bounds.h"

#include <math.h>

enum { EXP, SOFTPLUS, SQUARE };
static const char* const maps[] = {"exp", "softplus", "square"};

enum { MAP, BOUND }; /* options */

// clang-format off

PZ_ROW_KERNEL(bounds_exp, 2, 1, 1, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, bound);
  PZ_ROW_OUT(0, y);
  PZ_REAL_ARG(0, sign);
  PZ_ROW_EACH(j, n) {
    y[j][r] = bound[j][r] + sign * pz_exp(x[j][r]);
  }
)

PZ_ROW_KERNEL(bounds_softplus, 2, 1, 1, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, bound);
  PZ_ROW_OUT(0, y);
  PZ_REAL_ARG(0, sign);
  PZ_ROW_EACH(j, n) {
    y[j][r] = bound[j][r] + sign * pz_softplus(x[j][r]);
  }
)

PZ_ROW_KERNEL(bounds_square, 2, 1, 1, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_IN(1, bound);
  PZ_ROW_OUT(0, y);
  PZ_REAL_ARG(0, sign);
  PZ_ROW_EACH(j, n) {
    y[j][r] = bound[j][r] + sign * (x[j][r] * x[j][r]);
  }
)

/* out <- sign f'(x) g: vjp and jvp alike. */
PZ_KERNEL(bounds_exp_slope, 3, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, out);
  PZ_REAL_ARG(0, sign);
  out[i] = sign * g[i] * pz_exp(x[i]);
)

PZ_KERNEL(bounds_softplus_slope, 3, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, out);
  PZ_REAL_ARG(0, sign);
  out[i] = sign * g[i] * pz_logistic(x[i]);
)

PZ_KERNEL(bounds_square_slope, 3, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, out);
  PZ_REAL_ARG(0, sign);
  out[i] = sign * g[i] * (2 * x[i]);
)

PZ_KERNEL(bounds_softplus_density, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, out);
  out[i] = -pz_softplus(-x[i]);
)

PZ_KERNEL(bounds_softplus_density_slope, 3, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, out);
  out[i] = g[i] * pz_logistic(-x[i]);
)

/* u <- the distance from the bound on the right side of it, tau max(1, |bound|) where that is below 0,
   or is 0 and `open`; an entry that is not a number stays. */
PZ_ROW_KERNEL(bounds_distance, 2, 1, 2, 1,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, bound);
  PZ_ROW_OUT(0, u);
  PZ_REAL_ARG(0, sign);
  PZ_REAL_ARG(1, tau);
  PZ_INTEGER_ARG(0, open);
  PZ_ROW_EACH(j, n) {
    const real d = sign * (y[j][r] - bound[j][r]);
    u[j][r] = (d < (real)0) | ((open != 0) & (d == (real)0)) ? tau * pz_max((real)1, pz_abs(bound[j][r])) : d;
  }
)

PZ_KERNEL(bounds_exp_inverse, 2, 0, 0,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, x);
  x[i] = pz_log(u[i]);
)

PZ_KERNEL(bounds_softplus_inverse, 2, 0, 0,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, x);
  x[i] = u[i] + pz_log(-pz_expm1(-u[i]));
)

PZ_KERNEL(bounds_square_inverse, 2, 0, 0,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, x);
  x[i] = pz_sqrt(u[i]);
)

/* by how much entries are beyond the bound, negative inside */
PZ_ROW_KERNEL(bounds_beyond, 2, 1, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, bound);
  PZ_ROW_OUT(0, beyond);
  PZ_REAL_ARG(0, sign);
  PZ_ROW_EACH(j, n) {
    beyond[j][r] = sign * (bound[j][r] - y[j][r]);
  }
)

// clang-format on

static const struct {
  const pz_row_kernel* value;
  const pz_kernel* slope;
  const pz_kernel* inverse;
} kernels[] = {
    [EXP] = {&bounds_exp, &bounds_exp_slope, &bounds_exp_inverse},
    [SOFTPLUS] = {&bounds_softplus, &bounds_softplus_slope, &bounds_softplus_inverse},
    [SQUARE] = {&bounds_square, &bounds_square_slope, &bounds_square_inverse},
};

/* ---- positive, lower_bound, upper_bound -------------------------------------------------- */

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  if (c->options[MAP].as.integer != SQUARE) {
    PZ_TRY(pz_declare_density(c, 0, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  }
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
plan_with_bound(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(plan(c, given));
  return bounds_declare(c, BOUND, "bound", given);
}

static pz_status
init_bound(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  return bounds_fill(c, BOUND, 0.0, &c->new_buffer[0]);
}

/* The bound as a row kernel takes it; without data, which is zero, where there is none. */
static pz_tensor*
bound_of(const pz_call* const c, pz_view* const view, const pz_tensor* const like)
{
  if (c->n_buffer > 0) {
    return bounds_row(view, &c->buffer[0], like);
  }
  pz_tensor* const none = pz_view_of(view, like);
  none->data = NULL;
  return none;
}

static pz_status
forward_by(pz_call* const c, const double sign, const pz_tensor* const x, pz_tensor* const y)
{
  pz_view view;
  return pz_launch_rows(c, kernels[c->options[MAP].as.integer].value, bounds_rows(x), -1,
                        PZ_TENSORS(x, bound_of(c, &view, x)), PZ_OUTPUTS(y), &sign, NULL);
}

static pz_status
slope_by(pz_call* const c, const double sign, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const g, pz_tensor* const out)
{
  if (c->options[MAP].as.integer == EXP && c->n_buffer == 0) {
    return pz_hadamard(c, 1.0, y, g, 0.0, out);
  }
  return pz_launch(c, kernels[c->options[MAP].as.integer].slope, pz_count(x), PZ_TENSORS(x, g, out),
                   &sign, NULL);
}

static pz_status
beyond_by(pz_call* const c, const double sign, const pz_tensor* const y, pz_tensor* const beyond)
{
  pz_view view;
  PZ_TRY(pz_work_like(c, y, beyond));
  return pz_launch_rows(c, &bounds_beyond, bounds_rows(y), -1, PZ_TENSORS(y, bound_of(c, &view, y)),
                        PZ_OUTPUTS(beyond), &sign, NULL);
}

static pz_status
residual_by(pz_call* const c, const double sign, const pz_tensor* const y, double* const distance)
{
  pz_tensor beyond;
  PZ_TRY(beyond_by(c, sign, y, &beyond));
  return bounds_distance_of(c, &beyond, distance);
}

static pz_status
inverse_by(pz_call* const c, const double sign, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t map = c->options[MAP].as.integer;
  const double numbers[] = {sign, sqrt(pz_dtype_epsilon(y->dtype))};
  const int64_t open = map != SQUARE || c->intent == PZ_REGISTER;
  pz_tensor beyond;
  pz_tensor u;
  pz_view view;
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(beyond_by(c, sign, y, &beyond));
    PZ_TRY(bounds_check(c, &beyond, map == SQUARE));
  }
  PZ_TRY(pz_work_like(c, y, &u));
  PZ_TRY(pz_launch_rows(c, &bounds_distance, bounds_rows(y), -1,
                        PZ_TENSORS(y, bound_of(c, &view, y)), PZ_OUTPUTS(&u), numbers, &open));
  return pz_launch(c, kernels[map].inverse, pz_count(y), PZ_TENSORS(&u, x), NULL, NULL);
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  (void)y;
  return c->options[MAP].as.integer == EXP
             ? pz_copy(c, x, out)
             : pz_launch(c, &bounds_softplus_density, pz_count(x), PZ_TENSORS(x, out), NULL, NULL);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  return c->options[MAP].as.integer == EXP
             ? pz_copy(c, g_out, gx)
             : pz_launch(c, &bounds_softplus_density_slope, pz_count(x), PZ_TENSORS(x, g_out, gx),
                         NULL, NULL);
}

#define CALLBACKS(name, sign)                                                                     \
  static pz_status name##_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y) \
  {                                                                                               \
    return forward_by(c, sign, x, y);                                                             \
  }                                                                                               \
  static pz_status name##_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x) \
  {                                                                                               \
    return inverse_by(c, sign, y, x);                                                             \
  }                                                                                               \
  static pz_status name##_slope(pz_call* const c, const pz_tensor* const x,                       \
                                const pz_tensor* const y, const pz_tensor* const g,               \
                                pz_tensor* const out)                                             \
  {                                                                                               \
    return slope_by(c, sign, x, y, g, out);                                                       \
  }                                                                                               \
  static pz_status name##_residual(pz_call* const c, const pz_tensor* const y,                    \
                                   double* const distance)                                        \
  {                                                                                               \
    return residual_by(c, sign, y, distance);                                                     \
  }
CALLBACKS(above, 1.0)
CALLBACKS(below, -1.0)

static const pz_option positive_options[] = {
    [MAP] = PZ_OPTION_CHOICE("map", EXP, maps, "e^x, log(1 + e^x) or x^2"),
};
static const pz_option bound_options[] = {
    [MAP] = {"map", "e^x or log(1 + e^x)", PZ_CHOICE, 2, maps, EXP, 0.0, 0.0},
    [BOUND] = PZ_OPTION_TENSOR("bound", "the bound (default 0), or one for each entry of the last "
                                        "dimension or of the value"),
};

#define TABLE(name, id_, summary_, formula_, options_, plan_, init_)                              \
  {                                                                                               \
    .size = sizeof(pz_parametrization), .option_size = sizeof(pz_option), .id = id_,              \
    .summary = summary_, .formula = formula_, PZ_OPTIONS(options_), .plan = plan_, .init = init_, \
    .forward = name##_forward, .right_inverse = name##_inverse, .vjp = name##_slope,              \
    .residual = name##_residual, .tags = "statistics bound", .log_abs_det = log_abs_det,          \
    .log_abs_det_vjp = log_abs_det_vjp, .jvp = name##_slope                                       \
  }

static const pz_parametrization positive =
    TABLE(above, "positive", "Positive entries: e^x, softplus or x^2",
          "y = f(x), f(x) = e^x, log(1 + e^x) or x^2\n"
          "domain: any shape; e^x overflows above 709 (float32: 88)\n"
          "right inverse: f^-1(y); registered entries that are not positive become sqrt(eps)\n"
          "log |det|: x, -softplus(-x); none for x^2\n"
          "cost: one pass over memory",
          positive_options, plan, NULL);
static const pz_parametrization lower_bound =
    TABLE(above, "lower_bound", "Entries above a bound",
          "y = bound + f(x), f(x) = e^x or log(1 + e^x)\n"
          "domain: any shape\n"
          "right inverse: f^-1(y - bound); registered entries that are not above the bound become "
          "sqrt(eps) max(1, |bound|) from it\n"
          "log |det|: x, -softplus(-x)\n"
          "cost: one pass over memory",
          bound_options, plan_with_bound, init_bound);
static const pz_parametrization upper_bound =
    TABLE(below, "upper_bound", "Entries below a bound",
          "y = bound - f(x), f(x) = e^x or log(1 + e^x)\n"
          "domain: any shape\n"
          "right inverse: f^-1(bound - y); registered entries that are not below the bound become "
          "sqrt(eps) max(1, |bound|) from it\n"
          "log |det|: x, -softplus(-x)\n"
          "cost: one pass over memory",
          bound_options, plan_with_bound, init_bound);

PZ_PLUGIN(bounds, "1.0.0", PZ_PARAMETRIZATION(&positive), PZ_PARAMETRIZATION(&lower_bound),
          PZ_PARAMETRIZATION(&upper_bound), PZ_PARAMETRIZATION(&bounds_interval));
