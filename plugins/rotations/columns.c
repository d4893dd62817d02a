/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rotations from two columns a1, a2 (Zhou et al. 2019): b1 = a1 / |a1|, b2 = v / |v| with
   v = a2 - <b1, a2> b1, and b3 = b1 x b2. v is made orthogonal once more, against rounding.

     g1 += b2 x g3,  g2 += g3 x b1,  gv = (g2 - <g2, b2> b2) / |v|,  ga2 = gv - <gv, b1> b1
     g1 -= <b1, a2> gv + <gv, b1> a2,  ga1 = (g1 - <g1, b1> b1) / |a1|

   a1 = 0 gives b1 = e_1 and ga1 = 0. Where v is rounding (at most 4 eps |a2|), b2 comes from the unit
   vector that is least along b1, and gv is 0. */

#include "turns.h"

// clang-format off

/* sizes <- 1 / |a1|, 1 / |v|, <b1, a2>, where an inverse is 0 if its derivative is. */
PZ_KERNEL(columns_frame, 3, 1, 3,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, r);
  PZ_TENSOR_ARG(2, sizes);
  PZ_REAL_ARG(0, least);
  PZ_INTEGER_ARG(0, six);
  PZ_INTEGER_ARG(1, nine);
  PZ_INTEGER_ARG(2, three);
  const real x1 = x[six * i];
  const real x2 = x[six * i + 1];
  const real x3 = x[six * i + 2];
  const real x4 = x[six * i + 3];
  const real x5 = x[six * i + 4];
  const real x6 = x[six * i + 5];
  const real s1 = pz_unit_scale(pz_max(pz_abs(x1), pz_max(pz_abs(x2), pz_abs(x3))));
  const real s2 = pz_unit_scale(pz_max(pz_abs(x4), pz_max(pz_abs(x5), pz_abs(x6))));
  const real size = pz_sqrt(s1 * x1 * (s1 * x1) + s1 * x2 * (s1 * x2) + s1 * x3 * (s1 * x3));
  const real inverse = 1 / (size == (real)0 ? (real)1 : size);
  const real b1 = s1 * x1 * inverse + (size == (real)0 ? (real)1 : (real)0);
  const real b2 = s1 * x2 * inverse;
  const real b3 = s1 * x3 * inverse;
  const real first = b1 * (s2 * x4) + b2 * (s2 * x5) + b3 * (s2 * x6);
  const real u1 = s2 * x4 - first * b1;
  const real u2 = s2 * x5 - first * b2;
  const real u3 = s2 * x6 - first * b3;
  const int low = u1 * u1 + u2 * u2 + u3 * u3 <= least;
  const real m1 = pz_abs(b1);
  const real m2 = pz_abs(b2);
  const real m3 = pz_abs(b3);
  const real e1 = m1 <= m2 && m1 <= m3 ? (real)1 : (real)0;
  const real e2 = e1 == (real)0 && m2 <= m3 ? (real)1 : (real)0;
  const real t1 = low ? e1 : u1;
  const real t2 = low ? e2 : u2;
  const real t3 = low ? 1 - e1 - e2 : u3;
  const real again = b1 * t1 + b2 * t2 + b3 * t3;
  const real v1 = t1 - again * b1;
  const real v2 = t2 - again * b2;
  const real v3 = t3 - again * b3;
  const real part = 1 / pz_sqrt(v1 * v1 + v2 * v2 + v3 * v3);
  const real c1 = part * v1;
  const real c2 = part * v2;
  const real c3 = part * v3;
  r[nine * i] = b1;
  r[nine * i + 1] = c1;
  r[nine * i + 2] = b2 * c3 - b3 * c2;
  r[nine * i + 3] = b2;
  r[nine * i + 4] = c2;
  r[nine * i + 5] = b3 * c1 - b1 * c3;
  r[nine * i + 6] = b3;
  r[nine * i + 7] = c3;
  r[nine * i + 8] = b1 * c2 - b2 * c1;
  sizes[three * i] = size == (real)0 ? (real)0 : s1 * inverse;
  sizes[three * i + 1] = low ? (real)0 : s2 * part;
  sizes[three * i + 2] = (first + (low ? (real)0 : again)) / s2;
)

