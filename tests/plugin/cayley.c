/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The Cayley transform against elimination, and at the edges of its domain. */

#include "members.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Against elimination with pivoting in long double: 10 n eps times the condition of what
   is inverted. */
START_TEST(values_match_elimination)
{
  static const char* const chains[] = {"cayley", "symmetric,cayley", "skew,cayley"};
  static const int64_t orders[] = {1, 2, 3, 5, 8, 16, 17, 33, 40};
  for (int k = 0; k < 3; ++k) {
    for (int d = 0; d < 2; ++d) {
      for (size_t s = 0; s < sizeof(orders) / sizeof(orders[0]); ++s) {
        const int64_t n = orders[s];
        rig r;
        subject_open(&r, chains[k], d ? PZ_F64 : PZ_F32, square_shape(n));
        ck_assert_int_eq(r.y.structure, k == 2 ? PZ_ORTHOGONAL : PZ_GENERAL);
        double* const x = rig_normal(&r, r.x.dtype, n * n, 0.7 / sqrt((double)n));
        double* const folded = reals(n * n);
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < n; ++j) {
            const double upper = i <= j ? x[i * n + j] : x[j * n + i];
            const double sign = k == 1 || i < j ? 1.0 : (i == j ? 0.0 : -1.0);
            folded[i * n + j] = k == 0 ? x[i * n + j] : sign * upper;
          }
        }
        double* const expected = reals(n * n);
        oracle_cayley(n, folded, expected);
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const q = rig_forward(&r);
        const double condition = oracle_cayley_condition(n, expected);
        const double found = largest_difference(n * n, q, expected);
        ck_assert_msg(found <= 10.0 * rig_unit(&r) * condition * (1.0 + largest(n * n, expected)),
                      "%s, n = %d: %g", chains[k], (int)n, found);
        free(x);
        free(folded);
        free(expected);
        free(q);
        rig_close(&r);
      }
    }
  }
}
END_TEST

/* |Q^T Q - I| <= 10 n eps (1 + |X|_1) for |X| from 1e-6 to 1e4. */
START_TEST(values_are_orthogonal)
{
  static const int64_t orders[] = {1, 2, 3, 8, 17, 40, 64, 130};
  for (int d = 0; d < 2; ++d) {
    for (size_t s = 0; s < sizeof(orders) / sizeof(orders[0]); ++s) {
      const int64_t n = orders[s];
      rig r;
      subject_open(&r, "skew,cayley", d ? PZ_F64 : PZ_F32, square_shape(n));
      for (double scale = 1e-6; scale < 2e4; scale *= 10.0) {
        double* const x = rig_normal(&r, r.x.dtype, n * n, scale / sqrt((double)n));
        for (int64_t k = 0; k < n * n; ++k) {
          x[k] = k / n < k % n ? x[k] : 0.0;
        }
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const q = rig_forward(&r);
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < i; ++j) {
            x[i * n + j] = -x[j * n + i];
          }
        }
        const double bound = 10.0 * rig_unit(&r) * (1.0 + oracle_one_norm(1, n, x));
        const double found = largest_orthogonality(1, n, n, q);
        ck_assert_msg(found <= bound, "n = %d, |X| ~ %g: %g > %g", (int)n, scale, found, bound);
        free(x);
        free(q);
      }
      rig_close(&r);
    }
  }
}
END_TEST

/* gX = 1/2 (I + Q)^T G (I + Q)^T, c = 100. */
START_TEST(vjp_matches_the_formula)
{
  enum { N = 7 };
  rig r;
  subject_open(&r, "cayley", PZ_F64, square_shape(N));
  double* const x = rig_normal(&r, PZ_F64, N * N, 0.3);
  rig_write(&r, PZ_ORIGINAL, 0, x);
  double* const q = rig_forward(&r);
  double* const g = rig_normal(&r, PZ_F64, N * N, 1.0);
  double* const gx = rig_vjp(&r, g, 0);
  double* const left = reals(N * N);
  double* const expected = reals(N * N);
  for (int k = 0; k < N; ++k) {
    q[k * N + k] += 1.0;
  }
  oracle_product(N, true, false, q, g, left);
  oracle_product(N, false, true, left, q, expected);
  for (int k = 0; k < N * N; ++k) {
    expected[k] *= 0.5;
  }
  ck_assert_double_le(largest_difference(N * N, gx, expected),
                      100.0 * rig_unit(&r) * largest(N * N, expected));
  free(x);
  free(q);
  free(g);
  free(gx);
  free(left);
  free(expected);
  rig_close(&r);
}
END_TEST

