/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps for tests. In the formulas x is the input, y the value, g the gradient at y. */

#ifndef PZ_STATIC
#define PZ_STATIC
#endif

#include "maps.h"

#include <stdio.h>

map_log test_map_log;
pz_status test_mask_answer;

static void
note(const pz_call* const c, const char* const entry)
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
  note(c, "fold forward");
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
  note(c, "fold right_inverse");
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
  note(c, "fold vjp");
  return c->ops->fold_adjoint(c, PZ_UPPER, -1, gy, gx);
}

static pz_status
fold_sample(pz_call* const c, pz_tensor* const y)
{
  pz_tensor x;
  note(c, "fold sample");
  PZ_TRY(pz_work_like(c, y, &x));
  PZ_TRY(c->ops->random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &x));
  return c->ops->fold(c, PZ_UPPER, -1, &x, y);
}

static const pz_parametrization fold = {
    .size = sizeof(fold),
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
  note(c, "turn forward");
  return pz_shifted_inverse(c, c->in, -1.0, 2.0, 1.0, -1.0, x, y);
}

static pz_status
turn_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  note(c, "turn right_inverse");
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
  note(c, "turn vjp");
  PZ_TRY(pz_work_like(c, y, &n));
  PZ_TRY(pz_work_like(c, y, &w));
  PZ_TRY(pz_copy(c, y, &n));
  PZ_TRY(c->ops->add_identity(c, 1.0, &n));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.5, &n, gy, 0.0, &w));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &w, &n, 0.0, gx);
}

static const pz_parametrization turn = {
    .size = sizeof(turn),
    .id = "turn",
    .summary = "Skew matrices to rotations",
    .plan = turn_plan,
    .forward = turn_forward,
    .right_inverse = turn_right_inverse,
    .vjp = turn_vjp,
};

/* ---- power: s squarings of p(b) = I + b (I + b (I + b/3)/2), b = x/2^s ------------------------- */

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
  PZ_TRY(c->ops->norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, x, &norms));
  PZ_TRY(c->host->work_host(c, (size_t)n * sizeof(double), &values));
  PZ_TRY(c->ops->read(c, &norms, values));
  int32_t s = 0;
  for (int64_t k = 0; k < n; ++k) {
    while (ldexp(((const double*)values)[k], -s) > 0.5 && s < 40) {
      ++s;
    }
  }
  PZ_TRY(c->host->save_host(c, sizeof(s), &record));
  *(int32_t*)record = s;

  pz_tensor t[4];
  for (int k = 0; k < 4; ++k) {
    PZ_TRY(pz_save_like(c, x, &t[k]));
  }
  PZ_TRY(pz_axpby(c, ldexp(1.0, -s), x, 0.0, &t[0]));
  PZ_TRY(pz_axpby(c, 1.0 / 3.0, &t[0], 0.0, &t[1]));
  PZ_TRY(c->ops->add_identity(c, 1.0, &t[1]));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 0.5, &t[0], &t[1], 0.0, &t[2]));
  PZ_TRY(c->ops->add_identity(c, 1.0, &t[2]));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &t[0], &t[2], 0.0, &t[3]));
  PZ_TRY(c->ops->add_identity(c, 1.0, &t[3]));
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
  PZ_TRY(c->host->saved_host(c, 0, &record));
  const int32_t s = *(const int32_t*)record;
  PZ_TRY(c->host->saved(c, 0, &b));
  PZ_TRY(c->host->saved(c, 1, &t1));
  PZ_TRY(c->host->saved(c, 2, &t2));
  PZ_TRY(pz_work_like(c, gy, &g));
  PZ_TRY(pz_copy(c, gy, &g));
  const uint64_t mark = c->host->work_mark(c);
  for (int32_t k = s; k-- > 0;) { /* y = a a: g <- g a^T + a^T g */
    pz_tensor a;
    pz_tensor sum;
    PZ_TRY(c->host->saved(c, 3 + (uint32_t)k, &a));
    PZ_TRY(pz_work_like(c, gy, &sum));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &g, &a, 0.0, &sum));
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &a, &g, 1.0, &sum));
    PZ_TRY(pz_copy(c, &sum, &g));
    c->host->work_release(c, mark);
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
  return c->ops->scale(c, ldexp(1.0, -s), gx);
}

