/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rigid motions of space, 4 x 4, from (w, rho), a rotation vector and then a velocity:

     y = exp [K rho; 0 0] = [R, J rho; 0 1],  K = [w]x,  R = exp K,  J = I + b K + c K^2

   with t = |w|, w = t n, h = t/2, a = sin t / t, b = (1 - cos t) / t^2, c = (1 - a) / t^2. R and its
   derivatives are those of turns.c, whose q gives cos h and sin h. For the gradient f of the translation,

     grho = J^T f
     gw = that of R + b rho x f + c (f (w.rho) + rho (f.w) - 2 w (f.rho))
          + n ((a - 2 b) f.(n x rho) + t (b - 3 c) f.(n x (n x rho)))

   and dy likewise. Of these, only t c needs a series for small t. The last row of g is not read.
   log |det| is twice that of the rotation, with respect to the invariant volume.

   Right inverse: w = log R, rho = J^-1 p = p - (t/2) n x p + (1 - h cot h) n x (n x p). */

#include "fixed_order.h"
#include "rotation.h"
#include "turns.h"

#include <math.h>

// clang-format off

/* terms <- n, a - 2 b, b, t b, t c, t^2 c: what derivatives need of w */
PZ_KERNEL(pose3_value, 4, 0, 3,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, q);
  PZ_TENSOR_ARG(2, terms);
  PZ_TENSOR_ARG(3, y);
  PZ_INTEGER_ARG(0, six);
  PZ_INTEGER_ARG(1, eight);
  PZ_INTEGER_ARG(2, sixteen);
  const real w1 = x[six * i];
  const real w2 = x[six * i + 1];
  const real w3 = x[six * i + 2];
  const real r1 = x[six * i + 3];
  const real r2 = x[six * i + 4];
  const real r3 = x[six * i + 5];
  const real scale = pz_unit_scale(pz_max(pz_abs(w1), pz_max(pz_abs(w2), pz_abs(w3))));
  const real size = pz_sqrt(scale * w1 * (scale * w1) + scale * w2 * (scale * w2) + scale * w3 * (scale * w3));
  const real inverse = 1 / (size == (real)0 ? (real)1 : size);
  const real n1 = scale * w1 * inverse;
  const real n2 = scale * w2 * inverse;
  const real n3 = scale * w3 * inverse;
  const real turn = size * ((real)0.5 / scale);
  const real sine = n1 * q[4 * i + 1] + n2 * q[4 * i + 2] + n3 * q[4 * i + 3];
  const real below = turn == (real)0 ? (real)1 : turn;
  const real quotient = sine / below;
  const real ratio = turn == (real)0 ? (real)1 : quotient;
  const real a = ratio * q[4 * i];
  const real b = (real)0.5 * ratio * ratio;
  const real bt = ratio * sine;
  const real v = 4 * turn * turn;
  const real series =
      (real)(1.0 / 6) -
      v * ((real)(1.0 / 120) -
           v * ((real)(1.0 / 5040) -
                v * ((real)(1.0 / 362880) -
                     v * ((real)(1.0 / 39916800) - v * ((real)(1.0 / 6227020800) - v * (real)(1.0 / 1307674368000))))));
  const real far = (1 - a) * (real)0.5 / below;
  const real ct = v < (real)0.25 ? 2 * turn * series : far;
  const real ctt = v < (real)0.25 ? v * series : 1 - a;
  const real u1 = n2 * r3 - n3 * r2;
  const real u2 = n3 * r1 - n1 * r3;
  const real u3 = n1 * r2 - n2 * r1;
  terms[eight * i] = n1;
  terms[eight * i + 1] = n2;
  terms[eight * i + 2] = n3;
  terms[eight * i + 3] = a - 2 * b;
  terms[eight * i + 4] = b;
  terms[eight * i + 5] = bt;
  terms[eight * i + 6] = ct;
  terms[eight * i + 7] = ctt;
  y[sixteen * i + 3] = r1 + bt * u1 + ctt * (n2 * u3 - n3 * u2);
  y[sixteen * i + 7] = r2 + bt * u2 + ctt * (n3 * u1 - n1 * u3);
  y[sixteen * i + 11] = r3 + bt * u3 + ctt * (n1 * u2 - n2 * u1);
  y[sixteen * i + 12] = (real)0;
  y[sixteen * i + 13] = (real)0;
  y[sixteen * i + 14] = (real)0;
  y[sixteen * i + 15] = (real)1;
)

