/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The Cayley transform: skew-symmetric matrices to rotations.

     Q = (I + X)(I - X)^-1 = 2 (I - X)^-1 - I

   The cost is one inversion. For skew X, the symmetric part of I - X is the identity, so that I - X
   is never singular and needs no pivoting, and Q is a rotation without the eigenvalue -1. A general
   X must not have the eigenvalue 1; it needs a pivoted inversion.

   With N = I + Q = 2 (I - X)^-1, dQ = 1/2 N dX N. The adjoint is two products and needs only Q:

     gX = 1/2 N^T gQ N^T

   log |det| by all entries of X and Q, and after skew by the strict triangles of X and Q^T dQ:

     n^2 log 2 - 2 n log |det(I - X)|                 with gradient n N^T
     n (n - 1)/2 log 2 - (n - 1) log det(I - X)       with gradient (n - 1)/2 (Q^T - Q)

   The right inverse X = I - 2 (I + Q)^-1 exists if Q has no eigenvalue -1 (so det Q = 1), and grows
   like 2 / (pi - angle) close to it. After skew, the result is X made exactly skew: rounding,
   amplified by |X|, leaves a symmetric part.

   Uniform rotations are drawn as Q, so that the value of their X is off by n eps |X|. Some are close
   to the eigenvalue -1: of T of them about one has |X| above T.

   With signs=1, Q = C(X) D, where D is a buffer of signs. Every orthogonal matrix, of either
   determinant, has this form; the right inverse finds D (rotation.h) and computes X from Q D. */

#include "log_det.h"
#include "rotation.h"

#include <parametrize/plugin.h>

#include <math.h>

enum { SIGNS };    /* options */
enum { D_BUFFER }; /* buffers, with signs */

static bool
has_signs(const pz_call* const c)
{
  return c->options[SIGNS].as.integer != 0;
}

static pz_status
cayley_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_take_triangle(c));
  if (c->in == PZ_GENERAL) {
    PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  } else if (c->in == PZ_SKEW) {
    PZ_TRY(pz_declare_density(c, 2, PZ_STRICT_UPPER, PZ_ROTATION));
  }
  if (has_signs(c)) {
    const pz_spec row = pz_spec_make(given->dtype, given->ndim - 1, given->shape);
    PZ_TRY(pz_declare_buffer(c, "signs", &row));
  }
  return pz_declare_value(c, given, c->in == PZ_SKEW ? PZ_ORTHOGONAL : PZ_GENERAL);
}

static pz_status
cayley_init(pz_call* const c, const pz_tensor* const tensor)
{
  (void)tensor;
  return has_signs(c) ? pz_fill(c, 1.0, &c->new_buffer[D_BUFFER]) : PZ_OK;
}

static pz_status
cayley_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  // Q <- -I + 2 (I - X)^-1
  PZ_TRY(pz_shifted_inverse(c, c->in, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, x, q));
  // Q <- Q D
  return has_signs(c) ? pz_scale_by(c, PZ_OVER_ROWS, &c->buffer[D_BUFFER], q, q) : PZ_OK;
}

/* out <- Q D, which is the value without signs: Q itself if there are none. */
static pz_status
without_signs(pz_call* const c, const pz_tensor* const q, pz_tensor* const out)
{
  *out = *q;
  if (!has_signs(c)) {
    return PZ_OK;
  }
  PZ_TRY(pz_work_like(c, q, out));
  return pz_scale_by(c, PZ_OVER_ROWS, &c->buffer[D_BUFFER], q, out);
}

static pz_status
cayley_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const q,
           const pz_tensor* const gq, pz_tensor* const gx)
{
  (void)x;
  pz_tensor plain;
  pz_tensor g;
  PZ_TRY(without_signs(c, q, &plain));
  PZ_TRY(without_signs(c, gq, &g));
  return pz_shifted_inverse_adjoint(c, c->in, &(pz_shift){-1.0, 2.0, 0.0, -1.0}, &plain, &g, gx);
}

