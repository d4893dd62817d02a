/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Maps that declare folds of a triangle, and maps that take triangles. */

#include "maps.h"

uint32_t map_structure = PZ_SKEW;
uint32_t map_triangle = PZ_UPPER;
map_fold_mistake map_mistake;
double map_asymmetry;

static pz_status
half_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  if (map_mistake == MAP_FOLD_AND_BUFFER) {
    PZ_TRY(pz_declare_buffer(c, "own", given));
  }
  if (map_mistake == MAP_FOLD_OF_TWO) {
    PZ_TRY(pz_declare_original(c, NULL, given));
  }
  PZ_TRY(pz_declare_fold(c, (pz_triangle)map_triangle));
  return pz_declare_value(c, given, (pz_structure)map_structure);
}

static int
parity(void)
{
  return map_structure == PZ_SKEW ? -1 : 1;
}

static pz_status
half_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  map_note(c, "half forward");
  if (map_mistake == MAP_FOLD_IN_FORWARD) {
    return pz_declare_fold(c, PZ_UPPER);
  }
  return pz_fold(c, (pz_triangle)map_triangle, parity(), x, y);
}

static pz_status
half_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  map_note(c, "half vjp");
  return pz_fold_adjoint(c, (pz_triangle)map_triangle, parity(), gy, gx);
}

/* Says that it has two originals, and declares as many. */
static const pz_parametrization halves = {
    .size = sizeof(halves),
    .n_originals = 2,
    .id = "halves",
    .summary = "A fold of two matrices, which does not exist",
    .plan = half_plan,
    .forward = half_forward,
};

static const pz_parametrization half = {
    .size = sizeof(half),
    .id = "half",
    .summary = "Declares what it does",
    .plan = half_plan,
    .forward = half_forward,
    .vjp = half_vjp,
};

static pz_status
take_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_take_triangle(c));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
measure_asymmetry(pz_call* const c, const pz_tensor* const x)
{
  const pz_spec scalar = pz_spec_make(x->dtype, 0, NULL);
  pz_tensor sum;
  pz_tensor norm;
  PZ_TRY(pz_work_like(c, x, &sum));
  PZ_TRY(pz_work(c, &scalar, &norm));
  PZ_TRY(pz_symmetrize(c, 1.0, -parity(), x, &sum));
  PZ_TRY(pz_norm(c, PZ_NORM_MAX, PZ_OVER_BOTH, &sum, &norm));
  return pz_read(c, &norm, &map_asymmetry);
}

static pz_status
spin_init(pz_call* const c, const pz_tensor* const tensor)
{
  map_note(c, "spin init");
  return measure_asymmetry(c, tensor);
}

static pz_status
spin_update(pz_call* const c, const pz_tensor* const x)
{
  map_note(c, "spin update");
  return measure_asymmetry(c, x);
}

static pz_status
spin_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  map_note(c, "spin forward");
  return pz_shifted_inverse(c, c->in, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, x, y);
}

static pz_status
spin_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  map_note(c, "spin vjp");
  return pz_shifted_inverse_adjoint(c, c->in, &(pz_shift){-1.0, 2.0, 0.0, -1.0}, y, gy, gx);
}

static pz_status
spin_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  (void)y;
  map_note(c, "spin residual");
  *distance = 0.0;
  return PZ_OK;
}

static const pz_parametrization spin = {
    .size = sizeof(spin),
    .id = "spin",
    .summary = "Takes triangles",
    .plan = take_plan,
    .init = spin_init,
    .forward = spin_forward,
    .vjp = spin_vjp,
    .update = spin_update,
    .residual = spin_residual,
};

/* The fold of the other triangle, which takes a triangle too. */
static pz_triangle
other_triangle(void)
{
  return map_triangle == PZ_UPPER ? PZ_LOWER : PZ_UPPER;
}

static pz_status
both_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_fold(c, other_triangle()));
  PZ_TRY(pz_take_triangle(c));
  return pz_declare_value(c, given, (pz_structure)map_structure);
}

static pz_status
both_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor whole = *x;
  if ((c->in & PZ_BY_TRIANGLE) != 0) {
    PZ_TRY(pz_work_like(c, x, &whole));
    PZ_TRY(pz_fold(c, (pz_triangle)map_triangle, parity(), x, &whole));
  }
  return pz_fold(c, other_triangle(), parity(), &whole, y);
}

static pz_status
both_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
         const pz_tensor* const gy, pz_tensor* const gx)
{
  pz_tensor whole;
  (void)x;
  (void)y;
  if ((c->in & PZ_BY_TRIANGLE) == 0) {
    return pz_fold_adjoint(c, other_triangle(), parity(), gy, gx);
  }
  PZ_TRY(pz_work_like(c, gx, &whole));
  PZ_TRY(pz_fold_adjoint(c, other_triangle(), parity(), gy, &whole));
  return pz_fold_adjoint(c, (pz_triangle)map_triangle, parity(), &whole, gx);
}

static const pz_parametrization both = {
    .size = sizeof(both),
    .id = "both",
    .summary = "Declares a fold, and takes triangles",
    .plan = both_plan,
    .forward = both_forward,
    .vjp = both_vjp,
};

static int
sign_of(const pz_call* const c)
{
  return (c->in & ~(uint32_t)PZ_BY_TRIANGLE) == PZ_SKEW ? -1 : 1;
}

static pz_triangle
triangle_of(const pz_call* const c)
{
  return (c->in & PZ_BY_UPPER) != 0 ? PZ_UPPER : PZ_LOWER;
}

static pz_status
taken_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return (c->in & PZ_BY_TRIANGLE) != 0 ? pz_fold(c, triangle_of(c), sign_of(c), x, y)
                                       : pz_copy(c, x, y);
}

static pz_status
taken_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
          const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return (c->in & PZ_BY_TRIANGLE) != 0 ? pz_fold_adjoint(c, triangle_of(c), sign_of(c), gy, gx)
                                       : pz_copy(c, gy, gx);
}

static const pz_parametrization taken = {
    .size = sizeof(taken),
    .id = "taken",
    .summary = "Takes triangles, and gives the whole",
    .plan = take_plan,
    .forward = taken_forward,
    .vjp = taken_vjp,
};

PZ_PLUGIN(triangle_maps, "1.0.0", PZ_PARAMETRIZATION(&half), PZ_PARAMETRIZATION(&halves),
          PZ_PARAMETRIZATION(&spin), PZ_PARAMETRIZATION(&both), PZ_PARAMETRIZATION(&taken));
