/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The first k columns of exp(A) from a skew matrix S of order 2 k. With the factorization B = P R,
   where P has orthonormal columns, A = Z S Z^T and

     Z = (I 0; 0 P),  S = (A11 -R^T; R 0),  Q = Z exp(S) E

   S is skew, so that rounding errors are those of an exponential of its order, for any rank of B.
   The adjoint does not differentiate the factorization. With Gp = G2 - P P^T G2, the part of G that
   is orthogonal to Z, and L = L_exp(S^T, (Z^T G, 0)),

     gA11 = L11,  gA21 - gA12^T = P (L21 - L12^T) + Gp phi(S)11^T

   because A^T Gp = 0. The matrix phi(S), the integral of exp(s S) over s in [0, 1], comes from

     exp (S E; 0 0) = (exp(S) phi(S) E; 0 I)

   If B has no more rows than columns, S is A, Z is the identity and Gp is zero. */

#include "orthogonal.h"

#include "exponential/exponential.h"

#include <parametrize/plugin.h>

/* The order of S, and whether B is factored. */
static int64_t
order_of(const pz_tensor* const x, bool* const factored)
{
  const int64_t n = pz_rows(x);
  const int64_t k = pz_cols(x);
  *factored = n - k > k;
  return *factored ? 2 * k : n;
}

pz_status
orth_exponential(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  const int64_t n = pz_rows(x);
  const int64_t k = pz_cols(x);
  bool factored = false;
  const int64_t order = order_of(x, &factored);
  const pz_spec square = orth_spec(x, order, order);
  const pz_spec below = orth_spec(x, n - k, k);
  const pz_spec small = orth_spec(x, k, k);
  pz_view from;
  pz_view to;
  pz_tensor s;
  pz_tensor p;
  pz_tensor r;
  pz_tensor t;
  PZ_TRY(pz_save(c, &square, &s));
  PZ_TRY(pz_work(c, &square, &t));
  PZ_TRY(pz_fill(c, 0.0, &t));
  PZ_TRY(pz_copy(c, orth_top(&from, x), pz_view_block(&to, &t, 0, k, 0, k)));
  if (factored) {
    PZ_TRY(pz_save(c, &below, &p));
    PZ_TRY(pz_work(c, &small, &r));
    PZ_TRY(pz_qr(c, orth_below(&from, x), &p, &r));
    PZ_TRY(pz_copy(c, &r, pz_view_block(&to, &t, k, k, 0, k)));
  } else {
    PZ_TRY(pz_copy(c, orth_below(&from, x), pz_view_block(&to, &t, k, n - k, 0, k)));
  }
  PZ_TRY(pz_fold(c, PZ_LOWER, -1, &t, &s));
  // Q <- Z exp(S) E
  PZ_TRY(expm_taylor(c, PZ_SKEW, &s, &t));
  if (!factored) {
    return pz_copy(c, pz_view_block(&from, &t, 0, n, 0, k), q);
  }
  PZ_TRY(pz_copy(c, pz_view_block(&from, &t, 0, k, 0, k), orth_top(&to, q)));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &p, pz_view_block(&from, &t, k, k, 0, k), 0.0,
                 orth_below(&to, q));
}

/* y <- the leading k x k block of phi(S). */
static pz_status
phi_on_top(pz_call* const c, const int64_t k, const pz_tensor* const s, pz_tensor* const y)
{
  const int64_t order = pz_rows(s);
  const pz_spec square = orth_spec(s, order + k, order + k);
  pz_view view;
  pz_tensor a;
  pz_tensor e;
  PZ_TRY(pz_work(c, &square, &a));
  PZ_TRY(pz_work(c, &square, &e));
  PZ_TRY(pz_fill(c, 0.0, &a));
  PZ_TRY(pz_copy(c, s, pz_view_block(&view, &a, 0, order, 0, order)));
  PZ_TRY(pz_add_identity(c, 1.0, pz_view_block(&view, &a, 0, k, order, k)));
  PZ_TRY(expm_taylor(c, PZ_GENERAL, &a, &e));
  return pz_copy(c, pz_view_block(&view, &e, 0, k, order, k), y);
}

