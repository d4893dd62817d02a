/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rotations by unit quaternions. Of a rotation vector x = t n, with t = |x| and h = t/2,

     q = (cos h, sin(h) n)
     dq = (- sin(h) a / 2, (sin(h) / t) (dx - a n) + cos(h) a n / 2),  a = <n, dx>

   where q gives cos h and sin h = <n, v>: derivatives compute no sine. Nothing cancels for small t or
   overflows for large ones. A quaternion x gives q = x / |x| and dq = (dx - <q, dx> q) / |x|. Then

     R = (w^2 - |v|^2) I + 2 v v^T + 2 w [v]x
     gw = 2 w tr G + 2 <v, m>,  gv = - 2 tr(G) v + 2 (G + G^T) v + 2 w m,
     m = (G32 - G23, G13 - G31, G21 - G12)

   of which only the part along the sphere counts; so the diagonal is 1 - 2 (sum of two squares), which
   rounds less. Logarithms and log |det| are those of skew matrices [x]x (exponential/closed.c). */

#include "turns.h"

#include "exponential/exponential.h"
#include "rotation.h"

// clang-format off

/* The numbers `step`, `row` and `four` are arguments so that GCC vectorises the loops over items. */

PZ_KERNEL(turns_half, 2, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, q);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, four);
  const real x1 = x[step * i];
  const real x2 = x[step * i + 1];
  const real x3 = x[step * i + 2];
  const real scale = pz_unit_scale(pz_max(pz_abs(x1), pz_max(pz_abs(x2), pz_abs(x3))));
  const real size = pz_sqrt(scale * x1 * (scale * x1) + scale * x2 * (scale * x2) + scale * x3 * (scale * x3));
  const real turn = size * ((real)0.5 / scale);
  const real sine = pz_sin(turn);
  const real factor = sine / (size == (real)0 ? (real)1 : size);
  q[four * i] = pz_cos(turn);
  q[four * i + 1] = factor * (scale * x1);
  q[four * i + 2] = factor * (scale * x2);
  q[four * i + 3] = factor * (scale * x3);
)

PZ_KERNEL(turns_half_adjoint, 4, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, q);
  PZ_TENSOR_ARG(2, g);
  PZ_TENSOR_ARG(3, gx);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, four);
  const real x1 = x[step * i];
  const real x2 = x[step * i + 1];
  const real x3 = x[step * i + 2];
  const real scale = pz_unit_scale(pz_max(pz_abs(x1), pz_max(pz_abs(x2), pz_abs(x3))));
  const real size = pz_sqrt(scale * x1 * (scale * x1) + scale * x2 * (scale * x2) + scale * x3 * (scale * x3));
  const real inverse = 1 / (size == (real)0 ? (real)1 : size);
  const real n1 = scale * x1 * inverse;
  const real n2 = scale * x2 * inverse;
  const real n3 = scale * x3 * inverse;
  const real sine = n1 * q[four * i + 1] + n2 * q[four * i + 2] + n3 * q[four * i + 3];
  const real ratio = size == (real)0 ? (real)0.5 : sine * inverse * scale;
  const real along = n1 * g[four * i + 1] + n2 * g[four * i + 2] + n3 * g[four * i + 3];
  const real radial = (real)0.5 * (q[four * i] * along - sine * g[four * i]) - ratio * along;
  gx[step * i] = ratio * g[four * i + 1] + radial * n1;
  gx[step * i + 1] = ratio * g[four * i + 2] + radial * n2;
  gx[step * i + 2] = ratio * g[four * i + 3] + radial * n3;
)

