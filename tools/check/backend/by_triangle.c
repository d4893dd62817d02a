/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses, and their adjoints, of matrices of which only a triangle is there. */

#include "pair.h"

#include <math.h>

static const uint32_t structures[] = {PZ_SKEW, PZ_SYMMETRIC};
static const uint32_t triangles[] = {PZ_BY_UPPER, PZ_BY_LOWER};

static bool
is_taken(const pair* const r)
{
  return (r->sides[TESTED].backend->flags & PZ_BACKEND_BY_TRIANGLE) != 0;
}

static bool
is_there(const uint32_t in, const int64_t i, const int64_t j)
{
  return i == j ? (in & 0xffU) == PZ_SYMMETRIC : ((in & PZ_BY_UPPER) != 0) == (i < j);
}

/* Entries of norm about `size` in the triangle, NaN elsewhere. */
static void
leave_triangle(operand* const x, const uint32_t in, const double size)
{
  const int64_t n = x->mat[0].rows;
  const double scale = size / (2.0 * sqrt((double)n));
  for (int64_t k = 0; k < operand_matrices(x); ++k) {
    for (int64_t e = 0; e < n * n; ++e) {
      const double value = scale * operand_get(x, BEFORE, k, e / n, e % n);
      operand_put(x, k, e / n, e % n, is_there(in, e / n, e % n) ? value : NAN);
    }
  }
}

static int64_t
any_batch(pair* const r)
{
  static const int64_t sizes[] = {1, 2, 7, 8, 9, 16, 17, 35};
  return sizes[pair_pick(r, sizeof(sizes) / sizeof(sizes[0]))];
}

/* Norms below those that need pivots, and beyond them. */
START_TEST(test_inverse)
{
  static const double sizes[] = {1e-3, 1.0, 300.0};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; is_taken(r) && trial < 10 * pair_trials(); ++trial) {
    pair_trial(r, trial % 8 == 7 ? trial / 10 : 0);
    const int64_t n = trial % 8 == 7 ? pair_size(r) : 1 + pair_pick(r, 34);
    const int64_t batch = any_batch(r);
    const uint32_t in = structures[pair_pick(r, 2)] | triangles[pair_pick(r, 2)];
    const bool skew = (in & PZ_SKEW) != 0;
    const double size = sizes[pair_pick(r, skew ? 3 : 2)];
    operand* const x = operand_in(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    leave_triangle(x, in, size);
    // a shift of 4 keeps symmetric ones positive definite
    const double gamma = skew ? 1.0 + test_uniform(&r->random) : 4.0;
    RUN(r, shifted_inverse, in, -1.0, 2.0, gamma, -1.0, AT(x), AT(y), FAULT);
    expect_ok(r);
    expect_close(r, y, 4.0 * (1.0 + size) * sqrt((double)(n * batch)));
  }
  pair_close(r);
}
END_TEST

/* NaN in the triangle is in its own matrix alone. */
START_TEST(test_spoiled)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; is_taken(r) && trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, 0);
    const int64_t n = 2 + pair_pick(r, 20);
    const int64_t batch = any_batch(r);
    const uint32_t in = PZ_SKEW | triangles[pair_pick(r, 2)];
    operand* const x = operand_in(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    leave_triangle(x, in, 1.0);
    const int64_t place = pair_pick(r, operand_matrices(x));
    const int64_t i = pair_pick(r, n - 1);
    const int64_t j = i + 1 + pair_pick(r, n - 1 - i);
    const bool upper = (in & PZ_BY_UPPER) != 0;
    operand_put(x, place, upper ? i : j, upper ? j : i, NAN);
    RUN(r, shifted_inverse, in, -1.0, 2.0, 1.0, -1.0, AT(x), AT(y), FAULT);
    expect_ok(r);
    expect_spoiled(r, y, operand_matrices(x) == 1 ? -1 : place);
  }
  pair_close(r);
}
END_TEST

/* The gradient of the triangle, exactly zero where nothing is there. */
START_TEST(test_adjoint)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; is_taken(r) && trial < 8 * pair_trials(); ++trial) {
    pair_trial(r, trial % 8 == 7 ? trial / 8 : 0);
    const int64_t n = trial % 8 == 7 ? pair_size(r) : 1 + pair_pick(r, 34);
    const int64_t batch = any_batch(r);
    const uint32_t in = structures[pair_pick(r, 2)] | triangles[pair_pick(r, 2)];
    const double alpha = test_normal(&r->random);
    const double beta = 0.5 + test_uniform(&r->random);
    const double delta = 0.5 + test_uniform(&r->random);
    operand* const y = operand_in(r, n, n, batch);
    operand* const gy = operand_in(r, n, n, batch);
    operand* const gx = operand_out(r, n, n, batch);
    const double norm = operand_norm(y, BEFORE) + fabs(alpha) * sqrt((double)(n * batch));
    RUN(r, shifted_inverse_adjoint, in, alpha, beta, delta, AT(y), AT(gy), AT(gx));
    expect_ok(r);
    expect_close(r, gx, 2.0 * delta / beta * norm * norm * operand_norm(gy, BEFORE));
    for (int64_t e = 0; r->offered && e < batch * n * n; ++e) {
      const int64_t i = e / n % n;
      if (!is_there(in, i, e % n) && operand_get(gx, TESTED, e / n / n, i, e % n) != 0.0) {
        pair_fail(r, "entry %lld, %lld is not zero", (long long)i, (long long)(e % n));
      }
    }
  }
  pair_close(r);
}
END_TEST

TCase*
by_triangle_case(void)
{
  TCase* const t = tcase_create("by triangle");
  tcase_add_loop_test(t, test_inverse, 0, 2);
  tcase_add_loop_test(t, test_spoiled, 0, 2);
  tcase_add_loop_test(t, test_adjoint, 0, 2);
  return t;
}
