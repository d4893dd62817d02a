/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Taylor polynomials of the exponential in few products.

   Each scheme is a straight-line program (backends/common/exponential_schemes.h), so that one
   function evaluates all of them and one reverses them. For a
   product C = L R with the gradient gC,

     gL = gC R^T,  gR = L^T gC

   and the gradient of a value is the sum over the later products that use it. Even powers of a skew
   X are symmetric and odd ones skew; all powers of a symmetric X are symmetric. The square of such
   a V is +-V V^T, half a product, and its adjoint needs only the part of the same kind, in one
   product:

     gV = +-(M +- M^T),  M = S V,  S = (gC + gC^T) / 2 */

#include "exponential.h"

/* y <- sum of coefficient[j] v[j] for j < n, with v[0] = I; one for j > 0 must not be zero. */
static pz_status
combination(pz_call* const c, const int n, const double* const coefficient,
            pz_tensor* const* const v, pz_tensor* const y)
{
  double a[EXPM_MOST_VALUES];
  const pz_tensor* x[EXPM_MOST_VALUES];
  uint32_t terms = 0;
  for (int j = 1; j < n; ++j) {
    if (coefficient[j] != 0.0) {
      a[terms] = coefficient[j];
      x[terms++] = v[j];
    }
  }
  return pz_combine(c, coefficient[0], terms, a, x, y);
}

/* One factor of a product, as `alpha` times `matrix`: a single term is used without a copy, a sum
   is computed in `room`. */
static pz_status
factor(pz_call* const c, const int n, const double* const coefficient, pz_tensor* const* const v,
       pz_tensor* const room, double* const alpha, const pz_tensor** const matrix)
{
  int single = 0;
  int terms = coefficient[0] != 0.0 ? 2 : 0;
  for (int j = 1; j < n; ++j) {
    if (coefficient[j] != 0.0) {
      ++terms;
      single = j;
    }
  }
  if (terms == 1) {
    *alpha = coefficient[single];
    *matrix = v[single];
    return PZ_OK;
  }
  *alpha = 1.0;
  *matrix = room;
  return combination(c, n, coefficient, v, room);
}

/* Is product k the square of a matrix V with V^T = sign V: an odd power of a skew X, or any power
   of a symmetric X? */
static bool
is_square(const uint32_t in, const expm_scheme* const scheme, const int k, double* const sign)
{
  int terms = 0;
  for (int j = 0; j < k + 2; ++j) {
    const bool left = scheme->left[k][j] != 0.0;
    if (left != (scheme->right[k][j] != 0.0) || (left && j == 0)) {
      return false;
    }
    terms += left ? 1 : 0;
  }
  *sign = in == PZ_SKEW ? -1.0 : 1.0;
  return terms == 1 && expm_structured(in);
}

/* y <- L R + beta y for product k of the scheme. */
static pz_status
product(pz_call* const c, const uint32_t in, const expm_scheme* const scheme, const int k,
        pz_tensor* const* const v, const double beta, pz_tensor* const y)
{
  const uint64_t mark = pz_work_mark(c);
  pz_tensor left_room;
  pz_tensor right_room;
  const pz_tensor* left = NULL;
  const pz_tensor* right = NULL;
  double a = 0.0;
  double b = 0.0;
  PZ_TRY(pz_work_like(c, y, &left_room));
  PZ_TRY(pz_work_like(c, y, &right_room));
  PZ_TRY(factor(c, k + 2, scheme->left[k], v, &left_room, &a, &left));
  PZ_TRY(factor(c, k + 2, scheme->right[k], v, &right_room, &b, &right));
  double sign = 1.0;
  if (beta == 0.0 && is_square(in, scheme, k, &sign)) {
    PZ_TRY(pz_syrk(c, PZ_N, sign * a * b, left, 0.0, y));
  } else {
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, a * b, left, right, beta, y));
  }
  pz_work_release(c, mark);
  return PZ_OK;
}

pz_status
expm_products(pz_call* const c, const uint32_t in, const expm_scheme* const scheme, const int from,
              const int to, pz_tensor* const* const v)
{
  for (int k = from; k < to; ++k) {
    PZ_TRY(product(c, in, scheme, k, v, 0.0, v[k + 2]));
  }
  return PZ_OK;
}