PZ_KERNEL(turns_half_tangent, 4, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, q);
  PZ_TENSOR_ARG(2, dx);
  PZ_TENSOR_ARG(3, dq);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, four);
  const real x1 = x[step * i];
  const real x2 = x[step * i + 1];
  const real x3 = x[step * i + 2];
  const real scale = pz_unit_scale(pz_max(pz_abs(x1), pz_max(pz_abs(x2), pz_abs(x3))));
  const real size = pz_sqrt(scale * x1 * (scale * x1) + scale * x2 * (scale * x2) + scale * x3 * (scale * x3));
  const real inverse = 1 / (size == (real)0 ? (real)1 : size);
  const real n1 = scale * x1 * inverse;
  const real n2 = scale * x2 * inverse;
  const real n3 = scale * x3 * inverse;
  const real sine = n1 * q[four * i + 1] + n2 * q[four * i + 2] + n3 * q[four * i + 3];
  const real ratio = size == (real)0 ? (real)0.5 : sine * inverse * scale;
  const real along = n1 * dx[step * i] + n2 * dx[step * i + 1] + n3 * dx[step * i + 2];
  const real radial = along * ((real)0.5 * q[four * i] - ratio);
  dq[four * i] = (real)-0.5 * sine * along;
  dq[four * i + 1] = ratio * dx[step * i] + radial * n1;
  dq[four * i + 2] = ratio * dx[step * i + 1] + radial * n2;
  dq[four * i + 3] = ratio * dx[step * i + 2] + radial * n3;
)

PZ_KERNEL(turns_unit, 2, 0, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, q);
  PZ_INTEGER_ARG(0, four);
  const real x0 = x[four * i];
  const real x1 = x[four * i + 1];
  const real x2 = x[four * i + 2];
  const real x3 = x[four * i + 3];
  const real scale = pz_unit_scale(pz_max(pz_max(pz_abs(x0), pz_abs(x1)), pz_max(pz_abs(x2), pz_abs(x3))));
  const real size = pz_sqrt(scale * x0 * (scale * x0) + scale * x1 * (scale * x1) + scale * x2 * (scale * x2) +
                            scale * x3 * (scale * x3));
  const real inverse = 1 / (size == (real)0 ? (real)1 : size);
  q[four * i] = scale * x0 * inverse + (size == (real)0 ? (real)1 : (real)0);
  q[four * i + 1] = scale * x1 * inverse;
  q[four * i + 2] = scale * x2 * inverse;
  q[four * i + 3] = scale * x3 * inverse;
)

PZ_KERNEL(turns_unit_slope, 4, 0, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, q);
  PZ_TENSOR_ARG(2, dx);
  PZ_TENSOR_ARG(3, out);
  PZ_INTEGER_ARG(0, four);
  const real x0 = x[four * i];
  const real x1 = x[four * i + 1];
  const real x2 = x[four * i + 2];
  const real x3 = x[four * i + 3];
  const real scale = pz_unit_scale(pz_max(pz_max(pz_abs(x0), pz_abs(x1)), pz_max(pz_abs(x2), pz_abs(x3))));
  const real size = pz_sqrt(scale * x0 * (scale * x0) + scale * x1 * (scale * x1) + scale * x2 * (scale * x2) +
                            scale * x3 * (scale * x3));
  const real inverse = (size == (real)0 ? (real)0 : scale) / (size == (real)0 ? (real)1 : size);
  const real along = q[four * i] * dx[four * i] + q[four * i + 1] * dx[four * i + 1] +
                     q[four * i + 2] * dx[four * i + 2] + q[four * i + 3] * dx[four * i + 3];
  out[four * i] = inverse * (dx[four * i] - along * q[four * i]);
  out[four * i + 1] = inverse * (dx[four * i + 1] - along * q[four * i + 1]);
  out[four * i + 2] = inverse * (dx[four * i + 2] - along * q[four * i + 2]);
  out[four * i + 3] = inverse * (dx[four * i + 3] - along * q[four * i + 3]);
)

