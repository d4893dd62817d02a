/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| of modules and its gradient. `entries` is y = exp(x), `scaled` y = exp(p) x. */

#include "fixture.h"

#include <math.h>

static const double unit = 1.1920928955078125e-07;

static void
setup(void)
{
  fixture_setup();
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_density_maps));
}

/* c = 32 */
static void
expect(const double found, const double expected)
{
  ck_assert_double_eq_tol(found, expected, 32.0 * unit * (1.0 + fabs(expected)));
}

static pz_tensor
numbers(const int32_t ndim)
{
  static const int64_t shape[] = {3, 3};
  const pz_spec spec = pz_spec_make(PZ_F32, ndim, shape);
  return host_zeros(&spec);
}

START_TEST(the_value_last_read_has_a_log_abs_det)
{
  pz_tensor value;
  const pz_tensor x = fixture_parametrize(module, "weight", 3, 3, "entries");
  const pz_tensor out = numbers(2);
  const pz_tensor wrong = numbers(1);
  const pz_chain* chain = NULL;
  pz_spec spec;
  ck_assert_fails(pz_module_log_abs_det(module, "weight", &out), PZ_STALE, "not read yet");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &out));
  ck_assert_ok(pz_module_chain(module, "weight", &chain));
  ck_assert_ok(pz_chain_density(chain, &spec));
  ck_assert_int_eq(spec.ndim, 2);
  for (int64_t k = 0; k < 9; ++k) {
    ck_assert_double_eq(host_at(&out, k), host_at(&x, k));
  }
  ck_assert_fails(pz_module_log_abs_det(module, "weight", &wrong), PZ_MISMATCH, "log |det|");
  ck_assert_fails(pz_module_log_abs_det(module, "weight", NULL), PZ_INVALID, "no tensor");
  ck_assert_fails(pz_module_log_abs_det(module, "nothing", &out), PZ_NOT_FOUND, "nothing");
  ck_assert_ok(pz_module_touch(module, ORIGINAL));
  ck_assert_fails(pz_module_log_abs_det(module, "weight", &out), PZ_STALE, "changed");
  fixture_add(module, "bias", 3, 3);
  ck_assert(pz_module_log_abs_det(module, "bias", &out) != PZ_OK);
}
END_TEST

/* In evaluation mode too, where a read saves nothing. */
START_TEST(gradients_add_to_those_of_backward)
{
  for (int training = 0; training < 2; ++training) {
    pz_tensor value;
    char name[] = "w0";
    name[1] = (char)('0' + training);
    const pz_tensor x = fixture_parametrize(module, name, 3, 3, "entries");
    const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
    const pz_tensor gy = fixture_normal(PZ_F32, 3, 3);
    ck_assert_ok(pz_module_train(module, training == 1));
    ck_assert_fails(pz_module_backward_log_abs_det(module, name, &g), PZ_STALE, "not read yet");
    ck_assert_ok(pz_module_get(module, name, &value));
    ck_assert_ok(pz_module_backward_log_abs_det(module, name, &g));
    ck_assert_ok(pz_module_backward(module, name, &gy));
    ck_assert_ok(pz_module_backward_log_abs_det(module, name, &g));
    const pz_tensor sum = fixture_gradient(training == 1 ? "parametrizations.w1.original"
                                                         : "parametrizations.w0.original");
    for (int64_t k = 0; k < 9; ++k) {
      expect(host_at(&sum, k), 2.0 * host_at(&g, k) + host_at(&gy, k) * exp(host_at(&x, k)));
    }
  }
}
END_TEST

/* Uniform rotations, log p(y) = 0, from 3 x 3 originals X of `skew,cayley`: with S = X - X^T of its
   upper triangle and s^2 the sum of its squares there, det(I - S) = 1 + s^2, so log p(x) is a
   constant minus 2 log(1 + s^2). */
