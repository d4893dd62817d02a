/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products of reflectors H_1 .. H_k = I - U S^-1 U^T in compact WY form. The columns of U are those
   of the original below the diagonal, 1 on it and 0 above it, and

     S = the upper triangle of U^T U, its diagonal halved
     Q = E - U W,  W = S^-1 U1^T,  E the first columns of I, U1 the first rows of U

   Q has orthonormal columns for any U, and is the result of LAPACK's orgqr for the same columns
   with tau_j = 2 / |u_j|^2. The adjoint, with R = S^-T U^T G:

     gS = R W^T,  gU = -G W^T + U (K + K^T) - (R^T; 0),  K = the triangle of gS as above

   and the derivative, with dS the upper triangle of dU^T U + U^T dU, its diagonal halved:

     dW = S^-1 (dU1^T - dS W),  dQ = -dU W - U dW

   Any Q with orthonormal columns is (H_1 .. H_k E) D with signs D. Eliminating Q - E D without
   pivoting gives U as the factor L; each sign is minus that of its pivot, so that no pivot is below
   1 (rotation.h; LAPACK's orhr_col). The signs depend only on the top block of Q. */

#include "orthogonal.h"

#include "rotation.h"

#include <parametrize/plugin.h>

// clang-format off

/* s <- its upper triangle with the diagonal halved: one item per entry. */
PZ_KERNEL(orth_half_triangle, 1, 0, 1,
  PZ_TENSOR_ARG(0, s);
  PZ_INTEGER_ARG(0, k);
  const pz_int row = i / k % k;
  const pz_int column = i % k;
  s[i] = column > row ? s[i] : column == row ? (real)0.5 * s[i] : (real)0;
)

// clang-format on

/* s <- its upper triangle with the diagonal halved. */
static pz_status
halve(pz_call* const c, pz_tensor* const s)
{
  return pz_launch(c, &orth_half_triangle, pz_count(s), (const pz_tensor* const[]){s}, NULL,
                   (const int64_t[]){pz_cols(s)});
}

/* u <- the columns of the reflectors, s <- S. */
static pz_status
factors(pz_call* const c, const pz_tensor* const x, pz_tensor* const u, pz_tensor* const s)
{
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, x, u));
  PZ_TRY(pz_add_identity(c, 1.0, u));
  PZ_TRY(pz_syrk(c, PZ_T, 1.0, u, 0.0, s));
  return halve(c, s);
}

pz_status
orth_householder(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  const int64_t k = pz_cols(x);
  const pz_spec square = orth_spec(x, k, k);
  pz_view u1;
  pz_view u1_transposed;
  pz_tensor u;
  pz_tensor s;
  pz_tensor w;
  PZ_TRY(pz_save_like(c, x, &u));
  PZ_TRY(pz_save(c, &square, &s));
  PZ_TRY(pz_save(c, &square, &w));
  PZ_TRY(factors(c, x, &u, &s));
  // W <- S^-1 U1^T,  Q <- E - U W
  PZ_TRY(pz_copy(c, pz_view_transposed(&u1_transposed, orth_top(&u1, &u)), &w));
  PZ_TRY(pz_trsm(c, PZ_LEFT, PZ_UPPER, PZ_N, PZ_NON_UNIT, 1.0, &s, &w));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &u, &w, 0.0, q));
  return pz_add_identity(c, 1.0, q);
}

pz_status
orth_householder_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const g,
                     pz_tensor* const gx)
{
  const int64_t k = pz_cols(x);
  const pz_spec square = orth_spec(x, k, k);
  pz_view top;
  pz_view transposed;
  pz_tensor u;
  pz_tensor s;
  pz_tensor w;
  pz_tensor r;
  pz_tensor t;
  pz_tensor h;
  PZ_TRY(pz_saved(c, 0, &u));
  PZ_TRY(pz_saved(c, 1, &s));
  PZ_TRY(pz_saved(c, 2, &w));
  PZ_TRY(pz_work(c, &square, &r));
  PZ_TRY(pz_work(c, &square, &t));
  PZ_TRY(pz_work(c, &square, &h));
  // R <- S^-T U^T G,  H <- K + K^T of R W^T
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &u, g, 0.0, &r));
  PZ_TRY(pz_trsm(c, PZ_LEFT, PZ_UPPER, PZ_T, PZ_NON_UNIT, 1.0, &s, &r));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, &r, &w, 0.0, &t));
  PZ_TRY(pz_fold(c, PZ_UPPER, 1, &t, &h));
  // gU <- -G W^T + U H - (R^T; 0)
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, -1.0, g, &w, 0.0, gx));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &u, &h, 1.0, gx));
  PZ_TRY(pz_axpby(c, -1.0, pz_view_transposed(&transposed, &r), 1.0, orth_top(&top, gx)));
  return pz_triangle(c, PZ_LOWER, -1, gx, gx);
}

