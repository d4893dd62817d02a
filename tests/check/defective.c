/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A right plugin with places for mistakes: without -DDEFECT_... it keeps every rule of `parametrize
   check`; each DEFECT breaks one. The map is y = s e^x, s = e^t with a number t: two originals, of
   which the first is any tensor. */

#include <parametrize/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
  PZ_ROW_VALUE(s, pz_exp(t[r]) + drift);
  PZ_ROW_EACH(j, n) {
    y[j][r] = s[r] * pz_exp(x[j][r]);
  }
)

PZ_ROW_KERNEL(adjoint, 2, 2, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, gy);
  PZ_ROW_OUT(0, gx);
  PZ_REAL_ARG(0, factor);
  PZ_ROW_SUM(gt, j, n, gy[j][r] * y[j][r]);
  PZ_ROW_EACH(j, n) {
    gx[j][r] = factor * gy[j][r] * y[j][r];
  }
  PZ_VALUE_OUT(1, gt[r]);
)

PZ_ROW_KERNEL(tangent, 3, 1, 1, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_IN(1, dx);
  PZ_VALUE_IN(2, dt);
  PZ_ROW_OUT(0, dy);
  PZ_REAL_ARG(0, factor);
  PZ_ROW_EACH(j, n) {
    dy[j][r] = y[j][r] * (factor * dx[j][r] + dt[r]);
  }
)

PZ_ROW_KERNEL(inverse, 1, 2, 2, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_OUT(0, x);
  PZ_REAL_ARG(0, factor);
  PZ_REAL_ARG(1, least);
  PZ_ROW_EACH(j, n) {
    x[j][r] = factor * pz_log(pz_max(y[j][r], least));
  }
  PZ_VALUE_OUT(1, (real)0);
)

PZ_ROW_KERNEL(below_zero, 1, 1, 0, 0,
  PZ_ROW_IN(0, y);
  PZ_ROW_MAX(most, j, n, -y[j][r]);
  PZ_VALUE_OUT(0, pz_max(most[r], (real)0));
)

PZ_KERNEL(overwrite, 1, 0, 0,
  PZ_TENSOR_ARG(0, x);
  x[i] = x[i] + (real)0.25;
)

PZ_KERNEL(beyond, 1, 0, 1,
  PZ_TENSOR_ARG(0, y);
  PZ_INTEGER_ARG(0, n);
  y[i + n] = y[i + n] + (real)0.25;
)

