/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Closed forms of the exponential from skew matrices of orders 2 and 3 to rotations, one matrix per
   item. Order 2 has an angle, X = (0 a; -a 0). Order 3 has an axis, X = [w]x: with t = |w|, w = t u,
   s = sin t, d = 1 - cos t (Rodrigues)

     Y = cos t I + s [u]x + d u u^T

   sin t and d come from sin(t/2) and cos(t/2), so that d does not cancel; t from scaled squares. No
   number here is larger than t, and Y is orthogonal to rounding for any t. With a = s / t, b = d / t
   and h(M) = (M32 - M23, M13 - M31, M21 - M12),

     dY = [v]x Y,  v = a dw + (1 - a) <u, dw> u + b u x dw
     gw = a h + (1 - a) <u, h> u - b u x h,  h = h(G Y^T)
        h(G Y^T) = cos t h(G) - s (tr(G) u - G^T u) + d u x G u

   log |det| is 2 log |sin(t/2) / (t/2)|, with the gradient (cot(t/2) - 2/t) u at w; 0 for order 2.

   The logarithm of order 3 is 2 atan2(|v|, q) v / |v| of a quaternion (q, v) of Y, from the largest of
   its four numbers (Shepperd 1978), which is exact to rounding at every angle up to pi.

   x may be one triangle (PZ_BY_UPPER, PZ_BY_LOWER): `lower` tells which one is read, `up` and `down` are
   the weights with which a gradient goes into the two, 1/2 each for the whole matrix. */

#include "exponential.h"

// clang-format off

/* ---- order 2 ---- */

PZ_KERNEL(rotation2, 2, 0, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_INTEGER_ARG(0, lower);
  const real a = (real)(1 - 2 * lower) * x[4 * i + 1 + lower];
  const real c = pz_cos(a);
  const real s = pz_sin(a);
  y[4 * i] = c;
  y[4 * i + 1] = s;
  y[4 * i + 2] = -s;
  y[4 * i + 3] = c;
)

PZ_KERNEL(rotation2_adjoint, 3, 2, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, gx);
  PZ_REAL_ARG(0, up);
  PZ_REAL_ARG(1, down);
  PZ_INTEGER_ARG(0, lower);
  const real a = (real)(1 - 2 * lower) * x[4 * i + 1 + lower];
  const real ga = (g[4 * i + 1] - g[4 * i + 2]) * pz_cos(a) - (g[4 * i] + g[4 * i + 3]) * pz_sin(a);
  gx[4 * i] = (real)0;
  gx[4 * i + 1] = up * ga;
  gx[4 * i + 2] = -down * ga;
  gx[4 * i + 3] = (real)0;
)

PZ_KERNEL(rotation2_tangent, 3, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, dx);
  PZ_TENSOR_ARG(2, dy);
  const real da = dx[4 * i + 1];
  dy[4 * i] = da * y[4 * i + 2];
  dy[4 * i + 1] = da * y[4 * i + 3];
  dy[4 * i + 2] = -da * y[4 * i];
  dy[4 * i + 3] = -da * y[4 * i + 1];
)

PZ_KERNEL(rotation2_logarithm, 2, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, x);
  const real a = pz_atan2(y[4 * i + 1] - y[4 * i + 2], y[4 * i] + y[4 * i + 3]);
  x[4 * i] = (real)0;
  x[4 * i + 1] = a;
  x[4 * i + 2] = -a;
  x[4 * i + 3] = (real)0;
)

/* ---- order 3. `step` is 9: as a number, it would keep GCC from vectorising the loop over items ---- */

PZ_KERNEL(rotation3, 2, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, lower);
  const real sign = (real)(2 * lower - 1);
  const real w1 = sign * x[step * i + 5 + 2 * lower];
  const real w2 = -sign * x[step * i + 2 + 4 * lower];
  const real w3 = sign * x[step * i + 1 + 2 * lower];
  const real scale = pz_unit_scale(pz_max(pz_abs(w1), pz_max(pz_abs(w2), pz_abs(w3))));
  const real size = pz_sqrt(scale * w1 * (scale * w1) + scale * w2 * (scale * w2) + scale * w3 * (scale * w3));
  const real inverse = size == (real)0 ? (real)0 : 1 / size;
  const real u1 = scale * w1 * inverse;
  const real u2 = scale * w2 * inverse;
  const real u3 = scale * w3 * inverse;
  const real turn = size * ((real)0.5 / scale);
  const real sine = pz_sin(turn);
  const real s = 2 * sine * pz_cos(turn);
  const real d = 2 * sine * sine;
  y[step * i] = 1 - d + d * u1 * u1;
  y[step * i + 1] = d * u1 * u2 - s * u3;
  y[step * i + 2] = d * u1 * u3 + s * u2;
  y[step * i + 3] = d * u1 * u2 + s * u3;
  y[step * i + 4] = 1 - d + d * u2 * u2;
  y[step * i + 5] = d * u2 * u3 - s * u1;
  y[step * i + 6] = d * u1 * u3 - s * u2;
  y[step * i + 7] = d * u2 * u3 + s * u1;
  y[step * i + 8] = 1 - d + d * u3 * u3;
)

