/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "power.h"

enum { FIRST_STEPS = 15 }; /* at registration, as in PyTorch */

// clang-format off

PZ_KERNEL(power_normalize, 3, 1, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, size);
  PZ_TENSOR_ARG(2, y);
  PZ_REAL_ARG(0, eps);
  PZ_INTEGER_ARG(0, length);
  const real s = size[i / length];
  y[i] = s == (real)0 ? y[i] : x[i] / pz_max(s, eps);
)

// clang-format on

/* The matrices of a tensor, each as it is (PZ_N) or transposed (PZ_T). */
typedef struct matrices {
  pz_view view;
  pz_trans trans;
} matrices;

bool
spectral_is_batched(const pz_call* const c)
{
  return c->options[BATCHED].as.integer != 0;
}

spectral_layout
spectral_layout_of(const pz_call* const c, const int32_t ndim, const int64_t* const shape)
{
  if (spectral_is_batched(c)) {
    return (spectral_layout){pz_shape_count(ndim - 2, shape), 1, shape[ndim - 2], shape[ndim - 1]};
  }
  const int64_t given = c->options[DIM].as.integer;
  const int32_t dim = (int32_t)(given < 0 ? given + ndim : given);
  return (spectral_layout){
      1,
      pz_shape_count(dim, shape),
      shape[dim],
      pz_shape_count(ndim - dim - 1, shape + dim + 1),
  };
}

static pz_status
open_matrices(pz_call* const c, const spectral_layout l, const pz_tensor* const w,
              matrices* const out)
{
  const int64_t cols = l.outer * l.inner;
  out->trans = PZ_N;
  if (l.outer == 1 || cols == 0) {
    (void)pz_view_reshaped(&out->view, w, 3, (const int64_t[]){l.batch, l.rows, cols});
    return PZ_OK;
  }
  if (l.inner == 1) {
    out->trans = PZ_T;
    (void)pz_view_reshaped(&out->view, w, 3, (const int64_t[]){l.batch, cols, l.rows});
    return PZ_OK;
  }
  // rows, outer, inner <- outer, rows, inner
  const pz_spec spec = pz_spec_make(w->dtype, 3, (const int64_t[]){l.rows, l.outer, l.inner});
  pz_view turned;
  pz_tensor copy;
  pz_tensor* const from = pz_view_reshaped(&turned, w, 3, spec.shape);
  turned.strides[0] = l.inner;
  turned.strides[1] = l.rows * l.inner;
  PZ_TRY(pz_work(c, &spec, &copy));
  PZ_TRY(pz_copy(c, from, &copy));
  (void)pz_view_reshaped(&out->view, &copy, 3, (const int64_t[]){1, l.rows, cols});
  return PZ_OK;
}

/* y <- op(M) x for each matrix and its vector. */
static pz_status
multiply(pz_call* const c, const spectral_layout l, const matrices* const m, const pz_trans op,
         const pz_tensor* const x, pz_tensor* const y)
{
  const int64_t cols = l.outer * l.inner;
  pz_view from;
  pz_view to;
  return pz_gemm(
      c, m->trans == op ? PZ_N : PZ_T, PZ_N, 1.0, &m->view.tensor,
      pz_view_reshaped(&from, x, 3, (const int64_t[]){l.batch, op == PZ_N ? cols : l.rows, 1}), 0.0,
      pz_view_reshaped(&to, y, 3, (const int64_t[]){l.batch, op == PZ_N ? l.rows : cols, 1}));
}

/* The entries of each of `batch` vectors. */
static int64_t
length_of(const pz_tensor* const x, const int64_t batch)
{
  return batch == 0 ? 0 : pz_count(x) / batch;
}

pz_status
spectral_sizes(pz_call* const c, const int64_t batch, const pz_tensor* const x,
               pz_tensor* const size)
{
  pz_view rows;
  return pz_norm(c, PZ_NORM_TWO, PZ_OVER_COLS,
                 pz_view_reshaped(&rows, x, 2, (const int64_t[]){batch, length_of(x, batch)}),
                 size);
}

pz_status
spectral_products(pz_call* const c, const int64_t batch, const pz_tensor* const x,
                  const pz_tensor* const y, pz_tensor* const out)
{
  const int64_t shape[] = {batch, length_of(x, batch)};
  pz_view x_rows;
  pz_view y_rows;
  return pz_dot(c, PZ_OVER_COLS, pz_view_reshaped(&x_rows, x, 2, shape),
                pz_view_reshaped(&y_rows, y, 2, shape), out);
}