START_TEST(a_log_density_of_originals)
{
  const pz_tensor gy = fixture_zeros(PZ_F32, 3, 3);
  const pz_tensor log_det = numbers(0);
  const pz_tensor one = numbers(0);
  pz_tensor value;
  pz_tensor gradient;
  fixture_parametrize(module, "weight", 3, 3, "skew,cayley");
  host_put(&one, 0, 1.0);
  // log p(x) = log p(y) + log |det|, and its gradient from gy, that of log p(y)
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &log_det));
  ck_assert_ok(pz_module_backward(module, "weight", &gy));
  ck_assert_ok(pz_module_backward_log_abs_det(module, "weight", &one));
  ck_assert_ok(pz_module_gradient(module, "parametrizations.weight.original", &gradient));
  const pz_tensor original = fixture_read(ORIGINAL);
  const pz_tensor found = fixture_gradient(ORIGINAL);
  double size = 1.0;
  for (int64_t k = 0; k < 9; ++k) {
    size += k % 3 > k / 3 ? host_at(&original, k) * host_at(&original, k) : 0.0;
  }
  expect(host_at(&log_det, 0), 3.0 * log(2.0) - 2.0 * log(size));
  for (int64_t k = 0; k < 9; ++k) {
    expect(host_at(&found, k), k % 3 > k / 3 ? -4.0 * host_at(&original, k) / size : 0.0);
  }
}
END_TEST

/* A frozen original has no gradient; the others and log |det| are what they were. */
START_TEST(frozen_tensors_are_skipped)
{
  pz_tensor value;
  pz_tensor gradient;
  const pz_tensor x = fixture_parametrize(module, "weight", 3, 3, "scaled,entries");
  const pz_tensor g = numbers(1);
  const pz_tensor out = numbers(1);
  for (int64_t k = 0; k < 3; ++k) {
    host_put(&g, k, 1.0);
  }
  ck_assert_ok(pz_module_require_grad(module, ORIGINAL, false));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &out));
  ck_assert_ok(pz_module_backward_log_abs_det(module, "weight", &g));
  const pz_tensor sum = fixture_gradient("parametrizations.weight.0.p");
  for (int64_t i = 0; i < 3; ++i) { /* p = 0 */
    double row = 0.0;
    for (int64_t j = 0; j < 3; ++j) {
      row += host_at(&x, i * 3 + j);
    }
    expect(host_at(&out, i), row);
    expect(host_at(&sum, i), 3.0 + row);
  }
  ck_assert_fails(pz_module_gradient(module, ORIGINAL, &gradient), PZ_INVALID, "frozen");
  /* with everything frozen there is nothing to do */
  ck_assert_ok(pz_module_require_grad(module, "weight", false));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &out));
  ck_assert_ok(pz_module_backward_log_abs_det(module, "weight", &g));
}
END_TEST

/* y = exp(exp(z)): log |det| = z + exp(z), whose gradient is 1 + exp(z). Training or not, and
   whatever is cached. */
START_TEST(inner_chains_count)
{
  pz_tensor value;
  fixture_nest("entries", "entries");
  ck_assert_ok(pz_module_train(module, _i % 2 == 1));
  ck_assert_ok(pz_module_cache_policy(module, _i < 2 ? PZ_CACHE_AUTOMATIC : PZ_CACHE_SCOPED));
  const pz_tensor z = fixture_read(INNER);
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  const pz_tensor out = numbers(2);
  ck_assert_ok(pz_module_get(module, "weight", &value));
  for (int times = 1; times <= 2; ++times) {
    ck_assert_ok(pz_module_log_abs_det(module, "weight", &out));
    ck_assert_ok(pz_module_backward_log_abs_det(module, "weight", &g));
    const pz_tensor sum = fixture_gradient(INNER);
    for (int64_t k = 0; k < 9; ++k) {
      const double e = exp(host_at(&z, k));
      expect(host_at(&out, k), host_at(&z, k) + e);
      expect(host_at(&sum, k), times * host_at(&g, k) * (1.0 + e));
    }
  }
  ck_assert_ok(pz_module_require_grad(module, ORIGINAL, false));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &out));
  expect(host_at(&out, 4), host_at(&z, 4) + exp(host_at(&z, 4)));
}
END_TEST