pz_status
orth_exponential_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const g,
                     pz_tensor* const gx)
{
  const int64_t n = pz_rows(x);
  const int64_t k = pz_cols(x);
  bool factored = false;
  const int64_t order = order_of(x, &factored);
  const pz_spec square = orth_spec(x, order, order);
  const pz_spec below = orth_spec(x, n - k, k);
  const pz_spec small = orth_spec(x, k, k);
  pz_view from;
  pz_view to;
  pz_tensor s;
  pz_tensor p;
  pz_tensor gs;
  pz_tensor l;
  PZ_TRY(pz_saved(c, 0, &s));
  PZ_TRY(pz_work(c, &square, &gs));
  PZ_TRY(pz_work(c, &square, &l));
  // L <- L_exp(S^T, (Z^T G, 0)), then the strict lower triangle of L - L^T
  PZ_TRY(pz_fill(c, 0.0, &gs));
  PZ_TRY(pz_copy(c, orth_top(&from, g), pz_view_block(&to, &gs, 0, k, 0, k)));
  if (factored) {
    PZ_TRY(pz_saved(c, 1, &p));
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &p, orth_below(&from, g), 0.0,
                   pz_view_block(&to, &gs, k, k, 0, k)));
  } else {
    PZ_TRY(pz_copy(c, orth_below(&from, g), pz_view_block(&to, &gs, k, n - k, 0, k)));
  }
  pz_tensor gp;
  if (factored) { // Gp <- G2 - P (P^T G2)
    PZ_TRY(pz_work(c, &below, &gp));
    PZ_TRY(pz_copy(c, orth_below(&from, g), &gp));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &p, pz_view_block(&from, &gs, k, k, 0, k), 1.0, &gp));
  }
  PZ_TRY(expm_taylor_vjp(c, PZ_SKEW, factored ? 2 : 1, 0, &s, &gs, &l));
  PZ_TRY(pz_fold_adjoint(c, PZ_LOWER, -1, &l, &gs));
  PZ_TRY(pz_copy(c, pz_view_block(&from, &gs, 0, k, 0, k), orth_top(&to, gx)));
  if (!factored) {
    return pz_copy(c, pz_view_block(&from, &gs, k, n - k, 0, k), orth_below(&to, gx));
  }
  // gB <- P (L21 - L12^T) + Gp phi(S)11^T
  pz_tensor phi;
  PZ_TRY(pz_work(c, &small, &phi));
  PZ_TRY(phi_on_top(c, k, &s, &phi));
  pz_tensor* const gb = orth_below(&to, gx);
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &p, pz_view_block(&from, &gs, k, k, 0, k), 0.0, gb));
  return pz_gemm(c, PZ_N, PZ_T, 1.0, &gp, &phi, 1.0, gb);
}

/* ---- the derivative along a direction ------------------------------------------- */

// clang-format off

/* The factor that makes a norm 1, 0 for a norm of 0. */
PZ_KERNEL(orth_reciprocal, 2, 0, 0,
  PZ_TENSOR_ARG(0, norm);
  PZ_TENSOR_ARG(1, factor);
  factor[i] = norm[i] == (real)0 ? (real)0 : (real)1 / norm[i];
)

// clang-format on

static pz_status
square_adjoint(pz_call* const c, const pz_tensor* const s, const pz_tensor* const g,
               pz_tensor* const gs)
{
  return expm_taylor_vjp(c, PZ_SKEW, 1, 0, s, g, gs);
}

/* Of square x, where S is A: forward's value exp(A) is computed again, without the base. */
static pz_status
square_jvp(pz_call* const c, const pz_tensor* const dx, pz_tensor* const dq)
{
  pz_tensor s;
  pz_tensor ds;
  pz_tensor y;
  PZ_TRY(pz_saved(c, 0, &s));
  PZ_TRY(pz_work_like(c, &s, &ds));
  PZ_TRY(pz_work_like(c, &s, &y));
  PZ_TRY(expm_taylor(c, PZ_SKEW, &s, &y));
  PZ_TRY(pz_fold(c, PZ_LOWER, -1, dx, &ds));
  return expm_tangent(c, PZ_SKEW, square_adjoint, &s, &y, &ds, dq);
}

/* p r <- (B dB), p with orthonormal columns. */
static pz_status
factor_below(pz_call* const c, const pz_tensor* const x, const pz_tensor* const dx,
             pz_tensor* const p, pz_tensor* const r)
{
  const int64_t k = pz_cols(x);
  const int64_t rows = pz_rows(x) - k;
  const pz_spec wide = orth_spec(x, rows, 2 * k);
  const pz_spec small = orth_spec(x, 2 * k, 2 * k);
  pz_view from;
  pz_view to;
  pz_tensor both;
  PZ_TRY(pz_work(c, &wide, &both));
  PZ_TRY(pz_work(c, &wide, p));
  PZ_TRY(pz_work(c, &small, r));
  PZ_TRY(pz_copy(c, orth_below(&from, x), pz_view_block(&to, &both, 0, rows, 0, k)));
  PZ_TRY(pz_copy(c, orth_below(&from, dx), pz_view_block(&to, &both, 0, rows, k, k)));
  return pz_qr(c, &both, p, r);
}