pz_status
spectral_normalize(pz_call* const c, const pz_tensor* const x, const pz_tensor* const size,
                   pz_tensor* const y)
{
  const int64_t length = length_of(x, pz_count(size));
  return pz_launch(c, &power_normalize, pz_count(x), (const pz_tensor* const[]){x, size, y},
                   &c->options[EPS].as.real, &length);
}

pz_status
spectral_apply(pz_call* const c, const spectral_layout l, const pz_tensor* const w,
               const pz_tensor* const u, const pz_tensor* const v, pz_tensor* const wu,
               pz_tensor* const wv)
{
  matrices m;
  PZ_TRY(open_matrices(c, l, w, &m));
  PZ_TRY(multiply(c, l, &m, PZ_T, u, wu));
  return multiply(c, l, &m, PZ_N, v, wv);
}

pz_status
spectral_steps(pz_call* const c, const spectral_layout l, const int64_t steps,
               const pz_tensor* const w, pz_tensor* const u, pz_tensor* const v)
{
  const pz_spec spec = pz_spec_make(w->dtype, 1, &l.batch);
  matrices m;
  pz_tensor size;
  pz_tensor wu;
  pz_tensor wv;
  PZ_TRY(open_matrices(c, l, w, &m));
  PZ_TRY(pz_work(c, &spec, &size));
  PZ_TRY(pz_work_like(c, v, &wu));
  PZ_TRY(pz_work_like(c, u, &wv));
  for (int64_t k = 0; k < steps; ++k) {
    // u <- M v / |M v|
    PZ_TRY(multiply(c, l, &m, PZ_N, v, &wv));
    PZ_TRY(spectral_sizes(c, l.batch, &wv, &size));
    PZ_TRY(spectral_normalize(c, &wv, &size, u));
    // v <- M^T u / |M^T u|
    PZ_TRY(multiply(c, l, &m, PZ_T, u, &wu));
    PZ_TRY(spectral_sizes(c, l.batch, &wu, &size));
    PZ_TRY(spectral_normalize(c, &wu, &size, v));
  }
  return PZ_OK;
}

pz_status
spectral_start(pz_call* const c, const spectral_layout l, const pz_tensor* const w,
               pz_tensor* const u, pz_tensor* const v)
{
  const pz_spec spec = pz_spec_make(w->dtype, 1, &l.batch);
  pz_tensor size;
  PZ_TRY(pz_work(c, &spec, &size));
  PZ_TRY(spectral_sizes(c, l.batch, u, &size));
  PZ_TRY(spectral_normalize(c, u, &size, u));
  PZ_TRY(spectral_sizes(c, l.batch, v, &size));
  PZ_TRY(spectral_normalize(c, v, &size, v));
  return spectral_steps(c, l, FIRST_STEPS, w, u, v);
}

pz_status
spectral_sigma(pz_call* const c, const spectral_layout l, const pz_tensor* const w,
               const pz_tensor* const u, const pz_tensor* const v, pz_tensor* const sigma)
{
  matrices m;
  pz_tensor wv;
  PZ_TRY(open_matrices(c, l, w, &m));
  PZ_TRY(pz_work_like(c, u, &wv));
  PZ_TRY(multiply(c, l, &m, PZ_N, v, &wv));
  return spectral_products(c, l.batch, u, &wv, sigma);
}

pz_status
spectral_largest(pz_call* const c, const spectral_layout l, const pz_tensor* const w,
                 pz_tensor* const size)
{
  const int64_t cols = l.outer * l.inner;
  const int64_t least = l.rows < cols ? l.rows : cols;
  const pz_spec spec = pz_spec_make(w->dtype, 2, (const int64_t[]){l.batch, least});
  matrices m;
  pz_tensor s;
  pz_view first;
  pz_view column;
  PZ_TRY(open_matrices(c, l, w, &m));
  PZ_TRY(pz_work(c, &spec, &s));
  PZ_TRY(pz_svd(c, &m.view.tensor, NULL, &s, NULL));
  return pz_copy(c, pz_view_block(&first, &s, 0, l.batch, 0, 1),
                 pz_view_reshaped(&column, size, 2, (const int64_t[]){l.batch, 1}));
}
