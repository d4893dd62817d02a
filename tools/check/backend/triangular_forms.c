/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Cholesky factors, which are unique, and real Schur forms, which are not. */

#include "pair.h"

#include <math.h>
#include <stdlib.h>

/* a a^T + n I, exactly symmetric, scaled to order one. */
static void
make_positive(operand* const a)
{
  const int64_t n = a->mat[0].rows;
  double* const x = reals(n * n);
  double* const t = reals(n * n);
  double* const p = reals(n * n);
  for (int64_t k = 0; k < operand_matrices(a); ++k) {
    operand_matrix(a, BEFORE, k, x);
    transpose(n, n, x, t);
    product(n, n, n, x, t, p);
    for (int64_t e = 0; e < n * n; ++e) {
      const int64_t i = e / n;
      const int64_t j = e % n;
      const double sum = p[i < j ? e : j * n + i] + (i == j ? (double)n : 0.0);
      operand_put(a, k, i, j, sum / (double)n);
    }
  }
  free(x);
  free(t);
  free(p);
}

/* NaN into the strict triangle that potrf has no business in. */
static void
blank_other(operand* const a, const pz_triangle triangle)
{
  const int64_t n = a->mat[0].rows;
  for (int64_t k = 0; k < operand_matrices(a); ++k) {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        if (triangle == PZ_UPPER ? j < i : j > i) {
          operand_put(a, k, i, j, (double)NAN);
        }
      }
    }
  }
}

START_TEST(test_potrf)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
    operand* const a = operand_in(r, n, n, batch);
    operand* const l = operand_out(r, n, n, batch);
    make_positive(a);
    blank_other(a, triangle);
    RUN(r, potrf, triangle, AT(a), AT(l), FAULT);
    // the condition is below 6: eigenvalues of a a^T/n end at about 4, plus one
    expect_close(r, l, 0.0);
    double* const lt = reals(n * n);
    double* const turned = reals(n * n);
    double* const back = reals(n * n);
    for (int64_t k = 0; k < batch && r->offered; ++k) {
      operand_matrix(l, TESTED, k, lt);
      transpose(n, n, lt, turned);
      product(n, n, n, triangle == PZ_LOWER ? lt : turned, triangle == PZ_LOWER ? turned : lt,
              back);
      for (int64_t e = 0; e < n * n; ++e) {
        const bool inside = triangle == PZ_LOWER ? e % n <= e / n : e % n >= e / n;
        const double given = operand_get(a, BEFORE, k, e / n, e % n);
        ck_assert_msg(inside || lt[e] == 0.0, "the other triangle is not zero");
        ck_assert_msg(!inside || fabs(back[e] - given) <= 50.0 * (double)n * r->epsilon * 6.0,
                      "entry %lld of the product is %g, expected %g", (long long)e, back[e], given);
      }
    }
    free(lt);
    free(turned);
    free(back);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_potrf_indefinite)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const int64_t place = pair_pick(r, 3);
    const int64_t bad = pair_pick(r, n);
    const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
    operand* const a = operand_inout(r, n, n, 3);
    operand* const l = operand_out(r, n, n, 3);
    a->role = OPERAND_IN;
    make_positive(a);
    operand_put(a, place, bad, bad, trial % 2 ? 0.0 : -1.0);
    RUN(r, potrf, triangle, AT(a), AT(l), FAULT);
    expect_singular(r, l, place, 0.0);
  }
  pair_close(r);
}
END_TEST

/* Quasi triangular, 2 x 2 blocks with equal diagonals and off-diagonal entries of opposite
   sign, no two of them touching. */
static void
check_quasi_triangular(const pair* const r, const int64_t n, const double* const t)
{
  for (int64_t e = 0; e < n * n; ++e) {
    if (e / n > e % n + 1 && t[e] != 0.0) {
      pair_fail(r, "t is not quasi triangular");
    }
  }
  for (int64_t i = 0; i + 1 < n; ++i) {
    if (t[(i + 1) * n + i] == 0.0) {
      continue;
    }
    const bool standard = t[i * n + i] == t[(i + 1) * n + i + 1] &&
                          t[i * n + i + 1] * copysign(1.0, t[(i + 1) * n + i]) < 0.0;
    const bool apart = i + 2 == n || t[(i + 2) * n + i + 1] == 0.0;
    if (!standard || !apart) {
      pair_fail(r, "block %lld of t is not standardized", (long long)i);
    }
  }
}

