/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The first k columns of (I - A/2)^-1 (I + A/2), by the Schur complement of I - A/2:

     Y = M^-1,  M = I - A11/2 + B^T B/4,  Q = (2 Y - I; B Y)

   The symmetric part of M is at least I, so that M is never singular. The adjoint is

     gY = 2 G1 + B^T G2,  gM = -Y^T gY Y^T,  gA11 = -gM/2,  gB = G2 Y^T + B (gM + gM^T)/4

   and the right inverse, with the blocks T and L of Q D and W = (T + I)^-1 = M/2,

     B = 2 L W,  A11 = 2 I - 4 W + B^T B/2

   where D are the signs of rotation.h, which exist for every matrix with orthonormal columns. For a
   square X, B is empty and Q = 2 (I - A/2)^-1 - I is one inversion.

   B^T B has the square of the condition of B. Two other ways eliminate in I - A/2 alone:

     n < 2 k      X is extended by zeros to a square matrix, of whose Q the first columns are those
                  of X; B^T B would be singular
     n >= 2 k     B = U R, U with orthonormal columns: the value of X' = (X1; R), 2 k x k, has R in
                  the place of B, and Q = (Q1'; U Q2'). The QR factorization is slower than all
                  else, so only batches of which M says that they need it go this way. With P = U U^T,

                  G' = (G1; U^T G2),  gB = U gR + (I - P) G2 Y^T,
                  dX' = (dX1; U^T dB),  dQ = (dQ1'; U dQ2' + (I - P) dB Y) */

#include "orthogonal.h"

#include "rotation.h"

#include <parametrize/plugin.h>

#include <math.h>

/* ---- square X --------------------------------------------------------------------- */

/* q <- 2 Y - I, and Y = (I - A/2)^-1 is saved. */
static pz_status
square_value(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  const pz_spec spec = pz_spec_of(x);
  pz_tensor y;
  PZ_TRY(pz_save(c, &spec, &y));
  PZ_TRY(pz_shifted_inverse(c, PZ_SKEW | PZ_BY_LOWER, &(pz_shift){0.0, 1.0, 1.0, -0.5}, x, &y));
  const pz_tensor* const terms[1] = {&y};
  return pz_combine(c, -1.0, 1, (const double[]){2.0}, terms, q);
}

/* Y^T G Y^T */
static pz_status
square_vjp(pz_call* const c, const pz_tensor* const y, const pz_tensor* const g,
           pz_tensor* const gx)
{
  return pz_shifted_inverse_adjoint(c, PZ_SKEW | PZ_BY_LOWER, &(pz_shift){0.0, 0.5, 0.0, -0.5}, y,
                                    g, gx);
}

/* dQ = 2 dY = Y dA Y */
static pz_status
square_jvp(pz_call* const c, const pz_tensor* const y, const pz_tensor* const dx,
           pz_tensor* const dq)
{
  pz_tensor da;
  pz_tensor product;
  PZ_TRY(pz_work_like(c, y, &da));
  PZ_TRY(pz_work_like(c, y, &product));
  PZ_TRY(pz_fold(c, PZ_LOWER, -1, dx, &da));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, y, &da, 0.0, &product));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &product, y, 0.0, dq);
}

/* ---- X extended by zeros to a square matrix ----------------------------------------- */

static pz_status
extend(pz_call* const c, const pz_tensor* const x, pz_tensor* const out)
{
  const int64_t n = pz_rows(x);
  const pz_spec spec = orth_spec(x, n, n);
  pz_view first;
  PZ_TRY(pz_work(c, &spec, out));
  PZ_TRY(pz_fill(c, 0.0, out));
  return pz_copy(c, x, orth_first(&first, out, pz_cols(x)));
}

static pz_status
extended_value(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  pz_tensor all_x;
  pz_tensor all_q;
  pz_view first;
  PZ_TRY(extend(c, x, &all_x));
  PZ_TRY(pz_work_like(c, &all_x, &all_q));
  PZ_TRY(square_value(c, &all_x, &all_q));
  return pz_copy(c, orth_first(&first, &all_q, pz_cols(x)), q);
}

