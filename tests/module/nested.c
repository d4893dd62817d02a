/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Lists on the originals and own parameters of lists: names, registering, removing. */

#include "fixture.h"

#include <stdlib.h>

START_TEST(semantics_02_an_original_may_be_parametrized)
{
  const pz_tensor w = fixture_add(module, "weight", 3, 3);
  const void* const memory = fixture_memory("weight");
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "skew", NULL));
  fixture_names(INNER " parametrizations.weight.0.shift parametrizations.weight.0.scale ");
  ck_assert(pz_is_parametrized(module, "weight"));
  ck_assert(pz_is_parametrized(module, ORIGINAL));
  ck_assert(!pz_is_parametrized(module, INNER));
  ck_assert_ptr_eq(fixture_memory(INNER), memory);

  /* value = 2 (U - U^T), U the triangle of w / 2 */
  pz_tensor now = fixture_read("weight");
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      const double expected = i < j   ? host_at(&w, 3 * i + j)
                              : i > j ? -host_at(&w, 3 * j + i)
                                      : 0.0;
      ck_assert_double_eq(host_at(&now, 3 * i + j), expected);
    }
  }
  ck_assert_double_eq(fixture_value(ORIGINAL, 1), host_at(&w, 1) / 2);
  const pz_chain* chain = NULL;
  ck_assert_ok(pz_module_chain(module, ORIGINAL, &chain));
  ck_assert_str_eq(pz_chain_text(chain), "skew");
  ck_assert_fails(pz_module_get(module, "parametrizations.weight.origina", &now), PZ_NOT_FOUND,
                  "\"" ORIGINAL "\"");

  /* and deeper */
  ck_assert_ok(pz_register_parametrization(module, INNER, "counting", NULL));
  fixture_names(
      "parametrizations.weight.parametrizations.original.parametrizations.original.original "
      "parametrizations.weight.0.shift parametrizations.weight.0.scale ");
  fixture_expect("weight", &now);
}
END_TEST

START_TEST(semantics_02_an_own_parameter_may_be_parametrized)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  const pz_tensor s = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.shift", &s));
  ck_assert_ok(
      pz_register_parametrization(module, "parametrizations.weight.0.shift", "skew", NULL));
  fixture_names("parametrizations.weight.original "
                "parametrizations.weight.0.parametrizations.shift.original "
                "parametrizations.weight.0.scale ");
  ck_assert_float_eq((float)fixture_value("weight", 0), (float)host_at(&w, 0));
  ck_assert_float_eq((float)fixture_value("weight", 3),
                     (float)(host_at(&w, 3)) - (float)host_at(&s, 1));
  char* const picture = fixture_picture();
  ck_assert_fails(
      pz_register_parametrization(module, "parametrizations.weight.0.scale", "skew", NULL),
      PZ_UNSUPPORTED, "a buffer of a stage");
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_03_the_print_shows_lists_in_lists)
{
  char text[4096];
  fixture_nest("affine", "skew");
  ck_assert_ok(
      pz_register_parametrization(module, "parametrizations.weight.0.shift", "counting", NULL));
  ck_assert_uint_lt(pz_module_print(module, text, sizeof(text)), sizeof(text));
  static const char* const lines[] = {
      "ParametrizedLinear(\n  (parametrizations): ModuleDict(\n"
      "    (weight): ParametrizedParametrizationList(\n      (0): affine() ->",
      "\n        (scale): Buffer(float32 3x3)\n        (parametrizations): ModuleDict(\n"
      "          (shift): ParametrizationList(\n            (original): Parameter(float32 3x3)\n"
      "            (0): counting() ->",
      "\n          )\n        )\n      (parametrizations): ModuleDict(\n"
      "        (original): ParametrizationList(\n          (original): Parameter(float32 3x3)\n"
      "          (0): skew() ->",
      "\n        )\n      )\n    )\n  )\n)",
  };
  const char* at = text;
  for (size_t k = 0; k < sizeof(lines) / sizeof(lines[0]); ++k) {
    const char* const found = strstr(at, lines[k]);
    ck_assert_msg(found, "\"%s\" is not in \"%s\"", lines[k], at);
    at = found + strlen(lines[k]);
  }
  ck_assert_str_eq(at, "");
  ck_assert_int_eq(atomic_load(&map_forwards), 1); /* the one of registration */
}
END_TEST

