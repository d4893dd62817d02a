/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Operations entry by entry. */

#include "pair.h"

#include <math.h>

START_TEST(test_copy)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    operand* const x = operand_in(r, m, n, batch);
    operand* const y = operand_out(r, m, n, batch);
    RUN(r, copy, AT(x), AT(y));
    expect_exact(r, y);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_copy_integers)
{
  pair it;
  pair* const r = &it;
  pair_open(r, 1);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    operand* const x = operand_flat(r, OPERAND_IN, PZ_I64, n);
    operand* const y = operand_flat(r, OPERAND_OUT, PZ_I64, n);
    for (int64_t i = 0; i < n; ++i) {
      operand_put_integer(x, i, (int64_t)(test_bits(&r->random) >> 1));
    }
    RUN_INTEGERS(r, copy, AT(x), AT(y));
    expect_ok(r);
    for (int64_t i = 0; r->offered && i < n; ++i) {
      ck_assert_int_eq(operand_integer(y, TESTED, i), operand_integer(x, BEFORE, i));
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_fill)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    operand* const y = operand_out(r, pair_size(r), pair_size(r), pair_batch(r));
    const double value = trial == 0 ? (double)INFINITY : pair_real(r);
    RUN(r, fill, value, AT(y));
    expect_exact(r, y);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_axpby)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const bool same = pair_pick(r, 4) == 0;
    const double a = pair_real(r);
    const double b = pair_real(r);
    const bool written = b == 0.0 && !same;
    operand* const y = written ? operand_out(r, m, n, batch) : operand_inout(r, m, n, batch);
    operand* const x = same ? y : operand_in(r, m, n, batch);
    RUN(r, axpby, a, AT(x), b, AT(y));
    const double old = written ? 0.0 : fabs(b) * operand_norm(y, BEFORE);
    expect_close(r, y, fabs(a) * operand_norm(x, BEFORE) + old);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_scale)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    operand* const y = operand_inout(r, pair_size(r), pair_size(r), pair_batch(r));
    const double a = pair_real(r);
    RUN(r, scale, a, AT(y));
    expect_close(r, y, 0.0);
  }
  pair_close(r);
}
END_TEST

// z = a x * y + b z, with z apart, z = x, z = y, all three one
START_TEST(test_hadamard)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const int64_t alias = pair_pick(r, 5);
    const double a = pair_real(r);
    const double b = pair_real(r);
    const bool written = b == 0.0 && alias > 2;
    operand* const z = written ? operand_out(r, m, n, batch) : operand_inout(r, m, n, batch);
    operand* const x = alias == 0 || alias == 2 ? z : operand_in(r, m, n, batch);
    operand* const y = alias == 1 || alias == 2 ? z : operand_in(r, m, n, batch);
    RUN(r, hadamard, a, AT(x), AT(y), b, AT(z));
    const double old = written ? 0.0 : fabs(b) * operand_norm(z, BEFORE);
    expect_close(r, z, fabs(a) * operand_norm(x, BEFORE) * operand_norm(y, BEFORE) + old);
  }
  pair_close(r);
}
END_TEST

// y = shift I + sum of a[k] x[k], y apart or one of the x[k]
START_TEST(test_combine)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const uint32_t terms = (uint32_t)pair_pick(r, 9);
    const int64_t alias = pair_pick(r, 12);
    const double shift = pair_real(r);
    const bool in_place = alias < (int64_t)terms;
    operand* const y = in_place ? operand_inout(r, m, n, batch) : operand_out(r, m, n, batch);
    operand* x[8] = {NULL};
    pz_mat mats[2][8];
    double a[8];
    double scale = fabs(shift);
    for (uint32_t k = 0; k < terms; ++k) {
      x[k] = (int64_t)k == alias ? y : operand_in(r, m, n, batch);
      a[k] = pair_real(r);
      mats[TESTED][k] = x[k]->mat[TESTED];
      mats[REFERENCE][k] = x[k]->mat[REFERENCE];
      scale += fabs(a[k]) * operand_norm(x[k], BEFORE);
    }
    RUN(r, combine, shift, terms, a, mats[r->turn], AT(y));
    expect_close(r, y, scale);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_add_identity)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    operand* const y = operand_inout(r, pair_size(r), pair_size(r), pair_batch(r));
    const double a = pair_real(r);
    RUN(r, add_identity, a, AT(y));
    expect_close(r, y, operand_norm(y, BEFORE));
  }
  pair_close(r);
}
END_TEST

/* Large enough to be shared among threads, along any extent. */
START_TEST(test_large)
{
  static const int64_t extents[][3] = {{1100, 900, 1},  {333, 450, 7},  {3, 5, 70000},
                                       {1, 1000003, 1}, {2, 3, 170001}, {700001, 1, 1}};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  // elsewhere two are enough: they take long to cross
  const size_t n = pair_in_host_memory() ? sizeof(extents) / sizeof(extents[0]) : 2;
  for (size_t k = 0; k < n; ++k) {
    const int64_t* const e = extents[k];
    if (n > 2 && !test_takes((int64_t)k + _i, 3)) {
      continue;
    }
    pair_trial(r, 0);
    operand* const x = operand_in(r, e[0], e[1], e[2]);
    operand* const y = operand_inout(r, e[0], e[1], e[2]);
    operand* const z = operand_out(r, e[0], e[1], e[2]);
    RUN(r, axpby, 0.5, AT(x), -1.0, AT(y));
    expect_close(r, y, operand_norm(x, BEFORE) + operand_norm(y, BEFORE));
    RUN(r, copy, AT(x), AT(z));
    expect_exact(r, z);
  }
  pair_close(r);
}
END_TEST

TCase*
elementwise_case(void)
{
  TCase* const t = tcase_create("elementwise");
  tcase_add_loop_test(t, test_copy, 0, 2);
  tcase_add_test(t, test_copy_integers);
  tcase_add_loop_test(t, test_fill, 0, 2);
  tcase_add_loop_test(t, test_axpby, 0, 2);
  tcase_add_loop_test(t, test_scale, 0, 2);
  tcase_add_loop_test(t, test_hadamard, 0, 2);
  tcase_add_loop_test(t, test_combine, 0, 2);
  tcase_add_loop_test(t, test_add_identity, 0, 2);
  tcase_add_loop_test(t, test_large, 0, 2);
  return t;
}
