/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Signs and determinant. Every orthogonal Q is C D, where D is a diagonal matrix of signs and C has
   no eigenvalue -1. To find D, eliminate Q + D without pivoting and let each d_k be the sign of the
   pivot to which it is added, so that no pivot is below 1 (LAPACK's orhr_col; Q + D = (C + I) D).
   C has determinant 1, so det Q is exactly the product of the signs, even if an eigenvalue of Q is
   very close to -1. The elimination works for any matrix.

   Uniform orthogonal matrices. The factor Q of a normal random matrix, with its columns multiplied
   by the signs of R's diagonal, has the Haar distribution (Mezzadri 2007). If the determinant is
   -1, a fixed reflection gives a uniform rotation. */

#include "rotation.h"

#include <math.h>

// clang-format off

/* Eliminates a panel of Q (rows x cols, rows = n - first) with signs added to the pivots: one item
   per matrix. */
PZ_KERNEL(rotation_panel, 2, 0, 4,
  PZ_TENSOR_ARG(0, panel);
  PZ_TENSOR_ARG(1, signs);
  PZ_INTEGER_ARG(0, rows);
  PZ_INTEGER_ARG(1, cols);
  PZ_INTEGER_ARG(2, n);
  PZ_INTEGER_ARG(3, first);
  const pz_int at = i * rows * cols;
  for (pz_int j = 0; j < cols; ++j) {
    const pz_int row = at + j * cols;
    const real sign = panel[row + j] < (real)0 ? (real)-1 : (real)1;
    const real pivot = panel[row + j] + sign;
    signs[i * n + first + j] = sign;
    panel[row + j] = pivot;
    for (pz_int r = row + cols; r < at + rows * cols; r += cols) {
      const real l = panel[r + j] / pivot;
      panel[r + j] = l;
      for (pz_int k = j + 1; k < cols; ++k) {
        panel[r + k] -= l * panel[row + k];
      }
    }
  }
)

/* product <- the product of a row of signs, flip <- (1 .. 1, product, 1 .. 1): one item per row. */
PZ_KERNEL(rotation_product, 3, 0, 2,
  PZ_TENSOR_ARG(0, signs);
  PZ_TENSOR_ARG(1, product);
  PZ_TENSOR_ARG(2, flip);
  PZ_INTEGER_ARG(0, n);
  PZ_INTEGER_ARG(1, place);
  real sign = (real)1;
  for (pz_int j = 0; j < n; ++j) {
    sign *= signs[i * n + j];
    flip[i * n + j] = (real)1;
  }
  flip[i * n + place] = sign;
  product[i] = sign;
)

/* d <- the signs of d, +1 for zero. */
PZ_KERNEL(rotation_sign, 1, 0, 0,
  PZ_TENSOR_ARG(0, d);
  d[i] = d[i] < (real)0 ? (real)-1 : (real)1;
)

// clang-format on

pz_status
rotation_eliminate(pz_call* const c, pz_tensor* const q, pz_tensor* const d)
{
  enum { WIDTH = 48 };
  const int64_t n = pz_rows(q);
  const int64_t batch = pz_batch(q);
  for (int64_t first = 0; first < n; first += WIDTH) {
    const int64_t rest = n - first;
    const int64_t cols = rest < WIDTH ? rest : WIDTH;
    const uint64_t mark = pz_work_mark(c);
    const pz_spec spec = pz_spec_make(q->dtype, 3, (const int64_t[]){batch, rest, cols});
    pz_view flat_view;
    pz_view q_view;
    pz_tensor panel;
    const pz_tensor* const flat =
        pz_view_reshaped(&flat_view, q, 3, (const int64_t[]){batch, n, n});
    pz_tensor* const block = pz_view_block(&q_view, flat, first, rest, first, cols);
    PZ_TRY(pz_work(c, &spec, &panel));
    PZ_TRY(pz_copy(c, block, &panel));
    PZ_TRY(pz_launch(c, &rotation_panel, batch, (const pz_tensor* const[]){&panel, d}, NULL,
                     (const int64_t[]){rest, cols, n, first}));
    PZ_TRY(pz_copy(c, &panel, block));
    if (cols < rest) {
      const int64_t next = first + cols;
      pz_view l11;
      pz_view l21;
      pz_view u12;
      pz_view s22;
      // U12 <- L11^-1 U12,  S22 <- S22 - L21 U12
      pz_tensor* const right = pz_view_block(&u12, flat, first, cols, next, n - next);
      PZ_TRY(pz_trsm(c, PZ_LEFT, PZ_LOWER, PZ_N, PZ_UNIT, 1.0,
                     pz_view_block(&l11, &panel, 0, cols, 0, cols), right));
      PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, pz_view_block(&l21, &panel, cols, n - next, 0, cols),
                     right, 1.0, pz_view_block(&s22, flat, next, n - next, next, n - next)));
    }
    pz_work_release(c, mark);
  }
  return PZ_OK;
}

pz_status
rotation_signs(pz_call* const c, const pz_tensor* const q, pz_tensor* const d)
{
  pz_tensor s;
  PZ_TRY(pz_work_like(c, q, &s));
  PZ_TRY(pz_copy(c, q, &s));
  return rotation_eliminate(c, &s, d);
}

