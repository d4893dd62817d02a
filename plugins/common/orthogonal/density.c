/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| from the strict lower triangle of X to the strict triangle of Q^T dQ and, for tall Q, all
   entries of P^T dQ with P orthogonal to Q. The base and the signs do not change it. X is n x k.

     cayley               (n - 1) log |det Y|, Y = (I - A11/2 + B^T B/4)^-1
                          gA11 = (n - 1)/2 Y^T,  gB = -(n - 1)/4 B (Y + Y^T)
                          of X extended to a square matrix the same, without B
     matrix_exp, n = k    as for matrix_exp after skew

   The other maps have none. */

#include "orthogonal.h"

#include "exponential/exponential.h"
#include "log_det.h"

pz_status
orth_declare_density(pz_call* const c, const int64_t rows, const int64_t cols)
{
  const int64_t n = rows > cols ? rows : cols;
  const int64_t k = rows > cols ? cols : rows;
  const int64_t map = orth_map(c, n, k);
  if (map != ORTH_CAYLEY && (map != ORTH_MATRIX_EXP || n != k)) {
    return PZ_OK;
  }
  return pz_declare_density(c, 2, rows < cols ? PZ_STRICT_UPPER : PZ_STRICT_LOWER,
                            n == k ? PZ_ROTATION : PZ_OWN_COORDINATES);
}

static bool
is_cayley(const pz_call* const c, const pz_tensor* const x)
{
  const int64_t rows = pz_rows(x);
  const int64_t cols = pz_cols(x);
  return orth_map(c, rows > cols ? rows : cols, rows > cols ? cols : rows) == ORTH_CAYLEY;
}

/* Forward saved Y, or A. */
pz_status
orth_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                 pz_tensor* const out)
{
  (void)y;
  const int64_t n = pz_rows(x) > pz_cols(x) ? pz_rows(x) : pz_cols(x);
  pz_tensor saved;
  if (pz_count(x) == 0) {
    return pz_fill(c, 0.0, out);
  }
  PZ_TRY(pz_saved(c, 0, &saved));
  return is_cayley(c, x) ? log_det(c, (double)(n - 1), 0.0, &saved, out)
                         : expm_rotation_log_abs_det(c, PZ_SKEW, &saved, out);
}

/* gx <- the gradient at tall x. */
static pz_status
cayley_gradient(pz_call* const c, const pz_tensor* const x, const pz_tensor* const g_out,
                const pz_tensor* const y, pz_tensor* const gx)
{
  const double factor = (double)(pz_rows(x) - 1);
  const pz_spec below = orth_spec(x, pz_rows(x) - pz_cols(x), pz_cols(x));
  pz_tensor scaled;
  pz_tensor s;
  pz_tensor product;
  pz_view view;
  pz_view gx1;
  pz_view gx2;
  PZ_TRY(pz_work_like(c, y, &scaled));
  PZ_TRY(pz_work_like(c, y, &s));
  PZ_TRY(pz_scale_by(c, PZ_OVER_BOTH, g_out, y, &scaled));
  // gX1 <- the strict lower triangle of (n - 1)/2 (Y^T - Y)
  PZ_TRY(pz_symmetrize(c, -0.5 * factor, -1, &scaled, &s));
  if (orth_cayley_extends(x)) {
    PZ_TRY(pz_triangle(c, PZ_LOWER, -1, &s, &s));
    return pz_copy(c, orth_first(&view, &s, pz_cols(x)), gx);
  }
  PZ_TRY(pz_triangle(c, PZ_LOWER, -1, &s, orth_top(&gx1, gx)));
  if (pz_rows(x) == pz_cols(x)) {
    return PZ_OK;
  }
  // gB <- -(n - 1)/4 B (Y + Y^T)
  PZ_TRY(pz_work(c, &below, &product));
  PZ_TRY(pz_symmetrize(c, -0.25 * factor, 1, &scaled, &s));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, orth_below(&view, x), &s, 0.0, &product));
  return pz_copy(c, &product, orth_below(&gx2, gx));
}

pz_status
orth_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                     const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  pz_tensor saved;
  pz_tensor tall;
  pz_tensor gx_tall;
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  PZ_TRY(pz_saved(c, 0, &saved));
  PZ_TRY(orth_tall(c, x, &tall));
  PZ_TRY(pz_work_like(c, &tall, &gx_tall));
  if (is_cayley(c, x)) {
    PZ_TRY(cayley_gradient(c, &tall, g_out, &saved, &gx_tall));
  } else {
    pz_tensor g;
    PZ_TRY(pz_work_like(c, &tall, &g));
    PZ_TRY(expm_rotation_log_abs_det_vjp(c, PZ_SKEW, &saved, g_out, &g));
    PZ_TRY(pz_fold_adjoint(c, PZ_LOWER, -1, &g, &gx_tall));
  }
  pz_view view;
  return pz_copy(c, pz_rows(x) < pz_cols(x) ? pz_view_transposed(&view, &gx_tall) : &gx_tall, gx);
}