PZ_KERNEL(rotation3_adjoint, 3, 2, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, gx);
  PZ_REAL_ARG(0, up);
  PZ_REAL_ARG(1, down);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, lower);
  const real sign = (real)(2 * lower - 1);
  const real w1 = sign * x[step * i + 5 + 2 * lower];
  const real w2 = -sign * x[step * i + 2 + 4 * lower];
  const real w3 = sign * x[step * i + 1 + 2 * lower];
  const real scale = pz_unit_scale(pz_max(pz_abs(w1), pz_max(pz_abs(w2), pz_abs(w3))));
  const real size = pz_sqrt(scale * w1 * (scale * w1) + scale * w2 * (scale * w2) + scale * w3 * (scale * w3));
  const real inverse = size == (real)0 ? (real)0 : 1 / size;
  const real u1 = scale * w1 * inverse;
  const real u2 = scale * w2 * inverse;
  const real u3 = scale * w3 * inverse;
  const real t = size / scale;
  const real half_t = size * ((real)0.5 / scale);
  const real sine = pz_sin(half_t);
  const real s = 2 * sine * pz_cos(half_t);
  const real d = 2 * sine * sine;
  const real a = t < (real)1e-30 ? (real)1 : s / t;
  const real b = t < (real)1e-30 ? (real)0 : d / t;
  const real trace = g[step * i] + g[step * i + 4] + g[step * i + 8];
  const real p1 = g[step * i] * u1 + g[step * i + 1] * u2 + g[step * i + 2] * u3;
  const real p2 = g[step * i + 3] * u1 + g[step * i + 4] * u2 + g[step * i + 5] * u3;
  const real p3 = g[step * i + 6] * u1 + g[step * i + 7] * u2 + g[step * i + 8] * u3;
  const real q1 = g[step * i] * u1 + g[step * i + 3] * u2 + g[step * i + 6] * u3;
  const real q2 = g[step * i + 1] * u1 + g[step * i + 4] * u2 + g[step * i + 7] * u3;
  const real q3 = g[step * i + 2] * u1 + g[step * i + 5] * u2 + g[step * i + 8] * u3;
  const real h1 = (1 - d) * (g[step * i + 7] - g[step * i + 5]) - s * (trace * u1 - q1) + d * (u2 * p3 - u3 * p2);
  const real h2 = (1 - d) * (g[step * i + 2] - g[step * i + 6]) - s * (trace * u2 - q2) + d * (u3 * p1 - u1 * p3);
  const real h3 = (1 - d) * (g[step * i + 3] - g[step * i + 1]) - s * (trace * u3 - q3) + d * (u1 * p2 - u2 * p1);
  const real along = (1 - a) * (u1 * h1 + u2 * h2 + u3 * h3);
  const real gw1 = a * h1 + along * u1 - b * (u2 * h3 - u3 * h2);
  const real gw2 = a * h2 + along * u2 - b * (u3 * h1 - u1 * h3);
  const real gw3 = a * h3 + along * u3 - b * (u1 * h2 - u2 * h1);
  gx[step * i] = (real)0;
  gx[step * i + 1] = -up * gw3;
  gx[step * i + 2] = up * gw2;
  gx[step * i + 3] = down * gw3;
  gx[step * i + 4] = (real)0;
  gx[step * i + 5] = -up * gw1;
  gx[step * i + 6] = -down * gw2;
  gx[step * i + 7] = down * gw1;
  gx[step * i + 8] = (real)0;
)

