/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Spectral normalization (Miyato et al. 2018) divides a tensor by its largest singular value, which
   the power method estimates.

     Y = W / s,  s = u^T M v,  M the matrix of W

   The rows of M are the slices of W along `dim`; with batched=1 there is one M for each matrix of
   the last two dimensions. u and v are the buffers "_u" and "_v", constants in the gradient:

     gW = (G - <G, Y> u v^T) / s

   A step of the power method is u = M v / |M v|, v = M^T u / |M^T u|. There are 15 steps at
   registration, n_power_iterations at each update and none when a value is read. A norm below eps
   is replaced by eps. If a norm is exactly zero, the vector is not changed, so that the method
   continues once the tensor is not zero any more. s = 0 gives zeros, and gradients of zero.

   A vector needs no estimate and no state: Y = W / max(|W|, eps). */

#include "power.h"

#include <math.h>

// clang-format off

/* y <- w / sigma, zero if sigma is zero. */
PZ_ROW_KERNEL(spectral_norm_value, 2, 1, 0, 0,
  PZ_ROW_IN(0, w);
  PZ_VALUE_IN(1, sigma);
  PZ_ROW_OUT(0, y);
  PZ_ROW_VALUE(inverse, sigma[r] == (real)0 ? (real)0 : 1 / sigma[r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = inverse[r] * w[j][r];
  }
)

/* gw <- the adjoint for a vector. */
PZ_ROW_KERNEL(spectral_norm_vector_adjoint, 3, 1, 1, 0,
  PZ_ROW_IN(0, g);
  PZ_VALUE_IN(1, size);
  PZ_ROW_IN(2, y);
  PZ_ROW_OUT(0, gw);
  PZ_REAL_ARG(0, eps);
  PZ_ROW_SUM(product, j, n, g[j][r] * y[j][r]);
  PZ_ROW_VALUE(s, pz_max(size[r], eps));
  PZ_ROW_VALUE(inverse, s[r] == (real)0 ? (real)0 : 1 / s[r]);
  PZ_ROW_VALUE(along, size[r] < eps ? (real)0 : product[r]);
  PZ_ROW_EACH(j, n) {
    gw[j][r] = inverse[r] * (g[j][r] - along[r] * y[j][r]);
  }
)

/* gw <- (g - product u v^T) / sigma, zero where sigma is; a row has one entry of u. */
PZ_ROW_KERNEL(spectral_norm_adjoint, 5, 1, 0, 0,
  PZ_ROW_IN(0, g);
  PZ_VALUE_IN(1, u);
  PZ_ROW_IN(2, v);
  PZ_VALUE_IN(3, product);
  PZ_VALUE_IN(4, sigma);
  PZ_ROW_OUT(0, gw);
  PZ_ROW_VALUE(inverse, sigma[r] == (real)0 ? (real)0 : 1 / sigma[r]);
  PZ_ROW_VALUE(along, product[r] * u[r]);
  PZ_ROW_EACH(j, n) {
    gw[j][r] = inverse[r] * (g[j][r] - along[r] * v[j][r]);
  }
)

/* dy <- (dw - (u^T dM v) y) / sigma, zero where sigma is. */
PZ_ROW_KERNEL(spectral_norm_tangent, 4, 1, 0, 0,
  PZ_ROW_IN(0, dw);
  PZ_VALUE_IN(1, product);
  PZ_VALUE_IN(2, sigma);
  PZ_ROW_IN(3, y);
  PZ_ROW_OUT(0, dy);
  PZ_ROW_VALUE(inverse, sigma[r] == (real)0 ? (real)0 : 1 / sigma[r]);
  PZ_ROW_EACH(j, n) {
    dy[j][r] = inverse[r] * (dw[j][r] - product[r] * y[j][r]);
  }
)

/* y <- u v^T + (I - u u^T) e (I - v v^T) / size, a member with u and v as its first singular pair.
   e is a matrix in the order of w; eu = e^T u, ev = e v, uev = u^T e v. */
PZ_KERNEL(spectral_norm_member, 8, 0, 3,
  PZ_TENSOR_ARG(0, e);
  PZ_TENSOR_ARG(1, size);
  PZ_TENSOR_ARG(2, u);
  PZ_TENSOR_ARG(3, v);
  PZ_TENSOR_ARG(4, eu);
  PZ_TENSOR_ARG(5, ev);
  PZ_TENSOR_ARG(6, uev);
  PZ_TENSOR_ARG(7, y);
  PZ_INTEGER_ARG(0, outer);
  PZ_INTEGER_ARG(1, rows);
  PZ_INTEGER_ARG(2, inner);
  const pz_int slab = i / (inner * rows);
  const pz_int k = slab / outer;
  const pz_int row = k * rows + i / inner % rows;
  const pz_int col = slab * inner + i % inner;
  const real rest = e[i] - u[row] * eu[col] - ev[row] * v[col] + u[row] * uev[k] * v[col];
  y[i] = u[row] * v[col] + rest / size[k];
)

// clang-format on

/* ---- the plan ------------------------------------------------------------------------- */

static pz_status
check_shape(pz_call* const c, const pz_spec* const given)
{
  const int64_t dim = c->options[DIM].as.integer;
  if (spectral_is_batched(c)) {
    if (dim != 0) {
      return pz_fail(c, PZ_INVALID, "found dim=%lld with batched=1, expected dim=0",
                     (long long)dim);
    }
    return pz_expect_dims(c, given, 2, "matrices");
  }
  return pz_expect_dim(c, given, (int32_t)dim);
}

/* Division by a number keeps a matrix symmetric or skew. */
static pz_structure
structure_of_value(const uint32_t in)
{
  return in == PZ_SKEW ? PZ_SKEW : in == PZ_SYMMETRIC || in == PZ_SPD ? PZ_SYMMETRIC : PZ_GENERAL;
}

static pz_status
spectral_norm_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(check_shape(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  if (given->ndim > 1) {
    const spectral_layout l = spectral_layout_of(c, given->ndim, given->shape);
    const int32_t last = spectral_is_batched(c) ? given->ndim - 2 : 0;
    pz_spec vector = pz_spec_make(given->dtype, last + 1, given->shape);
    vector.shape[last] = l.rows;
    PZ_TRY(pz_declare_buffer(c, "_u", &vector));
    vector.shape[last] = l.outer * l.inner;
    PZ_TRY(pz_declare_buffer(c, "_v", &vector));
  }
  return pz_declare_value(c, given, structure_of_value(c->in));
}

/* ---- vectors -------------------------------------------------------------------------- */

static pz_status
vector_forward(pz_call* const c, const pz_tensor* const w, pz_tensor* const y)
{
  const pz_spec spec = pz_spec_make(w->dtype, 1, (const int64_t[]){1});
  pz_tensor size;
  PZ_TRY(pz_save(c, &spec, &size));
  PZ_TRY(spectral_sizes(c, 1, w, &size));
  PZ_TRY(pz_fill(c, 0.0, y));
  return spectral_normalize(c, w, &size, y);
}

static pz_status
vector_vjp(pz_call* const c, const pz_tensor* const y, const pz_tensor* const gy,
           pz_tensor* const gw)
{
  pz_tensor size;
  PZ_TRY(pz_saved(c, 0, &size));
  return pz_launch_rows(c, &spectral_norm_vector_adjoint, PZ_ALONG_DIM, 0, PZ_TENSORS(gy, &size, y),
                        PZ_OUTPUTS(gw), &c->options[EPS].as.real, NULL);
}

/* ---- matrices ------------------------------------------------------------------------- */

static pz_status
spectral_norm_init(pz_call* const c, const pz_tensor* const tensor)
{
  if (tensor->ndim < 2) {
    return PZ_OK;
  }
  pz_tensor* const u = &c->new_buffer[U];
  pz_tensor* const v = &c->new_buffer[V];
  // a block of the random stream has two numbers
  const uint64_t used = ((uint64_t)pz_count(u) + 1) / 2;
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, u));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, used, 0.0, 1.0, v));
  const spectral_layout l = spectral_layout_of(c, tensor->ndim, tensor->shape);
  return spectral_start(c, l, tensor, u, v);
}

