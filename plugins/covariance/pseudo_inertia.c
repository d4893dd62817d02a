/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inertial parameters of a rigid body, from x = (alpha, d1, d2, d3, s12, s23, s13, t1, t2, t3) (Rucker and
   Wensing 2022): the pseudo-inertia J = U U^T = [Sigma h; h^T m],

     U = e^alpha [e^d1 s12 s13 t1; 0 e^d2 s23 t2; 0 0 e^d3 t3; 0 0 0 1]

   has mass m = e^(2 alpha), first moments h and second moments Sigma, and is positive definite: the inertia
   tr(Sigma) I - Sigma is that of a body. For the gradient G at J,

     gU = (G + G^T) U,  galpha = <gU, U>,  gd_i = gU_ii U_ii,  gs and gt = e^alpha gU_ij
     dJ = dU U^T + U dU^T,  dU = dalpha U + ...

   In the upper triangle of J, log |det| = 4 log 2 + 20 alpha + 2 d1 + 3 d2 + 4 d3. Right inverse: the factor of
   the matrix whose rows and columns are in reversed order. */

#include "fixed_order.h"
#include "matrices.h"

#include <math.h>

static const matrices definite = {"a symmetric matrix", true, true, false};

// clang-format off

/* An item is a matrix. */
PZ_KERNEL(pseudo_inertia_factor, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, u);
  const real e = pz_exp(x[10 * i]);
  u[16 * i] = e * pz_exp(x[10 * i + 1]);
  u[16 * i + 1] = e * x[10 * i + 4];
  u[16 * i + 2] = e * x[10 * i + 6];
  u[16 * i + 3] = e * x[10 * i + 7];
  u[16 * i + 4] = (real)0;
  u[16 * i + 5] = e * pz_exp(x[10 * i + 2]);
  u[16 * i + 6] = e * x[10 * i + 5];
  u[16 * i + 7] = e * x[10 * i + 8];
  u[16 * i + 8] = (real)0;
  u[16 * i + 9] = (real)0;
  u[16 * i + 10] = e * pz_exp(x[10 * i + 3]);
  u[16 * i + 11] = e * x[10 * i + 9];
  u[16 * i + 12] = (real)0;
  u[16 * i + 13] = (real)0;
  u[16 * i + 14] = (real)0;
  u[16 * i + 15] = e;
)

PZ_KERNEL(pseudo_inertia_adjoint, 3, 0, 0,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, gu);
  PZ_TENSOR_ARG(2, gx);
  const real e = u[16 * i + 15];
  real alpha = (real)0;
  for (int r = 0; r < 4; ++r) {
    for (int s = r; s < 4; ++s) {
      alpha += gu[16 * i + 4 * r + s] * u[16 * i + 4 * r + s];
    }
  }
  gx[10 * i] = alpha;
  gx[10 * i + 1] = gu[16 * i] * u[16 * i];
  gx[10 * i + 2] = gu[16 * i + 5] * u[16 * i + 5];
  gx[10 * i + 3] = gu[16 * i + 10] * u[16 * i + 10];
  gx[10 * i + 4] = e * gu[16 * i + 1];
  gx[10 * i + 5] = e * gu[16 * i + 6];
  gx[10 * i + 6] = e * gu[16 * i + 2];
  gx[10 * i + 7] = e * gu[16 * i + 3];
  gx[10 * i + 8] = e * gu[16 * i + 7];
  gx[10 * i + 9] = e * gu[16 * i + 11];
)

PZ_KERNEL(pseudo_inertia_tangent, 3, 0, 0,
  PZ_TENSOR_ARG(0, u);
  PZ_TENSOR_ARG(1, dx);
  PZ_TENSOR_ARG(2, du);
  const real e = u[16 * i + 15];
  for (int k = 0; k < 16; ++k) {
    du[16 * i + k] = dx[10 * i] * u[16 * i + k];
  }
  du[16 * i] += dx[10 * i + 1] * u[16 * i];
  du[16 * i + 5] += dx[10 * i + 2] * u[16 * i + 5];
  du[16 * i + 10] += dx[10 * i + 3] * u[16 * i + 10];
  du[16 * i + 1] += e * dx[10 * i + 4];
  du[16 * i + 6] += e * dx[10 * i + 5];
  du[16 * i + 2] += e * dx[10 * i + 6];
  du[16 * i + 3] += e * dx[10 * i + 7];
  du[16 * i + 7] += e * dx[10 * i + 8];
  du[16 * i + 11] += e * dx[10 * i + 9];
)

/* An item is an entry. */
PZ_KERNEL(pseudo_inertia_reverse, 2, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, z);
  z[i] = y[i / 16 * 16 + 15 - i % 16];
)

