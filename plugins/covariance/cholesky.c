/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Covariance matrices and their Cholesky factors, from the lower triangle of x:

     L = tril(x, -1) + diag(f(x_ii)),  f(t) = e^t or log(1 + e^t)
     y = L                                     of=factor
     y = L L^T                                 of=covariance

     gx = tril(gL, -1) + diag(gL_ii f'(x_ii)),  gL = g or (g + g^T) L
     dy = dL or dL L^T + L dL^T

   In the coordinates of lower triangles, log |det dL/dx| = sum of log f'(x_ii), and log |det dy/dL| =
   n log 2 + sum over i of (n - i + 1) log f(x_ii). Right inverse: f^-1 of the diagonal of the factor. */

#include "log_det.h"
#include "matrices.h"

#include <math.h>

enum { OF, DIAGONAL }; /* options */
enum { FACTOR, COVARIANCE };
enum { EXP, SOFTPLUS };
enum { D, L }; /* saved: the diagonal of L, and of a covariance L */
static const char* const ofs[] = {"factor", "covariance"};
static const char* const diagonals[] = {"exp", "softplus"};

static const matrices sets[] = {
    [FACTOR] = {"a lower triangular matrix with positive diagonal", false, false, false},
    [COVARIANCE] = {"a symmetric matrix", true, true, false},
};

// clang-format off

PZ_KERNEL(cholesky_exp, 1, 0, 0,
  PZ_TENSOR_ARG(0, d);
  d[i] = pz_exp(d[i]);
)

PZ_KERNEL(cholesky_softplus, 1, 0, 0,
  PZ_TENSOR_ARG(0, d);
  d[i] = pz_softplus(d[i]);
)

/* a <- a f'(x), from d = f(x), which has lost nothing of it */
PZ_KERNEL(cholesky_softplus_slope, 2, 0, 0,
  PZ_TENSOR_ARG(0, d);
  PZ_TENSOR_ARG(1, a);
  a[i] *= -pz_expm1(-d[i]);
)

/* d <- f^-1(d) */
PZ_KERNEL(cholesky_inverse, 1, 0, 1,
  PZ_TENSOR_ARG(0, d);
  PZ_INTEGER_ARG(0, softplus);
  d[i] = softplus != 0 ? d[i] + pz_log(-pz_expm1(-d[i])) : pz_log(d[i]);
)

/* slope <- log f'(x), value <- log f(x), for the softplus */
PZ_KERNEL(cholesky_logs, 3, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, slope);
  PZ_TENSOR_ARG(2, value);
  slope[i] = -pz_softplus(-x[i]);
  value[i] = x[i] < (real)-37 ? x[i] : pz_log(pz_softplus(x[i]));
)

/* and the derivatives of both */
PZ_KERNEL(cholesky_log_slopes, 3, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, slope);
  PZ_TENSOR_ARG(2, value);
  slope[i] = pz_logistic(-x[i]);
  value[i] = x[i] < (real)-37 ? (real)1 : pz_logistic(x[i]) / pz_softplus(x[i]);
)

/* An item is a matrix: the sum of slope_j + covariance ((n - j) value_j + log 2), counted from 0. */
PZ_KERNEL(cholesky_density, 3, 1, 2,
  PZ_TENSOR_ARG(0, slope);
  PZ_TENSOR_ARG(1, value);
  PZ_TENSOR_ARG(2, out);
  PZ_REAL_ARG(0, log_two);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, covariance);
  real sum = (real)0;
  for (pz_int j = 0; j < n; ++j) {
    const pz_int k = i * n + j;
    sum += covariance != 0 ? slope[k] + (real)(n - j) * value[k] + log_two : slope[k];
  }
  out[i] = sum;
)

PZ_KERNEL(cholesky_density_slope, 4, 0, 2,
  PZ_TENSOR_ARG(0, slope);
  PZ_TENSOR_ARG(1, value);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, out);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, covariance);
  for (pz_int j = 0; j < n; ++j) {
    const pz_int k = i * n + j;
    out[k] = g[i] * (covariance != 0 ? slope[k] + (real)(n - j) * value[k] : slope[k]);
  }
)

// clang-format on

static bool
is_covariance(const pz_call* const c)
{
  return c->options[OF].as.integer == COVARIANCE;
}