PZ_KERNEL(columns_adjoint, 5, 0, 3,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, r);
  PZ_TENSOR_ARG(2, sizes);
  PZ_TENSOR_ARG(3, g);
  PZ_TENSOR_ARG(4, gx);
  PZ_INTEGER_ARG(0, six);
  PZ_INTEGER_ARG(1, nine);
  PZ_INTEGER_ARG(2, three);
  const real b1 = r[nine * i];
  const real b2 = r[nine * i + 3];
  const real b3 = r[nine * i + 6];
  const real c1 = r[nine * i + 1];
  const real c2 = r[nine * i + 4];
  const real c3 = r[nine * i + 7];
  const real outer = sizes[three * i];
  const real inner = sizes[three * i + 1];
  const real share = sizes[three * i + 2];
  const real h1 = g[nine * i + 2];
  const real h2 = g[nine * i + 5];
  const real h3 = g[nine * i + 8];
  const real p1 = g[nine * i + 1] + h2 * b3 - h3 * b2;
  const real p2 = g[nine * i + 4] + h3 * b1 - h1 * b3;
  const real p3 = g[nine * i + 7] + h1 * b2 - h2 * b1;
  const real beside = p1 * c1 + p2 * c2 + p3 * c3;
  const real v1 = inner * (p1 - beside * c1);
  const real v2 = inner * (p2 - beside * c2);
  const real v3 = inner * (p3 - beside * c3);
  const real along = v1 * b1 + v2 * b2 + v3 * b3;
  const real q1 = g[nine * i] + c2 * h3 - c3 * h2 - share * v1 - along * x[six * i + 3];
  const real q2 = g[nine * i + 3] + c3 * h1 - c1 * h3 - share * v2 - along * x[six * i + 4];
  const real q3 = g[nine * i + 6] + c1 * h2 - c2 * h1 - share * v3 - along * x[six * i + 5];
  const real radial = q1 * b1 + q2 * b2 + q3 * b3;
  gx[six * i] = outer * (q1 - radial * b1);
  gx[six * i + 1] = outer * (q2 - radial * b2);
  gx[six * i + 2] = outer * (q3 - radial * b3);
  gx[six * i + 3] = v1 - along * b1;
  gx[six * i + 4] = v2 - along * b2;
  gx[six * i + 5] = v3 - along * b3;
)

PZ_KERNEL(columns_tangent, 5, 0, 3,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, r);
  PZ_TENSOR_ARG(2, sizes);
  PZ_TENSOR_ARG(3, dx);
  PZ_TENSOR_ARG(4, dr);
  PZ_INTEGER_ARG(0, six);
  PZ_INTEGER_ARG(1, nine);
  PZ_INTEGER_ARG(2, three);
  const real b1 = r[nine * i];
  const real b2 = r[nine * i + 3];
  const real b3 = r[nine * i + 6];
  const real c1 = r[nine * i + 1];
  const real c2 = r[nine * i + 4];
  const real c3 = r[nine * i + 7];
  const real outer = sizes[three * i];
  const real inner = sizes[three * i + 1];
  const real share = sizes[three * i + 2];
  const real radial = b1 * dx[six * i] + b2 * dx[six * i + 1] + b3 * dx[six * i + 2];
  const real d1 = outer * (dx[six * i] - radial * b1);
  const real d2 = outer * (dx[six * i + 1] - radial * b2);
  const real d3 = outer * (dx[six * i + 2] - radial * b3);
  const real turned = d1 * x[six * i + 3] + d2 * x[six * i + 4] + d3 * x[six * i + 5] + b1 * dx[six * i + 3] +
                      b2 * dx[six * i + 4] + b3 * dx[six * i + 5];
  const real v1 = dx[six * i + 3] - turned * b1 - share * d1;
  const real v2 = dx[six * i + 4] - turned * b2 - share * d2;
  const real v3 = dx[six * i + 5] - turned * b3 - share * d3;
  const real beside = c1 * v1 + c2 * v2 + c3 * v3;
  const real f1 = inner * (v1 - beside * c1);
  const real f2 = inner * (v2 - beside * c2);
  const real f3 = inner * (v3 - beside * c3);
  dr[nine * i] = d1;
  dr[nine * i + 1] = f1;
  dr[nine * i + 2] = d2 * c3 - d3 * c2 + b2 * f3 - b3 * f2;
  dr[nine * i + 3] = d2;
  dr[nine * i + 4] = f2;
  dr[nine * i + 5] = d3 * c1 - d1 * c3 + b3 * f1 - b1 * f3;
  dr[nine * i + 6] = d3;
  dr[nine * i + 7] = f3;
  dr[nine * i + 8] = d1 * c2 - d2 * c1 + b1 * f2 - b2 * f1;
)

// clang-format on

pz_status
columns_value(pz_call* const c, const pz_tensor* const x, pz_tensor* const sizes,
              pz_tensor* const r)
{
  const double rounding = 4.0 * pz_dtype_epsilon(r->dtype);
  return pz_launch(c, &columns_frame, pz_batch(r), PZ_TENSORS(x, r, sizes),
                   PZ_REALS(rounding * rounding), PZ_INTEGERS(6, 9, 3));
}

pz_status
columns_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const sizes,
            const pz_tensor* const r, const pz_tensor* const g, pz_tensor* const gx)
{
  return pz_launch(c, &columns_adjoint, pz_batch(r), PZ_TENSORS(x, r, sizes, g, gx), NULL,
                   PZ_INTEGERS(6, 9, 3));
}

pz_status
columns_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const sizes,
            const pz_tensor* const r, const pz_tensor* const dx, pz_tensor* const dr)
{
  return pz_launch(c, &columns_tangent, pz_batch(r), PZ_TENSORS(x, r, sizes, dx, dr), NULL,
                   PZ_INTEGERS(6, 9, 3));
}
