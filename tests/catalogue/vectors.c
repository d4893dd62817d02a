/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: vectors DEVICE: what the maps of vectors refuse, their values and gradients at extremes, and
   the moments of their samples. */

#include <rig.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char* device;

/* ---- refusals --------------------------------------------------------------------------- */

static const struct {
  const char* chain;
  int32_t ndim;
  int64_t shape[2];
  pz_status status;
  const char* message;
} plans[] = {
    {"simplex", 1, {0}, PZ_MISMATCH, "found vectors of no entries, expected one or more"},
    {"simplex(map=softmax,dim=0)", 2, {0, 3}, PZ_MISMATCH, "found vectors of no entries"},
    {"sphere", 2, {3, 0}, PZ_MISMATCH, "found vectors of no entries"},
    {"sum_to_zero", 1, {0}, PZ_MISMATCH, "found vectors of no entries"},
    {"sum_to_zero(dims=2)", 2, {0, 3}, PZ_MISMATCH, "found vectors of no entries"},
    {"sum_to_zero(dims=2)", 1, {3}, PZ_MISMATCH, "found 1 dimension, expected at least 2"},
    {"simplex(dim=2)", 2, {3, 3}, PZ_MISMATCH, "found 2 dimensions, expected at least 3"},
    {"ordered(dim=-3)", 2, {3, 3}, PZ_MISMATCH, "found 2 dimensions, expected at least 3"},
    {"sphere", 0, {0}, PZ_MISMATCH, "found 0 dimensions, expected at least 1 for dim=-1"},
    {"sphere(radius=0)", 1, {3}, PZ_INVALID, "found radius 0, expected a number between"},
    {"sphere(radius=-2)", 1, {3}, PZ_INVALID, "found radius -2, expected a number between"},
    {"sphere(radius=1e300)", 1, {3}, PZ_INVALID, "found radius 1e+300, expected a number between"},
};

START_TEST(refused_plans)
{
  rig r;
  rig_open(&r, NULL, device);
  const pz_spec given = pz_spec_make(PZ_F32, plans[_i].ndim, plans[_i].shape);
  ck_assert_fails(rig_try_chain(&r, plans[_i].chain, NULL, 0, PZ_FROM_TENSOR, &given, 1),
                  plans[_i].status, plans[_i].message);
  rig_close(&r);
}
END_TEST

START_TEST(refused_inputs)
{
  static const char* const chains[] = {"simplex", "ordered", "positive_ordered", "sphere",
                                       "sum_to_zero"};
  rig r;
  rig_open(&r, NULL, device);
  const int64_t three = 3;
  const pz_spec given[] = {pz_spec_make(PZ_F64, 1, &three), pz_spec_make(PZ_F64, 1, &three)};
  ck_assert_fails(rig_try_chain(&r, chains[_i], NULL, 0, PZ_FROM_INPUT, given, 2), PZ_MISMATCH,
                  "found 2 originals, expected 1");
  rig_close(&r);
}
END_TEST

