/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 24: steps at reads, PyTorch's rule; and residuals. */

#include "fixture.h"

/* "weight" is its original and the buffer of `fragile`, which a step raises by one. */
static double
add_weight(const char* const maps)
{
  fixture_parametrize(module, "weight", 3, 3, maps);
  return fixture_value("weight", 0);
}

/* By handle, so that a read is one read. */
static double
read_once(const char* const name)
{
  pz_slot* slot = NULL;
  pz_tensor there;
  float value;
  ck_assert_ok(pz_module_slot(module, name, &slot));
  ck_assert_ok(pz_slot_get(slot, &there));
  memcpy(&value, there.data, sizeof(value));
  return (double)value;
}

START_TEST(semantics_24_reads_step_only_when_told_and_in_training)
{
  const double before = add_weight("fragile");
  ck_assert_double_eq_tol(read_once("weight"), before, 1e-6);
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_ON_READ));
  ck_assert_double_eq_tol(read_once("weight"), before + 1, 1e-5);
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
  ck_assert_ok(pz_module_train(module, false));
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
  ck_assert_ok(pz_module_train(module, true));
  ck_assert_double_eq_tol(read_once("weight"), before + 3, 1e-5);
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_EXPLICIT));
  ck_assert_double_eq_tol(read_once("weight"), before + 3, 1e-5);
  ck_assert_ok(pz_module_update(module, "weight"));
  ck_assert_double_eq_tol(read_once("weight"), before + 4, 1e-5);
  ck_assert_int_eq(pz_module_update_policy(module, (pz_update_policy)7), PZ_INVALID);
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "7"));
}
END_TEST

START_TEST(semantics_24_a_scope_steps_once)
{
  const double before = add_weight("fragile");
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_ON_READ));
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  ck_assert_double_eq_tol(read_once("weight"), before + 1, 1e-5);
  ck_assert_ok(pz_cached_begin(module));
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
  ck_assert_ok(pz_cached_begin(module));
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
  ck_assert_ok(pz_cached_end(module));
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
  ck_assert_ok(pz_module_touch(module, ORIGINAL)); /* seen, so computed again */
  ck_assert_double_eq_tol(read_once("weight"), before + 3, 1e-5);
  ck_assert_ok(pz_cached_end(module));
  ck_assert_double_eq_tol(read_once("weight"), before + 4, 1e-5);
}
END_TEST

START_TEST(semantics_24_inner_lists_step_with_a_read)
{
  const double before = add_weight("counting");
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "fragile", NULL));
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_ON_READ));
  ck_assert_double_eq_tol(read_once("weight"), before + 1, 1e-5);
  ck_assert_double_eq_tol(read_once(ORIGINAL), before + 2, 1e-5);
  ck_assert_double_eq_tol(read_once("weight"), before + 3, 1e-5);
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  ck_assert_ok(pz_cached_begin(module));
  ck_assert_double_eq_tol(read_once(ORIGINAL), before + 4, 1e-5);
  ck_assert_double_eq_tol(read_once("weight"), before + 4, 1e-5); /* of the kept inner value */
  ck_assert_ok(pz_cached_end(module));
}
END_TEST

START_TEST(semantics_24_backward_is_for_the_value_read)
{
  pz_tensor gradient;
  const double before = add_weight("fragile");
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_ON_READ));
  ck_assert_double_eq_tol(read_once("weight"), before + 1, 1e-5);
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  ck_assert_ok(pz_module_gradient(module, ORIGINAL, &gradient));
  ck_assert_float_eq(((const float*)gradient.data)[4], 2 * host_f32(&g)[4]);
  ck_assert_double_eq_tol(read_once("weight"), before + 2, 1e-5);
}
END_TEST

START_TEST(semantics_24_a_step_that_fails_at_a_read_changes_nothing)
{
  static pz_tensor host;
  const double before = add_weight("fragile");
  pz_tensor there;
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_ON_READ));
  map_failing = "update";
  ck_assert_fails(pz_module_get(module, "weight", &there), PZ_DEVICE, "\"weight\"");
  map_failing = NULL;
  host = fixture_zeros(PZ_F32, 2, 2); /* nor does a place of the wrong shape */
  ck_assert_fails(pz_module_read(module, "weight", &host), PZ_MISMATCH, "2x2");
  ck_assert_double_eq_tol(read_once("weight"), before + 1, 1e-5);
}
END_TEST

START_TEST(residuals_are_those_of_the_last_map)
{
  double distance = -1.0;
  fixture_add(module, "weight", 3, 3);
  ck_assert_fails(pz_module_residual(module, "weight", &distance), PZ_NOT_FOUND, "weight");
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting,skew,cayley", NULL));
  ck_assert_ok(pz_module_residual(module, "weight", &distance));
  ck_assert_double_ge(distance, 0.0);
  ck_assert_double_le(distance, 3 * 8 * 1.2e-7); /* n c eps */
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "symmetric", NULL));
  ck_assert_ok(pz_module_residual(module, ORIGINAL, &distance));
  ck_assert_double_eq(distance, 0.0);
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  ck_assert_fails(pz_module_residual(module, "weight", &distance), PZ_UNSUPPORTED, "counting");
  ck_assert_int_eq(pz_module_residual(module, "weight", NULL), PZ_INVALID);
  ck_assert_int_eq(pz_module_residual(NULL, "weight", &distance), PZ_INVALID);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("steps");
  tcase_add_test(tcase, semantics_24_reads_step_only_when_told_and_in_training);
  tcase_add_test(tcase, semantics_24_a_scope_steps_once);
  tcase_add_test(tcase, semantics_24_inner_lists_step_with_a_read);
  tcase_add_test(tcase, semantics_24_backward_is_for_the_value_read);
  tcase_add_test(tcase, semantics_24_a_step_that_fails_at_a_read_changes_nothing);
  tcase_add_test(tcase, residuals_are_those_of_the_last_map);
  return test_main_case(tcase);
}
