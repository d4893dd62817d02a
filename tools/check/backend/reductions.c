/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reductions and scalings along a dimension. */

#include "pair.h"

#include <math.h>

/* Entries of a reduction of m x n matrices. */
static int64_t
results(const pz_axis axis, const int64_t m, const int64_t n)
{
  return axis == PZ_OVER_ROWS ? n : axis == PZ_OVER_COLS ? m : 1;
}

START_TEST(test_norm)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 6 * pair_trials(); ++trial) {
    const bool many = trial % 2;
    pair_trial(r, trial / 6);
    const int64_t m = many ? 1 + pair_pick(r, 17) : pair_size(r);
    const int64_t n = many ? 1 + pair_pick(r, 17) : pair_size(r);
    const int64_t batch = many ? pair_small_batch(r) : pair_batch(r);
    const pz_axis axis = (pz_axis)pair_pick(r, 3);
    const pz_norm kind = (pz_norm)(1 + pair_pick(r, 3));
    operand* const x = operand_in(r, m, n, batch);
    operand* const out = operand_out(r, results(axis, m, n), 1, batch);
    if (pair_pick(r, 4) == 0) {
      operand_put(x, pair_pick(r, operand_matrices(x)), pair_pick(r, m), pair_pick(r, n),
                  pair_pick(r, 2) ? (double)NAN : -(double)INFINITY);
    }
    RUN(r, norm, kind, axis, AT(x), AT(out));
    if (kind == PZ_NORM_MAX) {
      expect_exact(r, out);
    } else {
      expect_close(r, out, 0.0);
    }
  }
  pair_close(r);
}
END_TEST

/* Squares overflow or vanish, the norm does not. */
START_TEST(test_norm_range)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  const double scales[] = {_i == 0 ? 1e35 : 1e300, _i == 0 ? 1e-30 : 1e-280, 0.0};
  for (int trial = 0; trial < 18; ++trial) {
    const bool many = trial >= 9;
    pair_trial(r, 0);
    const int64_t m = many ? 1 + pair_pick(r, 9) : pair_size(r);
    const int64_t n = many ? 1 + pair_pick(r, 9) : pair_size(r);
    const int64_t batch = many ? pair_small_batch(r) : 2;
    const pz_axis axis = (pz_axis)(trial / 3 % 3);
    operand* const x = operand_in(r, m, n, batch);
    operand* const out = operand_out(r, results(axis, m, n), 1, batch);
    for (int64_t k = 0; k < operand_matrices(x); ++k) {
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          operand_put(x, k, i, j, scales[trial % 3] * (1.0 + test_uniform(&r->random)));
        }
      }
    }
    RUN(r, norm, PZ_NORM_TWO, axis, AT(x), AT(out));
    expect_close(r, out, 0.0);
    for (int64_t i = 0; r->offered && i < results(axis, m, n); ++i) {
      // sums of positive terms: every entry is accurate by itself
      const double a = operand_get(out, TESTED, 1, i, 0);
      const double b = operand_get(out, REFERENCE, 1, i, 0);
      ck_assert_msg(fabs(a - b) <= 50.0 * (double)r->extent * r->epsilon * b, "%g, expected %g", a,
                    b);
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_dot)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 4 * pair_trials(); ++trial) {
    const bool many = trial % 2;
    pair_trial(r, trial / 4);
    const int64_t m = many ? 1 + pair_pick(r, 9) : pair_size(r);
    const int64_t n = many ? 1 + pair_pick(r, 9) : pair_size(r);
    const int64_t batch = many ? pair_small_batch(r) : pair_batch(r);
    const pz_axis axis = (pz_axis)pair_pick(r, 3);
    operand* const x = operand_in(r, m, n, batch);
    operand* const y = pair_pick(r, 5) == 0 ? x : operand_in(r, m, n, batch);
    operand* const out = operand_out(r, results(axis, m, n), 1, batch);
    RUN(r, dot, axis, AT(x), AT(y), AT(out));
    expect_close(r, out, operand_norm(x, BEFORE) * operand_norm(y, BEFORE));
  }
  pair_close(r);
}
END_TEST

START_TEST(test_scale_by)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const pz_axis axis = (pz_axis)pair_pick(r, 3);
    const bool in_place = pair_pick(r, 3) == 0;
    operand* const d = operand_in(r, results(axis, m, n), 1, batch);
    operand* const y = in_place ? operand_inout(r, m, n, batch) : operand_out(r, m, n, batch);
    operand* const x = in_place ? y : operand_in(r, m, n, batch);
    RUN(r, scale_by, axis, AT(d), AT(x), AT(y));
    expect_close(r, y, 0.0);
  }
  pair_close(r);
}
END_TEST

TCase*
reductions_case(void)
{
  TCase* const t = tcase_create("reductions");
  tcase_add_loop_test(t, test_norm, 0, 2);
  tcase_add_loop_test(t, test_norm_range, 0, 2);
  tcase_add_loop_test(t, test_dot, 0, 2);
  tcase_add_loop_test(t, test_scale_by, 0, 2);
  return t;
}