static const struct {
  const char* chain;
  double value[4]; /* 2 x 2 */
  pz_status status;
  const char* message;
} values[] = {
    {"simplex",
     {0.5, 0.5, 0.5, 0.625},
     PZ_OUTSIDE,
     "distance 0.125 from the set, expected positive"},
    {"simplex(map=stick)", {0.5, 0.5, -0.25, 1.25}, PZ_OUTSIDE, "distance 0.25 from the set"},
    {"simplex(map=softmax)", {0.5, 0.5, NAN, 1.0}, PZ_OUTSIDE, "distance nan"},
    {"simplex(map=softmax)", {1.0, 0.0, 0.5, 0.5}, PZ_SINGULAR, "an entry that is not positive"},
    {"simplex(dim=0)", {0.5, 0.25, 0.5, 0.25}, PZ_OUTSIDE, "distance 0.5 from the set"},
    {"ordered",
     {1.0, 2.0, 1.0, 0.5},
     PZ_OUTSIDE,
     "distance 0.5 from the set, expected entries each"},
    {"ordered",
     {1.0, 2.0, -1.0, -1.0},
     PZ_SINGULAR,
     "an entry that is not above the one before it"},
    {"ordered", {1.0, 2.0, 1.0, INFINITY}, PZ_OUTSIDE, "distance inf"},
    {"ordered", {1.0, 2.0, NAN, 1.0}, PZ_OUTSIDE, "distance nan"},
    {"ordered(dim=0)", {1.0, 2.0, 1.0, 3.0}, PZ_SINGULAR, "an entry that is not above"},
    {"positive_ordered", {1.0, 2.0, -0.25, 1.0}, PZ_OUTSIDE, "distance 0.25 from the set"},
    {"positive_ordered", {0.0, 2.0, 1.0, 2.0}, PZ_SINGULAR, "an entry that is not above"},
    {"sphere(radius=2)", {0.0, 2.0, 3.0, 4.0}, PZ_OUTSIDE, "distance 3 from the set, expected one"},
    {"sphere(dim=0)", {0.0, 1.0, 0.0, 0.0}, PZ_OUTSIDE, "distance 1 from the set"},
    {"sum_to_zero",
     {1.0, -1.0, 1.0, 0.5},
     PZ_OUTSIDE,
     "distance 1.5 from the set, expected entries"},
    {"sum_to_zero(dims=2)", {1.0, -1.0, 1.0, -1.0}, PZ_OUTSIDE, "distance 2 from the set"},
    {"sum_to_zero", {1.0, -1.0, INFINITY, 0.0}, PZ_OUTSIDE, "distance inf"},
};

START_TEST(refused_values)
{
  static const int64_t shape[] = {2, 2};
  double distance = 0.0;
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, values[_i].chain, PZ_F64, 2, shape);
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, values[_i].value), values[_i].status,
                  values[_i].message);
  ck_assert_ok(rig_residual(&r, values[_i].value, &distance));
  ck_assert((values[_i].status == PZ_SINGULAR) == (distance == 0.0));
  rig_close(&r);
}
END_TEST

/* ---- extremes --------------------------------------------------------------------------- */

static void
assert_finite(const char* const chain, const int64_t n, double* const numbers)
{
  for (int64_t k = 0; numbers && k < n; ++k) {
    ck_assert_msg(isfinite(numbers[k]), "%s: entry %lld is %g", chain, (long long)k, numbers[k]);
  }
  free(numbers);
}

/* Values, gradients and log |det| are finite wherever the originals are; and chain values register. */
START_TEST(extremes)
{
  static const char* const chains[] = {"simplex", "simplex(map=softmax)", "simplex(map=stick)",
                                       "sphere", "sum_to_zero"};
  static const double sizes[] = {1e4, -1e4, 745.0, -745.0, 88.0, 1e-30, 0.0, -1e-38};
  enum { N = 7, SIZES = sizeof(sizes) / sizeof(sizes[0]) };
  static const int64_t shape[] = {SIZES, N};
  const double ones[SIZES] = {1, 1, 1, 1, 1, 1, 1, 1};
  for (int wide = 0; wide < 2; ++wide) {
    const char* const chain = chains[_i];
    pz_spec spec;
    rig r;
    rig_open(&r, NULL, device);
    rig_from_tensor(&r, chain, wide ? PZ_F64 : PZ_F32, 2, shape);
    double* const x = calloc((size_t)r.n_x, sizeof(*x));
    for (int64_t k = 0; k < r.n_x; ++k) {
      const int64_t row = k / (r.n_x / SIZES);
      x[k] = (k + row) % 3 ? sizes[row] : -sizes[row] / 2;
    }
    rig_write_originals(&r, x);
    double* const y = rig_forward(&r);
    double* const g = rig_normal(&r, r.y.dtype, r.n_y, 1.0);
    assert_finite(chain, r.n_x, rig_gradients(&r, g));
    assert_finite(chain, r.n_y, rig_jvp(&r, x));
    if (strstr(chain, "simplex") && !strstr(chain, "softmax")) {
      assert_finite(chain, SIZES, rig_log_abs_det(&r, &spec));
      assert_finite(chain, r.n_x, rig_log_abs_det_gradients(&r, ones));
    }
    ck_assert_ok(rig_assign(&r, PZ_CHAIN, y));
    assert_finite(chain, r.n_x, rig_read_originals(&r));
    assert_finite(chain, r.n_y, y);
    free(g);
    free(x);
    rig_close(&r);
  }
}
END_TEST