PZ_KERNEL(turns_value, 2, 0, 3,
  PZ_TENSOR_ARG(0, q);
  PZ_TENSOR_ARG(1, y);
  PZ_INTEGER_ARG(0, four);
  PZ_INTEGER_ARG(1, step);
  PZ_INTEGER_ARG(2, row);
  const real w = q[four * i];
  const real v1 = q[four * i + 1];
  const real v2 = q[four * i + 2];
  const real v3 = q[four * i + 3];
  y[step * i] = 1 - 2 * (v2 * v2 + v3 * v3);
  y[step * i + 1] = 2 * (v1 * v2 - w * v3);
  y[step * i + 2] = 2 * (v1 * v3 + w * v2);
  y[step * i + row] = 2 * (v1 * v2 + w * v3);
  y[step * i + row + 1] = 1 - 2 * (v1 * v1 + v3 * v3);
  y[step * i + row + 2] = 2 * (v2 * v3 - w * v1);
  y[step * i + 2 * row] = 2 * (v1 * v3 - w * v2);
  y[step * i + 2 * row + 1] = 2 * (v2 * v3 + w * v1);
  y[step * i + 2 * row + 2] = 1 - 2 * (v1 * v1 + v2 * v2);
)

PZ_KERNEL(turns_adjoint, 3, 0, 3,
  PZ_TENSOR_ARG(0, q);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, gq);
  PZ_INTEGER_ARG(0, four);
  PZ_INTEGER_ARG(1, step);
  PZ_INTEGER_ARG(2, row);
  const real w = q[four * i];
  const real v1 = q[four * i + 1];
  const real v2 = q[four * i + 2];
  const real v3 = q[four * i + 3];
  const real g11 = g[step * i];
  const real g22 = g[step * i + row + 1];
  const real g33 = g[step * i + 2 * row + 2];
  const real s12 = g[step * i + 1] + g[step * i + row];
  const real s13 = g[step * i + 2] + g[step * i + 2 * row];
  const real s23 = g[step * i + row + 2] + g[step * i + 2 * row + 1];
  const real m1 = g[step * i + 2 * row + 1] - g[step * i + row + 2];
  const real m2 = g[step * i + 2] - g[step * i + 2 * row];
  const real m3 = g[step * i + row] - g[step * i + 1];
  gq[four * i] = 2 * (w * (g11 + g22 + g33) + v1 * m1 + v2 * m2 + v3 * m3);
  gq[four * i + 1] = 2 * ((g11 - g22 - g33) * v1 + s12 * v2 + s13 * v3 + w * m1);
  gq[four * i + 2] = 2 * (s12 * v1 + (g22 - g11 - g33) * v2 + s23 * v3 + w * m2);
  gq[four * i + 3] = 2 * (s13 * v1 + s23 * v2 + (g33 - g11 - g22) * v3 + w * m3);
)

PZ_KERNEL(turns_tangent, 3, 0, 3,
  PZ_TENSOR_ARG(0, q);
  PZ_TENSOR_ARG(1, dq);
  PZ_TENSOR_ARG(2, dy);
  PZ_INTEGER_ARG(0, four);
  PZ_INTEGER_ARG(1, step);
  PZ_INTEGER_ARG(2, row);
  const real w = q[four * i];
  const real v1 = q[four * i + 1];
  const real v2 = q[four * i + 2];
  const real v3 = q[four * i + 3];
  const real dw = dq[four * i];
  const real d1 = dq[four * i + 1];
  const real d2 = dq[four * i + 2];
  const real d3 = dq[four * i + 3];
  const real all = 2 * (w * dw - v1 * d1 - v2 * d2 - v3 * d3);
  const real s12 = 2 * (d1 * v2 + v1 * d2);
  const real s13 = 2 * (d1 * v3 + v1 * d3);
  const real s23 = 2 * (d2 * v3 + v2 * d3);
  const real k1 = 2 * (dw * v1 + w * d1);
  const real k2 = 2 * (dw * v2 + w * d2);
  const real k3 = 2 * (dw * v3 + w * d3);
  dy[step * i] = all + 4 * v1 * d1;
  dy[step * i + 1] = s12 - k3;
  dy[step * i + 2] = s13 + k2;
  dy[step * i + row] = s12 + k3;
  dy[step * i + row + 1] = all + 4 * v2 * d2;
  dy[step * i + row + 2] = s23 - k1;
  dy[step * i + 2 * row] = s13 - k2;
  dy[step * i + 2 * row + 1] = s23 + k1;
  dy[step * i + 2 * row + 2] = all + 4 * v3 * d3;
)

