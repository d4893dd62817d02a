/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Products and triangles. Transposition stands in the layouts. */

#include "pair.h"

#include <math.h>

START_TEST(test_gemm)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 3 * pair_trials(); ++trial) {
    pair_trial(r, trial / 3);
    const int64_t m = pair_size(r);
    const int64_t k = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const double alpha = pair_real(r);
    const double beta = pair_real(r);
    operand* const a = operand_in(r, m, k, batch);
    operand* const b = m == k && k == n && pair_pick(r, 3) == 0 ? a : operand_in(r, k, n, batch);
    operand* const y = beta == 0.0 ? operand_out(r, m, n, batch) : operand_inout(r, m, n, batch);
    RUN(r, gemm, alpha, AT(a), AT(b), beta, AT(y));
    const double old = beta == 0.0 ? 0.0 : fabs(beta) * operand_norm(y, BEFORE);
    expect_close(r, y, fabs(alpha) * operand_norm(a, BEFORE) * operand_norm(b, BEFORE) + old);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_syrk)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const double alpha = pair_real(r);
    const double beta = pair_real(r);
    operand* const a = operand_in(r, n, pair_size(r), batch);
    operand* const y = beta == 0.0 ? operand_out(r, n, n, batch) : operand_inout(r, n, n, batch);
    for (int64_t k = 0; beta != 0.0 && k < batch; ++k) {
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < i; ++j) {
          operand_put(y, k, i, j, operand_get(y, BEFORE, k, j, i));
        }
      }
    }
    RUN(r, syrk, alpha, AT(a), beta, AT(y));
    const double norm = operand_norm(a, BEFORE);
    const double old = beta == 0.0 ? 0.0 : fabs(beta) * operand_norm(y, BEFORE);
    expect_close(r, y, fabs(alpha) * norm * norm + old);
  }
  pair_close(r);
}
END_TEST

/* Well-conditioned triangles, NaN where nobody may look. */
static void
make_triangular(operand* const t, const pz_triangle triangle, const pz_diagonal diagonal)
{
  const int64_t n = t->mat[0].rows;
  for (int64_t k = 0; k < operand_matrices(t); ++k) {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const double x = operand_get(t, BEFORE, k, i, j);
        const bool inside = triangle == PZ_UPPER ? i < j : i > j;
        double value = inside ? x / (double)n : (double)NAN;
        if (i == j && diagonal == PZ_NON_UNIT) {
          value = copysign(1.0 + fabs(x), x);
        }
        operand_put(t, k, i, j, value);
      }
    }
  }
}

START_TEST(test_triangular)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 3 * pair_trials(); ++trial) {
    pair_trial(r, trial / 3);
    const int64_t n = pair_size(r);
    const int64_t other = pair_size(r);
    const int64_t batch = pair_batch(r);
    const pz_side where = (pz_side)pair_pick(r, 2);
    const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
    const pz_diagonal diagonal = (pz_diagonal)pair_pick(r, 2);
    const double alpha = pair_real(r);
    operand* const t = operand_in(r, n, n, batch);
    operand* const b =
        where == PZ_LEFT ? operand_inout(r, n, other, batch) : operand_inout(r, other, n, batch);
    make_triangular(t, triangle, diagonal);
    // both conditions are below 10 by construction: diagonal >= 1, row sums about 1
    const double scale = 10.0 * fabs(alpha) * operand_norm(b, BEFORE);
    RUN(r, trmm, where, triangle, diagonal, alpha, AT(t), AT(b));
    expect_close(r, b, scale);
    RUN(r, trsm, where, triangle, diagonal, alpha, AT(t), AT(b), FAULT);
    expect_close(r, b, scale);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_trsm_singular)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const int64_t batch = 3;
    const int64_t place = pair_pick(r, batch);
    const int64_t zero = pair_pick(r, n);
    const pz_side where = (pz_side)pair_pick(r, 2);
    const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
    operand* const t = operand_inout(r, n, n, batch); // not repeated
    operand* const b = operand_inout(r, n, n, batch);
    t->role = OPERAND_IN;
    make_triangular(t, triangle, PZ_NON_UNIT);
    operand_put(t, place, zero, zero, 0.0);
    RUN(r, trsm, where, triangle, PZ_NON_UNIT, 1.0, AT(t), AT(b), FAULT);
    expect_singular(r, b, place, 10.0 * operand_norm(b, BEFORE));
  }
  pair_close(r);
}
END_TEST

TCase*
products_case(void)
{
  TCase* const t = tcase_create("products");
  tcase_add_loop_test(t, test_gemm, 0, 2);
  tcase_add_loop_test(t, test_syrk, 0, 2);
  tcase_add_loop_test(t, test_triangular, 0, 2);
  tcase_add_loop_test(t, test_trsm_singular, 0, 2);
  return t;
}