static pz_status
cayley_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const q,
           const pz_tensor* const dx, pz_tensor* const dq)
{
  (void)x;
  pz_tensor plain;
  pz_tensor n;
  pz_tensor product;
  const pz_tensor* const terms[1] = {&plain};
  PZ_TRY(without_signs(c, q, &plain));
  PZ_TRY(pz_work_like(c, q, &n));
  PZ_TRY(pz_work_like(c, q, &product));
  // dQ <- 1/2 N dX N D
  PZ_TRY(pz_combine(c, 1.0, 1, (const double[]){1.0}, terms, &n));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 0.5, &n, dx, 0.0, &product));
  PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, &product, &n, 0.0, dq));
  return has_signs(c) ? pz_scale_by(c, PZ_OVER_ROWS, &c->buffer[D_BUFFER], dq, dq) : PZ_OK;
}

/* ---- log |det| ---------------------------------------------------------------- */

/* The triangle of x that is stored. */
static pz_triangle
stored_triangle(const pz_call* const c)
{
  return (c->in & PZ_BY_LOWER) != 0 ? PZ_LOWER : PZ_UPPER;
}

static bool
is_skew(const pz_call* const c)
{
  return (c->in & ~(uint32_t)PZ_BY_TRIANGLE) == PZ_SKEW;
}

/* I + Q would cancel for large X; I - X is exact to rounding. */
static pz_status
cayley_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const q,
                   pz_tensor* const out)
{
  (void)q;
  const double n = (double)pz_rows(x);
  const double scale = is_skew(c) ? 1.0 - n : -2.0 * n;
  const double shift = (is_skew(c) ? n * (n - 1.0) / 2.0 : n * n) * log(2.0);
  pz_tensor full = *x;
  pz_tensor m;
  const pz_tensor* const terms[1] = {&full};
  PZ_TRY(pz_work_like(c, x, &m));
  if ((c->in & PZ_BY_TRIANGLE) != 0) {
    PZ_TRY(pz_work_like(c, x, &full));
    PZ_TRY(pz_fold(c, stored_triangle(c), -1, x, &full));
  }
  // M <- I - X
  PZ_TRY(pz_combine(c, 1.0, 1, (const double[]){-1.0}, terms, &m));
  return log_det(c, scale, shift, &m, out);
}

static pz_status
cayley_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const q,
                       const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  const double n = (double)pz_rows(q);
  pz_tensor plain;
  pz_tensor turned;
  pz_tensor g;
  pz_view view;
  PZ_TRY(without_signs(c, q, &plain));
  PZ_TRY(pz_work_like(c, q, &turned));
  PZ_TRY(pz_work_like(c, q, &g));
  PZ_TRY(pz_copy(c, pz_view_transposed(&view, &plain), &turned));
  if (!is_skew(c)) {
    // n (I + Q)^T
    PZ_TRY(pz_add_identity(c, 1.0, &turned));
  }
  PZ_TRY(pz_scale(c, is_skew(c) ? 0.5 * (n - 1.0) : n, &turned));
  PZ_TRY(pz_scale_by(c, PZ_OVER_BOTH, g_out, &turned, &g));
  // after skew, what counts is the skew part of (n - 1)/2 Q^T
  return (c->in & PZ_BY_TRIANGLE) != 0 ? pz_fold_adjoint(c, stored_triangle(c), -1, &g, gx)
                                       : pz_copy(c, &g, gx);
}

/* ---- right inverse, members ------------------------------------------------------ */

/* The largest condition number of I + Q in the batch, from singular values. */
static pz_status
exact_condition(pz_call* const c, const pz_tensor* const q, double* const condition)
{
  const int64_t n = pz_rows(q);
  const int64_t batch = pz_batch(q);
  const pz_spec row = rotation_spec(q, 1);
  const double* each = NULL;
  pz_tensor shifted;
  pz_tensor s;
  PZ_TRY(pz_work_like(c, q, &shifted));
  PZ_TRY(pz_work(c, &row, &s));
  PZ_TRY(pz_combine(c, 1.0, 1, (const double[]){1.0}, &q, &shifted));
  PZ_TRY(pz_svd(c, &shifted, NULL, &s, NULL));
  PZ_TRY(pz_read_all(c, &s, &each));
  *condition = 1.0;
  for (int64_t k = 0; k < batch; ++k) {
    *condition = pz_max(*condition, each[k * n] / each[k * n + n - 1]);
  }
  return PZ_OK;
}

static pz_status
no_inverse(pz_call* const c, const double condition)
{
  return pz_fail(c, PZ_SINGULAR,
                 "found I + Q with condition number %.3g, expected no eigenvalue close to -1, "
                 "which no Cayley transform has%s",
                 condition, has_signs(c) ? "" : " (except with signs=1)");
}