pz_status
orth_householder_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const dx,
                     pz_tensor* const dq)
{
  const int64_t k = pz_cols(x);
  const pz_spec square = orth_spec(x, k, k);
  pz_view top;
  pz_view transposed;
  pz_tensor u;
  pz_tensor s;
  pz_tensor w;
  pz_tensor du;
  pz_tensor ds;
  pz_tensor t;
  PZ_TRY(pz_saved(c, 0, &u));
  PZ_TRY(pz_saved(c, 1, &s));
  PZ_TRY(pz_saved(c, 2, &w));
  PZ_TRY(pz_work_like(c, x, &du));
  PZ_TRY(pz_work(c, &square, &ds));
  PZ_TRY(pz_work(c, &square, &t));
  // dS <- the triangle of dU^T U + U^T dU
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, dx, &du));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &du, &u, 0.0, &t));
  PZ_TRY(pz_symmetrize(c, 1.0, 1, &t, &ds));
  PZ_TRY(halve(c, &ds));
  // T <- dW = S^-1 (dU1^T - dS W)
  PZ_TRY(pz_copy(c, pz_view_transposed(&transposed, orth_top(&top, &du)), &t));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &ds, &w, 1.0, &t));
  PZ_TRY(pz_trsm(c, PZ_LEFT, PZ_UPPER, PZ_N, PZ_NON_UNIT, 1.0, &s, &t));
  // dQ <- -dU W - U dW
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &du, &w, 0.0, dq));
  return pz_gemm(c, PZ_N, PZ_N, -1.0, &u, &t, 1.0, dq);
}

pz_status
orth_householder_inverse(pz_call* const c, const pz_tensor* const q, pz_tensor* const d,
                         pz_tensor* const x)
{
  const int64_t k = pz_cols(q);
  const pz_spec square = orth_spec(q, k, k);
  pz_view q_view;
  pz_view x_view;
  pz_tensor s;
  PZ_TRY(pz_work(c, &square, &s));
  PZ_TRY(pz_copy(c, orth_top(&q_view, q), &s));
  PZ_TRY(rotation_eliminate(c, &s, d));
  if (pz_rows(q) > k) {
    pz_tensor* const below = orth_below(&x_view, x);
    PZ_TRY(pz_copy(c, orth_below(&q_view, q), below));
    PZ_TRY(pz_trsm(c, PZ_RIGHT, PZ_UPPER, PZ_N, PZ_NON_UNIT, 1.0, &s, below));
  }
  pz_tensor* const top = orth_top(&x_view, x);
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, &s, top));
  PZ_TRY(pz_scale(c, -1.0, d));
  return pz_set_diagonal(c, d, top);
}

pz_status
orth_reflect(pz_call* const c, const pz_trans transpose, const pz_tensor* const r,
             pz_tensor* const z)
{
  const int64_t k = pz_cols(r);
  const pz_spec square = orth_spec(r, k, k);
  const pz_spec wide = orth_spec(r, k, pz_cols(z));
  const pz_spec row = orth_row_spec(r, k);
  pz_view view;
  pz_tensor u;
  pz_tensor s;
  pz_tensor p;
  pz_tensor d;
  PZ_TRY(pz_work_like(c, r, &u));
  PZ_TRY(pz_work(c, &square, &s));
  PZ_TRY(pz_work(c, &wide, &p));
  PZ_TRY(pz_work(c, &row, &d));
  PZ_TRY(factors(c, r, &u, &s));
  PZ_TRY(pz_get_diagonal(c, r, &d));
  pz_tensor* const top = pz_view_block(&view, z, 0, k, 0, pz_cols(z));
  if (transpose == PZ_N) {
    PZ_TRY(pz_scale_by(c, PZ_OVER_COLS, &d, top, top));
  }
  // Z <- Z - U S^-1 U^T Z
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &u, z, 0.0, &p));
  PZ_TRY(pz_trsm(c, PZ_LEFT, PZ_UPPER, transpose, PZ_NON_UNIT, 1.0, &s, &p));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &u, &p, 1.0, z));
  return transpose == PZ_T ? pz_scale_by(c, PZ_OVER_COLS, &d, top, top) : PZ_OK;
}