PZ_KERNEL(rotation3_tangent, 4, 0, 2,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, dx);
  PZ_TENSOR_ARG(2, dy);
  PZ_TENSOR_ARG(3, x);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, lower);
  const real sign = (real)(2 * lower - 1);
  const real w1 = sign * x[step * i + 5 + 2 * lower];
  const real w2 = -sign * x[step * i + 2 + 4 * lower];
  const real w3 = sign * x[step * i + 1 + 2 * lower];
  const real scale = pz_unit_scale(pz_max(pz_abs(w1), pz_max(pz_abs(w2), pz_abs(w3))));
  const real size = pz_sqrt(scale * w1 * (scale * w1) + scale * w2 * (scale * w2) + scale * w3 * (scale * w3));
  const real inverse = size == (real)0 ? (real)0 : 1 / size;
  const real u1 = scale * w1 * inverse;
  const real u2 = scale * w2 * inverse;
  const real u3 = scale * w3 * inverse;
  const real t = size / scale;
  const real half_t = size * ((real)0.5 / scale);
  const real sine = pz_sin(half_t);
  const real a = t < (real)1e-30 ? (real)1 : 2 * sine * pz_cos(half_t) / t;
  const real b = t < (real)1e-30 ? (real)0 : 2 * sine * sine / t;
  const real dw1 = -dx[step * i + 5];
  const real dw2 = dx[step * i + 2];
  const real dw3 = -dx[step * i + 1];
  const real along = (1 - a) * (u1 * dw1 + u2 * dw2 + u3 * dw3);
  const real v1 = a * dw1 + along * u1 + b * (u2 * dw3 - u3 * dw2);
  const real v2 = a * dw2 + along * u2 + b * (u3 * dw1 - u1 * dw3);
  const real v3 = a * dw3 + along * u3 + b * (u1 * dw2 - u2 * dw1);
  for (int j = 0; j < 3; ++j) {
    dy[step * i + j] = v2 * y[step * i + 6 + j] - v3 * y[step * i + 3 + j];
    dy[step * i + 3 + j] = v3 * y[step * i + j] - v1 * y[step * i + 6 + j];
    dy[step * i + 6 + j] = v1 * y[step * i + 3 + j] - v2 * y[step * i + j];
  }
)

/* (q, v) four times the largest number of a unit quaternion times that quaternion, q >= 0. */
PZ_KERNEL(rotation3_logarithm, 2, 0, 1,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, x);
  PZ_INTEGER_ARG(0, step);
  const real r11 = y[step * i];
  const real r22 = y[step * i + 4];
  const real r33 = y[step * i + 8];
  const real trace = r11 + r22 + r33;
  real q = 1 + trace;
  real v1 = y[step * i + 7] - y[step * i + 5];
  real v2 = y[step * i + 2] - y[step * i + 6];
  real v3 = y[step * i + 3] - y[step * i + 1];
  const real s12 = y[step * i + 1] + y[step * i + 3];
  const real s13 = y[step * i + 2] + y[step * i + 6];
  const real s23 = y[step * i + 5] + y[step * i + 7];
  if (r11 > trace && r11 >= r22 && r11 >= r33) {
    q = v1;
    v1 = 1 + r11 - r22 - r33;
    v2 = s12;
    v3 = s13;
  } else if (r22 > trace && r22 >= r33) {
    q = v2;
    v1 = s12;
    v2 = 1 - r11 + r22 - r33;
    v3 = s23;
  } else if (r33 > trace) {
    q = v3;
    v1 = s13;
    v2 = s23;
    v3 = 1 - r11 - r22 + r33;
  }
  const real size = pz_sqrt(v1 * v1 + v2 * v2 + v3 * v3);
  const real factor = (q < (real)0 ? (real)-1 : (real)1) *
                      (size == (real)0 ? 2 / pz_abs(q) : 2 * pz_atan2(size, pz_abs(q)) / size);
  x[step * i] = (real)0;
  x[step * i + 1] = -factor * v3;
  x[step * i + 2] = factor * v2;
  x[step * i + 3] = factor * v3;
  x[step * i + 4] = (real)0;
  x[step * i + 5] = -factor * v1;
  x[step * i + 6] = -factor * v2;
  x[step * i + 7] = factor * v1;
  x[step * i + 8] = (real)0;
)

PZ_KERNEL(rotation3_density, 2, 0, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, out);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, lower);
  const real w1 = x[step * i + 5 + 2 * lower];
  const real w2 = x[step * i + 2 + 4 * lower];
  const real w3 = x[step * i + 1 + 2 * lower];
  const real scale = pz_unit_scale(pz_max(pz_abs(w1), pz_max(pz_abs(w2), pz_abs(w3))));
  const real size = pz_sqrt(scale * w1 * (scale * w1) + scale * w2 * (scale * w2) + scale * w3 * (scale * w3));
  const real turn = size * ((real)0.5 / scale);
  out[i] = turn == (real)0 ? (real)0 : 2 * pz_log(pz_abs(pz_sin(turn) / turn));
)