/* PZ_SINGULAR if n eps cond(I + Q) > 0.1; y is I - 2 (I + Q)^-1. Frobenius norms give an upper
   bound of the condition number; singular values are computed only if it exceeds the limit. */
static pz_status
refuse_near_singular(pz_call* const c, const pz_tensor* const q, const pz_tensor* const y)
{
  const int64_t n = pz_rows(q);
  const int64_t batch = pz_batch(q);
  const double limit = 0.1 / ((double)n * pz_dtype_epsilon(q->dtype));
  const pz_spec both = pz_spec_make(q->dtype, 1, (const int64_t[]){2 * batch});
  pz_tensor norms;
  const double* norm = NULL;
  PZ_TRY(pz_work(c, &both, &norms));
  pz_view first;
  pz_view second;
  pz_tensor* const q_norm = pz_view_reshaped(&first, &norms, q->ndim - 2, q->shape);
  pz_tensor* const y_norm = pz_view_reshaped(&second, &norms, q->ndim - 2, q->shape);
  y_norm->byte_offset += (uint64_t)batch * pz_dtype_size(q->dtype);
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, q, q_norm));
  PZ_TRY(pz_norm(c, PZ_NORM_TWO, PZ_OVER_BOTH, y, y_norm));
  PZ_TRY(pz_read_all(c, &norms, &norm));
  for (int64_t k = 0; k < batch; ++k) {
    // |I + Q| <= sqrt(n) + |Q|,  |(I + Q)^-1| <= (sqrt(n) + |Y|) / 2
    const double root = sqrt((double)n);
    if (!((root + norm[k]) * (root + norm[batch + k]) / 2.0 <= limit)) {
      double condition = 0.0;
      PZ_TRY(exact_condition(c, q, &condition));
      return condition <= limit ? PZ_OK : no_inverse(c, condition);
    }
  }
  return PZ_OK;
}

/* For a matrix k of Q whose distance from the orthogonal ones exceeds `tolerance`. The rounding of
   forward with large X adds up to n eps |X|_1, and a value of forward must be assignable. */
static pz_status
refuse_unless_own_rounding(pz_call* const c, const pz_tensor* const q, const int64_t k,
                           const double defect, const double tolerance)
{
  const int64_t n = pz_rows(q);
  const pz_spec matrix_spec = pz_spec_make(q->dtype, 2, (const int64_t[]){n, n});
  const pz_spec row = pz_spec_make(q->dtype, 1, (const int64_t[]){n});
  const pz_spec scalar = pz_spec_make(q->dtype, 0, NULL);
  double size = 0.0;
  pz_view view;
  pz_view row_view;
  pz_tensor x;
  pz_tensor sums;
  pz_tensor norm;
  PZ_TRY(pz_work(c, &matrix_spec, &x));
  PZ_TRY(pz_work(c, &row, &sums));
  PZ_TRY(pz_work(c, &scalar, &norm));
  if (defect < 1.0 && pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){1.0, -2.0, 1.0, 1.0},
                                         pz_view_matrix(&view, q, k), &x) == PZ_OK) {
    PZ_TRY(pz_norm(c, PZ_NORM_ONE, PZ_OVER_ROWS, &x, &sums));
    PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH,
                   pz_view_reshaped(&row_view, &sums, 2, (const int64_t[]){1, n}), &norm));
    PZ_TRY(pz_read(c, &norm, &size));
  }
  const double limit = tolerance + (double)n * pz_dtype_epsilon(q->dtype) * size;
  return defect <= limit
             ? PZ_OK
             : pz_fail(c, PZ_OUTSIDE,
                       "found matrix %lld of the batch with Q^T Q at distance %.3g from the "
                       "identity, expected at most %.3g",
                       (long long)k, defect, limit);
}

