/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Small examples worked by hand: what holds the reference itself to account. */

#include "pair.h"

#include <math.h>

/* One m x n matrix with these entries, row by row. */
static operand*
given(pair* const r, const int64_t m, const int64_t n, const double* const entries)
{
  operand* const x = operand_in(r, m, n, 1);
  operand_set_matrix(x, 0, entries);
  return x;
}

static operand*
given_inout(pair* const r, const int64_t m, const int64_t n, const double* const entries)
{
  operand* const x = operand_inout(r, m, n, 1);
  operand_set_matrix(x, 0, entries);
  return x;
}

/* Both sides hold these entries, to four roundings of numbers below ten. */
static void
expect_entries(pair* const r, const operand* const o, const double* const entries)
{
  expect_ok(r);
  for (int k = r->offered ? TESTED : REFERENCE; k < 2; ++k) {
    for (int64_t i = 0; i < o->mat[0].rows; ++i) {
      for (int64_t j = 0; j < o->mat[0].cols; ++j) {
        const double found = operand_get(o, k, 0, i, j);
        const double expected = entries[i * o->mat[0].cols + j];
        if (!(fabs(found - expected) <= 40.0 * r->epsilon)) {
          pair_fail(r, "%s: entry (%lld, %lld) is %.9g, expected %.9g", r->sides[k].backend->id,
                    (long long)i, (long long)j, found, expected);
        }
      }
    }
  }
}

static const double a23[] = {1, 2, 3, 4, 5, 6};
static const double b23[] = {1, 0, -1, 2, 1, 0};
static const double a22[] = {1, 2, 3, 4};
static const double a33[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

START_TEST(test_elementwise)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  operand* const x = given(r, 2, 3, a23);
  operand* const w = given(r, 2, 3, b23);
  operand* const y = operand_out(r, 2, 3, 1);
  operand* const z = given_inout(r, 2, 3, b23);
  RUN(r, copy, AT(x), AT(y));
  expect_entries(r, y, a23);
  RUN(r, fill, 2.5, AT(y));
  expect_entries(r, y, (const double[]){2.5, 2.5, 2.5, 2.5, 2.5, 2.5});
  RUN(r, axpby, 2.0, AT(x), -1.0, AT(z));
  expect_entries(r, z, (const double[]){1, 4, 7, 6, 9, 12});
  RUN(r, scale, -2.0, AT(z));
  expect_entries(r, z, (const double[]){-2, 0, 2, -4, -2, 0});
  RUN(r, hadamard, 2.0, AT(x), AT(w), 1.0, AT(z));
  expect_entries(r, z, (const double[]){3, 0, -7, 18, 11, 0});
  const pz_mat both[2][2] = {{x->mat[0], w->mat[0]}, {x->mat[1], w->mat[1]}};
  RUN(r, combine, 5.0, 2, ((const double[]){1.0, -2.0}), both[r->turn], AT(y));
  expect_entries(r, y, (const double[]){4, 2, 5, 0, 8, 6});
  RUN(r, add_identity, 3.0, AT(z));
  expect_entries(r, z, (const double[]){4, 0, -1, 2, 4, 0});
  pair_close(r);
}
END_TEST

