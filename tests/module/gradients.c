/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 22 and 23: gradients of what a value depends on. */

#include "fixture.h"

#include <math.h>
#include <stdlib.h>

START_TEST(semantics_22_a_plain_parameter_gets_the_gradient_itself)
{
  fixture_add(module, "weight", 2, 3);
  pz_tensor sum = fixture_gradient("weight");
  ck_assert_double_eq(host_at(&sum, 1), 0.0); /* zero until the first backward */
  const pz_tensor g = fixture_normal(PZ_F32, 2, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g)); /* without a read before */
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  sum = fixture_gradient("weight");
  for (int64_t k = 0; k < 6; ++k) {
    ck_assert_double_eq(host_at(&sum, k), 2.0 * host_at(&g, k));
  }
  ck_assert_ok(pz_module_zero_gradients(module));
  sum = fixture_gradient("weight");
  ck_assert_double_eq(host_at(&sum, 1), 0.0);
}
END_TEST

START_TEST(the_check_mode_shows_what_no_map_wrote)
{
  pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "idle");
  ck_assert_ok(pz_module_check_writes(module, true));
  fixture_expect("weight", &w);
  map_failing = "all";
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  pz_tensor now = fixture_gradient("parametrizations.weight.original");
  ck_assert(isnan(host_at(&now, 4)));
  ck_assert_ok(pz_module_touch(module, "weight"));
  now = fixture_read("weight");
  ck_assert(isnan(host_at(&now, 4)));
  ck_assert_ok(pz_module_set(module, "weight", &w));
  now = fixture_read("parametrizations.weight.original");
  ck_assert(isnan(host_at(&now, 4)));
  w = fixture_add(module, "bias", 3, 3); /* registering too */
  ck_assert_ok(pz_register_parametrization(module, "bias", "idle", NULL));
  now = fixture_read("parametrizations.bias.original");
  ck_assert(isnan(host_at(&now, 4)));
  map_failing = NULL;
}
END_TEST

START_TEST(semantics_22_gradients_begin_anew_where_a_list_comes_or_goes)
{
  pz_tensor value;
  const pz_tensor w = fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  pz_tensor sum = fixture_gradient("parametrizations.weight.original");
  ck_assert_double_eq(host_at(&sum, 4), 0.0);
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  sum = fixture_gradient("weight");
  ck_assert_double_eq(host_at(&sum, 4), 0.0);
}
END_TEST

START_TEST(semantics_22_gradients_add_up_along_the_chain)
{
  pz_tensor sum;
  pz_tensor value;
  fixture_parametrize(module, "weight", 3, 3, "affine,affine");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  for (int times = 1; times <= 3; ++times) { /* any number of times per evaluation */
    ck_assert_ok(pz_module_backward(module, "weight", &g));
    sum = fixture_gradient("parametrizations.weight.original");
    ck_assert_double_eq(host_at(&sum, 4), (float)(4 * times * host_at(&g, 4)));
    sum = fixture_gradient("parametrizations.weight.0.shift");
    ck_assert_double_eq(host_at(&sum, 4), (float)(2 * times * host_at(&g, 4)));
    sum = fixture_gradient("parametrizations.weight.1.shift");
    ck_assert_double_eq_tol(host_at(&sum, 4), times * host_at(&g, 4),
                            4e-7 * fabs(host_at(&sum, 4)));
  }
  ck_assert_ok(pz_module_zero_gradients(module));
  sum = fixture_gradient("parametrizations.weight.0.shift");
  ck_assert_double_eq(host_at(&sum, 4), 0.0);
}
END_TEST