/* used <- Q after the checks of c->intent, or the nearest member of the set. */
static pz_status
admit_orthogonal(pz_call* const c, const pz_tensor* const q, pz_tensor* const used)
{
  const int64_t batch = pz_batch(q);
  const double tolerance = 100.0 * (double)pz_rows(q) * pz_dtype_epsilon(q->dtype);
  const double* defect = NULL;
  PZ_TRY(rotation_defects(c, q, &defect));
  *used = *q;
  for (int64_t k = 0; k < batch; ++k) {
    const bool orthogonal = defect[k] <= tolerance;
    const bool proper = has_signs(c) || defect[batch + k] > 0.0;
    if (c->intent == PZ_REGISTER && !(orthogonal && proper)) {
      PZ_TRY(pz_work_like(c, q, used));
      return rotation_nearest(c, !has_signs(c), q, used);
    }
    if (!orthogonal) {
      PZ_TRY(refuse_unless_own_rounding(c, q, k, defect[k], tolerance));
    }
    if (!proper) {
      return pz_fail(c, PZ_SINGULAR,
                     "found matrix %lld of the batch with determinant -1, expected a rotation "
                     "without the eigenvalue -1, which no Cayley transform has (except with "
                     "signs=1)",
                     (long long)k);
    }
  }
  return PZ_OK;
}

static pz_status
cayley_right_inverse(pz_call* const c, const pz_tensor* const q, pz_tensor* const x)
{
  if (pz_count(q) == 0) {
    return PZ_OK;
  }
  pz_tensor used = *q;
  pz_tensor y;
  PZ_TRY(pz_work_like(c, q, &y));
  if (c->in == PZ_SKEW && c->intent != PZ_CHAIN) {
    PZ_TRY(admit_orthogonal(c, q, &used));
  }
  if (has_signs(c)) {
    pz_tensor proper;
    PZ_TRY(pz_work_like(c, q, &proper));
    PZ_TRY(rotation_signs(c, &used, &c->new_buffer[D_BUFFER]));
    PZ_TRY(pz_scale_by(c, PZ_OVER_ROWS, &c->new_buffer[D_BUFFER], &used, &proper));
    used = proper;
  }
  // Y <- I - 2 (I + Q)^-1
  const pz_status status =
      pz_shifted_inverse(c, PZ_GENERAL, &(pz_shift){1.0, -2.0, 1.0, 1.0}, &used, &y);
  if (status == PZ_SINGULAR) {
    return no_inverse(c, INFINITY);
  }
  PZ_TRY(status);
  if (c->intent != PZ_CHAIN) {
    PZ_TRY(refuse_near_singular(c, &used, &y));
  }
  return c->in == PZ_SKEW ? pz_symmetrize(c, 0.5, -1, &y, x) : pz_copy(c, &y, x);
}

/* Without skew before it, the set contains nearly every matrix. */
static pz_status
cayley_residual(pz_call* const c, const pz_tensor* const q, double* const distance)
{
  *distance = 0.0;
  return pz_count(q) == 0 || c->in != PZ_SKEW ? PZ_OK
                                              : rotation_residual(c, !has_signs(c), q, distance);
}

static pz_status
cayley_sample(pz_call* const c, pz_tensor* const q)
{
  return pz_count(q) == 0 ? PZ_OK : rotation_sample(c, !has_signs(c), q);
}

static const pz_option cayley_options[] = {
    [SIGNS] = PZ_OPTION_FLAG("signs", 0,
                             "multiply the columns by signs that assignment sets, so that every "
                             "orthogonal matrix is a value"),
};

static const pz_parametrization cayley = {
    .size = sizeof(cayley),
    .option_size = sizeof(pz_option),
    .id = "cayley",
    .summary = "Skew-symmetric matrices to rotations, Q = (I + X)(I - X)^-1",
    .tags = "matrix orthogonal rotation",
    .formula = "Q = (I + X)(I - X)^-1; with signs: (I + X)(I - X)^-1 D, D = diag(+-1)\n"
               "domain: every skew X (after skew), or any square X without the eigenvalue 1\n"
               "right inverse: I - 2 (I + Q)^-1, after skew its skew part; Q must have no "
               "eigenvalue -1, hence determinant 1; with signs, any orthogonal Q\n"
               "rounding: n eps |X|; of T random rotations about one has |X| above T\n"
               "cost: forward one inversion, 2n^3; vjp two products, 4n^3",
    PZ_OPTIONS(cayley_options),
    .plan = cayley_plan,
    .init = cayley_init,
    .forward = cayley_forward,
    .right_inverse = cayley_right_inverse,
    .vjp = cayley_vjp,
    .residual = cayley_residual,
    .sample = cayley_sample,
    .log_abs_det = cayley_log_abs_det,
    .log_abs_det_vjp = cayley_log_abs_det_vjp,
    .jvp = cayley_jvp,
};

PZ_PLUGIN(cayley, "1.0.0", PZ_PARAMETRIZATION(&cayley));
