/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The first k columns of (I - A/2)^-1 (I + A/2), by the Schur complement of I - A/2:

     Y = M^-1,  M = I - A11/2 + B^T B/4,  Q = (2 Y - I; B Y)

   The symmetric part of M is at least I, so that M is never singular. The adjoint is

     gY = 2 G1 + B^T G2,  gM = -Y^T gY Y^T,  gA11 = -gM/2,  gB = G2 Y^T + B (gM + gM^T)/4

   and the right inverse, with the blocks T and L of Q D and W = (T + I)^-1 = M/2,

     B = 2 L W,  A11 = 2 I - 4 W + B^T B/2

   where D are the signs of rotation.h, which exist for every matrix with orthonormal columns. For a
   square X, B is empty and Q = 2 (I - A/2)^-1 - I is one inversion. */

#include "orthogonal.h"

#include "rotation.h"

#include <parametrize/plugin.h>

#include <math.h>

pz_status
orth_cayley(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  const int64_t k = pz_cols(x);
  const pz_spec square = orth_spec(x, k, k);
  pz_view x1;
  pz_view x2;
  pz_view q1;
  pz_view q2;
  pz_tensor y;
  pz_tensor m;
  PZ_TRY(pz_save(c, &square, &y));
  if (pz_rows(x) == k) {
    PZ_TRY(pz_shifted_inverse(c, PZ_SKEW | PZ_BY_LOWER, &(pz_shift){0.0, 1.0, 1.0, -0.5}, x, &y));
  } else {
    const pz_tensor* const b = orth_below(&x2, x);
    PZ_TRY(pz_work(c, &square, &m));
    PZ_TRY(pz_fold(c, PZ_LOWER, -1, orth_top(&x1, x), &m));
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.25, b, b, -0.5, &m));
    PZ_TRY(pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){0.0, 1.0, 1.0, 1.0}, &m, &y));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, b, &y, 0.0, orth_below(&q2, q)));
  }
  const pz_tensor* const terms[1] = {&y};
  return pz_combine(c, -1.0, 1, (const double[]){2.0}, terms, orth_top(&q1, q));
}

pz_status
orth_cayley_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const g,
                pz_tensor* const gx)
{
  const int64_t k = pz_cols(x);
  const pz_spec square = orth_spec(x, k, k);
  pz_view x2;
  pz_view g1;
  pz_view g2;
  pz_view gx1;
  pz_view gx2;
  pz_tensor y;
  pz_tensor s;
  pz_tensor t;
  PZ_TRY(pz_saved(c, 0, &y));
  if (pz_rows(x) == k) { // Q = 2 Y - I: Y^T G Y^T
    return pz_shifted_inverse_adjoint(c, PZ_SKEW | PZ_BY_LOWER, &(pz_shift){0.0, 0.5, 0.0, -0.5},
                                      &y, g, gx);
  }
  PZ_TRY(pz_work(c, &square, &s));
  PZ_TRY(pz_work(c, &square, &t));
  const pz_tensor* const b = orth_below(&x2, x);
  const pz_tensor* const below = orth_below(&g2, g);
  // S <- 2 G1 + B^T G2
  PZ_TRY(pz_axpby(c, 2.0, orth_top(&g1, g), 0.0, &s));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, b, below, 1.0, &s));
  // S <- gM = -Y^T S Y^T
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, &y, &s, 0.0, &t));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, -1.0, &t, &y, 0.0, &s));
  pz_tensor* const gb = orth_below(&gx2, gx);
  PZ_TRY(pz_symmetrize(c, 0.25, 1, &s, &t));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, below, &y, 0.0, gb));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, b, &t, 1.0, gb));
  PZ_TRY(pz_scale(c, -0.5, &s));
  return pz_fold_adjoint(c, PZ_LOWER, -1, &s, orth_top(&gx1, gx));
}

/* dQ = (2 dY; dB Y + B dY),  dY = -Y dM Y,  dM = -dA11/2 + (dB^T B + B^T dB)/4. */
pz_status
orth_cayley_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const dx,
                pz_tensor* const dq)
{
  const int64_t k = pz_cols(x);
  const pz_spec square = orth_spec(x, k, k);
  pz_view x2;
  pz_view dx1;
  pz_view dx2;
  pz_view dq1;
  pz_view dq2;
  pz_tensor y;
  pz_tensor dm;
  pz_tensor dy;
  PZ_TRY(pz_saved(c, 0, &y));
  PZ_TRY(pz_work(c, &square, &dm));
  PZ_TRY(pz_work(c, &square, &dy));
  const pz_tensor* const b = orth_below(&x2, x);
  const pz_tensor* const db = orth_below(&dx2, dx);
  if (pz_rows(x) > k) {
    // dY <- dB^T B/4,  then its double symmetric part
    PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.25, db, b, 0.0, &dm));
    PZ_TRY(pz_symmetrize(c, 1.0, 1, &dm, &dy));
  } else {
    PZ_TRY(pz_fill(c, 0.0, &dy));
  }
  PZ_TRY(pz_fold(c, PZ_LOWER, -1, orth_top(&dx1, dx), &dm));
  PZ_TRY(pz_axpby(c, 1.0, &dy, -0.5, &dm));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &y, &dm, 0.0, &dy));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &dy, &y, 0.0, &dm));
  if (pz_rows(x) > k) {
    pz_tensor* const below = orth_below(&dq2, dq);
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, db, &y, 0.0, below));
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, b, &dm, 1.0, below));
  }
  return pz_axpby(c, 2.0, &dm, 0.0, orth_top(&dq1, dq));
}

