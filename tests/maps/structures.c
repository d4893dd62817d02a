/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps by structure, and one that saves as much as the data ask for. In the formulas x is the
   input, y the value, g the gradient at y. */

#include "maps.h"

/* ---- fold ------------------------------------------------------------------- */

static pz_status
fold_plan(pz_call* const c, const pz_spec* const given)
{
  if (given->ndim < 2 || given->shape[given->ndim - 1] != given->shape[given->ndim - 2]) {
    return pz_fail(c, PZ_MISMATCH, "found no square matrices");
  }
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, PZ_SKEW);
}

static pz_status
fold_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  map_note(c, "fold forward");
  return pz_fold(c, PZ_UPPER, -1, x, y);
}

static pz_status
fold_distance(pz_call* const c, const pz_tensor* const y, double* const out)
{
  pz_tensor sum;
  pz_tensor norms;
  pz_spec spec = pz_spec_of(y);
  PZ_TRY(pz_work_like(c, y, &sum));
  PZ_TRY(pz_symmetrize(c, 0.5, 1, y, &sum));
  spec.ndim -= 2;
  PZ_TRY(pz_work(c, &spec, &norms));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &sum, &norms));
  void* values = NULL;
  const int64_t n = pz_count(&norms);
  PZ_TRY(pz_work_host(c, (size_t)n * sizeof(double), &values));
  PZ_TRY(pz_read(c, &norms, values));
  *out = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    *out = fmax(*out, ((const double*)values)[k]);
  }
  return PZ_OK;
}

static pz_status
fold_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  map_note(c, "fold right_inverse");
  if (c->intent == PZ_ASSIGN) {
    double distance = 0.0;
    PZ_TRY(fold_distance(c, y, &distance));
    if (!(distance <= 1e-3)) {
      return pz_fail(c, PZ_OUTSIDE, "found a matrix %.3g from skew", distance);
    }
  }
  return pz_triangle(c, PZ_UPPER, 1, y, x);
}

static pz_status
fold_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  map_note(c, "fold vjp");
  return pz_fold_adjoint(c, PZ_UPPER, -1, gy, gx);
}

static pz_status
fold_sample(pz_call* const c, pz_tensor* const y)
{
  pz_tensor x;
  map_note(c, "fold sample");
  PZ_TRY(pz_work_like(c, y, &x));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &x));
  return pz_fold(c, PZ_UPPER, -1, &x, y);
}

const pz_parametrization map_fold = {
    .size = sizeof(map_fold),
    .id = "fold",
    .summary = "Skew matrices from their upper triangle",
    .plan = fold_plan,
    .forward = fold_forward,
    .right_inverse = fold_right_inverse,
    .vjp = fold_vjp,
    .residual = fold_distance,
    .sample = fold_sample,
};

/* ---- turn: y = -I + 2 (I - x)^-1 -------------------------------------------- */

static pz_status
turn_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, c->in == PZ_SKEW ? PZ_ORTHOGONAL : PZ_GENERAL);
}

static pz_status
turn_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  map_note(c, "turn forward");
  return pz_shifted_inverse(c, c->in, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, x, y);
}

static pz_status
turn_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  map_note(c, "turn right_inverse");
  return pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){1.0, -2.0, 1.0, 1.0}, y, x);
}

/* gx = 1/2 (I + y)^T g (I + y)^T */
static pz_status
turn_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  pz_tensor n;
  pz_tensor w;
  (void)x;
  map_note(c, "turn vjp");
  PZ_TRY(pz_work_like(c, y, &n));
  PZ_TRY(pz_work_like(c, y, &w));
  PZ_TRY(pz_copy(c, y, &n));
  PZ_TRY(pz_add_identity(c, 1.0, &n));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.5, &n, gy, 0.0, &w));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &w, &n, 0.0, gx);
}

const pz_parametrization map_turn = {
    .size = sizeof(map_turn),
    .id = "turn",
    .summary = "Skew matrices to rotations",
    .plan = turn_plan,
    .forward = turn_forward,
    .right_inverse = turn_right_inverse,
    .vjp = turn_vjp,
};