static pz_status
spectral_norm_update(pz_call* const c, const pz_tensor* const x)
{
  if (x->ndim < 2) {
    return PZ_OK;
  }
  return spectral_steps(c, spectral_layout_of(c, x->ndim, x->shape),
                        c->options[N_POWER_ITERATIONS].as.integer, x, &c->new_buffer[U],
                        &c->new_buffer[V]);
}

/* A tensor as rows that each belong to one matrix, of which there may be many; and the numbers of
   its matrices, one or many, as those rows take them. */
static pz_tensor*
as_rows(pz_view* const view, const spectral_layout l, const pz_tensor* const t)
{
  const int64_t one = l.inner > l.outer ? l.outer * l.rows : l.outer; /* whichever are not short */
  const int64_t rows = l.batch == 1 ? one : l.batch;
  const int64_t count = pz_count(t);
  return pz_view_reshaped(view, t, 2, (const int64_t[]){rows, rows == 0 ? 0 : count / rows});
}

static pz_tensor*
as_numbers(pz_view* const view, const spectral_layout l, const pz_tensor* const t)
{
  return pz_view_reshaped(view, t, 2, (const int64_t[]){l.batch, 1});
}

static pz_status
divide(pz_call* const c, const spectral_layout l, const pz_tensor* const x,
       const pz_tensor* const sigma, pz_tensor* const y)
{
  pz_view from;
  pz_view to;
  pz_view numbers;
  return pz_launch_rows(c, &spectral_norm_value, PZ_ALONG_DIM, 1,
                        PZ_TENSORS(as_rows(&from, l, x), as_numbers(&numbers, l, sigma)),
                        PZ_OUTPUTS(as_rows(&to, l, y)), NULL, NULL);
}

