/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The coefficients of a stationary autoregression y_t = sum over j of a_j y_(t-j) + noise: the roots of
   1 - sum of a_j z^j are outside the unit circle. They are all sets of partial autocorrelations
   r_k = tanh x_k in (-1, 1), by the recursion of Durbin and Levinson over the order k = 1 .. p,

     a <- (a - r_k reverse(a), r_k)

   (recursion.c), with dr_k/dx_k = 4 s(2 x_k) s(-2 x_k), which does not cancel (s: the logistic function).

     log |det| = sum over k of (floor(k/2) + 1) log(1 - r_k) + (floor((k-1)/2) + 1) log(1 + r_k)

   Right inverse: the recursion backwards, then atanh. At registration, coefficients that are not
   stationary become a_j rho^j, which divides the roots by rho. */

#include "recursion.h"
#include "series.h"

#include <math.h>

// clang-format off

PZ_KERNEL(stationary_tanh, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, r);
  r[i] = pz_tanh(x[i]);
)

PZ_KERNEL(stationary_atanh, 2, 0, 0,
  PZ_TENSOR_ARG(0, r);
  PZ_TENSOR_ARG(1, x);
  const real size = (real)0.5 * pz_log1p(2 * pz_abs(r[i]) / (1 - pz_abs(r[i])));
  x[i] = r[i] < (real)0 ? -size : size;
)

/* out <- s g, by one exponential; out may be g. */
PZ_KERNEL(stationary_slope, 3, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, out);
  const real e = pz_exp(-2 * pz_abs(x[i]));
  out[i] = g[i] * (4 * e / ((1 + e) * (1 + e)));
)

/* r <- partial autocorrelations of uniform coefficients, from n (n + 3) / 2 uniform numbers: (1 + r_k) / 2
   has the distribution Beta(floor((k + 1) / 2), floor(k / 2) + 1) (Jones 1987), that of a sum of so many
   exponential numbers over the sum of all. */
PZ_KERNEL(stationary_uniform, 2, 0, 1,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, r);
  PZ_INTEGER_ARG(0, n);
  pz_int next = i * (n * (n + 3) / 2);
  for (pz_int k = 1; k <= n; ++k) {
    real above = (real)0;
    real below = (real)0;
    for (pz_int j = 0; j <= k; ++j) {
      const real e = -pz_log(u[next]);
      above += j < (k + 1) / 2 ? e : (real)0;
      below += j < (k + 1) / 2 ? (real)0 : e;
      next += 1;
    }
    r[i * n + k - 1] = (above - below) / (above + below);
  }
)

PZ_ROW_KERNEL(stationary_density, 1, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_ROW_SUM(sum, j, n, (real)((j + 1) / 2 + 1) * ((real)0.69314718055994530942 - pz_softplus(2 * x[j][r])) +
                        (real)(j / 2 + 1) * ((real)0.69314718055994530942 - pz_softplus(-2 * x[j][r])));
  PZ_VALUE_OUT(0, sum[r]);
)

PZ_ROW_KERNEL(stationary_density_slope, 2, 1, 0, 0,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, g);
  PZ_ROW_OUT(0, gx);
  PZ_ROW_EACH(j, n) {
    gx[j][r] = 2 * g[r] * ((real)(j / 2 + 1) * pz_logistic(-2 * x[j][r]) - (real)((j + 1) / 2 + 1) * pz_logistic(2 * x[j][r]));
  }
)

// clang-format on

static pz_status
stationary_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_dims(c, given, 1, "rows of coefficients"));
  PZ_TRY(pz_declare_density(c, 1, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
stationary_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor r;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(pz_save_like(c, x, &r));
  PZ_TRY(pz_launch(c, &stationary_tanh, pz_count(x), PZ_TENSORS(x, &r), NULL, NULL));
  return recursion_up(c, &r, y);
}

static pz_status
stationary_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
               const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(recursion_adjoint(c, gy, gx));
  return pz_launch(c, &stationary_slope, pz_count(x), PZ_TENSORS(x, gx, gx), NULL, NULL);
}