pz_status
rotation_defects(pz_call* const c, const pz_tensor* const q, const double** const out)
{
  const int64_t batch = pz_batch(q);
  const pz_spec both = pz_spec_make(q->dtype, 1, (const int64_t[]){2 * batch});
  const pz_spec row = rotation_spec(q, 1);
  pz_tensor numbers;
  pz_tensor gram;
  pz_tensor signs;
  pz_tensor flip;
  PZ_TRY(pz_work(c, &both, &numbers));
  PZ_TRY(pz_work_like(c, q, &gram));
  PZ_TRY(pz_work(c, &row, &signs));
  PZ_TRY(pz_work(c, &row, &flip));
  pz_view defect_view;
  pz_view sign_view;
  pz_tensor* const defect = pz_view_reshaped(&defect_view, &numbers, q->ndim - 2, q->shape);
  pz_tensor* const sign = pz_view_reshaped(&sign_view, &numbers, q->ndim - 2, q->shape);
  sign->byte_offset += (uint64_t)batch * pz_dtype_size(q->dtype);

  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, q, q, 0.0, &gram));
  PZ_TRY(pz_add_identity(c, -1.0, &gram));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &gram, defect));
  PZ_TRY(rotation_signs(c, q, &signs));
  PZ_TRY(pz_launch(c, &rotation_product, batch, (const pz_tensor* const[]){&signs, sign, &flip},
                   NULL, (const int64_t[]){pz_rows(q), 0}));
  return pz_read_all(c, &numbers, out);
}

pz_status
rotation_residual(pz_call* const c, const bool proper, const pz_tensor* const q,
                  double* const distance)
{
  const int64_t batch = pz_batch(q);
  const double* defect = NULL;
  PZ_TRY(rotation_defects(c, q, &defect));
  *distance = 0.0;
  for (int64_t k = 0; k < batch; ++k) {
    const bool reflects = proper && defect[k] < 1.0 && defect[batch + k] < 0.0;
    *distance = pz_max(*distance, reflects ? 2.0 : defect[k]);
  }
  return PZ_OK;
}

pz_status
rotation_make_proper(pz_call* const c, const int64_t place, pz_tensor* const q)
{
  const pz_spec row = rotation_spec(q, 1);
  const pz_spec one = rotation_spec(q, 0);
  pz_tensor signs;
  pz_tensor flip;
  pz_tensor sign;
  PZ_TRY(pz_work(c, &row, &signs));
  PZ_TRY(pz_work(c, &row, &flip));
  PZ_TRY(pz_work(c, &one, &sign));
  PZ_TRY(rotation_signs(c, q, &signs));
  PZ_TRY(pz_launch(c, &rotation_product, pz_batch(q),
                   (const pz_tensor* const[]){&signs, &sign, &flip}, NULL,
                   (const int64_t[]){pz_rows(q), place}));
  return pz_scale_by(c, PZ_OVER_ROWS, &flip, q, q);
}

pz_status
rotation_nearest(pz_call* const c, const bool proper, const pz_tensor* const a, pz_tensor* const q)
{
  const pz_spec row = rotation_spec(a, 1);
  const pz_spec one = rotation_spec(a, 0);
  pz_tensor u;
  pz_tensor s;
  pz_tensor vt;
  pz_tensor sign;
  pz_tensor flip;
  PZ_TRY(pz_work_like(c, a, &u));
  PZ_TRY(pz_work_like(c, a, &vt));
  PZ_TRY(pz_work(c, &row, &s));
  PZ_TRY(pz_work(c, &row, &flip));
  PZ_TRY(pz_work(c, &one, &sign));
  PZ_TRY(pz_svd(c, a, &u, &s, &vt));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &u, &vt, 0.0, q));
  if (!proper) {
    return PZ_OK;
  }
  // Q = U diag(1 .. 1, det) V^T
  PZ_TRY(rotation_signs(c, q, &s));
  PZ_TRY(pz_launch(c, &rotation_product, pz_batch(a), (const pz_tensor* const[]){&s, &sign, &flip},
                   NULL, (const int64_t[]){pz_rows(a), pz_rows(a) - 1}));
  PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &flip, &u, &u));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &u, &vt, 0.0, q);
}

pz_status
rotation_q_factor(pz_call* const c, const pz_tensor* const a, pz_tensor* const q)
{
  const int64_t k = pz_cols(a);
  pz_spec square = pz_spec_of(a);
  square.shape[a->ndim - 2] = k;
  pz_spec row = pz_spec_make(a->dtype, a->ndim - 1, a->shape);
  row.shape[a->ndim - 2] = k;
  pz_tensor r;
  pz_tensor d;
  PZ_TRY(pz_work(c, &square, &r));
  PZ_TRY(pz_work(c, &row, &d));
  PZ_TRY(pz_qr(c, a, q, &r));
  PZ_TRY(pz_get_diagonal(c, &r, &d));
  PZ_TRY(pz_launch(c, &rotation_sign, pz_count(&d), (const pz_tensor* const[]){&d}, NULL, NULL));
  return pz_scale_by(c, PZ_OVER_ROWS, &d, q, q);
}

pz_status
rotation_sample(pz_call* const c, const bool proper, pz_tensor* const q)
{
  pz_tensor a;
  PZ_TRY(pz_work_like(c, q, &a));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, 1.0, &a));
  PZ_TRY(rotation_q_factor(c, &a, q));
  return proper ? rotation_make_proper(c, 0, q) : PZ_OK;
}