START_TEST(semantics_04_the_original_of_a_buffers_original_is_a_buffer)
{
  const pz_tensor w = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_add(module, "weight", PZ_BUFFER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "counting", NULL));
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_str_eq(entry.name, INNER);
  ck_assert_uint_eq(entry.kind, PZ_BUFFER);
}
END_TEST

START_TEST(semantics_06_what_the_list_around_was_planned_for_stays)
{
  fixture_parametrize(module, "weight", 2, 3, "affine");
  char* const picture = fixture_picture();
  ck_assert_fails(pz_register_parametrization(module, ORIGINAL, "widened", NULL), PZ_MISMATCH,
                  ORIGINAL);
  ck_assert_fails(pz_register_parametrization(module, ORIGINAL, "turned", &test_unsafe),
                  PZ_MISMATCH, "the chain around it");
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_07_appending_outside_takes_the_inner_list_along)
{
  pz_slot* inner = NULL;
  fixture_nest("counting", "skew");
  ck_assert_ok(pz_module_slot(module, INNER, &inner));
  const pz_tensor before = fixture_read("weight");
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  fixture_names(INNER " parametrizations.weight.1.shift parametrizations.weight.1.scale ");
  pz_tensor now = fixture_read("weight");
  for (int64_t k = 0; k < 9; ++k) {
    ck_assert_double_eq(host_at(&now, k), 2 * host_at(&before, k));
  }
  ck_assert_ok(pz_slot_get(inner, &now));
  /* inside: the value jumps, and with it the outer one */
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "affine", NULL));
  now = fixture_read("weight");
  for (int64_t k = 0; k < 9; ++k) {
    ck_assert_double_eq(host_at(&now, k), 4 * host_at(&before, k));
  }
}
END_TEST

START_TEST(semantics_09_frozen_through_lists_in_lists)
{
  pz_tensor gradient;
  pz_tensor_info entry = {.size = sizeof(entry)};
  pz_tensor w = fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_require_grad(module, "weight", false));
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "counting", NULL));
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_uint_eq(entry.requires_grad, 0);
  ck_assert_int_eq(pz_module_gradient(module, INNER, &gradient), PZ_INVALID);
  w = fixture_read("weight");
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  ck_assert_ok(pz_module_require_grad(module, "weight", true));
  ck_assert_ok(pz_module_gradient(module, INNER, &gradient));
  ck_assert_ok(pz_module_require_grad(module, ORIGINAL, false));
  ck_assert_int_eq(pz_module_gradient(module, INNER, &gradient), PZ_INVALID);
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_uint_eq(entry.requires_grad, 0);
}
END_TEST

START_TEST(semantics_17_removing_the_inner_list)
{
  static const int leaves[] = {PZ_LEAVE_PARAMETRIZED, PZ_LEAVE_ORIGINAL};
  const int leave = leaves[_i];
  pz_tensor now;
  pz_slot* slot = NULL;
  const pz_tensor w = fixture_nest("counting", "skew");
  const void* const memory = fixture_memory(INNER);
  const pz_tensor value = fixture_read("weight");
  ck_assert_ok(pz_module_slot(module, INNER, &slot));
  ck_assert_ok(pz_remove_parametrizations(module, ORIGINAL, leave));
  fixture_names(ORIGINAL " ");
  ck_assert_ptr_eq(fixture_memory(ORIGINAL), memory);
  ck_assert_fails(pz_slot_get(slot, &now), PZ_NOT_FOUND, "was removed after pz_module_slot");
  now = fixture_read("weight");
  if (leave == PZ_LEAVE_PARAMETRIZED) {
    ck_assert_double_eq(host_distance(&value, &now), 0.0);
  } else {
    ck_assert_double_eq(host_at(&now, 1), host_at(&w, 1));
  }
  ck_assert_ok(pz_module_set(module, ORIGINAL, &w));
  fixture_expect("weight", &w);
}
END_TEST

