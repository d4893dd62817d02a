/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential against a long double series, over all degrees and squarings. */

#include "members.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* x <- the skew (-1) or symmetric (1) matrix of its upper triangle. */
static void
fold(const int64_t n, const double sign, double* const x)
{
  for (int64_t i = 0; i < n; ++i) {
    x[i * n + i] = sign < 0.0 ? 0.0 : x[i * n + i];
    for (int64_t j = 0; j < i; ++j) {
      x[i * n + j] = sign * x[j * n + i];
    }
  }
}

/* Normwise error of the value at x against the oracle, over 100 n eps (1 + |X|_1): the
   conditioning of exp at a normal matrix, and about that of random ones. */
static void
check_value(rig* const r, const int64_t batch, const int64_t n, const double* const x,
            const char* const chain)
{
  rig_write(r, PZ_ORIGINAL, 0, x);
  double* const y = rig_forward(r);
  double* const expected = reals(n * n);
  double* const folded = reals(n * n);
  for (int64_t m = 0; m < batch; ++m) {
    memcpy(folded, x + m * n * n, (size_t)(n * n) * sizeof(double));
    if (strncmp(chain, "sk", 2) == 0 || strncmp(chain, "sy", 2) == 0) {
      fold(n, chain[1] == 'k' ? -1.0 : 1.0, folded);
    }
    oracle_exp(n, folded, expected);
    const double norm = oracle_one_norm(1, n, folded);
    const double found = largest_difference(n * n, y + m * n * n, expected);
    const double bound = 100.0 * rig_unit(r) * (1.0 + norm) * largest(n * n, expected);
    ck_assert_msg(found <= bound, "%s, matrix %d of order %d, |X| = %g: %g > %g", chain, (int)m,
                  (int)n, norm, found, bound);
  }
  free(y);
  free(expected);
  free(folded);
}

static const char* const chains[] = {"matrix_exp", "skew,matrix_exp", "symmetric,matrix_exp"};

START_TEST(values_match_the_series)
{
  static const int64_t orders[] = {1, 2, 3, 5, 8, 17, 31, 32, 40};
  static const double scales[] = {1e-9, 1e-5, 1e-3, 0.03, 0.2, 0.8, 3.0, 20.0};
  for (int k = 0; k < 3; ++k) {
    for (int d = 0; d < 2; ++d) {
      for (size_t s = 0; s < sizeof(orders) / sizeof(orders[0]); ++s) {
        const int64_t n = orders[s];
        rig r;
        subject_open(&r, chains[k], d ? PZ_F64 : PZ_F32, square_shape(n));
        ck_assert_int_eq(r.y.structure, k == 0 ? PZ_GENERAL : k == 1 ? PZ_ORTHOGONAL : PZ_SPD);
        for (size_t c = 0; c < sizeof(scales) / sizeof(scales[0]); ++c) {
          if (!test_takes((int64_t)(s + c) + k, 3)) {
            continue;
          }
          double* const x = rig_normal(&r, r.x.dtype, n * n, scales[c] / sqrt((double)n));
          check_value(&r, 1, n, x, chains[k]);
          free(x);
        }
        rig_close(&r);
      }
    }
  }
}
END_TEST

/* One batch in which every matrix wants another degree or number of squarings, small ones
   and ones whose powers are asked. */
START_TEST(batches_of_different_norms)
{
  enum { BATCH = 14 };
  static const double scales[BATCH] = {5.0,  1e-12, 0.0, 0.5,  40.0, 1e-4, 8.0,
                                       1e-9, 0.02,  5.0, 1e-6, 2.0,  0.1,  30.0};
  static const int64_t orders[] = {3, 7, 36};
  for (int k = 0; k < 2; ++k) {
    for (int d = 0; d < 2; ++d) {
      for (int s = 0; s < 3; ++s) {
        const int64_t n = orders[s];
        rig r;
        subject_open(&r, chains[k], d ? PZ_F64 : PZ_F32, (extents){3, {BATCH, n, n}});
        double* const x = rig_normal(&r, r.x.dtype, BATCH * n * n, 1.0 / sqrt((double)n));
        for (int64_t i = 0; i < BATCH * n * n; ++i) {
          const double scaled = x[i] * scales[i / (n * n)];
          x[i] = d ? scaled : (double)(float)scaled;
        }
        check_value(&r, BATCH, n, x, chains[k]);
        free(x);
        rig_close(&r);
      }
    }
  }
}
END_TEST