static pz_status
spectral_norm_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  if (x->ndim == 1) {
    return vector_forward(c, x, y);
  }
  const spectral_layout l = spectral_layout_of(c, x->ndim, x->shape);
  const pz_spec spec = pz_spec_make(x->dtype, 1, &l.batch);
  pz_tensor sigma;
  PZ_TRY(pz_save(c, &spec, &sigma));
  PZ_TRY(spectral_sigma(c, l, x, &c->buffer[U], &c->buffer[V], &sigma));
  return divide(c, l, x, &sigma, y);
}

/* gx <- (gy - product u v^T) / sigma, where many matrices have their own. */
static pz_status
batched_adjoint(pz_call* const c, const spectral_layout l, const pz_tensor* const gy,
                const pz_tensor* const product, const pz_tensor* const sigma, pz_tensor* const gx)
{
  const int64_t u_shape[] = {l.batch, l.rows};
  pz_tensor u;
  pz_tensor rest;
  pz_view from;
  pz_view to;
  pz_view u_view;
  pz_view v_view;
  pz_view rest_view;
  PZ_TRY(pz_work_like(c, &c->buffer[U], &u));
  PZ_TRY(pz_work_like(c, gy, &rest));
  PZ_TRY(pz_scale_by(c, PZ_OVER_COLS, product, pz_view_reshaped(&from, &c->buffer[U], 2, u_shape),
                     pz_view_reshaped(&to, &u, 2, u_shape)));
  PZ_TRY(pz_copy(c, gy, &rest));
  PZ_TRY(pz_gemm(
      c, PZ_N, PZ_N, -1.0, pz_view_reshaped(&u_view, &u, 3, (const int64_t[]){l.batch, l.rows, 1}),
      pz_view_reshaped(&v_view, &c->buffer[V], 3, (const int64_t[]){l.batch, 1, l.inner}), 1.0,
      pz_view_reshaped(&rest_view, &rest, 3, (const int64_t[]){l.batch, l.rows, l.inner})));
  return divide(c, l, &rest, sigma, gx);
}