/* The largest numbers there are have the corners of the simplex as values. */
START_TEST(sums_do_not_overflow)
{
  enum { N = 9 };
  static const int64_t shape[] = {2, N};
  for (int wide = 0; wide < 2; ++wide) {
    rig r;
    rig_open(&r, NULL, device);
    rig_from_tensor(&r, "simplex", wide ? PZ_F64 : PZ_F32, 2, shape);
    double x[2 * (N - 1)];
    for (int k = 0; k < N - 1; ++k) {
      x[k] = wide ? 1.7e308 : 3.4e38;
      x[N - 1 + k] = -x[k];
    }
    rig_write_originals(&r, x);
    double* const y = rig_forward(&r);
    for (int k = 0; k < N; ++k) {
      ck_assert_double_eq(y[k], k == 0 ? 1.0 : 0.0);
      ck_assert_double_eq(y[N + k], k == N - 1 ? 1.0 : 0.0);
    }
    free(y);
    rig_close(&r);
  }
}
END_TEST

/* ---- samples ---------------------------------------------------------------------------- */

/* Mean and mean square of entry 0 of vectors with 3 entries, and the deviations of what they average. */
static const struct {
  const char* chain;
  double mean;
  double mean_square;
  double deviation;
  double square_deviation;
} laws[] = {
    {"simplex", 1.0 / 3, 1.0 / 6, 0.236, 0.198}, /* Beta(1, 2) */
    {"simplex(map=stick)", 1.0 / 3, 1.0 / 6, 0.236, 0.198},
    {"sphere(radius=2)", 0.0, 4.0 / 3, 1.155, 1.193}, /* uniform in (-2, 2) */
    {"sum_to_zero", 0.0, 2.0 / 3, 0.817, 0.943},
    {"ordered", -0.8462843753, 1.2756644477, 0.748, 1.603}, /* least of three normal numbers */
    {"positive_ordered", 0.3349029364, 0.1927984737, 0.284, 0.319}, /* of their magnitudes */
};

START_TEST(samples)
{
  enum { ROWS = 20000 };
  static const int64_t shape[] = {ROWS, 3};
  double sum = 0.0;
  double squares = 0.0;
  double distance = 0.0;
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, laws[_i].chain, PZ_F64, 2, shape);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  double* const y = rig_forward(&r);
  for (int k = 0; k < ROWS; ++k) {
    sum += y[3 * k];
    squares += y[3 * k] * y[3 * k];
  }
  ck_assert_ok(rig_residual(&r, y, &distance));
  ck_assert(distance <= 1e-12);
  const double bound = 6.0 / sqrt(ROWS);
  ck_assert_double_eq_tol(sum / ROWS, laws[_i].mean, bound * laws[_i].deviation);
  ck_assert_double_eq_tol(squares / ROWS, laws[_i].mean_square, bound * laws[_i].square_deviation);
  free(y);
  rig_close(&r);
}
END_TEST

int
main(const int argc, char** const argv)
{
  device = argc > 1 ? argv[1] : "reference";
  if (test_skips_device(device)) {
    return EXIT_SUCCESS;
  }
  TCase* const tcase = tcase_create("vectors");
  tcase_add_loop_test(tcase, refused_plans, 0, sizeof(plans) / sizeof(plans[0]));
  tcase_add_loop_test(tcase, refused_inputs, 0, 5);
  tcase_add_loop_test(tcase, refused_values, 0, sizeof(values) / sizeof(values[0]));
  tcase_add_loop_test(tcase, extremes, 0, 5);
  tcase_add_test(tcase, sums_do_not_overflow);
  tcase_add_loop_test(tcase, samples, 0, sizeof(laws) / sizeof(laws[0]));
  return test_main_case(tcase);
}