START_TEST(semantics_17_removing_the_outer_list)
{
  pz_slot* inner = NULL;
  pz_slot* outer = NULL;
  const pz_tensor w = fixture_nest("affine", "skew");
  const void* const memory = fixture_memory(INNER);
  pz_tensor value = fixture_read(ORIGINAL);
  ck_assert_ok(pz_module_slot(module, ORIGINAL, &outer));
  ck_assert_ok(pz_module_slot(module, INNER, &inner));
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  /* the tensor is what its original was: a value of the inner list */
  fixture_names(ORIGINAL " ");
  ck_assert(pz_is_parametrized(module, "weight"));
  pz_tensor now = fixture_read("weight");
  ck_assert_double_eq(host_distance(&value, &now), 0.0);
  ck_assert_fails(pz_slot_get(outer, &now), PZ_NOT_FOUND, "was removed after pz_module_slot");
  ck_assert_ok(pz_slot_get(inner, &now));
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  ck_assert_ptr_eq(fixture_memory(ORIGINAL), memory);
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "counting", NULL));

  /* the value, in the innermost memory */
  value = fixture_read("weight");
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  fixture_names("weight ");
  ck_assert_ptr_eq(fixture_memory("weight"), memory);
  fixture_expect("weight", &value);
}
END_TEST

START_TEST(semantics_18_single_maps_go_and_inner_lists_stay)
{
  pz_tensor now;
  fixture_nest("counting,affine", "skew,fragile");
  ck_assert_ok(
      pz_register_parametrization(module, "parametrizations.weight.1.shift", "counting", NULL));
  pz_slot* shift = NULL;
  ck_assert_ok(
      pz_module_slot(module, "parametrizations.weight.1.parametrizations.shift.original", &shift));
  ck_assert_ok(pz_remove_stage(module, "weight", 0));
  fixture_names("parametrizations.weight.parametrizations.original.original "
                "parametrizations.weight.parametrizations.original.1.p "
                "parametrizations.weight.parametrizations.original.1.b "
                "parametrizations.weight.0.parametrizations.shift.original "
                "parametrizations.weight.0.scale ");
  ck_assert_ok(pz_slot_get(shift, &now));
  now = fixture_read("weight");
  ck_assert_ok(pz_remove_stage(module, ORIGINAL, 0));
  fixture_names("parametrizations.weight.parametrizations.original.original "
                "parametrizations.weight.parametrizations.original.0.p "
                "parametrizations.weight.parametrizations.original.0.b "
                "parametrizations.weight.0.parametrizations.shift.original "
                "parametrizations.weight.0.scale ");
  ck_assert_double_eq(fixture_value("weight", 3), 2 * fixture_value(ORIGINAL, 3));
  ck_assert_double_ne(fixture_value("weight", 3), host_at(&now, 3));
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("nested");
  tcase_add_test(tcase, semantics_02_an_original_may_be_parametrized);
  tcase_add_test(tcase, semantics_02_an_own_parameter_may_be_parametrized);
  tcase_add_test(tcase, semantics_03_the_print_shows_lists_in_lists);
  tcase_add_test(tcase, semantics_04_the_original_of_a_buffers_original_is_a_buffer);
  tcase_add_test(tcase, semantics_06_what_the_list_around_was_planned_for_stays);
  tcase_add_test(tcase, semantics_07_appending_outside_takes_the_inner_list_along);
  tcase_add_test(tcase, semantics_09_frozen_through_lists_in_lists);
  tcase_add_loop_test(tcase, semantics_17_removing_the_inner_list, 0, 2);
  tcase_add_test(tcase, semantics_17_removing_the_outer_list);
  tcase_add_test(tcase, semantics_18_single_maps_go_and_inner_lists_stay);
  return test_main_case(tcase);
}
