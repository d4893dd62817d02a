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