static pz_status
spectral_norm_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                  const pz_tensor* const gy, pz_tensor* const gx)
{
  if (x->ndim == 1) {
    return vector_vjp(c, y, gy, gx);
  }
  const spectral_layout l = spectral_layout_of(c, x->ndim, x->shape);
  const int64_t shape[] = {l.outer, l.rows, l.inner};
  const int64_t u_shape[] = {1, l.rows, 1};
  const int64_t v_shape[] = {l.outer, 1, l.inner};
  const int64_t one[] = {1, 1, 1};
  pz_tensor sigma;
  pz_tensor product;
  pz_view g;
  pz_view u;
  pz_view v;
  pz_view p;
  pz_view s;
  pz_view out;
  PZ_TRY(pz_saved(c, 0, &sigma));
  PZ_TRY(pz_work_like(c, &sigma, &product));
  PZ_TRY(spectral_products(c, l.batch, gy, y, &product));
  if (spectral_is_batched(c)) {
    return batched_adjoint(c, l, gy, &product, &sigma, gx);
  }
  return pz_launch_rows(c, &spectral_norm_adjoint, PZ_SLICES_OF_DIM, 1,
                        PZ_TENSORS(pz_view_reshaped(&g, gy, 3, shape),
                                   pz_view_reshaped(&u, &c->buffer[U], 3, u_shape),
                                   pz_view_reshaped(&v, &c->buffer[V], 3, v_shape),
                                   pz_view_reshaped(&p, &product, 3, one),
                                   pz_view_reshaped(&s, &sigma, 3, one)),
                        PZ_OUTPUTS(pz_view_reshaped(&out, gx, 3, shape)), NULL, NULL);
}

/* The Jacobian of a vector over its norm is symmetric. */
static pz_status
spectral_norm_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                  const pz_tensor* const dx, pz_tensor* const dy)
{
  if (x->ndim == 1) {
    return vector_vjp(c, y, dx, dy);
  }
  const spectral_layout l = spectral_layout_of(c, x->ndim, x->shape);
  pz_tensor sigma;
  pz_tensor product;
  PZ_TRY(pz_saved(c, 0, &sigma));
  PZ_TRY(pz_work_like(c, &sigma, &product));
  PZ_TRY(spectral_sigma(c, l, dx, &c->buffer[U], &c->buffer[V], &product));
  pz_view from;
  pz_view p;
  pz_view s;
  pz_view value;
  pz_view to;
  return pz_launch_rows(c, &spectral_norm_tangent, PZ_ALONG_DIM, 1,
                        PZ_TENSORS(as_rows(&from, l, dx), as_numbers(&p, l, &product),
                                   as_numbers(&s, l, &sigma), as_rows(&value, l, y)),
                        PZ_OUTPUTS(as_rows(&to, l, dy)), NULL, NULL);
}

/* The largest |s - 1|, where s is the exact largest singular value; 0 for a matrix of zeros, which
   is a value. For a value of forward this is the error of the estimate. */
static pz_status
spectral_norm_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const spectral_layout l = spectral_layout_of(c, y->ndim, y->shape);
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  const pz_spec spec = pz_spec_make(y->dtype, 1, &l.batch);
  pz_tensor size;
  const double* each = NULL;
  PZ_TRY(pz_work(c, &spec, &size));
  PZ_TRY(y->ndim == 1 ? spectral_sizes(c, 1, y, &size) : spectral_largest(c, l, y, &size));
  PZ_TRY(pz_read_all(c, &size, &each));
  for (int64_t k = 0; k < l.batch; ++k) {
    *distance = pz_max(*distance, each[k] == 0.0 ? 0.0 : fabs(each[k] - 1.0));
  }
  return PZ_OK;
}