/* Any rotation away from the eigenvalue -1 goes in and comes out: 100 n eps cond(I + Q). */
START_TEST(rotations_come_back)
{
  static const int64_t orders[] = {1, 2, 3, 5, 8, 16, 33, 64, 130};
  for (int d = 0; d < 2; ++d) {
    const uint32_t dtype = d ? PZ_F64 : PZ_F32;
    for (size_t s = 0; s < sizeof(orders) / sizeof(orders[0]); ++s) {
      const int64_t n = orders[s];
      double* const q = orthogonal_matrix(n, dtype, 1.0);
      const double condition = oracle_cayley_condition(n, q);
      for (int signs = 0; signs < 2; ++signs) {
        rig r;
        subject_open(&r, signs ? "skew,cayley(signs=1)" : "skew,cayley", dtype, square_shape(n));
        if (!signs && rig_unit(&r) * condition > 0.05) {
          rig_close(&r);
          continue;
        }
        ck_assert_ok(rig_assign(&r, PZ_ASSIGN, q));
        double* const back = rig_forward(&r);
        const double bound = 100.0 * rig_unit(&r) * (signs ? (double)(n * n) : condition);
        ck_assert_double_le(largest_difference(n * n, back, q), bound);
        free(back);
        rig_close(&r);
      }
      free(q);
    }
  }
}
END_TEST

START_TEST(what_has_no_original_is_refused)
{
  static const char* const sentence = "which no Cayley transform has";
  const double reflection[] = {1.0, 1.0, -1.0};
  const double half_turn[] = {-1.0, -1.0, 1.0};
  double* const improper = diagonal_matrix(3, reflection);
  double* const turned = diagonal_matrix(3, half_turn);
  double* const random = orthogonal_matrix(9, PZ_F32, -1.0);
  rig r;
  subject_open(&r, "skew,cayley", PZ_F64, square_shape(3));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, improper), PZ_SINGULAR, "determinant -1");
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, improper), PZ_SINGULAR, sentence);
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, turned), PZ_SINGULAR, sentence);
  double distance = 0.0;
  ck_assert_ok(rig_residual(&r, improper, &distance));
  ck_assert_double_eq(distance, 2.0);
  improper[0] = 1.5;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, improper), PZ_OUTSIDE, "at distance 1.25");
  ck_assert_ok(rig_residual(&r, improper, &distance));
  ck_assert_double_eq_tol(distance, 1.25, 1e-12);
  improper[0] = NAN;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, improper), PZ_OUTSIDE, "nan");
  rig_close(&r);

  subject_open(&r, "skew,cayley", PZ_F32, square_shape(9));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, random), PZ_SINGULAR, "determinant -1");
  rig_close(&r);

  /* an angle of pi - 1e-6 is too near to -1 in float32, not in float64 */
  const double c = cos(acos(-1.0) - 1e-6);
  const double s = sin(acos(-1.0) - 1e-6);
  const double near[] = {c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0};
  subject_open(&r, "skew,cayley", PZ_F64, square_shape(3));
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, near));
  double* const back = rig_forward(&r);
  ck_assert_double_le(largest_difference(9, back, near), 100.0 * rig_unit(&r) * 2e6);
  free(back);
  rig_close(&r);
  subject_open(&r, "skew,cayley", PZ_F32, square_shape(3));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, near), PZ_SINGULAR, "condition number");
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, near), PZ_SINGULAR, sentence);
  rig_close(&r);

  /* without a skew map: I + Q must be regular, nothing else */
  subject_open(&r, "cayley", PZ_F64, square_shape(3));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, turned), PZ_SINGULAR, sentence);
  turned[0] = 7.0;
  turned[4] = 5.0;
  turned[1] = 2.0;
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, turned));
  double* const value = rig_forward(&r);
  ck_assert_double_le(largest_difference(9, value, turned), 1000.0 * rig_unit(&r));
  free(value);
  free(improper);
  free(turned);
  free(random);
  rig_close(&r);
}
END_TEST