pz_status
expm_value(pz_call* const c, const uint32_t in, const expm_scheme* const scheme,
           pz_tensor* const* const v, pz_tensor* const y)
{
  const int p = scheme->products;
  PZ_TRY(combination(c, p > 0 ? p + 1 : 2, scheme->last, v, y));
  return p > 0 ? product(c, in, scheme, p - 1, v, 1.0, y) : PZ_OK;
}

/* y <- last[j] g + the gradients from the products after `k` at value j. */
static pz_status
collect(pz_call* const c, const uint32_t in, const expm_scheme* const scheme, const int k,
        const int j, const pz_tensor* const g, const pz_tensor* const gl, const pz_tensor* const gr,
        pz_tensor* const y)
{
  enum { MOST_TERMS = 1 + 2 * EXPM_MOST_PRODUCTS };
  double a[MOST_TERMS];
  const pz_tensor* x[MOST_TERMS];
  uint32_t terms = 0;
  if (scheme->last[j] != 0.0) {
    a[terms] = scheme->last[j];
    x[terms++] = g;
  }
  for (int q = k + 1; q < scheme->products; ++q) {
    if (scheme->left[q][j] != 0.0) {
      a[terms] = scheme->left[q][j];
      x[terms++] = &gl[q];
    }
    double sign = 1.0;
    if (scheme->right[q][j] != 0.0 && !is_square(in, scheme, q, &sign)) {
      a[terms] = scheme->right[q][j];
      x[terms++] = &gr[q];
    }
  }
  /* at most 8 in every scheme */
  return pz_combine(c, 0.0, terms, a, x, y);
}

pz_status
expm_reverse(pz_call* const c, const uint32_t in, const expm_scheme* const scheme,
             pz_tensor* const* const v, const pz_tensor* const g, pz_tensor* const gx)
{
  const uint64_t mark = pz_work_mark(c);
  const int last = scheme->products - 1;
  pz_tensor gl[EXPM_MOST_PRODUCTS];
  pz_tensor gr[EXPM_MOST_PRODUCTS];
  pz_tensor left_room;
  pz_tensor right_room;
  pz_tensor gv;
  for (int k = 0; k <= last; ++k) {
    PZ_TRY(pz_work_like(c, g, &gl[k]));
    PZ_TRY(pz_work_like(c, g, &gr[k]));
  }
  PZ_TRY(pz_work_like(c, g, &left_room));
  PZ_TRY(pz_work_like(c, g, &right_room));
  PZ_TRY(pz_work_like(c, g, &gv));
  for (int k = last; k >= 0; --k) {
    const pz_tensor* left = NULL;
    const pz_tensor* right = NULL;
    double a = 0.0;
    double b = 0.0;
    const pz_tensor* gc = g;
    if (k < last) {
      PZ_TRY(collect(c, in, scheme, k, k + 2, g, gl, gr, &gv));
      gc = &gv;
    }
    PZ_TRY(factor(c, k + 2, scheme->left[k], v, &left_room, &a, &left));
    PZ_TRY(factor(c, k + 2, scheme->right[k], v, &right_room, &b, &right));
    double sign = 1.0;
    if (is_square(in, scheme, k, &sign)) { // both sides at once, in gL
      PZ_TRY(pz_symmetrize(c, 0.5, 1, gc, &left_room));
      PZ_TRY(pz_gemm(c, PZ_N, PZ_N, b, &left_room, right, 0.0, &right_room));
      PZ_TRY(pz_symmetrize(c, sign, (int)sign, &right_room, &gl[k]));
      continue;
    }
    // gL <- gC R^T,  gR <- L^T gC
    PZ_TRY(pz_gemm(c, PZ_N, PZ_T, b, gc, right, 0.0, &gl[k]));
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, a, left, gc, 0.0, &gr[k]));
  }
  PZ_TRY(collect(c, in, scheme, -1, 1, g, gl, gr, gx));
  pz_work_release(c, mark);
  return PZ_OK;
}
