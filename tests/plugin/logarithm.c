/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The right inverses of the exponential. A device without a real Schur form has none of
   rotations from order 4 on and of general matrices, and reports it. */

#include "members.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Assigns y and expects it back within 100 n eps `condition`. */
static void
comes_back(rig* const r, const double* const y, const double condition)
{
  ck_assert_ok(rig_assign(r, PZ_ASSIGN, y));
  double* const back = rig_forward(r);
  const double found = largest_difference(r->n_y, back, y);
  const double bound = 100.0 * rig_unit(r) * condition * fmax(1.0, largest(r->n_y, y));
  ck_assert_msg(found <= bound, "order %d: %g > %g", (int)r->y.shape[r->y.ndim - 1], found, bound);
  free(back);
}

/* Uniform rotations, and signed ones, whose angles are pi or nearly so. */
START_TEST(rotations_come_back)
{
  static const int64_t orders[] = {1, 2, 3, 4, 5, 8, 17, 40, 64};
  for (int d = 0; d < 2; ++d) {
    for (size_t s = 0; s < sizeof(orders) / sizeof(orders[0]); ++s) {
      const int64_t n = orders[s];
      rig r;
      subject_open(&r, "skew,matrix_exp", d ? PZ_F64 : PZ_F32, square_shape(n));
      ck_assert_ok(pz_eval_sample(r.eval, r.state));
      double* const q = rig_forward(&r);
      ck_assert_double_gt(oracle_determinant(n, q), 0.0);
      comes_back(&r, q, 1.0);
      /* angles in [-pi, pi]: the spectral norm of X, bounded by its Frobenius norm */
      double* const x = rig_read(&r, PZ_ORIGINAL, 0);
      ck_assert_double_le(sqrt(inner(n * n, x, x)),
                          acos(-1.0) * sqrt((double)(n / 2)) * (1.0 + 100.0 * rig_unit(&r)) +
                              100.0 * rig_unit(&r));
      free(x);
      /* Q S Q^T, S of signs with an even number of -1: eigenvalues -1 exactly, to rounding */
      double* const signed_q = reals(n * n);
      double* const turned = reals(n * n);
      memcpy(signed_q, q, (size_t)(n * n) * sizeof(double));
      for (int64_t j = 0; j < n / 2 * 2; ++j) {
        for (int64_t i = 0; i < n && (j / 2) % 2 == 0; ++i) {
          signed_q[i * n + j] = -signed_q[i * n + j];
        }
      }
      oracle_product(n, false, true, signed_q, q, turned);
      comes_back(&r, turned, 1.0);
      /* the inverse */
      transpose(n, n, q, turned);
      comes_back(&r, turned, 1.0);
      /* the identity and, in even order, minus it */
      memset(turned, 0, (size_t)(n * n) * sizeof(double));
      for (int64_t i = 0; i < n; ++i) {
        turned[i * n + i] = n % 2 ? 1.0 : -1.0;
      }
      comes_back(&r, turned, 1.0);
      free(q);
      free(signed_q);
      free(turned);
      rig_close(&r);
    }
  }
}
END_TEST

/* What forward gave of a large matrix, in a batch with small ones, may be assigned. */
START_TEST(far_values_come_back)
{
  enum { BATCH = 5 };
  static const double scales[BATCH] = {100.0, 0.1, 1e3, 7.0, 20.0};
  static const int64_t orders[] = {2, 3, 9, 33};
  for (int d = 0; d < 2; ++d) {
    for (int s = 0; s < 4; ++s) {
      const int64_t n = orders[s];
      rig r;
      subject_open(&r, "skew,matrix_exp", d ? PZ_F64 : PZ_F32, (extents){3, {BATCH, n, n}});
      double* const x = rig_normal(&r, r.x.dtype, r.n_x, 1.0 / sqrt((double)n));
      for (int64_t i = 0; i < r.n_x; ++i) {
        x[i] *= scales[i / (n * n)];
      }
      rig_write(&r, PZ_ORIGINAL, 0, x);
      double* const q = rig_forward(&r);
      comes_back(&r, q, 1.0);
      free(x);
      free(q);
      rig_close(&r);
    }
  }
}
END_TEST

