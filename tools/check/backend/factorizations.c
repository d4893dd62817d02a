/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Factorizations: by residual, orthogonality and spectrum, never by their factors, which
   signs and multiple values leave open. Spectra are LAPACK's where the build has it, the
   reference's else. All tolerances are 50 n eps times the norm of the matrix, n its larger
   extent. */

#include "pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the entries are. The last three are rank one, zero, and the identity. */
typedef enum kind { DENSE, GRADED, REPEATED, RANK_ONE, ZERO, IDENTITY, KINDS } kind;

static void
fill(pair* const r, operand* const a, const kind what, const bool symmetric)
{
  const int64_t m = a->mat[0].rows;
  const int64_t n = a->mat[0].cols;
  for (int64_t k = 0; k < operand_matrices(a); ++k) {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const double x = test_normal(&r->random);
        const double value[KINDS] = {
            [DENSE] = x,
            [GRADED] = x * pow(10.0, -8.0 * (double)(i + j) / (double)(m + n)),
            [REPEATED] = i == j ? (i % 2 ? 3.0 : -3.0) : 0.0,
            [RANK_ONE] = (double)((i + 1) * (j + 1)) / (double)(m * n),
            [ZERO] = 0.0,
            [IDENTITY] = i == j ? 1.0 : 0.0,
        };
        const bool mirror = symmetric && j < i;
        operand_put(a, k, i, j, mirror ? operand_get(a, BEFORE, k, j, i) : value[what]);
      }
    }
  }
}

static void
check_below(const pair* const r, const char* const what, const double found, const int64_t m,
            const int64_t n, const double norm)
{
  const double limit = 50.0 * (double)(m > n ? m : n) * r->epsilon * norm;
  if (!(found <= limit)) {
    pair_fail(r, "%s %.3g, limit %.3g", what, found, limit);
  }
}

/* ||u v - a|| for u m x k, v k x n. */
static double
residual(const int64_t m, const int64_t k, const int64_t n, const double* const u,
         const double* const v, const double* const a)
{
  double* const uv = reals(m * n);
  product(m, k, n, u, v, uv);
  const double found = distance(m * n, uv, a);
  free(uv);
  return found;
}

START_TEST(test_qr)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t k = m < n ? m : n;
    const int64_t batch = pair_batch(r);
    const int64_t only = pair_pick(r, 6); // 0: the basis, 1: r, else both
    operand* const a = operand_in(r, m, n, batch);
    operand* const q = operand_out(r, m, k, batch);
    operand* const t = operand_out(r, k, n, batch);
    fill(r, a, trial % 2 ? DENSE : (kind)pair_pick(r, KINDS), false);
    RUN(r, qr, AT(a), only == 1 ? NULL : AT(q), only == 0 ? NULL : AT(t));
    expect_ok(r);
    double* const at = reals(m * n);
    double* const qt = reals(m * k);
    double* const rt = reals(k * n);
    double* const ata = reals(n * n);
    double* const rtr = reals(n * n);
    double* const turned = reals(n * (m > n ? m : n));
    for (int64_t p = 0; p < batch && r->offered; ++p) {
      operand_matrix(a, BEFORE, p, at);
      operand_matrix(q, TESTED, p, qt);
      operand_matrix(t, TESTED, p, rt);
      const double norm = frobenius(m * n, at);
      if (only != 1) {
        check_below(r, "orthogonality of q", orthogonality(m, k, qt), m, n, 1.0);
      }
      for (int64_t e = 0; only != 0 && e < k * n; ++e) {
        ck_assert_msg(e / n <= e % n || rt[e] == 0.0, "r is not upper triangular");
      }
      if (only > 1) {
        check_below(r, "residual", residual(m, k, n, qt, rt, at), m, n, norm);
      } else if (only == 1) {
        // a^T a = r^T r says as much of r alone
        transpose(m, n, at, turned);
        product(n, m, n, turned, at, ata);
        transpose(k, n, rt, turned);
        product(n, k, n, turned, rt, rtr);
        check_below(r, "residual of r", distance(n * n, ata, rtr), m, n, norm * norm);
      }
    }
    free(at);
    free(qt);
    free(rt);
    free(ata);
    free(rtr);
    free(turned);
  }
  pair_close(r);
}
END_TEST

/* Multiplies by a number near either end of those whose squares a double holds. */
static void
scale_far(const pair* const r, operand* const a, const bool up)
{
  const int64_t n = a->mat[0].rows;
  const double power = r->dtype == PZ_F32 ? 30.0 : 140.0;
  for (int64_t k = 0; k < operand_matrices(a); ++k) {
    for (int64_t e = 0; e < n * n; ++e) {
      const double value = operand_get(a, BEFORE, k, e / n, e % n);
      operand_put(a, k, e / n, e % n, value * pow(10.0, up ? power : -power));
    }
  }
}

