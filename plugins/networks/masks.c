/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "networks.h"

#include "mask.h"

#include <math.h>

enum { MASK }; /* buffer */

static bool
is_straight(const pz_call* const c)
{
  return c->options[MASKS_STRAIGHT].as.integer != 0;
}

pz_status
masks_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_buffer(c, "mask", given));
  return pz_declare_value(c, given, PZ_GENERAL);
}

pz_status
masks_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_hadamard(c, 1.0, &c->buffer[MASK], x, 0.0, y);
}

pz_status
masks_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
          const pz_tensor* const g, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return is_straight(c) ? pz_copy(c, g, gx) : masks_forward(c, g, gx);
}

pz_status
masks_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
          const pz_tensor* const dx, pz_tensor* const dy)
{
  return masks_vjp(c, x, y, dx, dy);
}

/* 100 n eps of the largest entry of y, n the last extent; 0 where that is not finite. */
static pz_status
tolerance_of(pz_call* const c, const pz_tensor* const y, double* const out)
{
  const double n = y->ndim > 0 ? (double)y->shape[y->ndim - 1] : 1.0;
  double size = 0.0;
  PZ_TRY(pz_largest(c, y, &size));
  *out = isfinite(size) ? 100.0 * n * pz_dtype_epsilon(y->dtype) * size : 0.0;
  return PZ_OK;
}

pz_status
masks_right_inverse(pz_call* const c, const masks_rule at_registration,
                    const masks_rule at_assignment, const pz_tensor* const y, pz_tensor* const x)
{
  double most = 0.0;
  double count = 0.0;
  double allowed = 0.0;
  if (c->intent == PZ_REGISTER) {
    PZ_TRY(at_registration(c, y, &c->new_buffer[MASK]));
  } else if (c->intent == PZ_ASSIGN) {
    PZ_TRY(at_assignment(c, y, &c->new_buffer[MASK]));
    PZ_TRY(mask_off(c, &c->new_buffer[MASK], y, &most, &count));
    PZ_TRY(tolerance_of(c, y, &allowed));
  }
  return most <= allowed
             ? pz_copy(c, y, x)
             : pz_fail(c, PZ_OUTSIDE,
                       "found %.0f entr%s off the mask that %s not 0, the largest %.3g, expected "
                       "at most %.3g",
                       count, count > 1.0 ? "ies" : "y", count > 1.0 ? "are" : "is", most, allowed);
}

pz_status
masks_residual(pz_call* const c, const masks_rule rule, const pz_tensor* const y,
               double* const distance)
{
  double count = 0.0;
  pz_tensor mask;
  PZ_TRY(pz_work_like(c, y, &mask));
  PZ_TRY(rule(c, y, &mask));
  return mask_off(c, &mask, y, distance, &count);
}

pz_status
masks_update(pz_call* const c, const masks_rule rule, const pz_tensor* const x)
{
  return is_straight(c) ? rule(c, x, &c->new_buffer[MASK]) : PZ_OK;
}
