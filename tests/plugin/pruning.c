/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Pruning: the mask, and what it does to values and gradients. */

#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double
mean(const int64_t n, const double* const x)
{
  double sum = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    sum += x[k];
  }
  return sum / (double)n;
}

START_TEST(the_mask_masks)
{
  static const extents shapes[] = {{0, {0}}, {1, {9}}, {2, {3, 5}}, {4, {2, 3, 4, 5}}};
  for (int k = 0; k < 8; ++k) {
    rig r;
    subject_open(&r, "pruning", k & 1 ? PZ_F32 : PZ_F64, shapes[k / 2]);
    double* const mask = rig_read(&r, PZ_STATE_BUFFER, 0);
    double* const x = rig_normal(&r, r.x.dtype, r.n_x, 1.0);
    double* const g = rig_normal(&r, r.x.dtype, r.n_x, 1.0);
    rig_write(&r, PZ_ORIGINAL, 0, x);
    double* const y = rig_forward(&r);
    double* const gx = rig_vjp(&r, g, 0);
    for (int64_t i = 0; i < r.n_x; ++i) {
      ck_assert(mask[i] == 0.0 || mask[i] == 1.0);
      ck_assert(y[i] == mask[i] * x[i]);
      ck_assert(gx[i] == mask[i] * g[i]);
    }
    free(mask);
    free(x);
    free(g);
    free(y);
    free(gx);
    rig_close(&r);
  }
}
END_TEST

/* The rate of pruned entries is p_drop within 6 deviations, exactly at 0 and 1. */
START_TEST(the_rate_is_p_drop)
{
  static const double rates[] = {0.0, 0.1, 0.5, 0.9, 1.0};
  const extents shape = {2, {60, 70}};
  for (int k = 0; k < 5; ++k) {
    char text[64];
    rig r;
    (void)snprintf(text, sizeof(text), "pruning(p_drop=%d.%d)", (int)rates[k],
                   (int)(rates[k] * 10.0) % 10);
    subject_open(&r, text, PZ_F32, shape);
    double* const mask = rig_read(&r, PZ_STATE_BUFFER, 0);
    const double kept = mean(r.n_x, mask);
    ck_assert_double_le(fabs(1.0 - rates[k] - kept),
                        6.0 * sqrt(rates[k] * (1.0 - rates[k]) / (double)r.n_x));
    free(mask);
    rig_close(&r);
  }
}
END_TEST

/* Seeded alike, masks are alike, whatever dtype and device; else they differ. */
START_TEST(seeds_decide)
{
  const extents shape = {3, {5, 6, 7}};
  double* masks[6];
  const char* const device = subject_device;
  for (int k = 0; k < 6; ++k) {
    rig r;
    if (k == 2 || k == 3) {
      subject_teardown();
      subject_device = k == 2 ? "reference" : device;
      subject_setup();
    }
    subject_open(&r,
                 k < 3    ? "pruning(p_drop=0.2,seed=7)"
                 : k == 3 ? "pruning(p_drop=0.2,seed=8)"
                          : "pruning(p_drop=0.2)",
                 k == 1 ? PZ_F32 : PZ_F64, shape);
    masks[k] = rig_read(&r, PZ_STATE_BUFFER, 0);
    rig_close(&r);
  }
  const size_t bytes = 5 * 6 * 7 * sizeof(double);
  ck_assert_int_eq(memcmp(masks[0], masks[1], bytes), 0);
  ck_assert_int_eq(memcmp(masks[0], masks[2], bytes), 0);
  ck_assert_int_ne(memcmp(masks[0], masks[3], bytes), 0);
  ck_assert_int_ne(memcmp(masks[0], masks[4], bytes), 0);
  rig r;
  subject_open(&r, "pruning,pruning", PZ_F64, shape);
  double* const first = rig_read(&r, PZ_STATE_BUFFER, 0);
  double* const second = rig_read(&r, PZ_STATE_BUFFER, 1);
  ck_assert_int_ne(memcmp(first, second, bytes), 0);
  free(first);
  free(second);
  rig_close(&r);
  for (int k = 0; k < 6; ++k) {
    free(masks[k]);
  }
}
END_TEST

/* What is assigned comes back pruned and is not judged; the original is all of it. */
START_TEST(assignment_projects)
{
  rig r;
  subject_open(&r, "pruning(seed=3)", PZ_F64, (extents){2, {8, 9}});
  double* const mask = rig_read(&r, PZ_STATE_BUFFER, 0);
  double* const v = rig_normal(&r, PZ_F64, r.n_y, 1.0);
  double expected = 0.0;
  double distance = 0.0;
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, v));
  double* const x = rig_read(&r, PZ_ORIGINAL, 0);
  double* const y = rig_forward(&r);
  ck_assert_int_eq(memcmp(x, v, (size_t)r.n_x * sizeof(double)), 0);
  for (int64_t i = 0; i < r.n_y; ++i) {
    ck_assert(y[i] == mask[i] * v[i]);
    expected = mask[i] == 0.0 ? fmax(expected, fabs(v[i])) : expected;
  }
  ck_assert_ok(rig_residual(&r, v, &distance));
  ck_assert(distance == expected);
  ck_assert_ok(rig_residual(&r, y, &distance));
  ck_assert(distance == 0.0);
  free(mask);
  free(v);
  free(x);
  free(y);
  rig_close(&r);
}
END_TEST

START_TEST(pruned_rotations_keep_their_zeros)
{
  enum { N = 12 };
  rig r;
  subject_open(&r, "skew,cayley,pruning(p_drop=0.3)", PZ_F32, (extents){2, {N, N}});
  ck_assert_int_eq(r.y.structure, PZ_GENERAL);
  double* const mask = rig_read(&r, PZ_STATE_BUFFER, 0);
  for (int step = 0; step < 3; ++step) {
    double* const x = rig_normal(&r, PZ_F32, N * N, 1.0);
    rig_write(&r, PZ_ORIGINAL, 0, x);
    double* const y = rig_forward(&r);
    for (int i = 0; i < N * N; ++i) {
      ck_assert(mask[i] != 0.0 || y[i] == 0.0);
    }
    free(x);
    free(y);
  }
  free(mask);
  rig_close(&r);
}
END_TEST

START_TEST(options_have_ranges)
{
  static const char* const bad[] = {"pruning(p_drop=1.5)", "pruning(p_drop=-0.1)",
                                    "pruning(seed=-1)", "pruning(p_drop=nan)"};
  for (int k = 0; k < 4; ++k) {
    rig r;
    ck_assert_msg(subject_try(&r, bad[k], PZ_F32, (extents){1, {4}}) == PZ_INVALID, "%s", bad[k]);
  }
}
END_TEST

TCase*
tests_pruning(void)
{
  TCase* const tests = subject_case("pruning");
  tcase_add_test(tests, the_mask_masks);
  tcase_add_test(tests, the_rate_is_p_drop);
  tcase_add_test(tests, seeds_decide);
  tcase_add_test(tests, assignment_projects);
  tcase_add_test(tests, pruned_rotations_keep_their_zeros);
  tcase_add_test(tests, options_have_ranges);
  return tests;
}
