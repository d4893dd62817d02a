/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* y = A - alpha I (stable.c). */

#include "stable.h"

#include <math.h>

enum { ALPHA }; /* option */

static double
alpha_of(const pz_call* const c)
{
  return c->options[ALPHA].as.real;
}

static pz_status
hurwitz_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(stable_a(c, x, y));
  return alpha_of(c) == 0.0 ? PZ_OK : pz_add_identity(c, -alpha_of(c), y);
}

static pz_status
hurwitz_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const g, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return stable_a_vjp(c, g, gx);
}

static pz_status
hurwitz_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)x;
  (void)y;
  return stable_a_jvp(c, dx, dy);
}

/* abscissa[k] <- how far A has to move left: by its largest real part, if that is not below 0, and a share of its
   size. */
static pz_status
distances(pz_call* const c, const pz_tensor* const a, double* const abscissa)
{
  const pz_spec one = pz_spec_make(a->dtype, a->ndim - 2, a->shape);
  double* size = NULL;
  pz_tensor norm;
  PZ_TRY(pz_work(c, &one, &norm));
  PZ_TRY(stable_numbers(c, a, &size));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, a, &norm));
  PZ_TRY(pz_read(c, &norm, size));
  for (int64_t k = 0; k < pz_batch(a); ++k) {
    const double by = abscissa[k] + size[k] / (STABLE_MARGIN * sqrt((double)pz_cols(a)));
    abscissa[k] = abscissa[k] < 0.0 ? 0.0 : by == 0.0 ? 1.0 : by;
  }
  return PZ_OK;
}

static pz_status
hurwitz_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  double* abscissa = NULL;
  pz_tensor a;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  PZ_TRY(stable_numbers(c, y, &abscissa));
  PZ_TRY(pz_work_like(c, y, &a));
  PZ_TRY(stable_abscissa(c, y, abscissa));
  PZ_TRY(stable_refuse(c, y, "the real part", -alpha_of(c), abscissa));
  PZ_TRY(pz_copy(c, y, &a));
  PZ_TRY(pz_add_identity(c, alpha_of(c), &a));
  for (int64_t k = 0; k < pz_batch(y); ++k) {
    abscissa[k] += alpha_of(c);
  }
  PZ_TRY(distances(c, &a, abscissa));
  PZ_TRY(stable_move_left(c, abscissa, &a));
  return stable_a_inverse(c, &a, x);
}

static pz_status
hurwitz_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return stable_residual(c, y, -alpha_of(c), stable_abscissa, distance);
}

static pz_status
hurwitz_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                    pz_tensor* const out)
{
  double* numbers = NULL;
  (void)y;
  if (pz_count(x) == 0) {
    return pz_fill(c, 0.0, out);
  }
  PZ_TRY(stable_numbers(c, x, &numbers));
  PZ_TRY(stable_log_abs_det(c, x, numbers));
  return pz_write(c, numbers, out);
}

static pz_status
hurwitz_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                        const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  return pz_count(x) == 0 ? PZ_OK : stable_log_abs_det_vjp(c, x, NULL, g_out, gx);
}

static const pz_option hurwitz_options[] = {
    [ALPHA] = PZ_OPTION_REAL("alpha", 0.0, -HUGE_VAL, HUGE_VAL,
                             "how far left of 0 the eigenvalues are at least"),
};

const pz_parametrization stable_hurwitz = {
    .size = sizeof(stable_hurwitz),
    .option_size = sizeof(pz_option),
    .id = "hurwitz",
    .summary = "Matrices of stable differential equations: eigenvalues left of -alpha",
    .tags = "matrix stable control",
    .formula =
        "Y = (S - I) L L^T - alpha I, S skew from the strict upper triangle of X, L from the "
        "lower one with e^X_ii on the diagonal\n"
        "domain: any square X; e^X_ii squared overflows above 354 (float32: 44)\n"
        "right inverse: a Lyapunov equation; a registered matrix moves left by its largest "
        "real part and a thousandth of its size\n"
        "log |det|: sum of (n - i) X_ii + sum over i <= j of log |l_i + l_j|, l the "
        "eigenvalues of Y + alpha I\n"
        "cost: 3 n^3 / 2 multiply-adds forward, three times as many in vjp",
    PZ_OPTIONS(hurwitz_options),
    .plan = stable_plan,
    .forward = hurwitz_forward,
    .right_inverse = hurwitz_right_inverse,
    .vjp = hurwitz_vjp,
    .residual = hurwitz_residual,
    .log_abs_det = hurwitz_log_abs_det,
    .log_abs_det_vjp = hurwitz_log_abs_det_vjp,
    .jvp = hurwitz_jvp,
};