/* |Q^T Q - I| <= 10 n eps (1 + |X|_1) for |X| from 1e-6 to 1e3. */
START_TEST(values_are_orthogonal)
{
  static const int64_t orders[] = {1, 2, 3, 8, 17, 40, 64, 130};
  for (int d = 0; d < 2; ++d) {
    for (size_t s = 0; s < sizeof(orders) / sizeof(orders[0]); ++s) {
      const int64_t n = orders[s];
      rig r;
      subject_open(&r, "skew,matrix_exp", d ? PZ_F64 : PZ_F32, square_shape(n));
      for (int power = -6; power <= 3; ++power) {
        if (!test_takes((int64_t)s + power + 6, 3)) {
          continue;
        }
        const double scale = pow(10.0, power);
        double* const x = rig_normal(&r, r.x.dtype, n * n, scale / sqrt((double)n));
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const q = rig_forward(&r);
        fold(n, -1.0, x);
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

/* Exactly symmetric, eigenvalues above -10 n eps times the largest. */
START_TEST(values_are_definite)
{
  static const int64_t orders[] = {1, 2, 5, 17, 40};
  for (int d = 0; d < 2; ++d) {
    for (int s = 0; s < 5; ++s) {
      const int64_t n = orders[s];
      rig r;
      subject_open(&r, "symmetric,matrix_exp", d ? PZ_F64 : PZ_F32, square_shape(n));
      for (int power = 0; power < 5; ++power) {
        if (!test_takes(s + power, 3)) {
          continue;
        }
        const double scale = 0.01 * pow(5.0, power);
        double* const x = rig_normal(&r, r.x.dtype, n * n, scale / sqrt((double)n));
        double* const w = reals(n);
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const y = rig_forward(&r);
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < i; ++j) {
            ck_assert(y[i * n + j] == y[j * n + i]);
          }
        }
        oracle_eigenvalues(n, y, w);
        double least = w[0];
        for (int64_t i = 0; i < n; ++i) {
          least = fmin(least, w[i]);
        }
        ck_assert_double_ge(least, -10.0 * rig_unit(&r) * largest(n, w));
        free(x);
        free(w);
        free(y);
      }
      rig_close(&r);
    }
  }
}
END_TEST

/* <vjp(g), dx> against central differences of the long double series, where the map
   squares, over a batch of different needs: 1e-6. */
START_TEST(vjp_reverses_the_squarings)
{
  enum { BATCH = 5 };
  static const double scales[BATCH] = {3.0, 1e-5, 12.0, 0.3, 6.0};
  static const int64_t orders[] = {1, 3, 9, 35};
  for (int k = 0; k < 3; ++k) {
    for (int s = 0; s < 4; ++s) {
      const int64_t n = orders[s];
      const double h = 1e-5;
      rig r;
      subject_open(&r, chains[k], PZ_F64, (extents){3, {BATCH, n, n}});
      const int64_t each = n * n;
      double* const x = rig_normal(&r, PZ_F64, BATCH * each, 1.0 / sqrt((double)n));
      double* const dx = rig_normal(&r, PZ_F64, BATCH * each, 1.0 / sqrt((double)n));
      double* const g = rig_normal(&r, PZ_F64, BATCH * each, 1.0);
      for (int64_t i = 0; i < BATCH * each; ++i) {
        x[i] *= scales[i / each];
      }
      rig_write(&r, PZ_ORIGINAL, 0, x);
      free(rig_forward(&r));
      double* const gx = rig_vjp(&r, g, 0);
      double* const again = rig_vjp(&r, g, 0);
      ck_assert_int_eq(memcmp(gx, again, (size_t)(BATCH * each) * sizeof(double)), 0);
      double* const moved = reals(each);
      double* const above = reals(each);
      double* const below = reals(each);
      for (int m = 0; m < BATCH; ++m) {
        for (int side = 0; side < 2; ++side) {
          for (int64_t i = 0; i < each; ++i) {
            moved[i] = x[m * each + i] + (side ? h : -h) * dx[m * each + i];
          }
          if (k > 0) {
            fold(n, k == 1 ? -1.0 : 1.0, moved);
          }
          oracle_exp(n, moved, side ? above : below);
        }
        for (int64_t i = 0; i < each; ++i) {
          above[i] = (above[i] - below[i]) / (2.0 * h);
        }
        const double expected = inner(each, g + m * each, above);
        const double found = inner(each, gx + m * each, dx + m * each);
        const double size =
            sqrt(inner(each, g + m * each, g + m * each) * inner(each, above, above));
        ck_assert_msg(fabs(found - expected) <= 1e-6 * size,
                      "%s, n = %d, matrix %d: %.12g, "
                      "expected %.12g",
                      chains[k], (int)n, m, found, expected);
      }
      free(x);
      free(dx);
      free(g);
      free(gx);
      free(again);
      free(moved);
      free(above);
      free(below);
      rig_close(&r);
    }
  }
}
END_TEST

/* Equal, near and far eigenvalues, to what |X| makes of rounding errors, in one pass and by
   eigenvectors, whose form with sinh would overflow. */
START_TEST(symmetric_vjp_neither_cancels_nor_overflows)
{
  static const double w[4] = {1.0, 1.0, 1.0 + 1e-9, -1500.0};
  static const int64_t orders[] = {4, 36};
  for (int s = 0; s < 2; ++s) {
    const int64_t n = orders[s];
    rig r;
    subject_open(&r, "symmetric,matrix_exp", PZ_F64, square_shape(n));
    double* const x = reals(n * n);
    double* const g = reals(n * n);
    for (int64_t k = 0; k < n * n; ++k) {
      x[k] = k % (n + 1) == 0 ? w[k % n % 4] : 0.0;
      g[k] = 1.0;
    }
    rig_write(&r, PZ_ORIGINAL, 0, x);
    free(rig_forward(&r));
    double* const gx = rig_vjp(&r, g, 0);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = i; j < n; ++j) {
        const double d = fabs(w[i % 4] - w[j % 4]);
        const double f = exp(fmax(w[i % 4], w[j % 4])) * (d == 0.0 ? 1.0 : -expm1(-d) / d);
        ck_assert_double_le(fabs(gx[i * n + j] - (i == j ? f : 2.0 * f)), 1500.0 * 10.0 * 2.2e-16);
      }
    }
    free(x);
    free(g);
    free(gx);
    rig_close(&r);
  }
}
END_TEST