/* The series is used below 1/2, where the difference would cancel. */
PZ_KERNEL(rotation3_density_slope, 3, 2, 2,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, gx);
  PZ_REAL_ARG(0, up);
  PZ_REAL_ARG(1, down);
  PZ_INTEGER_ARG(0, step);
  PZ_INTEGER_ARG(1, lower);
  const real sign = (real)(2 * lower - 1);
  const real w1 = sign * x[step * i + 5 + 2 * lower];
  const real w2 = -sign * x[step * i + 2 + 4 * lower];
  const real w3 = sign * x[step * i + 1 + 2 * lower];
  const real scale = pz_unit_scale(pz_max(pz_abs(w1), pz_max(pz_abs(w2), pz_abs(w3))));
  const real size = pz_sqrt(scale * w1 * (scale * w1) + scale * w2 * (scale * w2) + scale * w3 * (scale * w3));
  const real t = size / scale;
  const real v = t * t;
  const real series =
      (real)1 +
      v * ((real)(1.0 / 60) +
           v * ((real)(1.0 / 2520) +
                v * ((real)(1.0 / 100800) +
                     v * ((real)(1.0 / 3991680) +
                          v * ((real)(691.0 / 108972864000) + v * (real)(1.0 / 6227020800))))));
  const real turn = (real)0.5 * t;
  const real slope = v < (real)0.25 ? -series / 6 : (pz_cos(turn) / pz_sin(turn) - 1 / turn) / t;
  const real f = g[i] * slope;
  gx[step * i] = (real)0;
  gx[step * i + 1] = -up * f * w3;
  gx[step * i + 2] = up * f * w2;
  gx[step * i + 3] = down * f * w3;
  gx[step * i + 4] = (real)0;
  gx[step * i + 5] = -up * f * w1;
  gx[step * i + 6] = -down * f * w2;
  gx[step * i + 7] = down * f * w1;
  gx[step * i + 8] = (real)0;
)

// clang-format on

bool
expm_is_closed(const uint32_t in, const int64_t n)
{
  return (in & ~(uint32_t)PZ_BY_TRIANGLE) == PZ_SKEW && (n == 2 || n == 3);
}

static int64_t
lower_of(const uint32_t in)
{
  return (in & PZ_BY_LOWER) != 0;
}

/* up, down */
static const double*
weights_of(const uint32_t in)
{
  static const double whole[] = {0.5, 0.5};
  static const double upper[] = {1.0, 0.0};
  static const double lower[] = {0.0, 1.0};
  return (in & PZ_BY_TRIANGLE) == 0 ? whole : lower_of(in) ? lower : upper;
}

/* Launches the kernel of the order of x. */
static pz_status
launch(pz_call* const c, const uint32_t in, const pz_kernel* const of_2,
       const pz_kernel* const of_3, const pz_tensor* const x, const pz_tensor* const* const tensors)
{
  return pz_rows(x) == 2
             ? pz_launch(c, of_2, pz_batch(x), tensors, weights_of(in), PZ_INTEGERS(lower_of(in)))
             : pz_launch(c, of_3, pz_batch(x), tensors, weights_of(in),
                         PZ_INTEGERS(9, lower_of(in)));
}

pz_status
expm_closed(pz_call* const c, const uint32_t in, const pz_tensor* const x, pz_tensor* const y)
{
  return launch(c, in, &rotation2, &rotation3, x, PZ_TENSORS(x, y));
}

pz_status
expm_closed_vjp(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                const pz_tensor* const gy, pz_tensor* const gx)
{
  return launch(c, in, &rotation2_adjoint, &rotation3_adjoint, x, PZ_TENSORS(x, gy, gx));
}

pz_status
expm_closed_tangent(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                    const pz_tensor* const y, const pz_tensor* const dx, pz_tensor* const dy)
{
  return launch(c, in, &rotation2_tangent, &rotation3_tangent, x, PZ_TENSORS(y, dx, dy, x));
}

pz_status
expm_closed_log(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  return launch(c, PZ_SKEW, &rotation2_logarithm, &rotation3_logarithm, y, PZ_TENSORS(y, x));
}

pz_status
expm_closed_log_abs_det(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                        pz_tensor* const out)
{
  return pz_rows(x) == 2 ? pz_fill(c, 0.0, out)
                         : launch(c, in, NULL, &rotation3_density, x, PZ_TENSORS(x, out));
}

pz_status
expm_closed_log_abs_det_vjp(pz_call* const c, const uint32_t in, const pz_tensor* const x,
                            const pz_tensor* const g_out, pz_tensor* const gx)
{
  return pz_rows(x) == 2
             ? pz_fill(c, 0.0, gx)
             : launch(c, in, NULL, &rotation3_density_slope, x, PZ_TENSORS(x, g_out, gx));
}