/* s <- the skew matrix with `top` and `below` in its first columns. */
static pz_status
skew_of(pz_call* const c, const pz_tensor* const top, const pz_tensor* const below,
        pz_tensor* const s)
{
  const int64_t k = pz_cols(top);
  pz_view to;
  pz_tensor t;
  PZ_TRY(pz_work_like(c, s, &t));
  PZ_TRY(pz_fill(c, 0.0, &t));
  PZ_TRY(pz_copy(c, top, pz_view_block(&to, &t, 0, k, 0, k)));
  PZ_TRY(pz_copy(c, below, pz_view_block(&to, &t, k, pz_rows(below), 0, k)));
  return pz_fold(c, PZ_LOWER, -1, &t, s);
}

/* l <- the derivative of exp at s along ds, the block on the right of exp (s ds; 0 s); ds is scaled
   to norm 1, so that it does not decide how often that is squared. */
static pz_status
derivative(pz_call* const c, const pz_tensor* const s, pz_tensor* const ds, pz_tensor* const l)
{
  const int64_t m = pz_rows(s);
  const pz_spec number = pz_spec_make(s->dtype, s->ndim - 2, s->shape);
  const pz_spec twice = orth_spec(s, 2 * m, 2 * m);
  pz_view view;
  pz_tensor norm;
  pz_tensor factor;
  pz_tensor a;
  pz_tensor e;
  PZ_TRY(pz_work(c, &number, &norm));
  PZ_TRY(pz_work(c, &number, &factor));
  PZ_TRY(pz_work(c, &twice, &a));
  PZ_TRY(pz_work(c, &twice, &e));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, ds, &norm));
  PZ_TRY(pz_launch(c, &orth_reciprocal, pz_count(&norm), (const pz_tensor* const[]){&norm, &factor},
                   NULL, NULL));
  PZ_TRY(pz_scale_by(c, PZ_OVER_BOTH, &factor, ds, ds));
  PZ_TRY(pz_fill(c, 0.0, &a));
  PZ_TRY(pz_copy(c, s, pz_view_block(&view, &a, 0, m, 0, m)));
  PZ_TRY(pz_copy(c, ds, pz_view_block(&view, &a, 0, m, m, m)));
  PZ_TRY(pz_copy(c, s, pz_view_block(&view, &a, m, m, m, m)));
  PZ_TRY(expm_taylor(c, PZ_GENERAL, &a, &e));
  PZ_TRY(pz_copy(c, pz_view_block(&view, &e, 0, m, m, m), l));
  return pz_scale_by(c, PZ_OVER_BOTH, &norm, l, l);
}

/* Of tall x: A and dA act within E and the columns P of (B dB) = P R, so that dQ = Z L E with
   Z = (I 0; 0 P) and L the derivative of exp at matrices of order 3k; or of order n, Z = I. */
pz_status
orth_exponential_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const dx,
                     pz_tensor* const dq)
{
  const int64_t n = pz_rows(x);
  const int64_t k = pz_cols(x);
  const bool factored = n - k > 2 * k;
  const int64_t order = factored ? 3 * k : n;
  const pz_spec square = orth_spec(x, order, order);
  pz_view top;
  pz_view below;
  pz_view to;
  pz_tensor p;
  pz_tensor r;
  pz_tensor s;
  pz_tensor ds;
  pz_tensor l;
  if (n == k) {
    return square_jvp(c, dx, dq);
  }
  PZ_TRY(pz_work(c, &square, &s));
  PZ_TRY(pz_work(c, &square, &ds));
  PZ_TRY(pz_work(c, &square, &l));
  if (factored) {
    PZ_TRY(factor_below(c, x, dx, &p, &r));
    PZ_TRY(skew_of(c, orth_top(&top, x), pz_view_block(&below, &r, 0, 2 * k, 0, k), &s));
    PZ_TRY(skew_of(c, orth_top(&top, dx), pz_view_block(&below, &r, 0, 2 * k, k, k), &ds));
  } else {
    PZ_TRY(skew_of(c, orth_top(&top, x), orth_below(&below, x), &s));
    PZ_TRY(skew_of(c, orth_top(&top, dx), orth_below(&below, dx), &ds));
  }
  PZ_TRY(derivative(c, &s, &ds, &l));
  if (!factored) {
    return pz_copy(c, pz_view_block(&top, &l, 0, n, 0, k), dq);
  }
  PZ_TRY(pz_copy(c, pz_view_block(&top, &l, 0, k, 0, k), orth_top(&to, dq)));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &p, pz_view_block(&below, &l, k, 2 * k, 0, k), 0.0,
                 orth_below(&to, dq));
}