/* l is the lower factor of reversed matrices: entry k of U is number 15 - k of it. */
PZ_KERNEL(pseudo_inertia_inverse, 2, 0, 0,
  PZ_TENSOR_ARG(0, l);
  PZ_TENSOR_ARG(1, x);
  const real e = l[16 * i];
  x[10 * i] = pz_log(e);
  x[10 * i + 1] = pz_log(l[16 * i + 15] / e);
  x[10 * i + 2] = pz_log(l[16 * i + 10] / e);
  x[10 * i + 3] = pz_log(l[16 * i + 5] / e);
  x[10 * i + 4] = l[16 * i + 14] / e;
  x[10 * i + 5] = l[16 * i + 9] / e;
  x[10 * i + 6] = l[16 * i + 13] / e;
  x[10 * i + 7] = l[16 * i + 12] / e;
  x[10 * i + 8] = l[16 * i + 8] / e;
  x[10 * i + 9] = l[16 * i + 4] / e;
)

PZ_KERNEL(pseudo_inertia_density, 2, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, out);
  PZ_REAL_ARG(0, shift);
  out[i] = shift + 20 * x[10 * i] + 2 * x[10 * i + 1] + 3 * x[10 * i + 2] + 4 * x[10 * i + 3];
)

PZ_KERNEL(pseudo_inertia_density_slope, 2, 0, 0,
  PZ_TENSOR_ARG(0, g);
  PZ_TENSOR_ARG(1, gx);
  for (int k = 0; k < 10; ++k) {
    gx[10 * i + k] = k > 3 ? (real)0 : k == 0 ? 20 * g[i] : (real)(k + 1) * g[i];
  }
)

// clang-format on

static pz_status
plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_density(c, 2, PZ_ALL_ENTRIES, PZ_UPPER_TRIANGLE));
  return fixed_order_plan(c, given, 4, 10, PZ_SPD);
}

static pz_status
launch(pz_call* const c, const pz_kernel* const kernel, const pz_tensor* const like,
       const pz_tensor* const* const tensors)
{
  return pz_launch(c, kernel, pz_batch(like), tensors, NULL, NULL);
}

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor u;
  PZ_TRY(pz_save_like(c, y, &u));
  PZ_TRY(launch(c, &pseudo_inertia_factor, y, PZ_TENSORS(x, &u)));
  return pz_syrk(c, PZ_N, 1.0, &u, 0.0, y);
}

static pz_status
vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const g,
    pz_tensor* const gx)
{
  pz_tensor u;
  pz_tensor gu;
  (void)x;
  (void)y;
  PZ_TRY(pz_saved(c, 0, &u));
  PZ_TRY(matrices_square_vjp(c, PZ_UPPER, &u, g, &gu));
  return launch(c, &pseudo_inertia_adjoint, g, PZ_TENSORS(&u, &gu, gx));
}

static pz_status
jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y, const pz_tensor* const dx,
    pz_tensor* const dy)
{
  pz_tensor u;
  pz_tensor du;
  (void)x;
  (void)y;
  PZ_TRY(pz_saved(c, 0, &u));
  PZ_TRY(pz_work_like(c, dy, &du));
  PZ_TRY(launch(c, &pseudo_inertia_tangent, dy, PZ_TENSORS(&u, dx, &du)));
  return matrices_square_jvp(c, PZ_UPPER, &u, &du, dy);
}

static pz_status
right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  pz_tensor z;
  pz_tensor l;
  PZ_TRY(pz_work_like(c, y, &z));
  PZ_TRY(pz_work_like(c, y, &l));
  PZ_TRY(pz_launch(c, &pseudo_inertia_reverse, pz_count(y), PZ_TENSORS(y, &z), NULL, NULL));
  PZ_TRY(matrices_inverse(c, &definite, &z, &l));
  return launch(c, &pseudo_inertia_inverse, y, PZ_TENSORS(&l, x));
}

static pz_status
residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  return matrices_residual(c, &definite, y, distance);
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  return pz_launch(c, &pseudo_inertia_density, pz_batch(y), PZ_TENSORS(x, out),
                   PZ_REALS(4.0 * log(2.0)), NULL);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  return launch(c, &pseudo_inertia_density_slope, y, PZ_TENSORS(g_out, gx));
}

const pz_parametrization matrices_pseudo_inertia = {
    .size = sizeof(matrices_pseudo_inertia),
    .id = "pseudo_inertia",
    .summary = "Inertial parameters of a rigid body that are physically consistent",
    .tags = "matrix covariance robotics",
    .formula =
        "J = U U^T = [Sigma h; h^T m], U = e^alpha [e^d1 s12 s13 t1; 0 e^d2 s23 t2; 0 0 e^d3 t3; "
        "0 0 0 1], of x = (alpha, d1, d2, d3, s12, s23, s13, t1, t2, t3)\n"
        "domain: any 10 numbers for each body; exponentials overflow above 709 (float32: 88), and "
        "J "
        "above half of that\n"
        "right inverse: the factor U; where a registered matrix has none, eigenvalues below "
        "sqrt(eps) times the largest become that\n"
        "log |det|: 4 log 2 + 20 alpha + 2 d1 + 3 d2 + 4 d3, in upper triangles\n"
        "cost: four exponentials and a product of order 4 for each body",
    .plan = plan,
    .forward = forward,
    .right_inverse = right_inverse,
    .vjp = vjp,
    .residual = residual,
    .log_abs_det = log_abs_det,
    .log_abs_det_vjp = log_abs_det_vjp,
    .jvp = jvp,
};
