/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* y = radius (2 (I - A/2)^-1 - I) (stable.c). */

#include "stable.h"

#include "log_det.h"

#include <math.h>

enum { RADIUS }; /* option */

/* y = alpha I + beta (gamma I + delta A)^-1 */
static pz_shift
circle(const pz_call* const c)
{
  const double radius = c->options[RADIUS].as.real;
  return (pz_shift){-radius, 2.0 * radius, 1.0, -0.5};
}

static pz_status
schur_stable_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_shift shift = circle(c);
  pz_tensor a;
  PZ_TRY(pz_work_like(c, x, &a));
  PZ_TRY(stable_a(c, x, &a));
  return pz_shifted_inverse(c, PZ_GENERAL, &shift, &a, y);
}

static pz_status
schur_stable_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                 const pz_tensor* const g, pz_tensor* const gx)
{
  const pz_shift shift = circle(c);
  pz_tensor ga;
  (void)x;
  PZ_TRY(pz_work_like(c, y, &ga));
  PZ_TRY(pz_shifted_inverse_adjoint(c, PZ_GENERAL, &shift, y, g, &ga));
  return stable_a_vjp(c, &ga, gx);
}

/* dY = N dA N/(4 radius), N = Y + radius I */
static pz_status
schur_stable_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                 const pz_tensor* const dx, pz_tensor* const dy)
{
  const double radius = c->options[RADIUS].as.real;
  pz_tensor da;
  pz_tensor n;
  pz_tensor product;
  (void)x;
  PZ_TRY(pz_work_like(c, y, &da));
  PZ_TRY(pz_work_like(c, y, &n));
  PZ_TRY(pz_work_like(c, y, &product));
  PZ_TRY(stable_a_jvp(c, dx, &da));
  PZ_TRY(pz_combine(c, radius, 1, PZ_REALS(1.0), PZ_TENSORS(y), &n));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 0.25 / radius, &n, &da, 0.0, &product));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &product, &n, 0.0, dy);
}

static pz_status
schur_stable_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const double radius = c->options[RADIUS].as.real;
  const double most = pow(pz_dtype_epsilon(y->dtype), -0.25);
  double* found = NULL;
  double* size = NULL;
  pz_tensor inside;
  pz_tensor a;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(stable_numbers(c, y, &found));
  PZ_TRY(stable_numbers(c, y, &size));
  PZ_TRY(pz_work_like(c, y, &inside));
  PZ_TRY(pz_work_like(c, y, &a));
  PZ_TRY(stable_radius(c, y, found));
  PZ_TRY(stable_refuse(c, y, "the spectral radius", radius, found));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    found[k] = found[k] >= radius ? (1.0 - 1.0 / STABLE_MARGIN) / found[k] : 1.0 / radius;
  }
  PZ_TRY(pz_copy(c, y, &inside));
  PZ_TRY(stable_divide(c, &inside, size));
  for (int64_t k = 0; k < pz_batch(y); ++k) { // whatever its eigenvalues, (I + Y)^-1 is in range
    found[k] *= size[k];
    found[k] = c->intent == PZ_REGISTER && found[k] > most ? most : found[k];
  }
  PZ_TRY(stable_scale(c, found, &inside));
  // A = 2 I - 4 (I + Y/radius)^-1
  PZ_TRY(pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){2.0, -4.0, 1.0, 1.0}, &inside, &a));
  return stable_a_inverse(c, &a, x);
}

static pz_status
schur_stable_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return stable_residual(c, y, c->options[RADIUS].as.real, stable_radius, distance);
}

/* That of A, and 2 n log |det M| + n^2 log radius, M = (I - A/2)^-1 = N/(2 radius), N = Y + radius I. */
static pz_status
schur_stable_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                         pz_tensor* const out)
{
  const double radius = c->options[RADIUS].as.real;
  const double n = (double)pz_cols(x);
  double* numbers = NULL;
  pz_tensor shifted;
  pz_tensor of_a;
  if (pz_count(x) == 0) {
    return pz_fill(c, 0.0, out);
  }
  PZ_TRY(stable_numbers(c, x, &numbers));
  PZ_TRY(stable_log_abs_det(c, x, numbers));
  PZ_TRY(pz_work_like(c, y, &shifted));
  PZ_TRY(pz_work_like(c, out, &of_a));
  PZ_TRY(pz_write(c, numbers, &of_a));
  PZ_TRY(pz_combine(c, radius, 1, PZ_REALS(1.0), PZ_TENSORS(y), &shifted));
  PZ_TRY(log_det(c, 2.0 * n, n * n * (log(radius) - 2.0 * log(2.0 * radius)), &shifted, out));
  return pz_axpby(c, 1.0, &of_a, 1.0, out);
}

/* n M at A besides. */
static pz_status
schur_stable_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                             const pz_tensor* const g_out, pz_tensor* const gx)
{
  const double n = (double)pz_cols(x);
  pz_tensor m;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, y, &m));
  PZ_TRY(
      pz_combine(c, 0.5 * n, 1, PZ_REALS(0.5 * n / c->options[RADIUS].as.real), PZ_TENSORS(y), &m));
  return stable_log_abs_det_vjp(c, x, &m, g_out, gx);
}

static const pz_option schur_stable_options[] = {
    [RADIUS] =
        PZ_OPTION_REAL("radius", 1.0, 0.001, HUGE_VAL, "the spectral radius is less than this"),
};

static const pz_parametrization schur_stable = {
    .size = sizeof(schur_stable),
    .option_size = sizeof(pz_option),
    .id = "schur_stable",
    .summary = "Matrices of stable recursions: spectral radius below a bound",
    .tags = "matrix stable control",
    .formula = "Y = radius (2 (I - A/2)^-1 - I), A = (S - I) L L^T as hurwitz has it\n"
               "domain: any square X\n"
               "right inverse: a Lyapunov equation; a registered matrix is scaled to 0.999 of the "
               "radius\n"
               "log |det|: that of A as in hurwitz, 2 n log |det (I - A/2)^-1| + n^2 log radius\n"
               "cost: 5 n^3 / 2 multiply-adds forward, three times as many in vjp",
    PZ_OPTIONS(schur_stable_options),
    .plan = stable_plan,
    .forward = schur_stable_forward,
    .right_inverse = schur_stable_right_inverse,
    .vjp = schur_stable_vjp,
    .residual = schur_stable_residual,
    .log_abs_det = schur_stable_log_abs_det,
    .log_abs_det_vjp = schur_stable_log_abs_det_vjp,
    .jvp = schur_stable_jvp,
};

PZ_PLUGIN(stable, "1.0.0", PZ_PARAMETRIZATION(&stable_hurwitz), PZ_PARAMETRIZATION(&schur_stable));
