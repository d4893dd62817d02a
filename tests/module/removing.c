/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 17 and 18: taking lists and single maps off. */

#include "fixture.h"

#include <stdlib.h>

START_TEST(semantics_17_leaving_the_value)
{
  pz_tensor before;
  pz_tensor after;
  fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_get(module, "weight", &before));
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,affine", NULL));
  const pz_tensor value = fixture_read("weight");
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  fixture_expect("weight", &value);
  ck_assert_ok(pz_module_get(module, "weight", &after));
  ck_assert_ptr_eq(before.data, after.data); /* one original: the same storage all along */
}
END_TEST

START_TEST(semantics_17_leaving_the_original)
{
  pz_tensor before;
  pz_tensor after;
  fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_get(module, "weight", &before));
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  const pz_tensor original = fixture_read("parametrizations.weight.original");
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  fixture_expect("weight", &original);
  ck_assert_ok(pz_module_get(module, "weight", &after));
  ck_assert_ptr_eq(before.data, after.data);
}
END_TEST

START_TEST(semantics_17_several_originals)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "weighted");
  char* const picture = fixture_picture();
  ck_assert_fails(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL), PZ_INVALID,
                  "2 originals");
  fixture_unchanged(picture);
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  fixture_expect("weight", &w);
}
END_TEST

START_TEST(semantics_17_what_is_not_there_is_refused)
{
  fixture_add(module, "weight", 3, 3);
  ck_assert_fails(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED), PZ_NOT_FOUND,
                  "\"weight\" is not parametrized");
  ck_assert_fails(pz_remove_stage(module, "weight", 0), PZ_NOT_FOUND, "not parametrized");
  ck_assert_int_eq(pz_remove_parametrizations(module, "wait", PZ_LEAVE_ORIGINAL), PZ_NOT_FOUND);
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  ck_assert_int_eq(pz_remove_parametrizations(module, "weight", 2), PZ_INVALID);
}
END_TEST

START_TEST(semantics_17_a_value_that_fails_stays_parametrized)
{
  fixture_parametrize(module, "weight", 3, 3, "fragile");
  ck_assert_ok(pz_module_touch(module, "weight"));
  char* const picture = fixture_picture();
  map_failing = "forward";
  ck_assert_fails(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED), PZ_DEVICE,
                  "fragile");
  map_failing = NULL;
  fixture_unchanged(picture);
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
}
END_TEST

START_TEST(semantics_18_afterwards_all_is_as_before)
{
  fixture_add(module, "a", 3, 3);
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "z", 3, 3);
  char* const picture = fixture_picture();
  for (int k = 0; k < 3; ++k) {
    ck_assert_ok(pz_register_parametrization(module, "weight", "counting,pruning(p_drop=0)", NULL));
    ck_assert_ok(pz_remove_parametrizations(module, "weight", k % 2));
  }
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_18_a_single_map_is_taken_out)
{
  const pz_chain* chain = NULL;
  pz_tensor before;
  pz_tensor after;
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "counting,fragile,affine");
  const pz_tensor shift = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.2.shift", &shift));
  ck_assert_ok(pz_module_gradient(module, "parametrizations.weight.2.shift", &before));
  const pz_tensor original = fixture_read("parametrizations.weight.original");
  ck_assert_ok(pz_remove_stage(module, "weight", 1));
  ck_assert_ok(pz_module_chain(module, "weight", &chain));
  ck_assert_str_eq(pz_chain_text(chain), "counting,affine");
  fixture_expect("parametrizations.weight.original", &original); /* originals stay */
  fixture_expect("parametrizations.weight.1.shift",
                 &shift); /* what is behind moves up with its state */
  ck_assert_ok(pz_module_gradient(module, "parametrizations.weight.1.shift", &after));
  ck_assert_ptr_eq(before.data, after.data);
  ck_assert_fails(pz_module_get(module, "parametrizations.weight.2.shift", &after), PZ_NOT_FOUND,
                  "");
  pz_tensor now = fixture_read("weight");
  ck_assert_double_eq(host_at(&now, 0), (float)(2.0 * host_at(&w, 0) + host_at(&shift, 0)));

  ck_assert_fails(pz_remove_stage(module, "weight", 2), PZ_NOT_FOUND, "stage 2 of 2");
  ck_assert_ok(pz_remove_stage(module, "weight", 0));
  ck_assert_fails(pz_remove_stage(module, "weight", 0), PZ_INVALID, "only stage");
}
END_TEST

START_TEST(semantics_18_not_one_whose_absence_does_not_fit)
{
  fixture_parametrize(module, "weight", 3, 3, "weighted,affine");
  char* const picture = fixture_picture();
  ck_assert_int_ne(pz_remove_stage(module, "weight", 0), PZ_OK);
  fixture_unchanged(picture);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("removing");
  tcase_add_test(tcase, semantics_17_leaving_the_value);
  tcase_add_test(tcase, semantics_17_leaving_the_original);
  tcase_add_test(tcase, semantics_17_several_originals);
  tcase_add_test(tcase, semantics_17_what_is_not_there_is_refused);
  tcase_add_test(tcase, semantics_17_a_value_that_fails_stays_parametrized);
  tcase_add_test(tcase, semantics_18_afterwards_all_is_as_before);
  tcase_add_test(tcase, semantics_18_a_single_map_is_taken_out);
  tcase_add_test(tcase, semantics_18_not_one_whose_absence_does_not_fit);
  return test_main_case(tcase);
}