START_TEST(rotations_are_judged)
{
  double q[9] = {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0};
  rig r;
  double distance = 0.0;
  subject_open(&r, "skew,matrix_exp", PZ_F64, square_shape(3));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, q), PZ_SINGULAR, "determinant -1");
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, q), PZ_SINGULAR, "no real logarithm");
  ck_assert_ok(rig_residual(&r, q, &distance));
  ck_assert(distance == 2.0);
  q[8] = 2.0;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, q), PZ_OUTSIDE, "at distance 3");
  q[8] = NAN;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, q), PZ_OUTSIDE, "nan");
  rig_close(&r);
}
END_TEST

/* Positive definite values over a spread of eigenvalues. */
START_TEST(definite_matrices_come_back)
{
  static const int64_t orders[] = {1, 2, 3, 8, 17, 40};
  for (int d = 0; d < 2; ++d) {
    for (int s = 0; s < 6; ++s) {
      const int64_t n = orders[s];
      rig r;
      subject_open(&r, "symmetric,matrix_exp", d ? PZ_F64 : PZ_F32, square_shape(n));
      for (double scale = 0.01; scale < 3.0; scale *= 4.0) {
        double* const x = rig_normal(&r, r.x.dtype, n * n, scale / sqrt((double)n));
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const y = rig_forward(&r);
        comes_back(&r, y, 1.0);
        /* and the logarithm is the one symmetric one, to the condition of y */
        double* const found = rig_read(&r, PZ_ORIGINAL, 0);
        double most = 0.0;
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = i; j < n; ++j) {
            most = fmax(most, fabs(found[i * n + j] - x[i * n + j]));
          }
        }
        ck_assert_double_le(most, 100.0 * rig_unit(&r) * exp(6.0 * scale));
        free(x);
        free(y);
        free(found);
      }
      rig_close(&r);
    }
  }
}
END_TEST

START_TEST(definite_matrices_are_judged)
{
  double y[4] = {2.0, 1.0, 1.0, 0.25};
  double distance = 0.0;
  rig r;
  subject_open(&r, "symmetric,matrix_exp", PZ_F64, square_shape(2));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, y), PZ_OUTSIDE, "smallest eigenvalue -0.204");
  ck_assert_ok(rig_residual(&r, y, &distance));
  ck_assert_double_eq_tol(distance, (sqrt(1.75 * 1.75 + 4.0) - 2.25) / 2.0, 1e-12);
  /* registering projects: the positive part remains */
  ck_assert_ok(rig_assign(&r, PZ_REGISTER, y));
  double* const projected = rig_forward(&r);
  double w[2];
  oracle_eigenvalues(2, projected, w);
  ck_assert_double_eq_tol(fmax(w[0], w[1]), (sqrt(1.75 * 1.75 + 4.0) + 2.25) / 2.0, 1e-10);
  free(projected);
  y[1] = 1.5;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, y), PZ_OUTSIDE, "distance 0.25 from a symmetric");
  y[1] = NAN;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, y), PZ_OUTSIDE, "nan");
  rig_close(&r);
}
END_TEST

/* Eigenvalues that are lost beside the largest one where matrices are scaled by it. */
START_TEST(definite_matrices_of_all_scales_have_logarithms)
{
  static const double ends[] = {1e-300, 1e300};
  for (int m = 0; m < 2; ++m) {
    double y[9] = {0.0};
    rig r;
    subject_open(&r, "symmetric,matrix_exp", PZ_F64, square_shape(3));
    for (int i = 0; i < 3; ++i) {
      y[4 * i] = i < 2 ? ends[i ^ m] : 1.0;
    }
    ck_assert_ok(rig_assign(&r, PZ_ASSIGN, y));
    double* const x = rig_read(&r, PZ_ORIGINAL, 0);
    for (int i = 0; i < 3; ++i) {
      ck_assert_double_le(fabs(x[4 * i] - log(y[4 * i])), 1e-12);
    }
    y[4 * m] = -1e-300;
    ck_assert_fails(rig_assign(&r, PZ_ASSIGN, y), PZ_OUTSIDE, "smallest eigenvalue -1e-300");
    free(x);
    rig_close(&r);
  }
}
END_TEST

