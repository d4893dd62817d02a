/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The mathematics of portable kernels on the device against the C of kernel_math.h, entry by entry.
   OpenCL allows a function up to 16 ulp, and those of two steps up to twice that. */

#include "pair.h"

#include <math.h>

// clang-format off
PZ_KERNEL(mathematics, 3, 0, 1,
  PZ_TENSOR_ARG(0, a);
  PZ_TENSOR_ARG(1, b);
  PZ_TENSOR_ARG(2, y);
  PZ_INTEGER_ARG(0, which);
  const real x = a[i];
  const real z = b[i];
  real v = 0;
  if (which == 0) { v = pz_exp(x); }
  if (which == 1) { v = pz_expm1(x); }
  if (which == 2) { v = pz_log(x); }
  if (which == 3) { v = pz_log1p(x); }
  if (which == 4) { v = pz_logistic(x); }
  if (which == 5) { v = pz_softplus(x); }
  if (which == 6) { v = pz_tanh(x); }
  if (which == 7) { v = pz_sin(x); }
  if (which == 8) { v = pz_cos(x); }
  if (which == 9) { v = pz_erf(x); }
  if (which == 10) { v = pz_rint(x); }
  if (which == 11) { v = pz_floor(x); }
  if (which == 12) { v = pz_max(x, z); }
  if (which == 13) { v = pz_min(x, z); }
  if (which == 14) { v = pz_sqrt(x) + pz_abs(z); }
  if (which == 15) { v = pz_tan(x); }
  if (which == 16) { v = pz_pow(pz_abs(x), z); }
  if (which == 17) { v = pz_atan2(x, z); }
  if (which == 18) { v = pz_hypot(x, z); }
  if (which == 19) { v = pz_unit_scale(x * z); }
  y[i] = v;
)
// clang-format on

enum { N_FUNCTIONS = 20, N = 500, TOLERANCE = 40 };

static const double edges[] = {0.0,  -0.0, 1.0,  -1.0,  0.5,  1.5,  2.5,
                               -0.5, -1.5, 1e-3, -1e-3, 20.0, -20.0};

static void
fill(pair* const r, operand* const o)
{
  const int64_t n_edges = (int64_t)(sizeof(edges) / sizeof(edges[0]));
  for (int64_t i = 0; i < N; ++i) {
    operand_put(o, 0, 0, i, i < n_edges ? edges[i] : 3.0 * test_normal(&r->random));
  }
  operand_put(o, 0, 0, n_edges + pair_pick(r, 3), (double)NAN);
  operand_put(o, 0, 0, n_edges + 3 + pair_pick(r, 3), (double)INFINITY);
  operand_put(o, 0, 0, n_edges + 6 + pair_pick(r, 3), -(double)INFINITY);
}

static bool
agree(const pair* const r, const double found, const double expected)
{
  if (isnan(expected) || isinf(expected)) {
    return isnan(expected) ? isnan(found) : found == expected;
  }
  return fabs(found - expected) <= TOLERANCE * r->epsilon * fabs(expected);
}

START_TEST(test_mathematics)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int64_t which = 0; which < N_FUNCTIONS; ++which) {
    pair_trial(r, 0);
    operand* const operands[] = {operand_flat(r, OPERAND_INOUT, r->dtype, N),
                                 operand_flat(r, OPERAND_INOUT, r->dtype, N),
                                 operand_flat(r, OPERAND_OUT, r->dtype, N)};
    fill(r, operands[0]);
    fill(r, operands[1]);
    pz_mat mats[2][3];
    for (int k = 0; k < 2; ++k) {
      for (int t = 0; t < 3; ++t) {
        mats[k][t] = operands[t]->mat[k];
      }
    }
    RUN(r, launch, &mathematics, N, mats[r->turn], NULL, &which);
    expect_ok(r);
    for (int64_t i = 0; r->offered && i < N; ++i) {
      const double found = operand_get(operands[2], TESTED, 0, 0, i);
      const double expected = operand_get(operands[2], REFERENCE, 0, 0, i);
      if (!agree(r, found, expected)) {
        pair_fail(r, "function %d of %.17g and %.17g: found %.17g, expected %.17g", (int)which,
                  operand_get(operands[0], BEFORE, 0, 0, i),
                  operand_get(operands[1], BEFORE, 0, 0, i), found, expected);
      }
    }
  }
  pair_close(r);
}
END_TEST

TCase*
mathematics_case(void)
{
  TCase* const t = tcase_create("mathematics");
  tcase_add_loop_test(t, test_mathematics, 0, 2);
  return t;
}