PZ_KERNEL(neighbour, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = y[i] + (real)0 * x[i + 1];
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

#ifdef DEFECT_TRACE
static bool spoiled; /* by a NaN */
#endif

/* Mistakes of a callback that has computed y, or gx[X] or dy, from x. */
static pz_status
spoil(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const int64_t n = pz_count(y);
  (void)c;
  (void)x;
  if (n == 0) {
    return PZ_OK;
  }
#ifdef DEFECT_BEYOND /* a kernel that writes y[n] */
  PZ_TRY(pz_launch(c, &beyond, 1, PZ_TENSORS(y), NULL, PZ_INTEGERS(n)));
#endif
#ifdef DEFECT_POINTER /* the host's pointers */
  ((volatile char*)y->data)[y->byte_offset] = ((volatile char*)y->data)[y->byte_offset];
#endif
#ifdef DEFECT_BEFORE /* a loop of the host that begins too early */
  if (y->device.type == PZ_DEVICE_CPU) {
    memset((char*)y->data + y->byte_offset - 8, 0, 8);
  }
#endif
#ifdef DEFECT_NEIGHBOUR /* reads x[n], times zero */
  PZ_TRY(pz_launch(c, &neighbour, n, PZ_TENSORS(&x[X], y), NULL, NULL));
#endif
#ifdef DEFECT_SCRATCH /* adds zero times scratch that nothing was written to */
  pz_tensor scratch;
  PZ_TRY(pz_work_like(c, y, &scratch));
  PZ_TRY(pz_axpby(c, 0x1p-40, &scratch, 1.0, y));
#endif
#ifdef DEFECT_DEVICE /* wrong where pointers are handles */
  PZ_TRY(y->device.type == PZ_DEVICE_CPU ? PZ_OK : pz_scale(c, 1.01, y));
#endif
#ifdef DEFECT_ROWS /* asks the device for each row */
  for (int64_t k = 0; k < pz_batch(y) * pz_rows(y); ++k) {
    double number = 0.0;
    PZ_TRY(pz_largest(c, &x[T], &number));
  }
#endif
#ifdef DEFECT_HOST /* takes the tensor to the host and back */
  void* numbers = NULL;
  PZ_TRY(pz_work_host(c, (size_t)n * sizeof(double), &numbers));
  PZ_TRY(pz_read(c, y, (double*)numbers));
  PZ_TRY(pz_write(c, (const double*)numbers, y));
#endif
#ifdef DEFECT_STATIC /* what a static variable holds while another thread runs */
  static volatile double shift;
  double number = 0.0;
  PZ_TRY(pz_read(c, &x[T], &number));
  shift = number;
  (void)nanosleep(&(const struct timespec){.tv_nsec = 100000}, NULL);
  PZ_TRY(pz_scale(c, 1.0 + 1e-3 * (shift - number), y));
#endif
#ifdef DEFECT_IGNORED /* a status that is not looked at */
  (void)pz_scale(c, 2.0, y);
  (void)pz_scale(c, 0.5, y);
#endif
#ifdef DEFECT_TRANSLATED /* a status that becomes another */
  if (pz_scale(c, 1.0, y) != PZ_OK) {
    return pz_fail(c, PZ_INVALID, "found no success");
  }
#endif
#ifdef DEFECT_TRACE
  double number = 0.0;
  PZ_TRY(pz_largest(c, y, &number));
  spoiled = spoiled || isnan(number);
  PZ_TRY(spoiled ? pz_scale(c, 1.5, y) : PZ_OK);
#endif
  return PZ_OK;
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
  PZ_TRY(spoil(c, x, y));
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
below(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const pz_spec one = pz_spec_make(y->dtype, 0, NULL);
  pz_tensor most;
  PZ_TRY(pz_work(c, &one, &most));
  PZ_TRY(pz_launch_rows(c, &below_zero, PZ_WHOLE, 0, PZ_TENSORS(y), PZ_OUTPUTS(&most), NULL, NULL));
  return pz_read(c, &most, distance);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  *distance = 0.0;
#ifdef DEFECT_RESIDUAL
  return PZ_OK;
#endif
#ifdef DEFECT_MEMBERS
  *distance = 0.125;
  return PZ_OK;
#endif
#ifdef DEFECT_BLIND /* to the sign of all entries together */
  pz_tensor other;
  double negative = 0.0;
  PZ_TRY(pz_work_like(c, y, &other));
  PZ_TRY(pz_axpby(c, -1.0, y, 0.0, &other));
  PZ_TRY(below(c, &other, &negative));
  PZ_TRY(below(c, y, distance));
  *distance = *distance < negative ? *distance : negative;
  return PZ_OK;
#endif
  return below(c, y, distance);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  double distance = 0.0;
#if defined(DEFECT_BLIND) /* what residual does not see, this does */
  PZ_TRY(below(c, y, &distance));
#elif !defined(DEFECT_RESIDUAL) && !defined(DEFECT_MEMBERS)
  PZ_TRY(residual(c, y, &distance));
#endif
#ifdef DEFECT_UNSUPPORTED
  if (c->intent == PZ_REGISTER) {
    return pz_fail(c, PZ_UNSUPPORTED, "found a tensor that is registered");
  }
#endif
#if defined(DEFECT_REGISTER)
  const bool refuses = true;
#elif defined(DEFECT_ASSIGN)
  const bool refuses = false;
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
#ifdef DEFECT_DENSITY_BATCH /* the number of the first entry for all */
  double* numbers = NULL;
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)(pz_count(x) + 1) * sizeof(double), &memory));
  numbers = (double*)memory;
  PZ_TRY(pz_read(c, x, numbers));
  for (int64_t k = 1; k < pz_count(x); ++k) {
    numbers[k] = numbers[0];
  }
  return pz_write(c, numbers, out);
#endif
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
