/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The matrix exponential Y = exp(X), of any square matrix.

     skew X        all rotations
     symmetric X   all positive definite matrices, each of a unique X
     any X         matrices with a real logarithm

   Skew X of orders 2 and 3 have closed forms (common/exponential/closed.c). Other small X use an
   operation of the device if it has one (common/exponential/small.c). Larger X use
   scaling and squaring of Taylor polynomials (common/exponential), but symmetric X of large norm
   use eigenvalues (symmetric.c). The adjoint of the differential at X is the differential at X^T,
   applied to G. It is computed by reversing the evaluation product by product, at twice the cost.
   The right inverse is the logarithm: by eigenvalues for definite matrices (spectral.c), by the
   real Schur form for rotations of order 4 and more and general matrices (logarithm.c).

   Values out of range overflow to Inf and NaN, which propagate. */

#include "matrix_exp.h"

#include "rotation.h"

#include <math.h>

static pz_status
matrix_exp_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_expect_square(c, given));
  PZ_TRY(pz_declare_original(c, NULL, given));
  if (expm_is_closed(c->in, given->shape[given->ndim - 1])) {
    PZ_TRY(pz_take_triangle(c));
  }
  PZ_TRY(c->in == PZ_SKEW           ? pz_declare_density(c, 2, PZ_STRICT_UPPER, PZ_ROTATION)
         : expm_is_symmetric(c->in) ? pz_declare_density(c, 2, PZ_UPPER_TRIANGLE, PZ_UPPER_TRIANGLE)
                                    : pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  return pz_declare_value(c, given,
                          c->in == PZ_SKEW           ? PZ_ORTHOGONAL
                          : expm_is_symmetric(c->in) ? PZ_SPD
                                                     : PZ_GENERAL);
}

static pz_status
matrix_exp_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  if (pz_count(x) == 0) {
    return PZ_OK;
  }
  return expm_is_symmetric(c->in) ? expm_symmetric(c, x, y) : expm_taylor(c, c->in, x, y);
}

static pz_status
adjoint(pz_call* const c, const pz_tensor* const x, const pz_tensor* const gy, pz_tensor* const gx)
{
  return expm_is_symmetric(c->in) ? expm_symmetric_vjp(c, x, gy, gx)
                                  : expm_taylor_vjp(c, c->in, 0, 0, x, gy, gx);
}

static pz_status
matrix_exp_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
               const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)y;
  return pz_count(x) == 0 ? PZ_OK : adjoint(c, x, gy, gx);
}

static pz_status
matrix_exp_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
               const pz_tensor* const dx, pz_tensor* const dy)
{
  return pz_count(x) == 0 ? PZ_OK : expm_tangent(c, c->in, adjoint, x, y, dx, dy);
}

static pz_status
matrix_exp_log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                       pz_tensor* const out)
{
  (void)y;
  return expm_log_abs_det(c, x, out);
}

static pz_status
matrix_exp_log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                           const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  return expm_log_abs_det_vjp(c, x, g_out, gx);
}

static pz_status
matrix_exp_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  return expm_is_symmetric(c->in) ? expm_log_definite(c, y, x)
         : c->in == PZ_SKEW       ? expm_log_rotation(c, y, x)
                                  : expm_log_general(c, y, x);
}

/* After skew: the largest entry of |Y^T Y - I|, or 2 for a reflection, its distance from every
   rotation in the spectral norm. After symmetric: the larger of the largest entry of the skew part
   and the distance of the smallest eigenvalue below its bound. */
static pz_status
matrix_exp_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  *distance = 0.0;
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  if (expm_is_symmetric(c->in)) {
    return expm_definite_residual(c, y, distance);
  }
  if (c->in != PZ_SKEW) {
    return pz_fail(c, PZ_UNSUPPORTED,
                   "found neither skew nor symmetric input, expected one of them: the distance "
                   "from the matrices with a real logarithm is not known");
  }
  return rotation_residual(c, true, y, distance);
}

/* After skew a uniform rotation, otherwise exp(N / sqrt(n)) with independent normal entries N,
   symmetric for symmetric input. For definite input, exp(exp(N / (4 sqrt(n)))). */
static pz_status
matrix_exp_sample(pz_call* const c, pz_tensor* const y)
{
  if (pz_count(y) == 0) {
    return PZ_OK;
  }
  if (c->in == PZ_SKEW) {
    return rotation_sample(c, true, y);
  }
  const double deviation = (c->in == PZ_SPD ? 0.25 : 1.0) * sqrt(1.0 / (double)pz_rows(y));
  pz_tensor normal;
  pz_tensor x;
  PZ_TRY(pz_work_like(c, y, &normal));
  PZ_TRY(pz_random(c, PZ_NORMAL, c->draw, 0, 0.0, deviation, &normal));
  if (!expm_is_symmetric(c->in)) {
    return expm_taylor(c, PZ_GENERAL, &normal, y);
  }
  PZ_TRY(pz_work_like(c, y, &x));
  PZ_TRY(pz_fold(c, PZ_UPPER, 1, &normal, &x));
  if (c->in == PZ_SPD) {
    PZ_TRY(expm_symmetric(c, &x, &normal));
    return expm_symmetric(c, &normal, y);
  }
  return expm_symmetric(c, &x, y);
}

static const pz_parametrization matrix_exp = {
    .size = sizeof(matrix_exp),
    .id = "matrix_exp",
    .summary = "Matrix exponential: skew to rotation, symmetric to positive definite",
    .tags = "matrix orthogonal rotation positive_definite",
    .formula =
        "Y = exp(X)\n"
        "domain: any square X; Y overflows if exp(|X|) does; after skew with an error of n "
        "eps |X|: in float32 |Y^T Y - I| is about 1e-4 at |X| = 1e5 and 1e-2 at 1e6, but for "
        "orders 2 and 3, which have closed forms\n"
        "right inverse: the logarithm; after symmetric for any positive definite Y, after "
        "skew for any rotation, otherwise if no eigenvalue is zero or negative\n"
        "cost: one pass for orders 2 and 3 after skew; else forward 0 to 5 products of 2n^3 "
        "and one per squaring, or one eigendecomposition for symmetric X of large norm; vjp twice "
        "the products",
    .plan = matrix_exp_plan,
    .forward = matrix_exp_forward,
    .right_inverse = matrix_exp_right_inverse,
    .vjp = matrix_exp_vjp,
    .residual = matrix_exp_residual,
    .sample = matrix_exp_sample,
    .log_abs_det = matrix_exp_log_abs_det,
    .log_abs_det_vjp = matrix_exp_log_abs_det_vjp,
    .jvp = matrix_exp_jvp,
};

PZ_PLUGIN(matrix_exp, "1.0.0", PZ_PARAMETRIZATION(&matrix_exp));