/* exp(log(Y)) for Y = exp of anything moderate, in a batch, and the logarithm itself. */
START_TEST(general_matrices_come_back)
{
  enum { BATCH = 3 };
  static const int64_t orders[] = {1, 2, 3, 5, 8, 17, 40};
  for (int d = 0; d < 2; ++d) {
    for (int s = 0; s < 7; ++s) {
      const int64_t n = orders[s];
      rig r;
      subject_open(&r, "matrix_exp", d ? PZ_F64 : PZ_F32, (extents){3, {BATCH, n, n}});
      for (double scale = 0.001; scale < 2.0; scale *= 5.0) {
        double* const x = rig_normal(&r, r.x.dtype, r.n_x, scale / sqrt((double)n));
        rig_write(&r, PZ_ORIGINAL, 0, x);
        double* const y = rig_forward(&r);
        comes_back(&r, y, 10.0);
        double* const found = rig_read(&r, PZ_ORIGINAL, 0);
        ck_assert_double_le(largest_difference(r.n_x, found, x),
                            100.0 * rig_unit(&r) * exp(4.0 * scale));
        free(x);
        free(y);
        free(found);
      }
      rig_close(&r);
    }
  }
}
END_TEST

/* Far from the identity: triangular with far eigenvalues, near the negative axis. */
START_TEST(hard_logarithms)
{
  static const double cases[][9] = {
      {1e-6, 1.0, 0.0, 0.0, 1.0, 5.0, 0.0, 0.0, 1e6},
      {1.0, 1e3, 0.0, 0.0, 1.0, 1e3, 0.0, 0.0, 1.0},
      {-1.0, -1e-3, 0.0, 1e-3, -1.0, 0.0, 0.0, 0.0, 2.0},
  };
  static const double conditions[] = {1e7, 1e4, 1e4};
  for (int k = 0; k < 3; ++k) {
    rig r;
    subject_open(&r, "matrix_exp", PZ_F64, square_shape(3));
    comes_back(&r, cases[k], conditions[k]);
    rig_close(&r);
  }
}
END_TEST

START_TEST(no_logarithm_is_refused)
{
  static const double negative[] = {-2.0, 1.0, 0.0, 3.0};
  static const double singular[] = {1.0, 1.0, 0.0, 0.0};
  static const double wrong[] = {1.0, NAN, 0.0, 1.0};
  rig r;
  subject_open(&r, "matrix_exp", PZ_F64, square_shape(2));
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, negative), PZ_SINGULAR, "real eigenvalue -2");
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, singular), PZ_SINGULAR, "real eigenvalue 0");
  ck_assert_int_ne(rig_assign(&r, PZ_ASSIGN, wrong), PZ_OK);
  /* registered alone, the map has no right inverse there and takes the tensor itself */
  ck_assert_ok(rig_assign(&r, PZ_REGISTER, negative));
  double* const x = rig_read(&r, PZ_ORIGINAL, 0);
  ck_assert_int_eq(memcmp(x, negative, sizeof(negative)), 0);
  free(x);
  rig_close(&r);
}
END_TEST

START_TEST(a_missing_schur_form_is_reported)
{
  static const char* const chains[] = {"matrix_exp", "skew,matrix_exp"};
  static const double turn[] = {0.0, -1.0, 0.0, 0.0,  1.0, 0.0, 0.0, 0.0,
                                0.0, 0.0,  0.0, -1.0, 0.0, 0.0, 1.0, 0.0};
  for (int k = 0; k < 2; ++k) {
    rig r;
    subject_open(&r, chains[k], PZ_F64, square_shape(4));
    ck_assert_fails(rig_assign(&r, PZ_ASSIGN, turn), PZ_UNSUPPORTED, "schur");
    rig_close(&r);
  }
}
END_TEST

TCase*
tests_logarithm(void)
{
  const bool schur = strcmp(subject_device, "reference") != 0;
  const char* const no_schur = schur ? NULL : "the reference has no Schur form";
  TCase* const tests = subject_case("logarithm");
  test_add_or_skip(tests, rotations_come_back, no_schur);
  test_add_or_skip(tests, far_values_come_back, no_schur);
  tcase_add_test(tests, rotations_are_judged);
  tcase_add_test(tests, definite_matrices_come_back);
  tcase_add_test(tests, definite_matrices_are_judged);
  tcase_add_test(tests, definite_matrices_of_all_scales_have_logarithms);
  test_add_or_skip(tests, general_matrices_come_back, no_schur);
  test_add_or_skip(tests, hard_logarithms, no_schur);
  test_add_or_skip(tests, no_logarithm_is_refused, no_schur);
  test_add_or_skip(tests, a_missing_schur_form_is_reported,
                   schur ? "the device has a Schur form" : NULL);
  return tests;
}