START_TEST(test_eigh)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 4 * pair_trials(); ++trial) {
    const bool many = trial % 4 > 0;
    pair_trial(r, trial / 4);
    const int64_t n = many ? pair_small_order(r) : pair_size(r);
    const int64_t batch = many ? pair_small_batch(r) : pair_batch(r);
    const bool vectors = pair_pick(r, 4) > 0;
    operand* const a = operand_in(r, n, n, batch);
    operand* const w = operand_out(r, n, 1, batch);
    operand* const v = operand_out(r, n, n, batch);
    fill(r, a, trial % 2 ? DENSE : (kind)pair_pick(r, KINDS), true);
    if (trial % 3 > 0) {
      scale_far(r, a, trial % 3 > 1);
    }
    RUN(r, eigh, AT(a), AT(w), vectors ? AT(v) : NULL, FAULT);
    expect_ok(r);
    double* const at = reals(n * n);
    double* const wt = reals(n);
    double* const vt = reals(n * n);
    double* const vtt = reals(n * n);
    double* const expected = reals(n);
    for (int64_t p = 0; p < batch && r->offered; ++p) {
      operand_matrix(a, BEFORE, p, at);
      operand_matrix(w, TESTED, p, wt);
      operand_matrix(v, TESTED, p, vt);
      const double norm = frobenius(n * n, at);
      if (!oracle_eigenvalues(n, at, expected)) {
        operand_matrix(w, REFERENCE, p, expected);
      }
      check_below(r, "error of eigenvalues", distance(n, wt, expected), n, n, norm);
      for (int64_t i = 1; i < n; ++i) {
        ck_assert_msg(wt[i - 1] <= wt[i], "eigenvalues do not ascend");
      }
      if (vectors) {
        check_below(r, "orthogonality of v", orthogonality(n, n, vt), n, n, 1.0);
        transpose(n, n, vt, vtt);
        for (int64_t e = 0; e < n * n; ++e) {
          vt[e] *= wt[e % n];
        }
        check_below(r, "residual", residual(n, n, n, vt, vtt, at), n, n, norm);
      }
    }
    free(at);
    free(wt);
    free(vt);
    free(vtt);
    free(expected);
  }
  pair_close(r);
}
END_TEST

START_TEST(test_svd)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t k = m < n ? m : n;
    const int64_t batch = pair_batch(r);
    const bool vectors = pair_pick(r, 4) > 0;
    operand* const a = operand_in(r, m, n, batch);
    operand* const u = operand_out(r, m, k, batch);
    operand* const s = operand_out(r, k, 1, batch);
    operand* const vt = operand_out(r, k, n, batch);
    fill(r, a, trial % 2 ? DENSE : (kind)pair_pick(r, KINDS), false);
    RUN(r, svd, AT(a), vectors ? AT(u) : NULL, AT(s), vectors ? AT(vt) : NULL, FAULT);
    expect_ok(r);
    double* const at = reals(m * n);
    double* const ut = reals(m * k);
    double* const st = reals(k);
    double* const right = reals(k * n);
    double* const turned = reals(k * n);
    double* const expected = reals(k);
    for (int64_t p = 0; p < batch && r->offered; ++p) {
      operand_matrix(a, BEFORE, p, at);
      operand_matrix(u, TESTED, p, ut);
      operand_matrix(s, TESTED, p, st);
      operand_matrix(vt, TESTED, p, right);
      const double norm = frobenius(m * n, at);
      if (!oracle_singular_values(m, n, at, expected)) {
        operand_matrix(s, REFERENCE, p, expected);
      }
      check_below(r, "error of singular values", distance(k, st, expected), m, n, norm);
      for (int64_t i = 0; i < k; ++i) {
        ck_assert_msg(st[i] >= 0.0, "a singular value is negative");
        ck_assert_msg(i == 0 || st[i - 1] >= st[i], "singular values do not descend");
      }
      if (vectors) {
        transpose(k, n, right, turned);
        check_below(r, "orthogonality of u", orthogonality(m, k, ut), m, n, 1.0);
        check_below(r, "orthogonality of vt", orthogonality(n, k, turned), m, n, 1.0);
        for (int64_t e = 0; e < m * k; ++e) {
          ut[e] *= st[e % k];
        }
        check_below(r, "residual", residual(m, k, n, ut, right, at), m, n, norm);
      }
    }
    free(at);
    free(ut);
    free(st);
    free(right);
    free(turned);
    free(expected);
  }
  pair_close(r);
}
END_TEST

TCase*
factorizations_case(void)
{
  TCase* const t = tcase_create("factorizations");
  tcase_add_loop_test(t, test_qr, 0, 2);
  tcase_add_loop_test(t, test_eigh, 0, 2);
  tcase_add_loop_test(t, test_svd, 0, 2);
  return t;
}
