/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A right plugin with places for mistakes: without -DDEFECT_... it keeps every rule of `parametrize
   check`; each DEFECT breaks one. The map is y = s e^x, s = e^t with a number t: two originals, of
   which the first is any tensor. */

#include <parametrize/plugin.h>

#include <stdio.h>
#include <stdlib.h>

#ifdef DEFECT_NONE
#endif
#ifndef FACTOR_VJP
#define FACTOR_VJP 1
#endif
#ifndef FACTOR_JVP
#define FACTOR_JVP 1
#endif
#ifndef FACTOR_INVERSE
#define FACTOR_INVERSE 1
#endif

enum { X, T }; /* originals */

// clang-format off
PZ_ROW_KERNEL(value, 2, 1, 1, 0,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, t);
  PZ_ROW_OUT(0, y);
  PZ_REAL_ARG(0, drift);
  const real s = pz_exp(t) + drift;
  PZ_ROW_EACH(j, n) {
    y[j] = s * pz_exp(x[j]);
  }
)

PZ_ROW_KERNEL(adjoint, 2, 2, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, gy);
  PZ_ROW_OUT(0, gx);
  PZ_REAL_ARG(0, factor);
  PZ_ROW_SUM(gt, j, n, gy[j] * y[j]);
  PZ_ROW_EACH(j, n) {
    gx[j] = factor * gy[j] * y[j];
  }
  PZ_VALUE_OUT(1, gt);
)

PZ_ROW_KERNEL(tangent, 3, 1, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, dx);
  PZ_VALUE_IN(2, dt);
  PZ_ROW_OUT(0, dy);
  PZ_REAL_ARG(0, factor);
  PZ_ROW_EACH(j, n) {
    dy[j] = y[j] * (factor * dx[j] + dt);
  }
)

PZ_ROW_KERNEL(inverse, 1, 2, 2, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_OUT(0, x);
  PZ_REAL_ARG(0, factor);
  PZ_REAL_ARG(1, least);
  PZ_ROW_EACH(j, n) {
    x[j] = factor * pz_log(pz_max(y[j], least));
  }
  PZ_VALUE_OUT(1, (real)0);
)

PZ_ROW_KERNEL(below_zero, 1, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_MAX(most, j, n, -y[j]);
  PZ_VALUE_OUT(0, pz_max(most, (real)0));
)

PZ_KERNEL(overwrite, 1, 0, 0,
  PZ_TENSOR_ARG(0, x);
  x[i] = x[i] + (real)0.25;
)
// clang-format on

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
#ifdef DEFECT_PLAN
  if (given->ndim == 3) {
    return pz_fail(c, PZ_INVALID, "found three dimensions");
  }
#endif
  const pz_spec t = pz_spec_make(given->dtype, 0, NULL);
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_original(c, NULL, &t));
#ifdef DEFECT_STRUCTURE
  const bool square =
      given->ndim >= 2 && given->shape[given->ndim - 1] == given->shape[given->ndim - 2];
  return pz_declare_value(c, given, square ? PZ_SYMMETRIC : PZ_GENERAL);
#else
  return pz_declare_value(c, given, PZ_GENERAL);
#endif
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  double drift = 0.0;
#ifdef DEFECT_STATE
  static int calls;
  drift = 1e-3 * (double)calls++;
#endif
#ifdef DEFECT_DTYPE
  drift = y->dtype == PZ_F32 ? 1e-2 : 0.0;
#endif
#ifdef DEFECT_MALLOC
  free(malloc(16));
#endif
#ifdef DEFECT_EXIT
  exit(0);
#endif
#ifdef DEFECT_CRASH
  abort();
#endif
#ifdef DEFECT_OVERWRITE
  if (pz_count(&x[X]) > 0) {
    PZ_TRY(pz_launch(c, &overwrite, pz_count(&x[X]), PZ_TENSORS(&x[X]), NULL, NULL));
  }
#else
  (void)overwrite;
