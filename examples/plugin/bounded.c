/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* bounded: entries in (-1, 1), Y = tanh(X) for each entry of a tensor of any shape.

   The right inverse X = atanh(Y) = (log(1 + Y) - log(1 - Y))/2 exists if and only if every
   |Y| < 1. The adjoint gX = gY (1 - Y^2) needs only the value. */

#include <parametrize/plugin.h>

/* clang-format off */
PZ_KERNEL(bounded_tanh, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = pz_tanh(x[i]);
)

PZ_KERNEL(bounded_atanh, 2, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, x);
  x[i] = (pz_log1p(y[i]) - pz_log1p(-y[i])) / 2;
)

PZ_KERNEL(bounded_adjoint, 3, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, gy);
  PZ_TENSOR_ARG(2, gx);
  gx[i] = gy[i] * (1 - y[i]) * (1 + y[i]);
)
/* clang-format on */

static pz_status
bounded_forward(pz_call* c, const pz_tensor* x, pz_tensor* y)
{
  const pz_tensor* const tensors[] = {x, y};
  return pz_launch(c, &bounded_tanh, pz_count(y), tensors, NULL, NULL);
}

static pz_status
bounded_right_inverse(pz_call* c, const pz_tensor* y, pz_tensor* x)
{
  const pz_tensor* const tensors[] = {y, x};
  double size = 0.0;
  PZ_TRY(pz_largest(c, y, &size));
  if (!(size < 1.0) && c->intent == PZ_REGISTER) {
    return pz_copy(c, y, x); /* any tensor will do: it is squashed from now on */
  }
  if (!(size < 1.0)) {
    return pz_fail(c, PZ_OUTSIDE, "found an entry of magnitude %g, expected less than 1", size);
  }
  return pz_launch(c, &bounded_atanh, pz_count(y), tensors, NULL, NULL);
}

static pz_status
bounded_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* gy, pz_tensor* gx)
{
  const pz_tensor* const tensors[] = {y, gy, gx};
  (void)x;
  return pz_launch(c, &bounded_adjoint, pz_count(y), tensors, NULL, NULL);
}

static pz_status
bounded_residual(pz_call* c, const pz_tensor* y, double* distance)
{
  PZ_TRY(pz_largest(c, y, distance));
  *distance = *distance > 1.0 ? *distance - 1.0 : 0.0;
  return PZ_OK;
}

static const pz_parametrization bounded_map = {
    .size = sizeof(bounded_map),
    .id = "bounded",
    .summary = "Entries in (-1, 1), Y = tanh(X)",
    .forward = bounded_forward,
    .right_inverse = bounded_right_inverse,
    .vjp = bounded_vjp,
    .residual = bounded_residual,
    .jvp = bounded_vjp, /* the Jacobian is symmetric */
};

PZ_PLUGIN(bounded, "1.0.0", PZ_PARAMETRIZATION(&bounded_map));
