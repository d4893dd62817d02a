/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* cayley(signs=1): every orthogonal matrix is a Cayley transform times signs. */

#include "members.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* signs=1 takes every orthogonal matrix, of either determinant, as does the map without a
   skew one before it. */
START_TEST(signs_reach_every_orthogonal_matrix)
{
  static const char* const chains[] = {"skew,cayley(signs=1)", "cayley(signs=1)"};
  static const int64_t orders[] = {1, 2, 3, 4, 7, 16, 48, 49, 100};
  for (size_t s = 0; s < sizeof(orders) / sizeof(orders[0]); ++s) {
    const int64_t n = orders[s];
    double* cases[6];
    double* const minus = reals(n);
    double* const swapped = reals(n * n);
    for (int64_t k = 0; k < n; ++k) {
      minus[k] = -1.0;
      swapped[k * n + n - 1 - k] = 1.0;
    }
    cases[0] = diagonal_matrix(n, minus);
    minus[0] = 1.0;
    cases[1] = diagonal_matrix(n, minus);
    cases[2] = swapped;
    cases[3] = orthogonal_matrix(n, PZ_F64, -1.0);
    cases[4] = orthogonal_matrix(n, PZ_F64, 1.0);
    minus[0] = -1.0;
    for (int64_t k = 1; k < n; ++k) {
      minus[k] = 1.0;
    }
    cases[5] = diagonal_matrix(n, minus);
    for (int k = 0; k < 6; ++k) {
      for (int c = 0; c < 2; ++c) {
        rig r;
        subject_open(&r, chains[c], PZ_F64, square_shape(n));
        ck_assert_ok(rig_assign(&r, PZ_ASSIGN, cases[k]));
        double* const signs = rig_read(&r, PZ_STATE_BUFFER, 0);
        for (int64_t i = 0; i < n; ++i) {
          ck_assert(fabs(signs[i]) == 1.0);
        }
        double* const back = rig_forward(&r);
        const double found = largest_difference(n * n, back, cases[k]);
        ck_assert_msg(found <= 100.0 * rig_unit(&r) * (double)n, "%s, n = %d, case %d: %g",
                      chains[c], (int)n, k, found);
        double distance = 0.0;
        ck_assert_ok(rig_residual(&r, cases[k], &distance));
        ck_assert_double_le(distance, 100.0 * rig_unit(&r));
        free(signs);
        free(back);
        rig_close(&r);
      }
    }
    for (int k = 0; k < 6; ++k) {
      free(cases[k]);
    }
    free(minus);
  }
}
END_TEST

/* A batch whose matrices need different signs. */
START_TEST(signs_are_per_matrix)
{
  const double batch[3 * 4] = {1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0, 0.0, 1.0, 1.0, 0.0};
  rig r;
  subject_open(&r, "skew,cayley(signs=1)", PZ_F32, (extents){3, {3, 2, 2}});
  double* const before = rig_read(&r, PZ_STATE_BUFFER, 0);
  for (int k = 0; k < 6; ++k) {
    ck_assert(before[k] == 1.0);
  }
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, batch));
  double* const y = rig_forward(&r);
  ck_assert_double_le(largest_difference(12, y, batch), 100.0 * rig_unit(&r));
  /* a refused value leaves signs and originals alone */
  double bad[12];
  memcpy(bad, batch, sizeof(bad));
  bad[8] = 0.5;
  double* const signs = rig_read(&r, PZ_STATE_BUFFER, 0);
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, bad), PZ_OUTSIDE, "found matrix 2 of the batch");
  double* const kept = rig_read(&r, PZ_STATE_BUFFER, 0);
  ck_assert_int_eq(memcmp(signs, kept, 6 * sizeof(double)), 0);
  free(before);
  free(y);
  free(signs);
  free(kept);
  rig_close(&r);
}
END_TEST

TCase*
tests_signs(void)
{
  TCase* const tests = subject_case("signs");
  tcase_add_test(tests, signs_reach_every_orthogonal_matrix);
  tcase_add_test(tests, signs_are_per_matrix);
  return tests;
}