/* What forward gave may be assigned, although an angle near pi (one large pair among small
   ones, mixed by a reflection) leaves a defect above the tolerance for foreign values; a
   foreign value with such a defect may not. */
START_TEST(own_rounding_is_admitted)
{
  enum { N = 8, TRIALS = 16 };
  double worst = 0.0;
  rig r;
  subject_open(&r, "skew,cayley", PZ_F32, square_shape(N));
  for (int trial = 0; trial < TRIALS; ++trial) {
    double* const v = rig_normal(&r, PZ_F64, N, 1.0);
    double* const s = rig_normal(&r, PZ_F64, N * N, 1.0);
    double* const x = reals(N * N);
    const double square = inner(N, v, v);
    s[1] = 6e4;
    for (int i = 0; i < N; ++i) {
      for (int j = 0; j < N; ++j) { /* X <- H (S - S^T) H, both triangles of S used once */
        for (int k = 0; k < N; ++k) {
          for (int l = k + 1; l < N; ++l) {
            const double hik = (i == k) - 2.0 * v[i] * v[k] / square;
            const double hil = (i == l) - 2.0 * v[i] * v[l] / square;
            const double hjk = (j == k) - 2.0 * v[j] * v[k] / square;
            const double hjl = (j == l) - 2.0 * v[j] * v[l] / square;
            x[i * N + j] += s[k * N + l] * (hik * hjl - hil * hjk);
          }
        }
      }
    }
    rig_write(&r, PZ_ORIGINAL, 0, x);
    double* const q = rig_forward(&r);
    double distance = 0.0;
    ck_assert_ok(rig_residual(&r, q, &distance));
    ck_assert_ok(rig_assign(&r, PZ_ASSIGN, q));
    worst = fmax(worst, distance);
    free(v);
    free(s);
    free(x);
    free(q);
  }
  /* the reference works in double and rounds once */
  ck_assert_msg(worst > 100.0 * rig_unit(&r) || strcmp(subject_device, "reference") == 0,
                "the largest defect, %g, shows nothing", worst);
  double* const foreign = reals(N * N);
  for (int i = 0; i < N; ++i) {
    foreign[i * N + i] = 1.0 + 60.0 * rig_unit(&r);
  }
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, foreign), PZ_OUTSIDE, "at distance");
  free(foreign);
  rig_close(&r);
}
END_TEST

/* Registering takes the rotation nearest to anything; a rotation itself is kept. */
START_TEST(registration_projects)
{
  enum { N = 5 };
  rig r;
  subject_open(&r, "skew,cayley", PZ_F64, square_shape(N));
  double* const a = rig_normal(&r, PZ_F64, N * N, 1.0);
  ck_assert_ok(rig_assign(&r, PZ_REGISTER, a));
  double* const q = rig_forward(&r);
  ck_assert_double_gt(oracle_determinant(N, q), 0.0);
  /* nearest: Q^T A is symmetric */
  double* const s = reals(N * N);
  oracle_product(N, true, false, q, a, s);
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < i; ++j) {
      ck_assert_double_le(fabs(s[i * N + j] - s[j * N + i]), 1e-8);
    }
  }
  double* const improper = orthogonal_matrix(N, PZ_F64, -1.0);
  ck_assert_ok(rig_assign(&r, PZ_REGISTER, improper));
  double* const proper = rig_forward(&r);
  ck_assert_double_le(largest_orthogonality(1, N, N, proper), 1e-8);
  free(a);
  free(q);
  free(s);
  free(improper);
  free(proper);
  rig_close(&r);
}
END_TEST

/* Haar's measure on 3 x 3: entries have mean 0 and mean square 1/3 (6 deviations), the
   determinant is 1, or of either sign with signs. */
