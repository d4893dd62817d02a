/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* symmetric and skew, which differ by a sign. */

#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER = 6, BATCH = 3 };

static const extents shape = {3, {BATCH, ORDER, ORDER}};

static double
sign_of_subject(void)
{
  return strcmp(subject_plugin, "skew") == 0 ? -1.0 : 1.0;
}

static const char*
chain_of(const bool lower, char text[32])
{
  (void)snprintf(text, 32, "%s(lower=%d)", subject_plugin, lower);
  return text;
}

/* Entry (i, j) of the value for a matrix x. */
static double
folded(const double* const x, const bool lower, const int i, const int j)
{
  const double sign = sign_of_subject();
  if (i == j) {
    return sign < 0.0 ? 0.0 : x[i * ORDER + i];
  }
  return (i < j) != lower ? x[i * ORDER + j] : sign * x[j * ORDER + i];
}

START_TEST(values_are_exact)
{
  for (int k = 0; k < 4; ++k) {
    const bool lower = k & 1;
    char text[32];
    rig r;
    subject_open(&r, chain_of(lower, text), k & 2 ? PZ_F32 : PZ_F64, shape);
    ck_assert_int_eq(r.y.structure, sign_of_subject() < 0.0 ? PZ_SKEW : PZ_SYMMETRIC);
    double* const x = rig_normal(&r, r.x.dtype, r.n_x, 1.0);
    rig_write(&r, PZ_ORIGINAL, 0, x);
    double* const y = rig_forward(&r);
    double* const g = rig_normal(&r, r.x.dtype, r.n_y, 1.0);
    double* const gx = rig_vjp(&r, g, 0);
    for (int m = 0; m < BATCH; ++m) {
      const double* const from = x + m * ORDER * ORDER;
      const double* const gm = g + m * ORDER * ORDER;
      for (int i = 0; i < ORDER; ++i) {
        for (int j = 0; j < ORDER; ++j) {
          const int at = m * ORDER * ORDER + i * ORDER + j;
          const double both = gm[i * ORDER + j] + sign_of_subject() * gm[j * ORDER + i];
          const double expected = i == j ? (sign_of_subject() < 0.0 ? 0.0 : gm[i * ORDER + i])
                                         : ((i < j) != lower ? both : 0.0);
          ck_assert_msg(y[at] == folded(from, lower, i, j), "value (%d, %d): %g", i, j, y[at]);
          ck_assert_msg(fabs(gx[at] - expected) <=
                            4.0 * pz_dtype_epsilon(r.x.dtype) * fabs(expected),
                        "gradient (%d, %d): %g, expected %g", i, j, gx[at], expected);
        }
      }
    }
    free(x);
    free(y);
    free(g);
    free(gx);
    rig_close(&r);
  }
}
END_TEST

/* The other triangle is never read. */
START_TEST(the_other_triangle_is_not_read)
{
  for (int lower = 0; lower < 2; ++lower) {
    char text[32];
    rig r;
    subject_open(&r, chain_of(lower, text), PZ_F64, shape);
    double* const x = rig_normal(&r, PZ_F64, r.n_x, 1.0);
    for (int at = 0; at < BATCH * ORDER * ORDER; ++at) {
      const int i = at / ORDER % ORDER;
      const int j = at % ORDER;
      x[at] = i != j && (i > j) != lower ? NAN : x[at];
    }
    rig_write(&r, PZ_ORIGINAL, 0, x);
    double* const y = rig_forward(&r);
    ck_assert(isfinite(largest(r.n_y, y)));
    free(x);
    free(y);
    rig_close(&r);
  }
}
END_TEST

/* A member is taken bit by bit; one off by rounding too; one further off is refused with
   its distance, and nothing changes; registering takes the triangle of anything. */
START_TEST(assignment_judges)
{
  char text[32];
  rig r;
  subject_open(&r, chain_of(false, text), PZ_F64, shape);
  double* const x = rig_normal(&r, PZ_F64, r.n_x, 1.0);
  rig_write(&r, PZ_ORIGINAL, 0, x);
  double* const y = rig_forward(&r);
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, y));
  double* const back = rig_forward(&r);
  ck_assert_int_eq(memcmp(y, back, (size_t)r.n_y * sizeof(double)), 0);

  const double unit = rig_unit(&r);
  double* const off = reals(r.n_y);
  memcpy(off, y, (size_t)r.n_y * sizeof(double));
  off[ORDER] += 50.0 * unit * largest(ORDER * ORDER, y);
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, off));
  off[ORDER * ORDER + ORDER] += 0.5;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, off), PZ_OUTSIDE, "found matrix 1 of the batch");
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, off), PZ_OUTSIDE, "distance 0.25");
  double* const kept = rig_forward(&r);
  ck_assert_double_le(largest_difference(r.n_y, y, kept), 100.0 * unit * largest(r.n_y, y));
  double distance = 0.0;
  ck_assert_ok(rig_residual(&r, off, &distance));
  ck_assert_double_eq_tol(distance, 0.25, 1e-12);
  off[0] = NAN;
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, off), PZ_OUTSIDE,
                  "found matrix 0 of the batch with an entry that is not finite");
  ck_assert_ok(rig_residual(&r, off, &distance));
  ck_assert(isnan(distance));
  memcpy(off, y, (size_t)r.n_y * sizeof(double));
  off[ORDER * ORDER] = INFINITY; /* on the diagonal, and whatever else is as it should be */
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, off), PZ_OUTSIDE,
                  "found matrix 1 of the batch with an entry that is not finite");

  ck_assert_ok(rig_assign(&r, PZ_REGISTER, x));
  double* const projected = rig_forward(&r);
  for (int at = 0; at < BATCH * ORDER * ORDER; ++at) {
    const int m = at / (ORDER * ORDER);
    ck_assert(projected[at] ==
              folded(x + m * ORDER * ORDER, false, at / ORDER % ORDER, at % ORDER));
  }
  free(x);
  free(y);
  free(back);
  free(off);
  free(kept);
  free(projected);
  rig_close(&r);
}
END_TEST

START_TEST(shapes_are_refused)
{
  rig r;
  ck_assert_fails(subject_try(&r, subject_plugin, PZ_F64, (extents){2, {3, 5}}), PZ_MISMATCH,
                  "found 3x5 matrices, expected square ones");
  ck_assert_fails(subject_try(&r, subject_plugin, PZ_F64, (extents){1, {5}}), PZ_MISMATCH,
                  "found 1 dimension, expected square matrices");
}
END_TEST

/* Samples are normal in one triangle: variance 1 within 6 deviations. */
START_TEST(samples_are_normal)
{
  enum { MANY = 40 };
  rig r;
  subject_open(&r, subject_plugin, PZ_F64, (extents){2, {MANY, MANY}});
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  double* const y = rig_forward(&r);
  double squares = 0.0;
  for (int i = 0; i < MANY; ++i) {
    for (int j = i + 1; j < MANY; ++j) {
      squares += y[i * MANY + j] * y[i * MANY + j];
    }
  }
  const double count = MANY * (MANY - 1) / 2.0;
  ck_assert_double_le(fabs(squares / count - 1.0), 6.0 * sqrt(2.0 / count));
  free(y);
  rig_close(&r);
}
END_TEST

TCase*
tests_folds(void)
{
  TCase* const tests = subject_case("folds");
  tcase_add_test(tests, values_are_exact);
  tcase_add_test(tests, the_other_triangle_is_not_read);
  tcase_add_test(tests, assignment_judges);
  tcase_add_test(tests, shapes_are_refused);
  tcase_add_test(tests, samples_are_normal);
  return tests;
}