/* Adds to the gradient of w. */
PZ_KERNEL(pose3_adjoint, 4, 0, 3,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, terms);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, gx);
  PZ_INTEGER_ARG(0, six);
  PZ_INTEGER_ARG(1, eight);
  PZ_INTEGER_ARG(2, sixteen);
  const real n1 = terms[eight * i];
  const real n2 = terms[eight * i + 1];
  const real n3 = terms[eight * i + 2];
  const real ab = terms[eight * i + 3];
  const real b = terms[eight * i + 4];
  const real bt = terms[eight * i + 5];
  const real ct = terms[eight * i + 6];
  const real ctt = terms[eight * i + 7];
  const real r1 = x[six * i + 3];
  const real r2 = x[six * i + 4];
  const real r3 = x[six * i + 5];
  const real f1 = g[sixteen * i + 3];
  const real f2 = g[sixteen * i + 7];
  const real f3 = g[sixteen * i + 11];
  /* u = n x f, z = n x u; f.(n x rho) = - u.rho and f.(n x (n x rho)) = z.rho */
  const real u1 = n2 * f3 - n3 * f2;
  const real u2 = n3 * f1 - n1 * f3;
  const real u3 = n1 * f2 - n2 * f1;
  const real z1 = n2 * u3 - n3 * u2;
  const real z2 = n3 * u1 - n1 * u3;
  const real z3 = n1 * u2 - n2 * u1;
  const real along_r = ct * (n1 * r1 + n2 * r2 + n3 * r3);
  const real along_f = ct * (n1 * f1 + n2 * f2 + n3 * f3);
  const real on_axis = (bt - 3 * ct) * (z1 * r1 + z2 * r2 + z3 * r3) - ab * (u1 * r1 + u2 * r2 + u3 * r3) -
                       2 * ct * (f1 * r1 + f2 * r2 + f3 * r3);
  gx[six * i] += b * (r2 * f3 - r3 * f2) + along_r * f1 + along_f * r1 + on_axis * n1;
  gx[six * i + 1] += b * (r3 * f1 - r1 * f3) + along_r * f2 + along_f * r2 + on_axis * n2;
  gx[six * i + 2] += b * (r1 * f2 - r2 * f1) + along_r * f3 + along_f * r3 + on_axis * n3;
  gx[six * i + 3] = f1 - bt * u1 + ctt * z1;
  gx[six * i + 4] = f2 - bt * u2 + ctt * z2;
  gx[six * i + 5] = f3 - bt * u3 + ctt * z3;
)

PZ_KERNEL(pose3_tangent, 4, 0, 3,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, terms);
  PZ_TENSOR_ARG(2, dx);
  PZ_TENSOR_ARG(3, dy);
  PZ_INTEGER_ARG(0, six);
  PZ_INTEGER_ARG(1, eight);
  PZ_INTEGER_ARG(2, sixteen);
  const real n1 = terms[eight * i];
  const real n2 = terms[eight * i + 1];
  const real n3 = terms[eight * i + 2];
  const real ab = terms[eight * i + 3];
  const real b = terms[eight * i + 4];
  const real bt = terms[eight * i + 5];
  const real ct = terms[eight * i + 6];
  const real ctt = terms[eight * i + 7];
  const real r1 = x[six * i + 3];
  const real r2 = x[six * i + 4];
  const real r3 = x[six * i + 5];
  const real d1 = dx[six * i];
  const real d2 = dx[six * i + 1];
  const real d3 = dx[six * i + 2];
  const real e1 = dx[six * i + 3];
  const real e2 = dx[six * i + 4];
  const real e3 = dx[six * i + 5];
  const real along = n1 * d1 + n2 * d2 + n3 * d3;
  const real first = along * ab;
  const real second = along * (bt - 3 * ct);
  /* u = n x rho, p = dw x rho, k = n x drho */
  const real u1 = n2 * r3 - n3 * r2;
  const real u2 = n3 * r1 - n1 * r3;
  const real u3 = n1 * r2 - n2 * r1;
  const real p1 = d2 * r3 - d3 * r2;
  const real p2 = d3 * r1 - d1 * r3;
  const real p3 = d1 * r2 - d2 * r1;
  const real k1 = n2 * e3 - n3 * e2;
  const real k2 = n3 * e1 - n1 * e3;
  const real k3 = n1 * e2 - n2 * e1;
  /* n x (t^2 c k + t c p + second u), and dw x u */
  const real s1 = ctt * k1 + ct * p1 + second * u1;
  const real s2 = ctt * k2 + ct * p2 + second * u2;
  const real s3 = ctt * k3 + ct * p3 + second * u3;
  dy[sixteen * i + 3] = e1 + bt * k1 + b * p1 + first * u1 + ct * (d2 * u3 - d3 * u2) + n2 * s3 - n3 * s2;
  dy[sixteen * i + 7] = e2 + bt * k2 + b * p2 + first * u2 + ct * (d3 * u1 - d1 * u3) + n3 * s1 - n1 * s3;
  dy[sixteen * i + 11] = e3 + bt * k3 + b * p3 + first * u3 + ct * (d1 * u2 - d2 * u1) + n1 * s2 - n2 * s1;
  dy[sixteen * i + 12] = (real)0;
  dy[sixteen * i + 13] = (real)0;
  dy[sixteen * i + 14] = (real)0;
  dy[sixteen * i + 15] = (real)0;
)