static const pz_parametrization power = {
    .size = sizeof(power),
    .id = "power",
    .summary = "A Taylor exponential",
    .forward = power_forward,
    .vjp = power_vjp,
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
  note(c, "mask init");
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
  note(c, "mask right_inverse");
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
  note(c, "mask update");
  return c->ops->random(c, PZ_BERNOULLI, c->draw, 0, c->options[0].as.real, 0.0, &c->new_buffer[0]);
}

static const pz_parametrization mask = {
    .size = sizeof(mask),
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

/* ---- norm: y_i = g_i v_i / |v_i|, rows i ------------------------------------------------------------ */

PZ_KERNEL(
    norm_kernel, 3, 0, 1, PZ_TENSOR_ARG(0, g); PZ_TENSOR_ARG(1, v); PZ_TENSOR_ARG(2, y);
    PZ_INTEGER_ARG(0, n); real sum = 0; for (pz_int k = 0; k < n; ++k) {
      sum += v[i * n + k] * v[i * n + k];
    } const real scale = g[i] / pz_sqrt(sum);
    for (pz_int k = 0; k < n; ++k) { y[i * n + k] = scale * v[i * n + k]; })

PZ_KERNEL(
    norm_adjoint_kernel, 5, 0, 1, PZ_TENSOR_ARG(0, g); PZ_TENSOR_ARG(1, v); PZ_TENSOR_ARG(2, gy);
    PZ_TENSOR_ARG(3, gg); PZ_TENSOR_ARG(4, gv); PZ_INTEGER_ARG(0, n); real sum = 0; real dot = 0;
    for (pz_int k = 0; k < n; ++k) {
      sum += v[i * n + k] * v[i * n + k];
      dot += v[i * n + k] * gy[i * n + k];
    } const real size = pz_sqrt(sum);
    gg[i] = dot / size; for (pz_int k = 0; k < n; ++k) {
      gv[i * n + k] = g[i] / size * (gy[i * n + k] - gg[i] * v[i * n + k] / size);
    })

static pz_status
norm_plan(pz_call* const c, const pz_spec* const given)
{
  const pz_spec* const v = &given[c->direction == PZ_FROM_INPUT && c->n_given > 1 ? 1 : 0];
  if (v->ndim != 2) {
    return pz_fail(c, PZ_MISMATCH, "found %d dimensions, expected 2", (int)v->ndim);
  }
  const pz_spec g = pz_spec_make(v->dtype, 1, v->shape);
  PZ_TRY(pz_declare_original(c, NULL, &g));
  PZ_TRY(pz_declare_original(c, NULL, v));
  return pz_declare_value(c, v, PZ_GENERAL);
}

static pz_status
norm_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_tensor* const tensors[] = {&x[0], &x[1], y};
  const int64_t n = pz_cols(y);
  return c->ops->launch(c, &norm_kernel, pz_rows(y), tensors, NULL, &n);
}

static pz_status
norm_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(c->ops->norm(c, PZ_NORM_TWO, PZ_OVER_COLS, y, &x[0]));
  return pz_copy(c, y, &x[1]);
}

static pz_status
norm_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  pz_tensor gg = gx[0];
  pz_tensor gv = gx[1];
  (void)y;
  note(c, "norm vjp");
  if (!pz_wants(c, 0)) {
    PZ_TRY(pz_work_like(c, &x[0], &gg));
  }
  if (!pz_wants(c, 1)) {
    PZ_TRY(pz_work_like(c, &x[1], &gv));
  }
  const pz_tensor* const tensors[] = {&x[0], &x[1], gy, &gg, &gv};
  const int64_t n = pz_cols(gy);
  return c->ops->launch(c, &norm_adjoint_kernel, pz_rows(gy), tensors, NULL, &n);
}

