/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entries that are not finite: elementwise operations and products show them where IEEE
   arithmetic puts them; whatever factors a matrix ends, and either refuses or returns
   something that is not finite for that matrix, and leaves the others of the batch right. */

#include "pair.h"

#include <math.h>

static const double specials[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};

/* One special entry in matrix `place`. */
static void
spoil(pair* const r, operand* const x, const int64_t place, const double value)
{
  operand_put(x, place, pair_pick(r, x->mat[0].rows), pair_pick(r, x->mat[0].cols), value);
}

START_TEST(test_propagate)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    const double value = specials[trial % 3];
    pair_trial(r, 0);
    const int64_t n = pair_size(r);
    operand* const x = operand_in(r, n, n, 1);
    operand* const w = operand_in(r, n, n, 1);
    operand* const y = operand_out(r, n, n, 1);
    operand* const d = operand_out(r, n, 1, 1);
    const double scale = 2.0 * operand_norm(x, BEFORE) * operand_norm(w, BEFORE);
    spoil(r, x, 0, value);
    RUN(r, copy, AT(x), AT(y));
    expect_exact(r, y);
    RUN(r, axpby, 2.0, AT(x), 0.0, AT(y));
    expect_close(r, y, 0.0);
    RUN(r, hadamard, 1.0, AT(x), AT(w), 0.0, AT(y));
    expect_close(r, y, 0.0);
    RUN(r, fold, PZ_UPPER, -1, AT(x), AT(y));
    expect_exact(r, y);
    RUN(r, symmetrize, 0.5, 1, AT(x), AT(y));
    expect_close(r, y, 0.0);
    RUN(r, gemm, 1.0, AT(x), AT(w), 0.0, AT(y));
    expect_close(r, y, scale);
    for (int kind = PZ_NORM_ONE; kind <= PZ_NORM_MAX; ++kind) {
      RUN(r, norm, (pz_norm)kind, PZ_OVER_ROWS, AT(x), AT(d));
      expect_close(r, d, 0.0);
      RUN(r, norm, (pz_norm)kind, PZ_OVER_COLS, AT(x), AT(d));
      expect_close(r, d, 0.0);
    }
    RUN(r, dot, PZ_OVER_COLS, AT(x), AT(w), AT(d));
    expect_close(r, d, scale);
  }
  pair_close(r);
}
END_TEST

/* On either side matrix `place` of `o` holds something that is not finite, or the
   operation refused. */
static void
expect_noticed(const pair* const r, const operand* const o, const int64_t place)
{
  for (int k = r->offered ? TESTED : REFERENCE; k < 2; ++k) {
    bool finite = true;
    for (int64_t i = 0; i < o->mat[0].rows; ++i) {
      for (int64_t j = 0; j < o->mat[0].cols; ++j) {
        finite = finite && isfinite(operand_get(o, k, place, i, j));
      }
    }
    if (finite && r->sides[k].status == PZ_OK) {
      pair_fail(r, "%s: no trace of an entry that is not finite", r->sides[k].backend->id);
    }
  }
}

/* The matrices around it came out finite on both sides. */
static void
expect_others_finite(const pair* const r, const operand* const o, const int64_t place)
{
  for (int64_t k = 0; k < o->mat[0].batch && r->offered; ++k) {
    for (int64_t i = 0; i < o->mat[0].rows && k != place; ++i) {
      if (!isfinite(operand_get(o, TESTED, k, i, 0))) {
        pair_fail(r, "matrix %lld is not finite, though only %lld was spoilt", (long long)k,
                  (long long)place);
      }
    }
  }
}

/* NaN alone: an infinity may well leave a finite inverse. Entries lie on the diagonal or
   above, in the triangle that all operations read, and mirrored for eigh. */
START_TEST(test_factorizations_end)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial % 4);
    const int64_t n = pair_size(r);
    const int64_t place = pair_pick(r, 3);
    const int64_t i = pair_pick(r, n);
    const int64_t j = i + pair_pick(r, n - i);
    const double value = specials[trial % 3];
    operand* const x = operand_inout(r, n, n, 3);
    operand* const y = operand_out(r, n, n, 3);
    operand* const z = operand_out(r, n, n, 3);
    operand* const d = operand_out(r, n, 1, 3);
    x->role = OPERAND_IN;
    for (int64_t k = 0; k < 3; ++k) {
      for (int64_t e = 0; e < n * n; ++e) {
        const double entry = operand_get(x, BEFORE, k, e / n, e % n) / (3.0 * (double)n);
        operand_put(x, k, e / n, e % n,
                    e % n < e / n ? operand_get(x, BEFORE, k, e % n, e / n)
                                  : entry + (e % n == e / n ? 2.0 : 0.0));
      }
    }
    operand_put(x, place, i, j, value);
    operand_put(x, place, j, i, value);
    RUN(r, eigh, AT(x), AT(d), AT(y), FAULT);
    expect_noticed(r, d, place);
    expect_others_finite(r, d, place);
    RUN(r, svd, AT(x), AT(y), AT(d), AT(z), FAULT);
    expect_noticed(r, d, place);
    expect_others_finite(r, d, place);
    RUN(r, qr, AT(x), AT(y), AT(z));
    expect_noticed(r, z, place);
    expect_others_finite(r, z, place);
    RUN(r, schur, AT(x), AT(y), AT(z), FAULT);
    if (isnan(value)) {
      RUN(r, potrf, PZ_UPPER, AT(x), AT(z), FAULT);
      expect_noticed(r, z, place);
      expect_others_finite(r, z, place);
      RUN(r, shifted_inverse, PZ_GENERAL, 0.0, 1.0, 0.0, 1.0, AT(x), AT(z), FAULT);
      expect_noticed(r, z, place);
      expect_others_finite(r, z, place);
      RUN(r, solve, PZ_GENERAL, AT(x), AT(x), AT(z), FAULT);
      expect_noticed(r, z, place);
      expect_others_finite(r, z, place);
    }
  }
  pair_close(r);
}
END_TEST

TCase*
special_case(void)
{
  TCase* const t = tcase_create("special");
  tcase_add_loop_test(t, test_propagate, 0, 2);
  tcase_add_loop_test(t, test_factorizations_end, 0, 2);
  return t;
}