START_TEST(semantics_22_several_originals)
{
  pz_tensor value;
  fixture_parametrize(module, "weight", 3, 3, "weighted");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  const pz_tensor v = fixture_read("parametrizations.weight.original1");
  double dot = 0.0;
  double size = 0.0;
  for (int64_t k = 0; k < 9; ++k) {
    dot += host_at(&g, k) * host_at(&v, k);
    size += fabs(host_at(&g, k) * host_at(&v, k));
  }
  pz_tensor sum = fixture_gradient("parametrizations.weight.original0");
  ck_assert_double_eq_tol(host_at(&sum, 0), dot, 9 * 1.2e-7 * size);
  sum = fixture_gradient("parametrizations.weight.original1");
  ck_assert_double_eq(host_at(&sum, 6), 2.0 * host_at(&g, 6));
}
END_TEST

START_TEST(semantics_22_backward_is_stale_after_a_change)
{
  pz_tensor value;
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  ck_assert_fails(pz_module_backward(module, "weight", &g), PZ_STALE, "not read yet");
  for (int change = 0; change < 6; ++change) {
    ck_assert_ok(pz_module_get(module, "weight", &value));
    ck_assert_ok(pz_module_backward(module, "weight", &g));
    switch (change) {
    case 0:
      ck_assert_ok(pz_module_touch(module, "parametrizations.weight.original"));
      break;
    case 1:
      ck_assert_ok(pz_module_set(module, "weight", &w));
      break;
    case 2:
      ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.shift", &w));
      break;
    case 3:
      ck_assert_ok(pz_module_update(module, NULL));
      break;
    case 4:
      ck_assert_ok(pz_module_train(module, false));
      break;
    default:
      ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
      break;
    }
    const pz_tensor before = fixture_gradient("parametrizations.weight.original");
    ck_assert_int_eq(pz_module_backward(module, "weight", &g), PZ_STALE);
    const pz_tensor after = fixture_gradient("parametrizations.weight.original");
    ck_assert_double_eq(host_distance(&before, &after), 0.0);
  }
}
END_TEST

START_TEST(semantics_22_a_failed_call_is_no_change)
{
  pz_tensor value;
  fixture_parametrize(module, "weight", 3, 3, "skew,fragile");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  const pz_tensor bad = fixture_normal(PZ_F32, 3, 2);
  ck_assert_int_ne(pz_module_set(module, "weight", &bad), PZ_OK);
  map_failing = "update";
  ck_assert_int_ne(pz_module_update(module, "weight"), PZ_OK);
  map_failing = NULL;
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g));
}
END_TEST

START_TEST(semantics_22_frozen_tensors_are_skipped)
{
  pz_tensor value;
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "plain", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  ck_assert_ok(pz_module_require_grad(module, "weight", false));
  ck_assert_ok(pz_module_require_grad(module, "plain", false));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  ck_assert_ok(pz_module_backward(module, "plain", &g));
  pz_tensor sum = fixture_gradient("parametrizations.weight.0.shift"); /* trained still */
  ck_assert_double_eq(host_at(&sum, 2), host_at(&g, 2));
  ck_assert_fails(pz_module_gradient(module, "parametrizations.weight.original", &value),
                  PZ_INVALID, "frozen");
  ck_assert_fails(pz_module_gradient(module, "plain", &value), PZ_INVALID, "frozen");
  ck_assert_fails(pz_module_gradient(module, "parametrizations.weight.0.scale", &value), PZ_INVALID,
                  "buffer");
  ck_assert_fails(pz_module_gradient(module, "weight", &value), PZ_INVALID, "originals");

  ck_assert_ok(pz_module_require_grad(module, "parametrizations.weight.0.shift", false));
  ck_assert_ok(pz_module_touch(module, "weight"));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &g)); /* nothing to do */
  ck_assert_ok(pz_module_require_grad(module, "weight", true));
  ck_assert_ok(pz_module_backward(module, "weight", &g)); /* evaluated again, saving */
  sum = fixture_gradient("parametrizations.weight.original");
  ck_assert_double_eq(host_at(&sum, 2), 2.0 * host_at(&g, 2));
}
END_TEST