/* out <- what `apply` makes of `in`, both n x k, with all columns: square_vjp or square_jvp. */
static pz_status
extended(pz_call* const c,
         pz_status (*const apply)(pz_call* c, const pz_tensor* y, const pz_tensor* in,
                                  pz_tensor* out),
         const pz_tensor* const y, const pz_tensor* const in, pz_tensor* const out)
{
  pz_tensor all_in;
  pz_tensor all_out;
  pz_view first;
  PZ_TRY(extend(c, in, &all_in));
  PZ_TRY(pz_work_like(c, &all_in, &all_out));
  PZ_TRY(apply(c, y, &all_in, &all_out));
  return pz_copy(c, orth_first(&first, &all_out, pz_cols(in)), out);
}

/* ---- X' = (X1; R), B = U R ------------------------------------------------------------ */

/* out <- (X1; U^T X2). */
static pz_status
reduce(pz_call* const c, const pz_tensor* const u, const pz_tensor* const x, pz_tensor* const out)
{
  const int64_t k = pz_cols(x);
  const pz_spec spec = orth_spec(x, 2 * k, k);
  pz_view from;
  pz_view to;
  pz_view below;
  PZ_TRY(pz_work(c, &spec, out));
  PZ_TRY(pz_copy(c, orth_top(&from, x), orth_top(&to, out)));
  return pz_gemm(c, PZ_T, PZ_N, 1.0, u, orth_below(&below, x), 0.0, orth_below(&to, out));
}

/* q <- the value, y <- Y. Saves U and the square Y' after y. */
static pz_status
reduced_value(pz_call* const c, const pz_tensor* const x, pz_tensor* const y, pz_tensor* const q)
{
  const int64_t k = pz_cols(x);
  const pz_spec u_spec = orth_spec(x, pz_rows(x) - k, k);
  const pz_spec spec = orth_spec(x, 2 * k, k);
  pz_tensor u;
  pz_tensor small_x;
  pz_tensor small_q;
  pz_view from;
  pz_view to;
  PZ_TRY(pz_save(c, &u_spec, &u));
  PZ_TRY(pz_work(c, &spec, &small_x));
  PZ_TRY(pz_work(c, &spec, &small_q));
  PZ_TRY(pz_copy(c, orth_top(&from, x), orth_top(&to, &small_x)));
  PZ_TRY(pz_qr(c, orth_below(&from, x), &u, orth_below(&to, &small_x)));
  PZ_TRY(extended_value(c, &small_x, &small_q));
  // Y = (I + Q1) / 2
  const pz_tensor* const terms[1] = {orth_top(&from, &small_q)};
  PZ_TRY(pz_combine(c, 0.5, 1, (const double[]){0.5}, terms, y));
  PZ_TRY(pz_copy(c, orth_top(&from, &small_q), orth_top(&to, q)));
  return pz_gemm(c, PZ_N, PZ_N, 1.0, &u, orth_below(&from, &small_q), 0.0, orth_below(&to, q));
}

/* out <- (Z1; U Z2 + (I - U U^T) X2 op(Y)) with Z what `apply` makes of (X1; U^T X2). */
static pz_status
reduced(pz_call* const c,
        pz_status (*const apply)(pz_call* c, const pz_tensor* y, const pz_tensor* in,
                                 pz_tensor* out),
        const pz_trans transpose, const pz_tensor* const y, const pz_tensor* const x,
        pz_tensor* const out)
{
  pz_tensor u;
  pz_tensor small_y;
  pz_tensor small_in;
  pz_tensor small_out;
  pz_tensor rest;
  pz_view from;
  pz_view to;
  PZ_TRY(pz_saved(c, 1, &u));
  PZ_TRY(pz_saved(c, 2, &small_y));
  PZ_TRY(reduce(c, &u, x, &small_in));
  PZ_TRY(pz_work_like(c, &small_in, &small_out));
  PZ_TRY(pz_work_like(c, &u, &rest));
  PZ_TRY(pz_copy(c, orth_below(&from, x), &rest));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, &u, orth_below(&from, &small_in), 1.0, &rest));
  PZ_TRY(extended(c, apply, &small_y, &small_in, &small_out));
  PZ_TRY(pz_copy(c, orth_top(&from, &small_out), orth_top(&to, out)));
  pz_tensor* const below = orth_below(&to, out);
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &u, orth_below(&from, &small_out), 0.0, below));
  return pz_gemm(c, PZ_N, transpose, 1.0, &rest, y, 1.0, below);
}

/* ---- tall X, n >= 2 k ----------------------------------------------------------------- */