/* Scratch for one number of each row of x, and what is on the diagonal there. */
static pz_status
diagonal_of(pz_call* const c, const pz_tensor* const x, pz_tensor* const d)
{
  const pz_spec spec = pz_spec_make(x->dtype, x->ndim - 1, x->shape);
  PZ_TRY(pz_work(c, &spec, d));
  return pz_get_diagonal(c, x, d);
}

/* out <- tril(a, -1) + diag(a_ii f'(x_ii)) */
static pz_status
times_slope(pz_call* const c, const pz_tensor* const a, pz_tensor* const out)
{
  pz_tensor d;
  pz_tensor on;
  PZ_TRY(pz_saved(c, D, &d));
  PZ_TRY(diagonal_of(c, a, &on));
  PZ_TRY(
      c->options[DIAGONAL].as.integer == EXP
          ? pz_hadamard(c, 1.0, &d, &on, 0.0, &on)
          : pz_launch(c, &cholesky_softplus_slope, pz_count(&d), PZ_TENSORS(&d, &on), NULL, NULL));
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, a, out));
  return pz_set_diagonal(c, &on, out);
}

static pz_status
cholesky_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_density(c, 2, PZ_LOWER_TRIANGLE, PZ_LOWER_TRIANGLE));
  return pz_declare_value(c, given, is_covariance(c) ? PZ_SPD : PZ_LOWER_TRIANGULAR);
}

static pz_status
cholesky_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  static const pz_kernel* const values[] = {&cholesky_exp, &cholesky_softplus};
  const pz_spec spec = pz_spec_make(x->dtype, x->ndim - 1, x->shape);
  pz_tensor d;
  pz_tensor l = *y;
  PZ_TRY(pz_save(c, &spec, &d));
  if (is_covariance(c)) {
    PZ_TRY(pz_save_like(c, x, &l));
  }
  PZ_TRY(pz_get_diagonal(c, x, &d));
  PZ_TRY(pz_launch(c, values[c->options[DIAGONAL].as.integer], pz_count(&d), PZ_TENSORS(&d), NULL,
                   NULL));
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, x, &l));
  PZ_TRY(pz_set_diagonal(c, &d, &l));
  return is_covariance(c) ? pz_syrk(c, PZ_N, 1.0, &l, 0.0, y) : PZ_OK;
}

static pz_status
cholesky_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
             const pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor l;
  pz_tensor gl = *g;
  (void)x;
  (void)y;
  if (is_covariance(c)) {
    PZ_TRY(pz_saved(c, L, &l));
    PZ_TRY(matrices_square_vjp(c, &l, g, &gl));
  }
  return times_slope(c, &gl, gx);
}

static pz_status
cholesky_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
             const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor l;
  pz_tensor dl;
  (void)y;
  if (!is_covariance(c)) {
    return times_slope(c, dx, dy);
  }
  PZ_TRY(pz_saved(c, L, &l));
  PZ_TRY(pz_work_like(c, x, &dl));
  PZ_TRY(times_slope(c, dx, &dl));
  return matrices_square_jvp(c, &l, &dl, dy);
}

static pz_status
cholesky_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  pz_tensor d;
  PZ_TRY(matrices_inverse(c, &sets[c->options[OF].as.integer], y, x));
  PZ_TRY(diagonal_of(c, x, &d));
  PZ_TRY(pz_launch(c, &cholesky_inverse, pz_count(&d), PZ_TENSORS(&d), NULL,
                   &c->options[DIAGONAL].as.integer));
  return pz_set_diagonal(c, &d, x);
}

/* log f' and log f on the diagonal, or the derivatives of both: by a kernel, if f is the softplus. */
static pz_status
logs_of(pz_call* const c, const pz_tensor* const x, const pz_kernel* const of_softplus,
        pz_tensor* const slope, pz_tensor* const value)
{
  pz_tensor d;
  PZ_TRY(diagonal_of(c, x, &d));
  if (c->options[DIAGONAL].as.integer == EXP) {
    *slope = *value = d; /* both logs are x, with the derivative 1 */
    return of_softplus == &cholesky_logs ? PZ_OK : pz_fill(c, 1.0, &d);
  }
  PZ_TRY(pz_work_like(c, &d, slope));
  PZ_TRY(pz_work_like(c, &d, value));
  return pz_launch(c, of_softplus, pz_count(&d), PZ_TENSORS(&d, slope, value), NULL, NULL);
}