START_TEST(known_exponentials)
{
  rig r;
  subject_open(&r, "matrix_exp", PZ_F64, square_shape(2));
  const double nilpotent[] = {0.0, 1e6, 0.0, 0.0};
  rig_write(&r, PZ_ORIGINAL, 0, nilpotent);
  double* y = rig_forward(&r);
  const double sheared[] = {1.0, 1e6, 0.0, 1.0};
  ck_assert_double_le(largest_difference(4, y, sheared), 100.0 * rig_unit(&r) * 1e6);
  free(y);
  const double vanishing[] = {-1e5, 0.0, 0.0, -3.0};
  rig_write(&r, PZ_ORIGINAL, 0, vanishing);
  y = rig_forward(&r);
  ck_assert(y[0] == 0.0);
  ck_assert_double_le(fabs(y[3] - exp(-3.0)), 1e5 * 100.0 * rig_unit(&r) * exp(-3.0));
  free(y);
  const double turn[] = {0.0, -acos(-1.0), acos(-1.0), 0.0};
  rig_write(&r, PZ_ORIGINAL, 0, turn);
  y = rig_forward(&r);
  const double half[] = {-1.0, 0.0, 0.0, -1.0};
  ck_assert_double_le(largest_difference(4, y, half), 100.0 * rig_unit(&r));
  free(y);
  rig_close(&r);
}
END_TEST