typedef struct root {
  double re;
  double im;
} root;

/* The eigenvalues that the blocks show, each matched to the nearest not yet taken. */
static double
spectrum_error(const int64_t n, const double* const t, double* const re, double* const im)
{
  double worst = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const bool first = i + 1 < n && t[(i + 1) * n + i] != 0.0;
    const bool second = i > 0 && t[i * n + i - 1] != 0.0;
    const int64_t b = second ? i - 1 : i;
    const double size =
        first || second ? sqrt(fabs(t[b * n + b + 1])) * sqrt(fabs(t[(b + 1) * n + b])) : 0.0;
    const root found = {t[i * n + i], second ? -size : size};
    int64_t nearest = i;
    for (int64_t j = i; j < n; ++j) {
      if (hypot(re[j] - found.re, im[j] - found.im) <
          hypot(re[nearest] - found.re, im[nearest] - found.im)) {
        nearest = j;
      }
    }
    worst = fmax(worst, hypot(re[nearest] - found.re, im[nearest] - found.im));
    re[nearest] = re[i];
    im[nearest] = im[i];
  }
  return worst;
}

/* Normal matrices (skew or orthogonal here) have well-conditioned eigenvalues; of others
   only the form is held to account. */
START_TEST(test_schur)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const bool skew = trial % 2;
    operand* const a = operand_in(r, n, n, batch);
    operand* const t = operand_out(r, n, n, batch);
    operand* const z = operand_out(r, n, n, batch);
    for (int64_t k = 0; skew && k < operand_matrices(a); ++k) {
      for (int64_t e = 0; e < n * n; ++e) {
        if (e % n <= e / n) {
          const double mirrored = e % n == e / n ? 0.0 : -operand_get(a, BEFORE, k, e % n, e / n);
          operand_put(a, k, e / n, e % n, mirrored);
        }
      }
    }
    RUN(r, schur, AT(a), AT(t), AT(z), FAULT);
    double* const at = reals(n * n);
    double* const tt = reals(n * n);
    double* const zt = reals(n * n);
    double* const az = reals(n * n);
    double* const ztt = reals(n * n);
    double* const re = reals(n);
    double* const im = reals(n);
    for (int64_t k = 0; k < batch && r->offered; ++k) {
      if (r->sides[TESTED].status != PZ_OK) {
        pair_fail(r, "answered %d (%s)", (int)r->sides[TESTED].status, r->sides[TESTED].message);
      }
      operand_matrix(a, BEFORE, k, at);
      operand_matrix(t, TESTED, k, tt);
      operand_matrix(z, TESTED, k, zt);
      const double limit = 50.0 * (double)n * r->epsilon;
      const double norm = frobenius(n * n, at);
      product(n, n, n, at, zt, az);
      product(n, n, n, zt, tt, ztt);
      check_quasi_triangular(r, n, tt);
      if (!(orthogonality(n, n, zt) <= limit)) {
        pair_fail(r, "z is not orthogonal: %.3g", orthogonality(n, n, zt));
      }
      if (!(distance(n * n, az, ztt) <= limit * norm)) {
        pair_fail(r, "residual %.3g, limit %.3g", distance(n * n, az, ztt), limit * norm);
      }
      if (skew && oracle_spectrum(n, at, re, im)) {
        const double error = spectrum_error(n, tt, re, im);
        if (!(error <= limit * norm)) {
          pair_fail(r, "error of eigenvalues %.3g, limit %.3g", error, limit * norm);
        }
      }
    }
    free(at);
    free(tt);
    free(zt);
    free(az);
    free(ztt);
    free(re);
    free(im);
  }
  pair_close(r);
}
END_TEST

TCase*
triangular_forms_case(void)
{
  TCase* const t = tcase_create("triangular_forms");
  tcase_add_loop_test(t, test_potrf, 0, 2);
  tcase_add_loop_test(t, test_potrf_indefinite, 0, 2);
  tcase_add_loop_test(t, test_schur, 0, 2);
  return t;
}