static pz_status
cholesky_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                     pz_tensor* const out)
{
  pz_tensor slope;
  pz_tensor value;
  (void)y;
  PZ_TRY(logs_of(c, x, &cholesky_logs, &slope, &value));
  return pz_launch(c, &cholesky_density, pz_count(out), PZ_TENSORS(&slope, &value, out),
                   PZ_REALS(log(2.0)), PZ_INTEGERS(pz_cols(x), is_covariance(c)));
}

static pz_status
cholesky_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                         const pz_tensor* const g_out, pz_tensor* const gx)
{
  pz_tensor slope;
  pz_tensor value;
  (void)y;
  PZ_TRY(logs_of(c, x, &cholesky_log_slopes, &slope, &value));
  PZ_TRY(pz_launch(c, &cholesky_density_slope, pz_count(g_out),
                   PZ_TENSORS(&slope, &value, g_out, &slope), NULL,
                   PZ_INTEGERS(pz_cols(x), is_covariance(c))));
  PZ_TRY(pz_fill(c, 0.0, gx));
  return pz_set_diagonal(c, &slope, gx);
}

static pz_status
cholesky_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return matrices_residual(c, &sets[c->options[OF].as.integer], y, distance);
}

/* Wishart, 2 n degrees of freedom, mean I; or its factor. */
static pz_status
cholesky_sample(pz_call* const c, pz_tensor* const y)
{
  const double freedom = 2.0 * (double)pz_cols(y);
  pz_spec wide = pz_spec_of(y);
  pz_tensor a;
  pz_tensor s;
  wide.shape[y->ndim - 1] *= 2;
  PZ_TRY(pz_work(c, &wide, &a));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0 / sqrt(fmax(1.0, freedom)), &a));
  if (is_covariance(c)) {
    return pz_syrk(c, PZ_N, 1.0, &a, 0.0, y);
  }
  PZ_TRY(pz_work_like(c, y, &s));
  PZ_TRY(pz_syrk(c, PZ_N, 1.0, &a, 0.0, &s));
  return pz_potrf(c, PZ_LOWER, &s, y);
}

static const pz_option cholesky_options[] = {
    [OF] = PZ_OPTION_CHOICE("of", FACTOR, ofs, "the Cholesky factor L, or the covariance L L^T"),
    [DIAGONAL] = PZ_OPTION_CHOICE("diagonal", EXP, diagonals,
                                  "what makes the diagonal of L positive: e^x or log(1 + e^x)"),
};

static const pz_parametrization cholesky = {
    .size = sizeof(cholesky),
    .option_size = sizeof(pz_option),
    .id = "cholesky",
    .summary = "Covariance matrices and their Cholesky factors",
    .tags = "statistics covariance triangular",
    .formula =
        "L = tril(X, -1) + diag(f(X_ii)), f(t) = e^t or log(1 + e^t); Y = L, or Y = L L^T with "
        "of=covariance\n"
        "domain: any square X, of which the lower triangle is read; e^t overflows above 709 "
        "(float32: 88), and L L^T above half of that\n"
        "right inverse: f^-1 of the diagonal of the Cholesky factor; where a registered matrix has "
        "none, eigenvalues below sqrt(eps) times the largest become that\n"
        "log |det|: sum of log f'(X_ii) in lower triangles; of=covariance adds n log 2 + sum of (n "
        "- "
        "i + 1) log f(X_ii)\n"
        "cost: one pass over memory; of=covariance n^3 / 2 multiply-adds forward, as many in vjp",
    PZ_OPTIONS(cholesky_options),
    .plan = cholesky_plan,
    .forward = cholesky_forward,
    .right_inverse = cholesky_right_inverse,
    .vjp = cholesky_vjp,
    .residual = cholesky_residual,
    .sample = cholesky_sample,
    .log_abs_det = cholesky_log_abs_det,
    .log_abs_det_vjp = cholesky_log_abs_det_vjp,
    .jvp = cholesky_jvp,
};

PZ_PLUGIN(covariance, "1.0.0", PZ_PARAMETRIZATION(&cholesky),
          PZ_PARAMETRIZATION(&matrices_correlation), PZ_PARAMETRIZATION(&matrices_psd));