static pz_status
stationary_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
               const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor dr;
  (void)y;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, x, &dr));
  PZ_TRY(pz_launch(c, &stationary_slope, pz_count(x), PZ_TENSORS(x, dx, &dr), NULL, NULL));
  return recursion_tangent(c, &dr, dy);
}

static pz_status
stationary_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  static const series_bound bound = {"a partial autocorrelation of magnitude 1",
                                     "a partial autocorrelation of magnitude", 1.0};
  pz_tensor r;
  pz_tensor beyond;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(recursion_down(c, y, &r, &beyond));
  if (c->intent == PZ_ASSIGN) {
    const double tolerance = 100.0 * (double)recursion_order(y) * pz_dtype_epsilon(y->dtype);
    PZ_TRY(series_check(c, &bound, tolerance, &beyond));
  }
  return pz_launch(c, &stationary_atanh, pz_count(y), PZ_TENSORS(&r, x), NULL, NULL);
}

static pz_status
stationary_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  pz_tensor r;
  pz_tensor beyond;
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(recursion_down(c, y, &r, &beyond));
  return series_distance(c, &beyond, distance);
}

/* Uniform in the set of all coefficients of this order. */
static pz_status
stationary_sample(pz_call* const c, pz_tensor* const y)
{
  const int64_t n = recursion_order(y);
  const double eps = pz_dtype_epsilon(y->dtype);
  pz_spec spec = pz_spec_of(y);
  pz_tensor u;
  pz_tensor r;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  spec.shape[spec.ndim - 1] = n * (n + 3) / 2;
  PZ_TRY(pz_work(c, &spec, &u));
  PZ_TRY(pz_work_like(c, y, &r));
  PZ_TRY(pz_random(c, PZ_UNIFORM, c->draw, 0, eps, 1.0 - eps, &u)); /* neither 0 nor 1 */
  PZ_TRY(pz_launch(c, &stationary_uniform, pz_count(y) / n, PZ_TENSORS(&u, &r), NULL, &n));
  return recursion_up(c, &r, y);
}

static pz_status
stationary_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                       pz_tensor* const out)
{
  (void)y;
  return pz_launch_rows(c, &stationary_density, PZ_ALONG_DIM, -1, PZ_TENSORS(x), PZ_OUTPUTS(out),
                        NULL, NULL);
}

static pz_status
stationary_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                           const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  return pz_launch_rows(c, &stationary_density_slope, PZ_ALONG_DIM, -1, PZ_TENSORS(x, g_out),
                        PZ_OUTPUTS(gx), NULL, NULL);
}

static const pz_parametrization stationary = {
    .size = sizeof(stationary),
    .id = "stationary",
    .summary = "Coefficients of a stationary autoregression, along the last dimension",
    .tags = "statistics series stable",
    .formula =
        "a of y_t = a_1 y_(t-1) + ... + a_p y_(t-p) + noise, from partial autocorrelations r = "
        "tanh(x): a <- (a - r_k reverse(a), r_k) for k = 1 .. p\n"
        "domain: any shape, p numbers in the last dimension; near the boundary coefficients grow "
        "up to 2^p\n"
        "right inverse: the recursion backwards, then atanh, with rounding errors up to the "
        "product of (1 + |r_k|) / (1 - |r_k|) times eps; registered coefficients that are not "
        "stationary become a_j rho^j\n"
        "log |det|: sum over k of (floor(k/2) + 1) log(1 - r_k) + (floor((k-1)/2) + 1) "
        "log(1 + r_k)\n"
        "cost: p^2 operations for each row, and p^2/2 numbers saved for vjp, of more than 4 rows "
        "as "
        "of multiples of 16",
    .plan = stationary_plan,
    .forward = stationary_forward,
    .right_inverse = stationary_right_inverse,
    .vjp = stationary_vjp,
    .residual = stationary_residual,
    .sample = stationary_sample,
    .log_abs_det = stationary_log_abs_det,
    .log_abs_det_vjp = stationary_log_abs_det_vjp,
    .jvp = stationary_jvp,
};

PZ_PLUGIN(series, "1.0.0", PZ_PARAMETRIZATION(&stationary), PZ_PARAMETRIZATION(&stable_diagonal),
          PZ_PARAMETRIZATION(&series_toeplitz));
