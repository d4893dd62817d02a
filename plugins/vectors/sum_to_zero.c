/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Vectors of K entries with sum 0, and m x n matrices whose rows and columns have sum 0, from one entry
   less along each dimension. With Helmert matrices V, W (vectors.h), whose columns are orthonormal,

     y = V x           gx = V^T g           dy = V dx
     Y = V X W^T       gX = V^T G W         dY = V dX W^T

   An isometry: normal x give normal y, centred, and log |det| is 0 in orthonormal coordinates of the
   set. Right inverse: the adjoint, which centres a value outside the set. */

#include "vectors.h"

enum { DIMS }; /* options */

// clang-format off

PZ_ROW_KERNEL(sum_to_zero_measure, 1, 2, 2, 0,
  PZ_ROW_IN(0, y);
  PZ_REAL_ARG(0, tol);
  PZ_REAL_ARG(1, size); /* of the whole value */
  PZ_ROW_SUM(total, j, n, y[j][r]);
  PZ_VALUE_OUT(0, pz_abs(total[r]));
  PZ_VALUE_OUT(1, total[r] - total[r] == (real)0 && pz_abs(total[r]) <= tol * size ? 0 : 2);
)

// clang-format on

static const vectors_set zero_sum = {&sum_to_zero_measure, "entries with sum 0", ""};

static int32_t
dims_of(const pz_call* const c)
{
  return (int32_t)c->options[DIMS].as.integer;
}

static pz_status
sum_to_zero_plan(pz_call* const c, const pz_spec* const given)
{
  pz_spec original = *given;
  pz_spec value = *given;
  bool last = false;
  for (int32_t dim = -1; dim >= -dims_of(c); --dim) {
    PZ_TRY(vectors_expect(c, given, dim, &last));
    PZ_TRY(vectors_extend(c, dim, 1, 1, &original, &value));
  }
  PZ_TRY(pz_declare_density(c, (uint32_t)dims_of(c), PZ_ALL_ENTRIES, PZ_OWN_COORDINATES));
  PZ_TRY(pz_declare_original(c, NULL, &original));
  return pz_declare_value(c, &value, PZ_GENERAL);
}

typedef pz_status (*product)(pz_call* c, int32_t dim, const pz_tensor* constants,
                             const pz_tensor* x, pz_tensor* y);

static pz_status
multiply_along(pz_call* const c, const product times, const int32_t dim,
               const pz_tensor* const value, const pz_tensor* const x, pz_tensor* const y)
{
  pz_tensor constants[2];
  PZ_TRY(vectors_constants(c, c->host->work, vectors_helmert, value, dim,
                           vectors_extent(value, dim) - 1, constants));
  return times(c, dim, constants, x, y);
}

/* With the matrix of the last dimension, then with that of the one before it. */
static pz_status
multiply(pz_call* const c, const product times, const pz_tensor* const value,
         const pz_tensor* const x, pz_tensor* const y)
{
  pz_spec spec = pz_spec_of(x);
  pz_tensor part;
  if (dims_of(c) == 1) {
    return multiply_along(c, times, -1, value, x, y);
  }
  spec.shape[x->ndim - 1] = y->shape[y->ndim - 1];
  PZ_TRY(pz_work(c, &spec, &part));
  PZ_TRY(multiply_along(c, times, -1, value, x, &part));
  return multiply_along(c, times, -2, value, &part, y);
}

static pz_status
sum_to_zero_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return multiply(c, vectors_helmert_value, y, x, y);
}

static pz_status
sum_to_zero_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g, pz_tensor* const gx)
{
  (void)x;
  return multiply(c, vectors_helmert_adjoint, y, g, gx);
}

static pz_status
sum_to_zero_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)x;
  return multiply(c, vectors_helmert_value, y, dx, dy);
}

static pz_status
sum_to_zero_right_inverse(pz_call* const c, const pz_tensor* const y, pz_tensor* const x)
{
  double size = 0.0;
  if (c->intent == PZ_ASSIGN) {
    PZ_TRY(pz_largest(c, y, &size));
  }
  for (int32_t dim = -1; c->intent == PZ_ASSIGN && dim >= -dims_of(c); --dim) {
    PZ_TRY(vectors_check(c, &zero_sum, dim, size, y));
  }
  return multiply(c, vectors_helmert_adjoint, y, y, x);
}

static pz_status
sum_to_zero_residual(pz_call* const c, const pz_tensor* const y, double* const distance)
{
  double other = 0.0;
  PZ_TRY(vectors_distance(c, &zero_sum, -1, 0.0, y, distance));
  if (dims_of(c) == 2) {
    PZ_TRY(vectors_distance(c, &zero_sum, -2, 0.0, y, &other));
  }
  *distance = other > *distance || other != other ? other : *distance;
  return PZ_OK;
}

static const pz_option sum_to_zero_options[] = {
    [DIMS] = PZ_OPTION_INTEGER("dims", 1, 1, 2, "1: vectors; 2: matrices, rows and columns"),
};

const pz_parametrization vectors_sum_to_zero = {
    .size = sizeof(vectors_sum_to_zero),
    .option_size = sizeof(pz_option),
    .id = "sum_to_zero",
    .summary = "Vectors with sum 0, or matrices whose rows and columns have sum 0",
    .tags = "statistics vector sum",
    .formula = "y = V x, or V X W^T; the columns of V and W are orthonormal and orthogonal to ones "
               "(Helmert)\n"
               "domain: x of one entry less than the value along the last dims dimensions\n"
               "right inverse: V^T y, or V^T Y W, which centres registered values\n"
               "log |det|: 0, in orthonormal coordinates of the set\n"
               "sample: independent normal entries, centred\n"
               "cost: O(entries), one pass over memory for each of dims",
    PZ_OPTIONS(sum_to_zero_options),
    .plan = sum_to_zero_plan,
    .forward = sum_to_zero_forward,
    .right_inverse = sum_to_zero_right_inverse,
    .vjp = sum_to_zero_vjp,
    .residual = sum_to_zero_residual,
    .log_abs_det = pz_zero_log_abs_det,
    .log_abs_det_vjp = pz_zero_log_abs_det_vjp,
    .jvp = sum_to_zero_jvp,
};