PZ_KERNEL(pose3_inverse, 3, 0, 0,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, y);
  PZ_TENSOR_ARG(2, x);
  const real w1 = w[3 * i];
  const real w2 = w[3 * i + 1];
  const real w3 = w[3 * i + 2];
  const real p1 = y[16 * i + 3];
  const real p2 = y[16 * i + 7];
  const real p3 = y[16 * i + 11];
  const real scale = pz_unit_scale(pz_max(pz_abs(w1), pz_max(pz_abs(w2), pz_abs(w3))));
  const real size = pz_sqrt(scale * w1 * (scale * w1) + scale * w2 * (scale * w2) + scale * w3 * (scale * w3));
  const real turn = size * ((real)0.5 / scale);
  const real inverse = 1 / (size == (real)0 ? (real)1 : size);
  const real n1 = scale * w1 * inverse;
  const real n2 = scale * w2 * inverse;
  const real n3 = scale * w3 * inverse;
  const real u1 = n2 * p3 - n3 * p2;
  const real u2 = n3 * p1 - n1 * p3;
  const real u3 = n1 * p2 - n2 * p1;
  const real e = turn == (real)0 ? (real)0 : 1 - turn * pz_cos(turn) / pz_sin(turn);
  x[6 * i] = w1;
  x[6 * i + 1] = w2;
  x[6 * i + 2] = w3;
  x[6 * i + 3] = p1 - turn * u1 + e * (n2 * u3 - n3 * u2);
  x[6 * i + 4] = p2 - turn * u2 + e * (n3 * u1 - n1 * u3);
  x[6 * i + 5] = p3 - turn * u3 + e * (n1 * u2 - n2 * u1);
)

/* How far entry i of the last rows is from (0 0 0 1); NaN beside a translation that is not finite. */
PZ_KERNEL(pose3_last_row, 2, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, off);
  const pz_int at = i / 4 * 16;
  const pz_int j = i % 4;
  off[i] = y[at + 12 + j] - (j == 3 ? (real)1 : (real)0) + 0 * y[at + 4 * j + 3];
)

// clang-format on

enum { Q, TERMS }; /* saved */
enum { NUMBERS = 6, ORDER = 4 };

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_OWN_COORDINATES));
  return fixed_order_plan(c, given, ORDER, NUMBERS, PZ_GENERAL);
}

static pz_status
launch(pz_call* const c, const pz_kernel* const kernel, const pz_tensor* const matrices,
       const pz_tensor* const* const tensors)
{
  return pz_launch(c, kernel, pz_batch(matrices), tensors, NULL, PZ_INTEGERS(NUMBERS, 8, 16));
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  const pz_spec four = fixed_order_row(y, 4);
  const pz_spec eight = fixed_order_row(y, 8);
  pz_tensor q;
  pz_tensor terms;
  PZ_TRY(pz_save(c, &four, &q));
  PZ_TRY(pz_save(c, &eight, &terms));
  PZ_TRY(turns_of_vector(c, NUMBERS, x, &q));
  PZ_TRY(turns_matrix(c, &q, y));
  return launch(c, &pose3_value, y, PZ_TENSORS(x, &q, &terms, y));
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const g,
    pz_tensor* const gx)
{
  pz_tensor q;
  pz_tensor terms;
  pz_tensor gq;
  (void)y;
  PZ_TRY(pz_saved(c, Q, &q));
  PZ_TRY(pz_saved(c, TERMS, &terms));
  PZ_TRY(pz_work_like(c, &q, &gq));
  PZ_TRY(turns_matrix_vjp(c, &q, g, &gq));
  PZ_TRY(turns_of_vector_vjp(c, NUMBERS, x, &q, &gq, gx));
  return launch(c, &pose3_adjoint, g, PZ_TENSORS(x, &terms, g, gx));
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const dx,
    pz_tensor* const dy)
{
  pz_tensor q;
  pz_tensor terms;
  pz_tensor dq;
  (void)y;
  PZ_TRY(pz_saved(c, Q, &q));
  PZ_TRY(pz_saved(c, TERMS, &terms));
  PZ_TRY(pz_work_like(c, &q, &dq));
  PZ_TRY(turns_of_vector_jvp(c, NUMBERS, x, &q, dx, &dq));
  PZ_TRY(turns_matrix_jvp(c, &q, &dq, dy));
  return launch(c, &pose3_tangent, dy, PZ_TENSORS(x, &terms, dx, dy));
}

