/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The log of the maps, those of one original and one shape, and the plugin with all. In the
   formulas x is the input, y the value, g the gradient at y. */

#ifndef PZ_STATIC
#define PZ_STATIC
#endif

#include "maps.h"

#include <stdio.h>

_Thread_local map_log test_map_log;
pz_status test_mask_answer;

void
test_note(const pz_call* const c, const char* const entry)
{
  map_log* const log = &test_map_log;
  if (log->n < 64) {
    snprintf(log->entry[log->n], sizeof(log->entry[0]), "%s", entry);
    log->intent[log->n] = c->intent;
    log->in[log->n] = c->in;
    log->flags[log->n] = c->flags;
    log->want[log->n] = c->want;
    ++log->n;
  }
}

/* ---- fold ------------------------------------------------------------------------------ */

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
  test_note(c, "fold forward");
  return c->ops->fold(c, PZ_UPPER, -1, x, y);
}

static pz_status
fold_distance(pz_call* const c, const pz_tensor* const y, double* const out)
{
  pz_tensor sum;
  pz_tensor norms;
  pz_spec spec = pz_spec_of(y);
  PZ_TRY(pz_work_like(c, y, &sum));
  PZ_TRY(c->ops->symmetrize(c, 0.5, 1, y, &sum));
  spec.ndim -= 2;
  PZ_TRY(pz_work(c, &spec, &norms));
  PZ_TRY(c->ops->norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &sum, &norms));
  void* values = NULL;
  const int64_t n = pz_count(&norms);
  PZ_TRY(c->host->work_host(c, (size_t)n * sizeof(double), &values));
  PZ_TRY(c->ops->read(c, &norms, values));
  *out = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    *out = fmax(*out, ((const double*)values)[k]);
  }
  return PZ_OK;
}

static pz_status
fold_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  test_note(c, "fold right_inverse");
  if (c->intent == PZ_ASSIGN) {
    double distance = 0.0;
    PZ_TRY(fold_distance(c, y, &distance));
    if (!(distance <= 1e-3)) {
      return pz_fail(c, PZ_OUTSIDE, "found a matrix %.3g from skew", distance);
    }
  }
  return c->ops->triangle(c, PZ_UPPER, 1, y, x);
}

static pz_status
fold_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  test_note(c, "fold vjp");
  return c->ops->fold_adjoint(c, PZ_UPPER, -1, gy, gx);
}

static pz_status
fold_sample(pz_call* const c, pz_tensor* const y)
{
  pz_tensor x;
  test_note(c, "fold sample");
  PZ_TRY(pz_work_like(c, y, &x));
  PZ_TRY(c->ops->random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &x));
  return c->ops->fold(c, PZ_UPPER, -1, &x, y);
}

static const pz_parametrization map_fold = {
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

/* ---- turn: y = -I + 2 (I - x)^-1 ------------------------------------------------------------ */

static pz_status
turn_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  return pz_declare_value(c, given, c->in == PZ_SKEW ? PZ_ORTHOGONAL : PZ_GENERAL);
}

static pz_status
turn_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  test_note(c, "turn forward");
  return pz_shifted_inverse(c, c->in, -1.0, 2.0, 1.0, -1.0, x, y);
}

static pz_status
turn_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  test_note(c, "turn right_inverse");
  return pz_shifted_inverse(c, PZ_GENERAL, 1.0, -2.0, 1.0, 1.0, y, x);
}

/* gx = 1/2 (I + y)^T g (I + y)^T */
static pz_status
turn_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  pz_tensor n;
  pz_tensor w;
  (void)x;
  test_note(c, "turn vjp");
  PZ_TRY(pz_work_like(c, y, &n));
  PZ_TRY(pz_work_like(c, y, &w));
  PZ_TRY(pz_copy(c, y, &n));
  PZ_TRY(c->ops->add_identity(c, 1.0, &n));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.5, &n, gy, 0.0, &w));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &w, &n, 0.0, gx);
}

static const pz_parametrization map_turn = {
    .size = sizeof(map_turn),
    .id = "turn",
    .summary = "Skew matrices to rotations",
    .plan = turn_plan,
    .forward = turn_forward,
    .right_inverse = turn_right_inverse,
    .vjp = turn_vjp,
};

/* ---- mask ---------------------------------------------------------------------------------------- */

static const pz_option mask_options[] = {
    PZ_OPTION_REAL("keep", 0.5, 0.0, 1.0, "probability of an entry to stay"),
};

static pz_status
mask_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_buffer(c, "mask", given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
mask_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  test_note(c, "mask init");
  return c->ops->random(c, PZ_BERNOULLI, c->draw, 0, c->options[0].as.real, 0.0, &c->new_buffer[0]);
}

static pz_status
mask_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_hadamard(c, x, &c->buffer[0], y);
}

/* Draws a new mask on the way, which a refusal must take back. */
static pz_status
mask_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  test_note(c, "mask right_inverse");
  if (test_mask_answer != PZ_OK) {
    PZ_TRY(c->ops->fill(c, 7.0, &c->new_buffer[0]));
    PZ_TRY(c->ops->fill(c, 7.0, x));
    return pz_fail(c, test_mask_answer, "found what the test asked for");
  }
  return pz_copy(c, y, x);
}