static const pz_parametrization norm = {
    .size = sizeof(norm),
    .id = "norm",
    .summary = "Rows of given norms",
    .plan = norm_plan,
    .forward = norm_forward,
    .right_inverse = norm_right_inverse,
    .vjp = norm_vjp,
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
  note(c, "gain init");
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
  note(c, "gain right_inverse");
  PZ_TRY(c->ops->fill(c, 1.0, &c->new_parameter[0]));
  return pz_copy(c, y, x);
}

static pz_status
gain_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  note(c, "gain vjp");
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_hadamard(c, gy, &x[1], &gx[0]));
  }
  return pz_wants(c, 1) ? pz_hadamard(c, gy, &x[0], &gx[1]) : PZ_OK;
}

static const pz_parametrization gain = {
    .size = sizeof(gain),
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
  note(c, "base init");
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
  note(c, "base right_inverse");
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

static const pz_parametrization base = {
    .size = sizeof(base),
    .id = "base",
    .summary = "A base that assignment moves",
    .plan = base_plan,
    .init = base_init,
    .forward = base_forward,
    .right_inverse = base_right_inverse,
    .vjp = base_vjp,
};

/* ---- rows ------------------------------------------------------------------------------------------------ */

static const pz_option rows_options[] = {
    PZ_OPTION_TENSOR("index", "rows to take, int64"),
    PZ_OPTION_INTEGER("of", 8, 1, 1000, "rows of the original"),
};

static pz_status
rows_plan(pz_call* const c, const pz_spec* const given)
{
  const pz_tensor* const index = c->options[0].as.tensor;
  if (!index || index->dtype != PZ_I64 || index->ndim != 1) {
    return pz_fail(c, PZ_INVALID, "found no int64 vector, expected one for index");
  }
  pz_spec original = *given;
  pz_spec value = *given;
  original.shape[given->ndim - 2] = c->options[1].as.integer;
  value.shape[given->ndim - 2] = index->shape[0];
  PZ_TRY(pz_declare_original(c, NULL, &original));
  return pz_declare_value(c, &value, PZ_GENERAL);
}

static pz_status
rows_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return c->ops->take(c, c->options[0].as.tensor, x, y);
}

static pz_status
rows_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(c->ops->fill(c, 0.0, x));
  return c->ops->put(c, false, c->options[0].as.tensor, y, x);
}

static pz_status
rows_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  PZ_TRY(c->ops->fill(c, 0.0, gx));
  return c->ops->put(c, true, c->options[0].as.tensor, gy, gx);
}

static const pz_parametrization rows = {
    .size = sizeof(rows),
    .option_size = sizeof(pz_option),
    .id = "rows",
    .summary = "Some rows of a matrix",
    .options = rows_options,
    .n_options = 2,
    .plan = rows_plan,
    .forward = rows_forward,
    .right_inverse = rows_right_inverse,
    .vjp = rows_vjp,
};

/* ---- noise: y = x * (1 + level n) ---------------------------------------------------------------------------- */

static const pz_option noise_options[] = {
    PZ_OPTION_REAL("level", 0.1, 0.0, 10.0, "standard deviation"),
};

static pz_status
noise_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor n;
  note(c, "noise forward");
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

static const pz_parametrization noise = {
    .size = sizeof(noise),
    .option_size = sizeof(pz_option),
    .id = "noise",
    .summary = "Entries with multiplicative noise",
    .options = noise_options,
    .n_options = 1,
    .forward = noise_forward,
    .vjp = noise_vjp,
};

/* ---- factors: y = u v ------------------------------------------------------------------------------------------ */

static const pz_option factors_options[] = {
    PZ_OPTION_INTEGER("rank", 1, 1, 1000, "columns of u and rows of v"),
};