START_TEST(test_structured)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  operand* const x = given(r, 3, 3, a33);
  operand* const y = operand_out(r, 3, 3, 1);
  operand* const d = operand_out(r, 3, 1, 1);
  RUN(r, fold, PZ_UPPER, 1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){1, 2, 3, 2, 5, 6, 3, 6, 9});
  RUN(r, fold, PZ_UPPER, -1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){0, 2, 3, -2, 0, 6, -3, -6, 0});
  RUN(r, fold, PZ_LOWER, 1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){1, 4, 7, 4, 5, 8, 7, 8, 9});
  RUN(r, fold, PZ_LOWER, -1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){0, -4, -7, 4, 0, -8, 7, 8, 0});
  RUN(r, fold_adjoint, PZ_UPPER, 1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){1, 6, 10, 0, 5, 14, 0, 0, 9});
  RUN(r, fold_adjoint, PZ_LOWER, -1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){0, 0, 0, 2, 0, 0, 4, 2, 0});
  RUN(r, symmetrize, 0.5, 1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){1, 3, 5, 3, 5, 7, 5, 7, 9});
  RUN(r, symmetrize, 0.5, -1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){0, -1, -2, 1, 0, -1, 2, 1, 0});
  RUN(r, triangle, PZ_UPPER, 1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){0, 2, 3, 0, 0, 6, 0, 0, 0});
  RUN(r, triangle, PZ_LOWER, 1, AT(x), AT(y));
  expect_entries(r, y, (const double[]){1, 2, 0, 4, 5, 6, 7, 8, 9});
  RUN(r, get_diagonal, AT(x), AT(d));
  expect_entries(r, d, (const double[]){1, 5, 9});
  pair_trial(r, 0);
  operand* const e = given(r, 2, 1, (const double[]){7, 8});
  operand* const z = given_inout(r, 2, 3, a23);
  RUN(r, set_diagonal, AT(e), AT(z));
  expect_entries(r, z, (const double[]){7, 2, 3, 4, 8, 6});
  pair_close(r);
}
END_TEST

START_TEST(test_reductions)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  operand* const x = given(r, 2, 3, b23);
  operand* const w = given(r, 2, 3, a23);
  operand* const rows = operand_out(r, 2, 1, 1);
  operand* const cols = operand_out(r, 3, 1, 1);
  operand* const both = operand_out(r, 1, 1, 1);
  operand* const y = operand_out(r, 2, 3, 1);
  operand* const d = given(r, 3, 1, (const double[]){1, -1, 2});
  RUN(r, norm, PZ_NORM_ONE, PZ_OVER_ROWS, AT(x), AT(cols));
  expect_entries(r, cols, (const double[]){3, 1, 1});
  RUN(r, norm, PZ_NORM_TWO, PZ_OVER_COLS, AT(x), AT(rows));
  expect_entries(r, rows, (const double[]){1.4142135623730951, 2.23606797749979});
  RUN(r, norm, PZ_NORM_MAX, PZ_OVER_BOTH, AT(x), AT(both));
  expect_entries(r, both, (const double[]){2});
  RUN(r, norm, PZ_NORM_ONE, PZ_OVER_BOTH, AT(x), AT(both));
  expect_entries(r, both, (const double[]){5});
  RUN(r, dot, PZ_OVER_COLS, AT(x), AT(w), AT(rows));
  expect_entries(r, rows, (const double[]){-2, 13});
  RUN(r, dot, PZ_OVER_ROWS, AT(x), AT(w), AT(cols));
  expect_entries(r, cols, (const double[]){9, 5, -3});
  RUN(r, scale_by, PZ_OVER_ROWS, AT(d), AT(w), AT(y));
  expect_entries(r, y, (const double[]){1, -2, 6, 4, -5, 12});
  pair_close(r);
}
END_TEST

START_TEST(test_products)
{
  static const double lower[] = {2, 9, 1, 4}; // the 9 is not part of it
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  operand* const a = given(r, 2, 3, b23);
  operand* const b = given(r, 3, 2, (const double[]){1, 2, 0, 1, 3, 0});
  operand* const y = operand_out(r, 2, 2, 1);
  RUN(r, gemm, 1.0, AT(a), AT(b), 0.0, AT(y));
  expect_entries(r, y, (const double[]){-2, 2, 2, 5});
  RUN(r, syrk, 1.0, AT(a), 0.0, AT(y));
  expect_entries(r, y, (const double[]){2, 2, 2, 5});
  pair_trial(r, 0);
  operand* const t = given(r, 2, 2, lower);
  operand* const z = given_inout(r, 2, 2, a22);
  RUN(r, trmm, PZ_LEFT, PZ_LOWER, PZ_NON_UNIT, 0.5, AT(t), AT(z));
  expect_entries(r, z, (const double[]){1, 2, 6.5, 9});
  RUN(r, trmm, PZ_RIGHT, PZ_LOWER, PZ_UNIT, 1.0, AT(t), AT(z));
  expect_entries(r, z, (const double[]){3, 2, 7, 4});
  RUN(r, trsm, PZ_LEFT, PZ_LOWER, PZ_NON_UNIT, 1.0, AT(t), AT(z), FAULT);
  expect_entries(r, z, (const double[]){0.5, 1, 0.625, 0.75});
  RUN(r, trsm, PZ_RIGHT, PZ_LOWER, PZ_NON_UNIT, 1.0, AT(t), AT(z), FAULT);
  expect_entries(r, z, (const double[]){0.25, 0.5, 1, 1});
  pair_close(r);
}
END_TEST