/* Normal random matrices, divided by their largest singular value, whose singular pair is replaced
   by u and v: members of the set that forward reproduces with the current state. */
static pz_status
spectral_norm_sample(pz_call* const c, pz_tensor* const y)
{
  const spectral_layout l = spectral_layout_of(c, y->ndim, y->shape);
  const pz_spec spec = pz_spec_make(y->dtype, 1, &l.batch);
  pz_tensor e;
  pz_tensor size;
  PZ_TRY(pz_work_like(c, y, &e));
  PZ_TRY(pz_work(c, &spec, &size));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &e));
  if (y->ndim == 1) {
    PZ_TRY(spectral_sizes(c, 1, &e, &size));
    PZ_TRY(pz_fill(c, 0.0, y));
    return spectral_normalize(c, &e, &size, y);
  }
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  const pz_tensor* const u = &c->buffer[U];
  const pz_tensor* const v = &c->buffer[V];
  pz_tensor eu;
  pz_tensor ev;
  pz_tensor uev;
  PZ_TRY(pz_work_like(c, v, &eu));
  PZ_TRY(pz_work_like(c, u, &ev));
  PZ_TRY(pz_work_like(c, &size, &uev));
  PZ_TRY(spectral_largest(c, l, &e, &size));
  PZ_TRY(spectral_apply(c, l, &e, u, v, &eu, &ev));
  PZ_TRY(spectral_products(c, l.batch, u, &ev, &uev));
  return pz_launch(c, &spectral_norm_member, pz_count(y),
                   (const pz_tensor* const[]){&e, &size, u, v, &eu, &ev, &uev, y}, NULL,
                   (const int64_t[]){l.outer, l.rows, l.inner});
}

static const pz_option spectral_norm_options[] = {
    [N_POWER_ITERATIONS] = PZ_OPTION_INTEGER("n_power_iterations", 1, 1, 1000000,
                                             "steps of the power method at each update"),
    [EPS] = PZ_OPTION_REAL("eps", 1e-12, 0.0, INFINITY, "lower bound of norms"),
    [DIM] = PZ_OPTION_INTEGER("dim", 0, -PZ_MAX_DIMS, PZ_MAX_DIMS - 1,
                              "dimension whose slices are the rows of M; negative: from the last"),
    [BATCHED] = PZ_OPTION_FLAG("batched", 0, "one norm for each matrix of the last two dimensions"),
};

static const pz_parametrization spectral_norm = {
    .size = sizeof(spectral_norm),
    .option_size = sizeof(pz_option),
    .id = "spectral_norm",
    .summary = "Spectral normalization: divide by the largest singular value",
    .tags = "network norm projects",
    .formula = "Y = W / s, s = u^T M v, M the matrix whose rows are the slices of W along dim;\n"
               "u and v from the power method, with steps at each update; a vector: Y = W / |W|\n"
               "domain: any shape except a scalar; s = 0 gives zeros\n"
               "right inverse: W = Y\n"
               "cost: one product with a vector, three passes over memory; two products per step",
    PZ_OPTIONS(spectral_norm_options),
    .plan = spectral_norm_plan,
    .init = spectral_norm_init,
    .forward = spectral_norm_forward,
    .right_inverse = pz_copy_right_inverse, /* as in PyTorch, with u and v unchanged */
    .vjp = spectral_norm_vjp,
    .update = spectral_norm_update,
    .residual = spectral_norm_residual,
    .sample = spectral_norm_sample,
    .jvp = spectral_norm_jvp,
    .legacy_names = "original=_orig _u=_u _v=_v",
};

PZ_PLUGIN(spectral_norm, "1.0.0", PZ_PARAMETRIZATION(&spectral_norm));