START_TEST(semantics_22_gradients_are_checked)
{
  pz_tensor value;
  pz_tensor w = fixture_add(module, "weight", 3, 3);
  w = fixture_add(module, "plain", 3, 3);
  ck_assert_ok(pz_module_add(module, "buffer", PZ_BUFFER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  static const char* const names[] = {"plain", "weight"};
  for (size_t k = 0; k < 2; ++k) {
    pz_tensor g = fixture_normal(PZ_F32, 3, 4);
    ck_assert_fails(pz_module_backward(module, names[k], &g), PZ_MISMATCH, "float32 3x4");
    g = fixture_normal(PZ_F64, 3, 3);
    ck_assert_fails(pz_module_backward(module, names[k], &g), PZ_MISMATCH, "float64 3x3");
    ck_assert_int_ne(pz_module_backward(module, names[k], NULL), PZ_OK);
  }
  ck_assert_fails(pz_module_backward(module, "buffer", &w), PZ_INVALID, "buffer");
}
END_TEST

START_TEST(semantics_22_strided_gradients)
{
  pz_tensor value;
  static const char* const names[] = {"plain", "weight"};
  static const char* const sums[] = {"plain", "parametrizations.weight.original"};
  fixture_add(module, "weight", 2, 3);
  fixture_add(module, "plain", 2, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  pz_tensor g = fixture_normal(PZ_F32, 3, 2);
  g.shape = (const int64_t[]){2, 3};
  g.strides = (const int64_t[]){1, 2};
  for (size_t k = 0; k < 2; ++k) {
    ck_assert_ok(pz_module_backward(module, names[k], &g));
    const pz_tensor sum = fixture_gradient(sums[k]);
    ck_assert_double_eq(host_at(&sum, 3), host_at(&g, 1));
  }
}
END_TEST

START_TEST(semantics_23_a_map_without_vjp_refuses)
{
  pz_tensor value;
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine,bare,affine");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_fails(pz_module_backward(module, "weight", &w), PZ_UNSUPPORTED,
                  "\"weight\": bare: has no vjp");
  const pz_tensor sum = fixture_gradient("parametrizations.weight.2.shift"); /* all or nothing */
  ck_assert_double_eq(host_at(&sum, 0), 0.0);
}
END_TEST

START_TEST(semantics_23_a_failing_vjp_adds_nothing)
{
  pz_tensor value;
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "fragile,affine");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  map_failing = "vjp";
  ck_assert_fails(pz_module_backward(module, "weight", &w), PZ_DEVICE, "fragile");
  map_failing = NULL;
  pz_tensor sum = fixture_gradient("parametrizations.weight.1.shift");
  ck_assert_double_eq(host_at(&sum, 0), 0.0);
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  sum = fixture_gradient("parametrizations.weight.1.shift");
  ck_assert_double_eq(host_at(&sum, 0), host_at(&w, 0));
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("gradients");
  tcase_add_test(tcase, semantics_22_a_plain_parameter_gets_the_gradient_itself);
  tcase_add_test(tcase, the_check_mode_shows_what_no_map_wrote);
  tcase_add_test(tcase, semantics_22_gradients_begin_anew_where_a_list_comes_or_goes);
  tcase_add_test(tcase, semantics_22_gradients_add_up_along_the_chain);
  tcase_add_test(tcase, semantics_22_several_originals);
  tcase_add_test(tcase, semantics_22_backward_is_stale_after_a_change);
  tcase_add_test(tcase, semantics_22_a_failed_call_is_no_change);
  tcase_add_test(tcase, semantics_22_frozen_tensors_are_skipped);
  tcase_add_test(tcase, semantics_22_gradients_are_checked);
  tcase_add_test(tcase, semantics_22_strided_gradients);
  tcase_add_test(tcase, semantics_23_a_map_without_vjp_refuses);
  tcase_add_test(tcase, semantics_23_a_failing_vjp_adds_nothing);
  return test_main_case(tcase);
}