/* ---- power: s squarings of p(b) = I + b (I + b (I + b/3)/2), b = x/2^s ------ */

/* Saved: b, t1 = I + b/3, t2 = I + b t1/2, p, then each square but the last. */
static pz_status
power_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_spec spec = pz_spec_of(x);
  pz_tensor norms;
  void* values = NULL;
  void* record = NULL;
  spec.ndim -= 2;
  const int64_t n = pz_spec_count(&spec);
  PZ_TRY(pz_work(c, &spec, &norms));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, x, &norms));
  PZ_TRY(pz_work_host(c, (size_t)n * sizeof(double), &values));
  PZ_TRY(pz_read(c, &norms, values));
  int32_t s = 0;
  for (int64_t k = 0; k < n; ++k) {
    while (ldexp(((const double*)values)[k], -s) > 0.5 && s < 40) {
      ++s;
    }
  }
  PZ_TRY(pz_save_host(c, sizeof(s), &record));
  *(int32_t*)record = s;

  pz_tensor t[4];
  for (int k = 0; k < 4; ++k) {
    PZ_TRY(pz_save_like(c, x, &t[k]));
  }
  PZ_TRY(pz_axpby(c, ldexp(1.0, -s), x, 0.0, &t[0]));
  PZ_TRY(pz_axpby(c, 1.0 / 3.0, &t[0], 0.0, &t[1]));
  PZ_TRY(pz_add_identity(c, 1.0, &t[1]));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 0.5, &t[0], &t[1], 0.0, &t[2]));
  PZ_TRY(pz_add_identity(c, 1.0, &t[2]));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &t[0], &t[2], 0.0, &t[3]));
  PZ_TRY(pz_add_identity(c, 1.0, &t[3]));
  pz_tensor last = t[3];
  for (int32_t k = 1; k < s; ++k) {
    pz_tensor square;
    PZ_TRY(pz_save_like(c, x, &square));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &last, &last, 0.0, &square));
    last = square;
  }
  return s > 0 ? pz_gemm(c, PZ_N, PZ_N, 1.0, &last, &last, 0.0, y) : pz_copy(c, &last, y);
}

static pz_status
power_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
          const pz_tensor* const gy, pz_tensor* const gx)
{
  const void* record = NULL;
  pz_tensor b;
  pz_tensor t1;
  pz_tensor t2;
  pz_tensor g;
  (void)x;
  (void)y;
  PZ_TRY(pz_saved_host(c, 0, &record));
  const int32_t s = *(const int32_t*)record;
  PZ_TRY(pz_saved(c, 0, &b));
  PZ_TRY(pz_saved(c, 1, &t1));
  PZ_TRY(pz_saved(c, 2, &t2));
  PZ_TRY(pz_work_like(c, gy, &g));
  PZ_TRY(pz_copy(c, gy, &g));
  const uint64_t mark = c->host->work_mark(c);
  for (int32_t k = s; k-- > 0;) { /* y = a a: g <- g a^T + a^T g */
    pz_tensor a;
    pz_tensor sum;
    PZ_TRY(pz_saved(c, 3 + (uint32_t)k, &a));
    PZ_TRY(pz_work_like(c, gy, &sum));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &g, &a, 0.0, &sum));
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &a, &g, 1.0, &sum));
    PZ_TRY(pz_copy(c, &sum, &g));
    pz_work_release(c, mark);
  }
  pz_tensor g2;
  pz_tensor g1;
  PZ_TRY(pz_work_like(c, gy, &g2));
  PZ_TRY(pz_work_like(c, gy, &g1));
  /* p = I + b t2, t2 = I + b t1/2, t1 = I + b/3 */
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &g, &t2, 0.0, gx));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &b, &g, 0.0, &g2));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 0.5, &g2, &t1, 1.0, gx));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.5, &b, &g2, 0.0, &g1));
  PZ_TRY(pz_axpby(c, 1.0 / 3.0, &g1, 1.0, gx));
  return pz_scale(c, ldexp(1.0, -s), gx);
}

const pz_parametrization map_power = {
    .size = sizeof(map_power),
    .id = "power",
    .summary = "A Taylor exponential",
    .forward = power_forward,
    .vjp = power_vjp,
};