/* out[i] <- the norm of the entries of matrix i of m, in host scratch; one read. */
static pz_status
read_norms(pz_call* const c, const pz_tensor* const m, const double** const out)
{
  const int64_t batch = pz_batch(m);
  const pz_spec spec = pz_spec_make(m->dtype, 1, &batch);
  pz_tensor norms;
  pz_view view;
  PZ_TRY(pz_work(c, &spec, &norms));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, m,
                 pz_view_reshaped(&view, &norms, m->ndim - 2, m->shape)));
  return pz_read_all(c, &norms, out);
}

/* y <- the inverse of m, unless `beyond`: its error of eps |M| |Y| may exceed n eps |B|, |B| being at
   most 2 sqrt(|M| sqrt k), or rounding make M singular, whose singular values are at least 1. Beyond
   is also what is not finite or overflows. */
static pz_status
invert_within(pz_call* const c, const int64_t n, const pz_tensor* const m, pz_tensor* const y,
              bool* const beyond)
{
  const double most = 0.01 / ((double)pz_rows(m) * pz_dtype_epsilon(m->dtype));
  const int64_t batch = pz_batch(m);
  const double* of_m = NULL;
  const double* of_y = NULL;
  *beyond = false;
  PZ_TRY(read_norms(c, m, &of_m));
  for (int64_t i = 0; i < batch; ++i) {
    *beyond = *beyond || !(of_m[i] <= most);
  }
  if (*beyond) {
    return PZ_OK;
  }
  PZ_TRY(pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){0.0, 1.0, 1.0, 1.0}, m, y));
  PZ_TRY(read_norms(c, y, &of_y));
  for (int64_t i = 0; i < batch; ++i) {
    *beyond = *beyond || !(of_m[i] * of_y[i] <= (double)n * (1.0 + sqrt(of_m[i])));
  }
  return PZ_OK;
}

static pz_status
tall_value(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  const int64_t k = pz_cols(x);
  const pz_spec square = orth_spec(x, k, k);
  pz_view view;
  pz_tensor y;
  pz_tensor m;
  void* memory = NULL;
  PZ_TRY(pz_save(c, &square, &y));
  PZ_TRY(pz_save_host(c, sizeof(bool), &memory));
  bool* const beyond = memory;
  PZ_TRY(pz_work(c, &square, &m));
  const pz_tensor* const b = orth_below(&view, x);
  pz_view top;
  PZ_TRY(pz_fold(c, PZ_LOWER, -1, orth_top(&top, x), &m));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.25, b, b, -0.5, &m));
  PZ_TRY(invert_within(c, pz_rows(x), &m, &y, beyond));
  if (*beyond) {
    return reduced_value(c, x, &y, q);
  }
  pz_view q1;
  pz_view q2;
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, b, &y, 0.0, orth_below(&q2, q)));
  const pz_tensor* const terms[1] = {&y};
  return pz_combine(c, -1.0, 1, (const double[]){2.0}, terms, orth_top(&q1, q));
}

static pz_status
tall_vjp(pz_call* const c, const pz_tensor* const y, const pz_tensor* const x,
         const pz_tensor* const g, pz_tensor* const gx)
{
  pz_view x2;
  pz_view g1;
  pz_view g2;
  pz_view gx1;
  pz_view gx2;
  pz_tensor s;
  pz_tensor t;
  PZ_TRY(pz_work_like(c, y, &s));
  PZ_TRY(pz_work_like(c, y, &t));
  const pz_tensor* const b = orth_below(&x2, x);
  const pz_tensor* const below = orth_below(&g2, g);
  // S <- 2 G1 + B^T G2
  PZ_TRY(pz_axpby(c, 2.0, orth_top(&g1, g), 0.0, &s));
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, b, below, 1.0, &s));
  // S <- gM = -Y^T S Y^T
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 1.0, y, &s, 0.0, &t));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, -1.0, &t, y, 0.0, &s));
  pz_tensor* const gb = orth_below(&gx2, gx);
  PZ_TRY(pz_symmetrize(c, 0.25, 1, &s, &t));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_T, 1.0, below, y, 0.0, gb));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, b, &t, 1.0, gb));
  PZ_TRY(pz_scale(c, -0.5, &s));
  return pz_fold_adjoint(c, PZ_LOWER, -1, &s, orth_top(&gx1, gx));
}

