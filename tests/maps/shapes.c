/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps whose originals differ from their value in number or shape. In the formulas x is the
   input, y the value, g the gradient at y. */

#include "maps.h"

/* ---- norm: y_i = g_i v_i / |v_i|, rows i ------------------------------------ */

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
  const pz_spec* const v = &given[c->direction == PZ_FROM_INPUT ? 1 : 0];
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
  return pz_launch(c, &norm_kernel, pz_rows(y), tensors, NULL, &n);
}

static pz_status
norm_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_COLS, y, &x[0]));
  return pz_copy(c, y, &x[1]);
}

static pz_status
norm_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  pz_tensor gg = gx[0];
  pz_tensor gv = gx[1];
  (void)y;
  map_note(c, "norm vjp");
  if (!pz_wants(c, 0)) {
    PZ_TRY(pz_work_like(c, &x[0], &gg));
  }
  if (!pz_wants(c, 1)) {
    PZ_TRY(pz_work_like(c, &x[1], &gv));
  }
  const pz_tensor* const tensors[] = {&x[0], &x[1], gy, &gg, &gv};
  const int64_t n = pz_cols(gy);
  return pz_launch(c, &norm_adjoint_kernel, pz_rows(gy), tensors, NULL, &n);
}

const pz_parametrization map_norm = {
    .size = sizeof(map_norm),
    .id = "norm",
    .summary = "Rows of given norms",
    .n_originals = 2,
    .plan = norm_plan,
    .forward = norm_forward,
    .right_inverse = norm_right_inverse,
    .vjp = norm_vjp,
};

/* ---- rows ------------------------------------------------------------------- */

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
  return pz_take(c, c->options[0].as.tensor, x, y);
}

static pz_status
rows_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(pz_fill(c, 0.0, x));
  return pz_put(c, false, c->options[0].as.tensor, y, x);
}

static pz_status
rows_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  PZ_TRY(pz_fill(c, 0.0, gx));
  return pz_put(c, true, c->options[0].as.tensor, gy, gx);
}

const pz_parametrization map_rows = {
    .size = sizeof(map_rows),
    .option_size = sizeof(pz_option),
    .id = "rows",
    .summary = "Some rows of a matrix",
    PZ_OPTIONS(rows_options),
    .plan = rows_plan,
    .forward = rows_forward,
    .right_inverse = rows_right_inverse,
    .vjp = rows_vjp,
};

/* ---- factors: y = u v ------------------------------------------------------- */

static const pz_option factors_options[] = {
    PZ_OPTION_INTEGER("rank", 1, 1, 1000, "columns of u and rows of v"),
};

static pz_status
factors_plan(pz_call* const c, const pz_spec* const given)
{
  const int64_t rank = c->options[0].as.integer;
  const bool input = c->direction == PZ_FROM_INPUT;
  pz_spec value = given[0];
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
  PZ_TRY(pz_svd(c, y, &u, &s, &vt));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &s, &u, &u));
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

const pz_parametrization map_factors = {
    .size = sizeof(map_factors),
    .option_size = sizeof(pz_option),
    .id = "factors",
    .summary = "Matrices of low rank",
    PZ_OPTIONS(factors_options),
    .n_originals = 2,
    .plan = factors_plan,
    .forward = factors_forward,
    .right_inverse = factors_right_inverse,
    .vjp = factors_vjp,
};

/* ---- weighted: y = s v ------------------------------------------------------ */

static pz_status
weighted_plan(pz_call* const c, const pz_spec* const given)
{
  const pz_spec number = pz_spec_make(given[0].dtype, 0, NULL);
  const pz_spec* const matrix = c->direction == PZ_FROM_TENSOR ? &given[0] : &given[1];
  PZ_TRY(pz_declare_original(c, NULL, &number));
  PZ_TRY(pz_declare_original(c, NULL, matrix));
  return pz_declare_value(c, matrix, PZ_GENERAL);
}

// y = s v
static pz_status
weighted_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_scale_by(c, PZ_OVER_BOTH, &x[0], &x[1], y);
}

// s = 2, v = y / 2
static pz_status
weighted_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  PZ_TRY(pz_fill(c, 2.0, &x[0]));
  return pz_axpby(c, 0.5, y, 0.0, &x[1]);
}

// gs = <G, v>, gv = s G
static pz_status
weighted_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
             const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  if (pz_wants(c, 0)) {
    PZ_TRY(pz_dot(c, PZ_OVER_BOTH, gy, &x[1], &gx[0]));
  }
  return pz_wants(c, 1) ? pz_scale_by(c, PZ_OVER_BOTH, &x[0], gy, &gx[1]) : PZ_OK;
}

const pz_parametrization map_weighted = {
    .size = sizeof(map_weighted),
    .id = "weighted",
    .summary = "A number times a matrix",
    .n_originals = 2,
    .plan = weighted_plan,
    .forward = weighted_forward,
    .right_inverse = weighted_right_inverse,
    .vjp = weighted_vjp,
};