/* The inner chain has larger determinants: one number for each vector. The own parameter of the
   outer chain is parametrized too, and counts as a constant. */
START_TEST(the_largest_determinants_of_all_chains)
{
  pz_tensor value;
  fixture_nest("entries", "scaled");
  const pz_tensor z = fixture_read(INNER);
  const pz_tensor out = numbers(1);
  const pz_tensor g = numbers(1);
  const pz_tensor wrong = numbers(2);
  for (int64_t i = 0; i < 3; ++i) {
    host_put(&g, i, 1.0 + (double)i);
  }
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &out));
  ck_assert_ok(pz_module_backward_log_abs_det(module, "weight", &g));
  ck_assert_fails(pz_module_log_abs_det(module, "weight", &wrong), PZ_MISMATCH, "log |det|");
  const pz_tensor sum = fixture_gradient(INNER);
  for (int64_t i = 0; i < 3; ++i) {
    double row = 0.0; /* p = 0: log |det| = the sum of z, whose gradient is 1 */
    for (int64_t j = 0; j < 3; ++j) {
      row += host_at(&z, i * 3 + j);
      expect(host_at(&sum, i * 3 + j), host_at(&g, i));
    }
    expect(host_at(&out, i), row);
  }
}
END_TEST

START_TEST(own_parameters_are_constants)
{
  static const char parameter[] = "parametrizations.weight.0.p";
  pz_tensor value;
  fixture_parametrize(module, "weight", 3, 3, "scaled");
  ck_assert_ok(pz_register_parametrization(module, parameter, "entries", NULL));
  const pz_tensor q = fixture_read("parametrizations.weight.0.parametrizations.p.original");
  const pz_tensor out = numbers(1);
  const pz_tensor g = numbers(1);
  host_put(&g, 1, 1.0);
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &out)); /* 3 p, p = exp(q) */
  expect(host_at(&out, 1), 3.0 * exp(host_at(&q, 1)));
  ck_assert_ok(pz_module_backward_log_abs_det(module, "weight", &g));
  const pz_tensor sum = fixture_gradient("parametrizations.weight.0.parametrizations.p.original");
  expect(host_at(&sum, 1), 3.0 * exp(host_at(&q, 1)));
  expect(host_at(&sum, 0), 0.0);
}
END_TEST

START_TEST(chains_that_do_not_meet_are_refused)
{
  pz_tensor value;
  const pz_tensor out = numbers(0);
  fixture_nest("doubled(in=1,out=1)", "entries");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_fails(pz_module_log_abs_det(module, "weight", &out), PZ_UNSUPPORTED,
                  "the coordinates of the value of entries are all entries, but doubled reads the "
                  "upper triangle");
  ck_assert_fails(pz_module_backward_log_abs_det(module, "weight", &out), PZ_UNSUPPORTED,
                  "doubled");
}
END_TEST

START_TEST(inner_chains_without_log_abs_det_are_named)
{
  pz_tensor value;
  const pz_tensor out = numbers(2);
  fixture_nest("entries", "bare");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_fails(pz_module_log_abs_det(module, "weight", &out), PZ_UNSUPPORTED, "bare");
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("densities");
  tcase_add_checked_fixture(tests, setup, fixture_teardown);
  tcase_add_test(tests, the_value_last_read_has_a_log_abs_det);
  tcase_add_test(tests, gradients_add_to_those_of_backward);
  tcase_add_test(tests, a_log_density_of_originals);
  tcase_add_test(tests, frozen_tensors_are_skipped);
  tcase_add_loop_test(tests, inner_chains_count, 0, 4);
  tcase_add_test(tests, the_largest_determinants_of_all_chains);
  tcase_add_test(tests, own_parameters_are_constants);
  tcase_add_test(tests, chains_that_do_not_meet_are_refused);
  tcase_add_test(tests, inner_chains_without_log_abs_det_are_named);
  return test_main_case(tests);
}