/* Overflow and what is not finite end, and spoil their own matrix alone. */
START_TEST(not_finite_stays_in_its_matrix)
{
  enum { BATCH = 5 };
  static const int64_t orders[] = {3, 33};
  static const double bad[BATCH] = {0.1, NAN, INFINITY, 1e300, 0.1};
  for (int k = 0; k < 3; ++k) {
    for (int s = 0; s < 2; ++s) {
      for (int d = 0; d < 2; ++d) {
        const int64_t n = orders[s];
        rig r;
        subject_open(&r, chains[k], d ? PZ_F64 : PZ_F32, (extents){3, {BATCH, n, n}});
        double* const x = rig_normal(&r, r.x.dtype, BATCH * n * n, 0.1);
        for (int m = 0; m < BATCH; ++m) {
          x[m * n * n + n - 1] = bad[m];
        }
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const y = rig_forward(&r);
        ck_assert(isfinite(largest(n * n, y)));
        ck_assert(isnan(largest(n * n, y + n * n)));
        ck_assert(!isfinite(largest(n * n, y + 2 * n * n)));
        ck_assert(isfinite(largest(n * n, y + 4 * n * n)));
        for (int64_t i = 0; k < 2 && i < n * n; ++i) {
          ck_assert_msg(isnan(y[n * n + i]), "%s: entry %d of a NaN matrix is %g", chains[k],
                        (int)i, y[n * n + i]);
        }
        free(x);
        free(y);
        rig_close(&r);
      }
    }
  }
}
END_TEST

/* A few thousand 3 x 3 in the order they came. */
START_TEST(large_batches)
{
  enum { BATCH = 1000, N = 3 };
  rig r;
  subject_open(&r, "skew,matrix_exp", PZ_F32, (extents){4, {BATCH / 8, 8, N, N}});
  double* const x = rig_normal(&r, PZ_F32, BATCH * N * N, 2.0);
  check_value(&r, BATCH, N, x, "skew,matrix_exp");
  free(x);
  rig_close(&r);
}
END_TEST

/* In float32 a symmetric X is good for |X| eps of its exponential, in the spectral norm of X and
   the Frobenius norm of the rest; no more than that is lost, c = 1, beside two roundings. */
START_TEST(symmetric_float32_loses_nothing)
{
  static const int64_t orders[] = {1, 2, 3, 8, 17, 40};
  static const double scales[] = {0.1, 0.5, 1.5};
  for (int o = 0; o < 6; ++o) {
    for (int k = 0; k < 3; ++k) {
      const int64_t n = orders[o];
      rig r;
      subject_open(&r, "symmetric,matrix_exp", PZ_F32, square_shape(n));
      double* const x = rig_normal(&r, PZ_F32, n * n, scales[k]);
      rig_write(&r, PZ_ORIGINAL, 0, x);
      double* const found = rig_forward(&r);
      ck_assert_ok(subject_change(&r, "symmetric,matrix_exp", PZ_F64, square_shape(n)));
      rig_write(&r, PZ_ORIGINAL, 0, x);
      double* const exact = rig_forward(&r);
      double* const w = reals(n);
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < i; ++j) {
          x[i * n + j] = x[j * n + i];
        }
      }
      oracle_eigenvalues(n, x, w);
      for (int64_t i = 0; i < n * n; ++i) {
        found[i] -= exact[i];
      }
      const double off = sqrt(inner(n * n, found, found) / inner(n * n, exact, exact));
      ck_assert_msg(off <= pz_dtype_epsilon(PZ_F32) * (2.0 + largest(n, w)), "n = %d, |X| = %g: %g",
                    (int)n, largest(n, w), off);
      free(x);
      free(found);
      free(exact);
      free(w);
      rig_close(&r);
    }
  }
}
END_TEST

TCase*
tests_matrix_exp(void)
{
  TCase* const tests = subject_case("matrix_exp");
  tcase_add_test(tests, values_match_the_series);
  tcase_add_test(tests, batches_of_different_norms);
  tcase_add_test(tests, values_are_orthogonal);
  tcase_add_test(tests, values_are_definite);
  tcase_add_test(tests, vjp_reverses_the_squarings);
  tcase_add_test(tests, symmetric_vjp_neither_cancels_nor_overflows);
  tcase_add_test(tests, known_exponentials);
  tcase_add_test(tests, not_finite_stays_in_its_matrix);
  tcase_add_test(tests, large_batches);
  tcase_add_test(tests, symmetric_float32_loses_nothing);
  return tests;
}