/* dQ = (2 dY; dB Y + B dY),  dY = -Y dM Y,  dM = -dA11/2 + (dB^T B + B^T dB)/4. */
static pz_status
tall_jvp(pz_call* const c, const pz_tensor* const y, const pz_tensor* const x,
         const pz_tensor* const dx, pz_tensor* const dq)
{
  pz_view x2;
  pz_view dx1;
  pz_view dx2;
  pz_view dq1;
  pz_view dq2;
  pz_tensor dm;
  pz_tensor dy;
  PZ_TRY(pz_work_like(c, y, &dm));
  PZ_TRY(pz_work_like(c, y, &dy));
  const pz_tensor* const b = orth_below(&x2, x);
  const pz_tensor* const db = orth_below(&dx2, dx);
  // dY <- dB^T B/4,  then its double symmetric part
  PZ_TRY(pz_gemm(c, PZ_T, PZ_N, 0.25, db, b, 0.0, &dm));
  PZ_TRY(pz_symmetrize(c, 1.0, 1, &dm, &dy));
  PZ_TRY(pz_fold(c, PZ_LOWER, -1, orth_top(&dx1, dx), &dm));
  PZ_TRY(pz_axpby(c, 1.0, &dy, -0.5, &dm));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, -1.0, y, &dm, 0.0, &dy));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &dy, y, 0.0, &dm));
  pz_tensor* const below = orth_below(&dq2, dq);
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, db, y, 0.0, below));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, b, &dm, 1.0, below));
  return pz_axpby(c, 2.0, &dm, 0.0, orth_top(&dq1, dq));
}

/* ---- any X ------------------------------------------------------------------------------ */

pz_status
orth_cayley(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  return pz_rows(x) == pz_cols(x) ? square_value(c, x, q)
         : orth_cayley_extends(x) ? extended_value(c, x, q)
                                  : tall_value(c, x, q);
}

/* y <- Y, and is the reduced way taken? */
static pz_status
saved(pz_call* const c, const pz_tensor* const x, pz_tensor* const y, bool* const is_reduced)
{
  const void* beyond = NULL;
  *is_reduced = false;
  PZ_TRY(pz_saved(c, 0, y));
  if (pz_rows(x) < 2 * pz_cols(x)) {
    return PZ_OK;
  }
  PZ_TRY(pz_saved_host(c, 0, &beyond));
  *is_reduced = *(const bool*)beyond;
  return PZ_OK;
}

pz_status
orth_cayley_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const g,
                pz_tensor* const gx)
{
  pz_tensor y;
  bool is_reduced = false;
  PZ_TRY(saved(c, x, &y, &is_reduced));
  return pz_rows(x) == pz_cols(x) ? square_vjp(c, &y, g, gx)
         : orth_cayley_extends(x) ? extended(c, square_vjp, &y, g, gx)
         : is_reduced             ? reduced(c, square_vjp, PZ_T, &y, g, gx)
                                  : tall_vjp(c, &y, x, g, gx);
}

pz_status
orth_cayley_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const dx,
                pz_tensor* const dq)
{
  pz_tensor y;
  bool is_reduced = false;
  PZ_TRY(saved(c, x, &y, &is_reduced));
  return pz_rows(x) == pz_cols(x) ? square_jvp(c, &y, dx, dq)
         : orth_cayley_extends(x) ? extended(c, square_jvp, &y, dx, dq)
         : is_reduced             ? reduced(c, square_jvp, PZ_N, &y, dx, dq)
                                  : tall_jvp(c, &y, x, dx, dq);
}

/* ---- the right inverse ------------------------------------------------------------------- */

/* PZ_SINGULAR if k eps cond(T + I) > 0.1 in Frobenius norms; w is (T + I)^-1. */
static pz_status
refuse_near_singular(pz_call* const c, const pz_tensor* const t, const pz_tensor* const w)
{
  const int64_t k = pz_rows(t);
  const double* of_t = NULL;
  const double* of_w = NULL;
  PZ_TRY(read_norms(c, t, &of_t));
  PZ_TRY(read_norms(c, w, &of_w));
  const double limit = 0.1 / ((double)k * pz_dtype_epsilon(t->dtype));
  for (int64_t i = 0; i < pz_batch(t); ++i) {
    const double condition = (sqrt((double)k) + of_t[i]) * of_w[i];
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