/* PZ_SINGULAR if k eps cond(T + I) > 0.1 in Frobenius norms; w is (T + I)^-1. */
static pz_status
refuse_near_singular(pz_call* const c, const pz_tensor* const t, const pz_tensor* const w)
{
  const int64_t k = pz_rows(t);
  const int64_t batch = pz_batch(t);
  const pz_spec both = pz_spec_make(t->dtype, 1, (const int64_t[]){2 * batch});
  pz_tensor norms;
  void* memory = NULL;
  PZ_TRY(pz_work(c, &both, &norms));
  PZ_TRY(pz_work_host(c, (size_t)(2 * batch) * sizeof(double), &memory));
  pz_view first;
  pz_view second;
  pz_tensor* const t_norm = pz_view_reshaped(&first, &norms, t->ndim - 2, t->shape);
  pz_tensor* const w_norm = pz_view_reshaped(&second, &norms, t->ndim - 2, t->shape);
  w_norm->byte_offset += (uint64_t)batch * pz_dtype_size(t->dtype);
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, t, t_norm));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, w, w_norm));
  double* const norm = memory;
  PZ_TRY(pz_read(c, &norms, norm));
  const double limit = 0.1 / ((double)k * pz_dtype_epsilon(t->dtype));
  for (int64_t i = 0; i < batch; ++i) {
    const double condition = (sqrt((double)k) + norm[i]) * norm[batch + i];
    if (!(condition <= limit)) {
      return pz_fail(c, PZ_SINGULAR,
                     "found I + Q with condition number up to %.3g in the top block of matrix %lld "
                     "of the batch, expected one away from the eigenvalue -1, which no Cayley "
                     "transform has (except with signs=1 or trivialization=1)",
                     condition, (long long)i);
    }
  }
  return PZ_OK;
}

pz_status
orth_cayley_inverse(pz_call* const c, const pz_tensor* const q, pz_tensor* const d,
                    pz_tensor* const x)
{
  const int64_t k = pz_cols(q);
  const pz_spec square = orth_spec(q, k, k);
  pz_view q1;
  pz_view q2;
  pz_view x1;
  pz_view x2;
  pz_tensor t;
  pz_tensor w;
  pz_tensor a;
  PZ_TRY(pz_work(c, &square, &t));
  PZ_TRY(pz_work(c, &square, &w));
  PZ_TRY(pz_work(c, &square, &a));
  PZ_TRY(pz_copy(c, orth_top(&q1, q), &t));
  if (d) {
    PZ_TRY(rotation_signs(c, &t, d));
    PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, d, &t, &t));
  }
  // W <- (T + I)^-1
  const pz_status status =
      pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){0.0, 1.0, 1.0, 1.0}, &t, &w);
  if (status == PZ_SINGULAR) {
    return pz_fail(c, PZ_SINGULAR,
                   "found the eigenvalue -1, which no Cayley transform has (except with signs=1 or "
                   "trivialization=1)");
  }
  PZ_TRY(status);
  if (!d && c->intent != PZ_CHAIN) {
    PZ_TRY(refuse_near_singular(c, &t, &w));
  }
  // B <- 2 L W,  A11 <- the skew part of -4 W + B^T B/2
  if (pz_rows(q) > k) {
    pz_tensor* const b = orth_below(&x2, x);
    pz_tensor l;
    const pz_spec below = orth_spec(q, pz_rows(q) - k, k);
    PZ_TRY(pz_work(c, &below, &l));
    if (d) {
      PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, d, orth_below(&q2, q), &l));
    } else {
      PZ_TRY(pz_copy(c, orth_below(&q2, q), &l));
    }
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 2.0, &l, &w, 0.0, b));
  }
  PZ_TRY(pz_symmetrize(c, -2.0, -1, &w, &a));
  return pz_triangle(c, PZ_LOWER, -1, &a, orth_top(&x1, x));
}