/* r, in scratch, <- the rotations of y. */
static pz_status
rotations_of(pz_call* const c, const pz_tensor* const y, pz_tensor* const r)
{
  pz_spec spec = pz_spec_of(y);
  pz_view block;
  spec.shape[y->ndim - 2] = 3;
  spec.shape[y->ndim - 1] = 3;
  PZ_TRY(pz_work(c, &spec, r));
  return pz_copy(c, pz_view_block(&block, y, 0, 3, 0, 3), r);
}

/* The largest distance of a last row from (0 0 0 1), NaN if a translation is not finite. */
static pz_status
last_row_distance(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  const pz_spec row = fixed_order_row(y, ORDER);
  pz_tensor off;
  PZ_TRY(pz_work(c, &row, &off));
  PZ_TRY(pz_launch(c, &pose3_last_row, pz_count(&off), PZ_TENSORS(y, &off), NULL, NULL));
  return pz_largest(c, &off, distance);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  const pz_spec row = fixed_order_row(y, 3);
  const double tolerance = 400.0 * pz_dtype_epsilon(y->dtype);
  double distance = 0.0;
  pz_tensor r;
  pz_tensor used;
  pz_tensor w;
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(last_row_distance(c, y, &distance));
  }
  if (!(distance <= tolerance)) {
    return isnan(distance)
               ? pz_fail(c, PZ_OUTSIDE, "found an entry that is not finite, expected rigid motions")
               : pz_fail(c, PZ_OUTSIDE,
                         "found a last row at distance %.3g from (0 0 0 1), expected at most %.3g",
                         distance, tolerance);
  }
  PZ_TRY(rotations_of(c, y, &r));
  PZ_TRY(turns_admit(c, &r, &used));
  PZ_TRY(pz_work(c, &row, &w));
  PZ_TRY(turns_vector(c, &used, &w));
  return pz_launch(c, &pose3_inverse, pz_batch(y), PZ_TENSORS(&w, y, x), NULL, NULL);
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  double turned = 0.0;
  pz_tensor r;
  PZ_TRY(last_row_distance(c, y, distance));
  if (pz_count(y) == 0 || isnan(*distance)) {
    return PZ_OK;
  }
  PZ_TRY(rotations_of(c, y, &r));
  PZ_TRY(rotation_residual(c, true, &r, &turned));
  *distance = isnan(turned) || turned > *distance ? turned : *distance;
  return PZ_OK;
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  (void)y;
  PZ_TRY(turns_log_abs_det(c, NUMBERS, x, out));
  return pz_scale(c, 2.0, out);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)y;
  PZ_TRY(pz_fill(c, 0.0, gx));
  return turns_log_abs_det_vjp(c, 2.0, NUMBERS, x, g_out, gx);
}

const pz_parametrization rotations_pose3 = {
    .size = sizeof(rotations_pose3),
    .id = "pose3",
    .summary = "Rigid motions of space, 4 x 4, from rotation vector and velocity",
    .tags = "matrix rotation robotics",
    .formula =
        "[R, J rho; 0 1] = exp [[w]x, rho; 0 0] of x = (w, rho), 6 numbers, the rotation vector "
        "first\n"
        "domain: any x; the last row of gradients is not read\n"
        "right inverse: the logarithm, of angles up to pi; registration takes the nearest rotation "
        "and "
        "(0 0 0 1) as last row\n"
        "log |det|: 4 log |sin(t/2) / (t/2)|, t = |w|, with respect to the invariant volume\n"
        "cost: one pass over memory, about 200 operations for each matrix",
    .plan = plan,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .log_abs_det = log_abs_det,
    .log_abs_det_vjp = log_abs_det_vjp,
    .jvp = jvp,
};