#endif
  pz_tensor saved;
  PZ_TRY(pz_launch_rows(c, &value, PZ_WHOLE, 0, PZ_TENSORS(&x[X], &x[T]), PZ_OUTPUTS(y), &drift,
                        NULL));
  PZ_TRY(pz_save_like(c, y, &saved));
  return pz_copy(c, y, &saved);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const gy,
    pz_tensor* const gx)
{
  pz_tensor saved;
  (void)x;
  (void)y;
  PZ_TRY(pz_saved(c, 0, &saved));
  PZ_TRY(pz_launch_rows(c, &adjoint, PZ_WHOLE, 0, PZ_TENSORS(&saved, gy),
                        PZ_OUTPUTS(&gx[X], &gx[T]), PZ_REALS(FACTOR_VJP), NULL));
#ifdef DEFECT_SAVED
  PZ_TRY(pz_scale(c, 1.5, &saved));
#endif
#ifdef DEFECT_WANT
  if (!pz_wants(c, X)) {
    return pz_scale(c, 2.0, &gx[T]);
  }
#endif
  return PZ_OK;
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const dx,
    pz_tensor* const dy)
{
  (void)x;
  return pz_launch_rows(c, &tangent, PZ_WHOLE, 0, PZ_TENSORS(y, &dx[X], &dx[T]), PZ_OUTPUTS(dy),
                        PZ_REALS(FACTOR_JVP), NULL);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const pz_spec one = pz_spec_make(y->dtype, 0, NULL);
  pz_tensor most;
  *distance = 0.0;
#ifdef DEFECT_RESIDUAL
  return PZ_OK;
#endif
  PZ_TRY(pz_work(c, &one, &most));
  PZ_TRY(pz_launch_rows(c, &below_zero, PZ_WHOLE, 0, PZ_TENSORS(y), PZ_OUTPUTS(&most), NULL, NULL));
  return pz_read(c, &most, distance);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  double distance = 0.0;
#ifndef DEFECT_RESIDUAL
  PZ_TRY(residual(c, y, &distance));
#endif
#ifdef DEFECT_REGISTER
  const bool refuses = true;
#else
  const bool refuses = c->intent == PZ_ASSIGN;
#endif
  if (refuses && !(distance <= 0.0)) {
    return pz_fail(c, PZ_OUTSIDE, "found an entry of -%g, expected positive ones", distance);
  }
  return pz_launch_rows(c, &inverse, PZ_WHOLE, 0, PZ_TENSORS(y), PZ_OUTPUTS(&x[X], &x[T]),
                        PZ_REALS(FACTOR_INVERSE, 1e-7), NULL);
}

#if defined(DEFECT_PRINT) || defined(DEFECT_ENVIRONMENT) || defined(DEFECT_CONSTRUCTOR)
__attribute__((constructor)) static void
at_load(void)
{
#ifdef DEFECT_PRINT
  puts("hello");
  (void)fflush(stdout);
#endif
#ifdef DEFECT_ENVIRONMENT
  (void)setenv("DEFECTIVE", "1", 1);
#endif
#ifdef DEFECT_CONSTRUCTOR
  abort();
#endif
}
#endif

static const pz_parametrization defective = {
    .size = sizeof(defective),
    .option_size = sizeof(pz_option),
    .id = "defective",
    .summary = "Entries s e^x",
    .n_originals = 2,
    .plan = plan,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .jvp = jvp,
};

/* ---- a second one, with a density: y = e^x, log |det| = x for each entry ---------------------- */

#ifndef OFF_DENSITY
#define OFF_DENSITY 0
#endif
#ifndef FACTOR_DENSITY
#define FACTOR_DENSITY 1
#endif

// clang-format off
PZ_KERNEL(exponential, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = pz_exp(x[i]);
)

PZ_KERNEL(shifted, 2, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_REAL_ARG(0, more);
  y[i] = x[i] + more;
)
// clang-format on

static pz_status
density_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_density(c, 0, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
density_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_launch(c, &exponential, pz_count(y), PZ_TENSORS(x, y), NULL, NULL);
}

static pz_status
density_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  return pz_hadamard(c, 1.0, gy, y, 0.0, gx);
}

static pz_status
density_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)x;
  return pz_hadamard(c, 1.0, dx, y, 0.0, dy);
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  (void)y;
  return pz_launch(c, &shifted, pz_count(out), PZ_TENSORS(x, out), PZ_REALS(OFF_DENSITY), NULL);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_axpby(c, FACTOR_DENSITY, g_out, 0.0, gx);
}

static const pz_parametrization dense = {
    .size = sizeof(dense),
    .option_size = sizeof(pz_option),
    .id = "dense",
    .summary = "Entries e^x",
    .plan = density_plan,
    .forward = density_forward,
    .vjp = density_vjp,
    .jvp = density_jvp,
    .log_abs_det = log_abs_det,
    .log_abs_det_vjp = log_abs_det_vjp,
};

PZ_PLUGIN(defective, "1.0.0", PZ_PARAMETRIZATION(&defective), PZ_PARAMETRIZATION(&dense));