static pz_status
factors_plan(pz_call* const c, const pz_spec* const given)
{
  const int64_t rank = c->options[0].as.integer;
  const bool input = c->direction == PZ_FROM_INPUT;
  pz_spec value = given[0];
  if (input && c->n_given != 2) {
    return pz_fail(c, PZ_MISMATCH, "found %u originals, expected 2", (unsigned)c->n_given);
  }
  if (input) {
    value.shape[value.ndim - 1] = given[1].shape[given[1].ndim - 1];
  }
  pz_spec u = value;
  pz_spec v = value;
  u.shape[value.ndim - 1] = rank;
  v.shape[value.ndim - 2] = rank;
  PZ_TRY(pz_declare_original(c, "left", &u));
  PZ_TRY(pz_declare_original(c, "right", &v));
  return pz_declare_value(c, &value, PZ_GENERAL);
}

static pz_status
factors_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &x[0], &x[1], 0.0, y);
}

/* The nearest of that rank: the first columns of U S and rows of V^T. */
static pz_status
factors_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const int64_t k = pz_rows(y) < pz_cols(y) ? pz_rows(y) : pz_cols(y);
  const int64_t rank = c->options[0].as.integer;
  pz_spec spec = pz_spec_of(y);
  pz_tensor u;
  pz_tensor s;
  pz_tensor vt;
  pz_view view;
  if (rank > k) {
    return pz_fail(c, PZ_UNSUPPORTED, "found rank above the extents");
  }
  spec.shape[y->ndim - 1] = k;
  PZ_TRY(pz_work(c, &spec, &u));
  spec = pz_spec_of(y);
  spec.shape[y->ndim - 2] = k;
  PZ_TRY(pz_work(c, &spec, &vt));
  spec.ndim -= 1;
  spec.shape[y->ndim - 2] = k;
  PZ_TRY(pz_work(c, &spec, &s));
  PZ_TRY(c->ops->svd(c, y, &u, &s, &vt));
  PZ_TRY(c->ops->scale_by(c, PZ_OVER_ROWS, &s, &u, &u));
  PZ_TRY(pz_copy(c, pz_view_block(&view, &u, 0, pz_rows(y), 0, rank), &x[0]));
  return pz_copy(c, pz_view_block(&view, &vt, 0, rank, 0, pz_cols(y)), &x[1]);
}

static pz_status
factors_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, gy, &x[1], 0.0, &gx[0]));
  }
  return pz_wants(c, 1) ? pz_gemm(c, PZ_T, PZ_N, 1.0, &x[0], gy, 0.0, &gx[1]) : PZ_OK;
}

static const pz_parametrization factors = {
    .size = sizeof(factors),
    .option_size = sizeof(pz_option),
    .id = "factors",
    .summary = "Matrices of low rank",
    .options = factors_options,
    .n_options = 1,
    .plan = factors_plan,
    .forward = factors_forward,
    .right_inverse = factors_right_inverse,
    .vjp = factors_vjp,
};

/* ---- bare: y = 2 x ------------------------------------------------------------------------------------------------ */

static pz_status
bare_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_axpby(c, 2.0, x, 0.0, y);
}

static const pz_parametrization bare = {
    .size = sizeof(bare),
    .id = "bare",
    .summary = "Twice the input, and nothing else",
    .forward = bare_forward,
};

PZ_PLUGIN(test_maps, "1.0.0", PZ_PARAMETRIZATION(&fold), PZ_PARAMETRIZATION(&turn),
          PZ_PARAMETRIZATION(&power), PZ_PARAMETRIZATION(&mask), PZ_PARAMETRIZATION(&norm),
          PZ_PARAMETRIZATION(&gain), PZ_PARAMETRIZATION(&base), PZ_PARAMETRIZATION(&rows),
          PZ_PARAMETRIZATION(&noise), PZ_PARAMETRIZATION(&factors), PZ_PARAMETRIZATION(&bare));