static pz_status
mask_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_hadamard(c, gy, &c->buffer[0], gx);
}

static pz_status
mask_update(pz_call* const c, const pz_tensor* const x)
{
  (void)x;
  test_note(c, "mask update");
  return c->ops->random(c, PZ_BERNOULLI, c->draw, 0, c->options[0].as.real, 0.0, &c->new_buffer[0]);
}

static const pz_parametrization map_mask = {
    .size = sizeof(map_mask),
    .option_size = sizeof(pz_option),
    .id = "mask",
    .summary = "Entries kept at random",
    .options = mask_options,
    .n_options = 1,
    .plan = mask_plan,
    .init = mask_init,
    .forward = mask_forward,
    .right_inverse = mask_right_inverse,
    .vjp = mask_vjp,
    .update = mask_update,
};

/* ---- gain: y = d * x -------------------------------------------------------------------------------- */

static pz_status
gain_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_parameter(c, "gain", given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
gain_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  test_note(c, "gain init");
  return c->ops->fill(c, 1.0, &c->new_parameter[0]);
}

static pz_status
gain_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_hadamard(c, &x[0], &x[1], y);
}

/* Moves the gain back to 1. */
static pz_status
gain_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  test_note(c, "gain right_inverse");
  PZ_TRY(c->ops->fill(c, 1.0, &c->new_parameter[0]));
  return pz_copy(c, y, x);
}

static pz_status
gain_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  test_note(c, "gain vjp");
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_hadamard(c, gy, &x[1], &gx[0]));
  }
  return pz_wants(c, 1) ? pz_hadamard(c, gy, &x[0], &gx[1]) : PZ_OK;
}

static const pz_parametrization map_gain = {
    .size = sizeof(map_gain),
    .id = "gain",
    .summary = "A trained factor for each entry",
    .plan = gain_plan,
    .init = gain_init,
    .forward = gain_forward,
    .right_inverse = gain_right_inverse,
    .vjp = gain_vjp,
};

/* ---- base: y = b (I + x) ----------------------------------------------------------------------------- */

static pz_status
base_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_buffer(c, "base", given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
base_init(pz_call* const c, const pz_tensor* const tensor)
{
  test_note(c, "base init");
  return pz_copy(c, tensor, &c->new_buffer[0]);
}

static pz_status
base_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(pz_copy(c, &c->buffer[0], y));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &c->buffer[0], x, 1.0, y);
}

static pz_status
base_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  test_note(c, "base right_inverse");
  PZ_TRY(pz_copy(c, y, &c->new_buffer[0]));
  return c->ops->fill(c, 0.0, x);
}

static pz_status
base_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_gemm(c, PZ_T, PZ_N, 1.0, &c->buffer[0], gy, 0.0, gx);
}

static const pz_parametrization map_base = {
    .size = sizeof(map_base),
    .id = "base",
    .summary = "A base that assignment moves",
    .plan = base_plan,
    .init = base_init,
    .forward = base_forward,
    .right_inverse = base_right_inverse,
    .vjp = base_vjp,
};

/* ---- noise: y = x * (1 + level n) ---------------------------------------------------------------------------- */

static const pz_option noise_options[] = {
    PZ_OPTION_REAL("level", 0.1, 0.0, 10.0, "standard deviation"),
};

static pz_status
noise_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor n;
  test_note(c, "noise forward");
  PZ_TRY(pz_work_like(c, x, &n));
  PZ_TRY(c->ops->random(c, PZ_NORMAL, c->draw, 0, 1.0, c->options[0].as.real, &n));
  return pz_hadamard(c, x, &n, y);
}

static pz_status
noise_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
          const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return noise_forward(c, gy, gx); /* its own adjoint */
}

static const pz_parametrization map_noise = {
    .size = sizeof(map_noise),
    .option_size = sizeof(pz_option),
    .id = "noise",
    .summary = "Entries with multiplicative noise",
    .options = noise_options,
    .n_options = 1,
    .forward = noise_forward,
    .vjp = noise_vjp,
};

/* ---- bare: y = 2 x ------------------------------------------------------------------------------------------------ */

static pz_status
bare_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_axpby(c, 2.0, x, 0.0, y);
}

static const pz_parametrization map_bare = {
    .size = sizeof(map_bare),
    .id = "bare",
    .summary = "Twice the input, and nothing else",
    .forward = bare_forward,
};

PZ_PLUGIN(test_maps, "1.0.0", PZ_PARAMETRIZATION(&map_fold), PZ_PARAMETRIZATION(&map_turn),
          PZ_PARAMETRIZATION(&map_power), PZ_PARAMETRIZATION(&map_mask),
          PZ_PARAMETRIZATION(&map_norm), PZ_PARAMETRIZATION(&map_gain),
          PZ_PARAMETRIZATION(&map_base), PZ_PARAMETRIZATION(&map_rows),
          PZ_PARAMETRIZATION(&map_noise), PZ_PARAMETRIZATION(&map_factors),
          PZ_PARAMETRIZATION(&map_bare));
