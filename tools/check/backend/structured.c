/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structured passes. What an operation says it does not read is NaN here. */

#include "pair.h"

#include <math.h>

/* NaN where column - row lies outside first .. last. */
static void
blank_outside(operand* const o, const int64_t first, const int64_t last)
{
  for (int64_t k = 0; k < operand_matrices(o); ++k) {
    for (int64_t i = 0; i < o->mat[0].rows; ++i) {
      for (int64_t j = 0; j < o->mat[0].cols; ++j) {
        if (j - i < first || j - i > last) {
          operand_put(o, k, i, j, (double)NAN);
        }
      }
    }
  }
}

/* Some matrices have whole tiles off the diagonal. */
static int64_t
size_of(pair* const r, const int trial)
{
  return trial < 2 ? 96 : pair_size(r);
}

START_TEST(test_fold)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t n = size_of(r, trial);
    const int64_t batch = pair_batch(r);
    const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
    const int sign = pair_pick(r, 2) ? 1 : -1;
    const int64_t nearest = sign > 0 ? 0 : 1;
    operand* const x = operand_in(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    if (triangle == PZ_UPPER) {
      blank_outside(x, nearest, n);
    } else {
      blank_outside(x, -n, -nearest);
    }
    RUN(r, fold, triangle, sign, AT(x), AT(y));
    expect_exact(r, y);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_fold_adjoint)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t n = size_of(r, trial);
    const int64_t batch = pair_batch(r);
    const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
    const int sign = pair_pick(r, 2) ? 1 : -1;
    operand* const g = operand_in(r, n, n, batch);
    operand* const gx = operand_out(r, n, n, batch);
    RUN(r, fold_adjoint, triangle, sign, AT(g), AT(gx));
    expect_close(r, gx, operand_norm(g, BEFORE));
    for (int64_t k = 0; r->offered && k < batch; ++k) {
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          const bool outside = triangle == PZ_UPPER ? j < i : j > i;
          const bool zero = outside || (i == j && sign < 0);
          ck_assert(!zero || operand_get(gx, TESTED, k, i, j) == 0.0);
        }
      }
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_symmetrize)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const int sign = pair_pick(r, 2) ? 1 : -1;
    const double a = pair_real(r);
    operand* const x = operand_in(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    RUN(r, symmetrize, a, sign, AT(x), AT(y));
    expect_close(r, y, fabs(a) * operand_norm(x, BEFORE));
    for (int64_t k = 0; r->offered && k < batch; ++k) {
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          ck_assert_msg(operand_get(y, TESTED, k, i, j) == sign * operand_get(y, TESTED, k, j, i),
                        "not exactly mirrored");
        }
      }
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_triangle)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
    const int64_t offset =
        pair_pick(r, 4) == 0 ? pair_pick(r, m + n + 9) - m - 4 : pair_pick(r, 3) - 1;
    const bool in_place = pair_pick(r, 3) == 0;
    operand* const y = in_place ? operand_inout(r, m, n, batch) : operand_out(r, m, n, batch);
    operand* const x = in_place ? y : operand_in(r, m, n, batch);
    if (triangle == PZ_UPPER) {
      blank_outside(x, offset, n);
    } else {
      blank_outside(x, -m, offset);
    }
    RUN(r, triangle, triangle, offset, AT(x), AT(y));
    expect_exact(r, y);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_diagonal)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t least = m < n ? m : n;
    const int64_t batch = pair_batch(r);
    operand* const x = operand_in(r, m, n, batch);
    operand* const d = operand_out(r, least, 1, batch);
    RUN(r, get_diagonal, AT(x), AT(d));
    expect_exact(r, d);
    pair_trial(r, trial);
    operand* const e = operand_in(r, least, 1, batch);
    operand* const y = operand_inout(r, m, n, batch);
    RUN(r, set_diagonal, AT(e), AT(y));
    expect_exact(r, y);
  }
  pair_close(r);
}
END_TEST

TCase*
structured_case(void)
{
  TCase* const t = tcase_create("structured");
  tcase_add_loop_test(t, test_fold, 0, 2);
  tcase_add_loop_test(t, test_fold_adjoint, 0, 2);
  tcase_add_loop_test(t, test_symmetrize, 0, 2);
  tcase_add_loop_test(t, test_triangle, 0, 2);
  tcase_add_loop_test(t, test_diagonal, 0, 2);
  return t;
}