START_TEST(samples_are_uniform)
{
  enum { MANY = 700 };
  for (int signs = 0; signs < 2; ++signs) {
    rig r;
    subject_open(&r, signs ? "skew,cayley(signs=1)" : "skew,cayley", PZ_F64,
                 (extents){3, {MANY, 3, 3}});
    ck_assert_ok(pz_eval_sample(r.eval, r.state));
    double* const q = rig_forward(&r);
    for (int at = 0; at < 9; ++at) {
      double mean = 0.0;
      double square_mean = 0.0;
      for (int m = 0; m < MANY; ++m) {
        mean += q[m * 9 + at] / MANY;
        square_mean += q[m * 9 + at] * q[m * 9 + at] / MANY;
      }
      ck_assert_double_le(fabs(mean), 6.0 * sqrt(1.0 / 3.0 / MANY));
      ck_assert_double_le(fabs(square_mean - 1.0 / 3.0), 6.0 * sqrt(4.0 / 45.0 / MANY));
    }
    int proper = 0;
    for (int m = 0; m < MANY; ++m) {
      proper += oracle_determinant(3, q + m * 9) > 0.0;
    }
    if (signs) {
      ck_assert_int_gt(proper, MANY / 4);
      ck_assert_int_lt(proper, MANY * 3 / 4);
    } else {
      ck_assert_int_eq(proper, MANY);
    }
    free(q);
    rig_close(&r);
  }
}
END_TEST

/* Samples near the eigenvalue -1 have large originals; c = 10. */
START_TEST(samples_are_off_by_the_rounding_of_their_originals)
{
  enum { MANY = 3000, N = 4 };
  for (int signs = 0; signs < 2; ++signs) {
    rig r;
    subject_open(&r, signs ? "skew,cayley(signs=1)" : "skew,cayley", PZ_F32,
                 (extents){3, {MANY, N, N}});
    ck_assert_ok(pz_eval_sample(r.eval, r.state));
    double* const q = rig_forward(&r);
    double* const x = rig_read(&r, PZ_ORIGINAL, 0);
    for (int64_t m = 0; m < MANY; ++m) {
      const double norm = N * oracle_one_norm(1, N, x + m * N * N); /* of one triangle */
      const double defect = largest_orthogonality(1, N, N, q + m * N * N);
      ck_assert_msg(defect <= 10.0 * rig_unit(&r) * (1.0 + norm), "sample %d: %g, |X| = %g", (int)m,
                    defect, norm);
      ck_assert(signs || norm < 1000.0 * MANY);
    }
    free(q);
    free(x);
    rig_close(&r);
  }
}
END_TEST

/* X = ones(2) breaks elimination without pivoting, and I - I has no inverse. */
START_TEST(general_input_is_pivoted)
{
  const double ones[] = {1.0, 1.0, 1.0, 1.0};
  const double one[] = {1.0, 0.0, 0.0, 1.0};
  double expected[4];
  rig r;
  subject_open(&r, "cayley", PZ_F64, square_shape(2));
  rig_write(&r, PZ_ORIGINAL, 0, ones);
  double* const q = rig_forward(&r);
  oracle_cayley(2, ones, expected);
  ck_assert_double_le(largest_difference(4, q, expected), 100.0 * rig_unit(&r));
  rig_write(&r, PZ_ORIGINAL, 0, one);
  pz_tensor value;
  pz_status status = pz_eval_forward(r.eval, r.state, 0, NULL, &value);
  status = status == PZ_OK ? pz_eval_check(r.eval) : status; /* at the latest */
  ck_assert_int_eq(status, PZ_SINGULAR);
  free(q);
  rig_close(&r);
}
END_TEST

START_TEST(not_a_number_propagates)
{
  enum { N = 20 };
  rig r;
  subject_open(&r, "skew,cayley", PZ_F32, square_shape(N));
  double* const x = rig_normal(&r, PZ_F32, N * N, 0.1);
  x[N - 1] = NAN;
  rig_write(&r, PZ_ORIGINAL, 0, x);
  double* const q = rig_forward(&r);
  ck_assert(isnan(largest(N * N, q)));
  free(x);
  free(q);
  rig_close(&r);
}
END_TEST

TCase*
tests_cayley(void)
{
  TCase* const tests = subject_case("cayley");
  tcase_add_test(tests, values_match_elimination);
  tcase_add_test(tests, values_are_orthogonal);
  tcase_add_test(tests, vjp_matches_the_formula);
  tcase_add_test(tests, rotations_come_back);
  tcase_add_test(tests, what_has_no_original_is_refused);
  tcase_add_test(tests, own_rounding_is_admitted);
  tcase_add_test(tests, registration_projects);
  tcase_add_test(tests, samples_are_uniform);
  tcase_add_test(tests, samples_are_off_by_the_rounding_of_their_originals);
  tcase_add_test(tests, general_input_is_pivoted);
  tcase_add_test(tests, not_a_number_propagates);
  return tests;
}
