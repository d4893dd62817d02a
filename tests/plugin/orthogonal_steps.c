/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What PyTorch's own tests ask of orthogonal: orthogonal once registered, after assignments
   and after steps of an optimizer, in every shape, with a base and without. */

#include "members.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char* const maps[] = {"matrix_exp", "cayley", "householder"};

/* Y is the factor Q of A with a positive diagonal of R: Y^T A is upper triangular, with a
   diagonal that is not negative; to 1e-5 of the largest entry, or 100 n eps. */
static void
check_factor(const char* const chain, const uint32_t dtype, const tall s, double* const a,
             double* const y)
{
  const double tolerance =
      fmin(1e-5, 100.0 * tall_unit(dtype, s)) * fmax(1.0, largest(s.n, a)) * 3.0;
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t i = 0; i < s.k; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        double sum = 0.0;
        for (int64_t r = 0; r < s.n; ++r) {
          sum += *tall_at(s, y, b, r, i) * *tall_at(s, a, b, r, j);
        }
        ck_assert_msg(i == j ? sum > -tolerance : fabs(sum) <= tolerance, "%s: R %d %d is %g",
                      chain, (int)i, (int)j, sum);
      }
    }
  }
}

/* The gradient where the map does not look: on the diagonal and above it. */
static void
check_zeros(const char* const chain, const tall s, double* const gx)
{
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t i = 0; i < s.k; ++i) {
      for (int64_t j = i; j < s.k; ++j) {
        ck_assert_msg(*tall_at(s, gx, b, i, j) == 0.0, "%s: gradient %d %d", chain, (int)i, (int)j);
      }
    }
  }
}

static void
as_pytorch(const char* const chain, const uint32_t dtype, const extents e, const bool inverts)
{
  const tall s = tall_of(e);
  const double limit = 10.0 * tall_unit(dtype, s);
  rig r;
  subject_open(&r, chain, dtype, e);
  double* const a = rig_normal(&r, dtype, r.n_y, 1.0);
  ck_assert_ok(rig_assign(&r, PZ_REGISTER, a));
  double* y = rig_forward(&r);
  ck_assert_msg(largest_orthogonality(s.batch, s.rows, s.cols, y) <=
                    limit * (inverts ? 1.0 : 1.0 + (double)s.n * largest(r.n_x, a)),
                "%s: registered: %g", chain, largest_orthogonality(s.batch, s.rows, s.cols, y));
  if (inverts) {
    check_factor(chain, dtype, s, a, y);
    double* const again = rig_assigned(&r, y);
    ck_assert_msg(largest_difference(r.n_y, y, again) <= 10.0 * limit, "%s: assigned: %g", chain,
                  largest_difference(r.n_y, y, again));
    free(again);
    double* const other = rig_normal(&r, dtype, r.n_y, 1.0);
    double* const nearest = rig_assigned(&r, other);
    check_factor(chain, dtype, s, other, nearest);
    free(other);
    free(nearest);
  }
  for (int step = 0; step < 2; ++step) {
    double* const g = rig_normal(&r, dtype, r.n_y, 1.0);
    double* const x = rig_read(&r, PZ_ORIGINAL, 0);
    free(y);
    y = rig_forward(&r);
    double* const gx = rig_vjp(&r, g, 0);
    check_zeros(chain, s, gx);
    ck_assert_msg(s.n == 1 || largest(r.n_x, gx) > 0.0, "%s: no gradient", chain);
    for (int64_t i = 0; i < r.n_x; ++i) {
      x[i] -= 0.1 * gx[i];
    }
    rig_write(&r, PZ_ORIGINAL, 0, x);
    double* const moved = rig_forward(&r);
    const double found = largest_orthogonality(s.batch, s.rows, s.cols, moved);
    ck_assert_msg(found <= limit * (1.0 + (double)s.n * largest(r.n_x, x)), "%s: step %d: %g",
                  chain, step, found);
    ck_assert_msg(s.n == 1 || largest_difference(r.n_y, y, moved) > 0.0, "%s: stands still", chain);
    free(g);
    free(x);
    free(gx);
    free(moved);
  }
  free(a);
  free(y);
  rig_close(&r);
}

START_TEST(does_what_pytorch_tests)
{
  static const char* const bases[] = {"trivialization=0", "base=reflectors", "base=dense"};
  for (int map = 0; map < 3; ++map) {
    for (int base = 0; base < 3; ++base) {
      for (int k = 0; k < TALL_SHAPES; ++k) {
        for (int d = 0; d < 2; ++d) {
          char chain[96];
          (void)snprintf(chain, sizeof(chain), "orthogonal(map=%s,%s)", maps[map], bases[base]);
          as_pytorch(chain, d ? PZ_F64 : PZ_F32, tall_shapes[k], base > 0 || map > 0);
        }
      }
    }
  }
}
END_TEST

TCase*
tests_orthogonal_steps(void)
{
  TCase* const tests = subject_case("orthogonal steps");
  tcase_add_test(tests, does_what_pytorch_tests);
  return tests;
}