/* k <- [x]x */
PZ_KERNEL(turns_hat, 2, 0, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, k);
  PZ_INTEGER_ARG(0, step);
  k[9 * i] = (real)0;
  k[9 * i + 1] = -x[step * i + 2];
  k[9 * i + 2] = x[step * i + 1];
  k[9 * i + 3] = x[step * i + 2];
  k[9 * i + 4] = (real)0;
  k[9 * i + 5] = -x[step * i];
  k[9 * i + 6] = -x[step * i + 1];
  k[9 * i + 7] = x[step * i];
  k[9 * i + 8] = (real)0;
)

/* x <- factor times (k32 - k23, k13 - k31, k21 - k12) */
PZ_KERNEL(turns_vee, 2, 1, 1,
  PZ_TENSOR_ARG(0, k);
  PZ_TENSOR_ARG(1, x);
  PZ_REAL_ARG(0, factor);
  PZ_INTEGER_ARG(0, step);
  x[step * i] = factor * (k[9 * i + 7] - k[9 * i + 5]);
  x[step * i + 1] = factor * (k[9 * i + 2] - k[9 * i + 6]);
  x[step * i + 2] = factor * (k[9 * i + 3] - k[9 * i + 1]);
)

// clang-format on

/* ---- q, from originals and to matrices --------------------------------------------------- */

pz_status
turns_of_vector(pz_call* const c, const int64_t step, const pz_tensor* const x, pz_tensor* const q)
{
  return pz_launch(c, &turns_half, pz_count(q) / 4, PZ_TENSORS(x, q), NULL, PZ_INTEGERS(step, 4));
}

pz_status
turns_of_vector_vjp(pz_call* const c, const int64_t step, const pz_tensor* const x,
                    const pz_tensor* const q, const pz_tensor* const gq, pz_tensor* const gx)
{
  return pz_launch(c, &turns_half_adjoint, pz_count(q) / 4, PZ_TENSORS(x, q, gq, gx), NULL,
                   PZ_INTEGERS(step, 4));
}

pz_status
turns_of_vector_jvp(pz_call* const c, const int64_t step, const pz_tensor* const x,
                    const pz_tensor* const q, const pz_tensor* const dx, pz_tensor* const dq)
{
  return pz_launch(c, &turns_half_tangent, pz_count(q) / 4, PZ_TENSORS(x, q, dx, dq), NULL,
                   PZ_INTEGERS(step, 4));
}

pz_status
turns_of_quaternion(pz_call* const c, const pz_tensor* const x, pz_tensor* const q)
{
  return pz_launch(c, &turns_unit, pz_count(q) / 4, PZ_TENSORS(x, q), NULL, PZ_INTEGERS(4));
}

pz_status
turns_of_quaternion_slope(pz_call* const c, const pz_tensor* const x, const pz_tensor* const q,
                          const pz_tensor* const dx, pz_tensor* const out)
{
  return pz_launch(c, &turns_unit_slope, pz_count(q) / 4, PZ_TENSORS(x, q, dx, out), NULL,
                   PZ_INTEGERS(4));
}

/* Matrices y of order 3 or more. */
static const int64_t*
layout(const pz_tensor* const y, int64_t out[3])
{
  out[0] = 4;
  out[1] = pz_rows(y) * pz_cols(y);
  out[2] = pz_cols(y);
  return out;
}

pz_status
turns_matrix(pz_call* const c, const pz_tensor* const q, pz_tensor* const y)
{
  int64_t steps[3];
  return pz_launch(c, &turns_value, pz_batch(y), PZ_TENSORS(q, y), NULL, layout(y, steps));
}