START_TEST(test_inverses)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  operand* const skew = given(r, 2, 2, (const double[]){0, 1, -1, 0});
  operand* const x = given(r, 2, 2, (const double[]){0, 2, 1, 1});
  operand* const b = given(r, 2, 1, (const double[]){2, 3});
  operand* const y = operand_out(r, 2, 2, 1);
  operand* const z = operand_out(r, 2, 1, 1);
  // (I + X)(I - X)^-1 turns the quarter turn into itself
  RUN(r, shifted_inverse, PZ_SKEW, -1.0, 2.0, 1.0, -1.0, AT(skew), AT(y), FAULT);
  expect_entries(r, y, (const double[]){0, 1, -1, 0});
  // I + 2 (2 x)^-1
  RUN(r, shifted_inverse, PZ_GENERAL, 1.0, 2.0, 0.0, 2.0, AT(x), AT(y), FAULT);
  expect_entries(r, y, (const double[]){0.5, 1, 0.5, 1});
  RUN(r, solve, PZ_GENERAL, AT(x), AT(b), AT(z), FAULT);
  expect_entries(r, z, (const double[]){2, 1});
  pair_trial(r, 0);
  operand* const spd = given(r, 2, 2, (const double[]){4, 2, 2, 5});
  operand* const l = operand_out(r, 2, 2, 1);
  RUN(r, potrf, PZ_LOWER, AT(spd), AT(l), FAULT);
  expect_entries(r, l, (const double[]){2, 0, 1, 2});
  RUN(r, potrf, PZ_UPPER, AT(spd), AT(l), FAULT);
  expect_entries(r, l, (const double[]){2, 1, 0, 2});
  pair_close(r);
}
END_TEST

START_TEST(test_spectra)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  operand* const a = given(r, 2, 2, (const double[]){2, 1, 1, 2});
  operand* const w = operand_out(r, 2, 1, 1);
  RUN(r, eigh, AT(a), AT(w), NULL, FAULT);
  expect_entries(r, w, (const double[]){1, 3});
  operand* const b = given(r, 2, 3, (const double[]){0, 3, 0, 0, 0, -4});
  RUN(r, svd, AT(b), NULL, AT(w), NULL, FAULT);
  expect_entries(r, w, (const double[]){4, 3});
  pair_close(r);
}
END_TEST

START_TEST(test_rows)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  operand* const index = operand_index(r, 3, 2);
  operand* const x = given(r, 2, 2, a22);
  operand* const y = operand_out(r, 3, 2, 1);
  operand* const w = given(r, 3, 2, a23);
  operand* const z = given_inout(r, 2, 2, a22);
  operand_put_integer(index, 0, 1);
  operand_put_integer(index, 1, 0);
  operand_put_integer(index, 2, 1);
  RUN(r, take, AT(index), AT(x), AT(y), FAULT);
  expect_entries(r, y, (const double[]){3, 4, 1, 2, 3, 4});
  RUN(r, put, false, AT(index), AT(w), AT(z), FAULT);
  expect_entries(r, z, (const double[]){3, 4, 5, 6});
  RUN(r, put, true, AT(index), AT(w), AT(z), FAULT);
  expect_entries(r, z, (const double[]){4, 6, 9, 12});
  pair_close(r);
}
END_TEST

TCase*
known_case(void)
{
  TCase* const t = tcase_create("known");
  tcase_add_loop_test(t, test_elementwise, 0, 2);
  tcase_add_loop_test(t, test_structured, 0, 2);
  tcase_add_loop_test(t, test_reductions, 0, 2);
  tcase_add_loop_test(t, test_products, 0, 2);
  tcase_add_loop_test(t, test_inverses, 0, 2);
  tcase_add_loop_test(t, test_spectra, 0, 2);
  tcase_add_loop_test(t, test_rows, 0, 2);
  return t;
}