pz_status
turns_matrix_vjp(pz_call* const c, const pz_tensor* const q, const pz_tensor* const g,
                 pz_tensor* const gq)
{
  int64_t steps[3];
  return pz_launch(c, &turns_adjoint, pz_batch(g), PZ_TENSORS(q, g, gq), NULL, layout(g, steps));
}

pz_status
turns_matrix_jvp(pz_call* const c, const pz_tensor* const q, const pz_tensor* const dq,
                 pz_tensor* const dy)
{
  int64_t steps[3];
  return pz_launch(c, &turns_tangent, pz_batch(dy), PZ_TENSORS(q, dq, dy), NULL, layout(dy, steps));
}

/* ---- by skew matrices --------------------------------------------------------------------- */

/* Scratch for a matrix of order 3 for each row of x. */
static pz_status
matrices_of(pz_call* const c, const pz_tensor* const x, pz_tensor* const k)
{
  pz_spec spec = pz_spec_make(x->dtype, x->ndim + 1, x->shape);
  spec.shape[x->ndim - 1] = 3;
  spec.shape[x->ndim] = 3;
  return pz_work(c, &spec, k);
}

static pz_status
skew_of(pz_call* const c, const int64_t step, const pz_tensor* const x, pz_tensor* const k)
{
  PZ_TRY(matrices_of(c, x, k));
  return pz_launch(c, &turns_hat, pz_batch(k), PZ_TENSORS(x, k), NULL, &step);
}

pz_status
turns_log_abs_det(pz_call* const c, const int64_t step, const pz_tensor* const x,
                  pz_tensor* const out)
{
  pz_tensor k;
  PZ_TRY(skew_of(c, step, x, &k));
  return expm_closed_log_abs_det(c, PZ_SKEW, &k, out);
}

pz_status
turns_log_abs_det_vjp(pz_call* const c, const double factor, const int64_t step,
                      const pz_tensor* const x, const pz_tensor* const g_out, pz_tensor* const gx)
{
  pz_tensor k;
  pz_tensor gk;
  PZ_TRY(skew_of(c, step, x, &k));
  PZ_TRY(matrices_of(c, x, &gk));
  PZ_TRY(expm_closed_log_abs_det_vjp(c, PZ_SKEW, &k, g_out, &gk));
  return pz_launch(c, &turns_vee, pz_batch(&k), PZ_TENSORS(&gk, gx), &factor, &step);
}

pz_status
turns_vector(pz_call* const c, const pz_tensor* const r, pz_tensor* const x)
{
  pz_tensor k;
  PZ_TRY(pz_work_like(c, r, &k));
  PZ_TRY(expm_closed_log(c, r, &k));
  return pz_launch(c, &turns_vee, pz_batch(r), PZ_TENSORS(&k, x), PZ_REALS(0.5), PZ_INTEGERS(3));
}

pz_status
turns_admit(pz_call* const c, const pz_tensor* const r, pz_tensor* const used)
{
  const int64_t batch = pz_batch(r);
  const double tolerance = 300.0 * pz_dtype_epsilon(r->dtype);
  const double* defect = NULL;
  *used = *r;
  if (batch == 0 || c->intent == PZ_CHAIN) {
    return PZ_OK;
  }
  PZ_TRY(rotation_defects(c, r, &defect));
  for (int64_t k = 0; k < batch; ++k) {
    if (defect[k] <= tolerance && defect[batch + k] > 0.0) {
      continue;
    }
    if (c->intent == PZ_REGISTER) {
      PZ_TRY(pz_work_like(c, r, used));
      return rotation_nearest(c, true, r, used);
    }
    return defect[k] <= tolerance
               ? pz_fail(c, PZ_OUTSIDE,
                         "found matrix %lld of the batch with determinant -1, expected a rotation",
                         (long long)k)
               : pz_fail(c, PZ_OUTSIDE,
                         "found matrix %lld of the batch with R^T R at distance %.3g from the "
                         "identity, expected at most %.3g",
                         (long long)k, defect[k], tolerance);
  }
  return PZ_OK;
}
