/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 18, the part on folding: values become plain tensors for a while. */

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char*
printed(void)
{
  static char text[8192];
  ck_assert_uint_lt(pz_module_print(module, text, sizeof(text)), sizeof(text));
  return text;
}

/* A nested list on "weight", a map with a step on "other", a plain "bias". */
static void
fill(void)
{
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "bias", 1, 3);
  fixture_add(module, "other", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "skew", NULL));
  ck_assert_ok(pz_register_parametrization(module, "other", "fragile,pruning(p_drop=0.5)", NULL));
}

START_TEST(semantics_18_baked_values_are_plain)
{
  pz_slot* slot = NULL;
  pz_slot* inner = NULL;
  fill();
  const pz_tensor weight = fixture_read("weight");
  const pz_tensor other = fixture_read("other");
  ck_assert_ok(pz_module_slot(module, "weight", &slot));
  ck_assert_ok(pz_module_slot(module, INNER, &inner));
  ck_assert(!pz_module_is_baked(module));
  ck_assert_ok(pz_module_bake(module));
  ck_assert(pz_module_is_baked(module));
  fixture_names("weight bias other ");
  ck_assert(!pz_is_parametrized(module, NULL));
  ck_assert_str_eq(printed(), "Linear(\n  (weight): Parameter(float32 3x3)\n"
                              "  (bias): Parameter(float32 1x3)\n"
                              "  (other): Parameter(float32 3x3)\n)");
  fixture_expect("weight", &weight);
  pz_tensor now = fixture_read("other");
  ck_assert_double_eq(host_distance(&other, &now), 0.0);
  ck_assert_ok(pz_slot_get(slot, &now));
  ck_assert_fails(pz_slot_get(inner, &now), PZ_INVALID, "pz_module_unbake");
  ck_assert_fails(pz_module_get(module, ORIGINAL, &now), PZ_NOT_FOUND, "");

  ck_assert_ok(pz_module_unbake(module));
  ck_assert(!pz_module_is_baked(module));
  ck_assert_ok(pz_slot_get(inner, &now));
  fixture_expect("weight", &weight);
}
END_TEST

START_TEST(semantics_18_unbaking_brings_back_every_bit)
{
  fill();
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  pz_tensor now = fixture_read("weight");
  now = fixture_read("other");
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  const pz_tensor before = fixture_gradient(INNER);
  char* const picture = fixture_picture();
  ck_assert_ok(pz_module_bake(module));
  ck_assert_ok(pz_module_unbake(module));
  fixture_unchanged(picture);
  now = fixture_gradient(INNER);
  ck_assert_double_eq(host_distance(&before, &now), 0.0);
  /* nothing is stale, and the gradient adds up to just twice what it was */
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  now = fixture_gradient(INNER);
  for (int64_t k = 0; k < 9; ++k) {
    ck_assert_double_eq(host_at(&now, k), 2 * host_at(&before, k));
  }
}
END_TEST

START_TEST(semantics_18_modes_set_meanwhile_are_seen_after)
{
  fixture_parametrize(module, "weight", 3, 3, "counting");
  const pz_tensor folded = fixture_read("weight");
  ck_assert_ok(pz_module_bake(module));
  atomic_store(&map_forwards, 0);
  ck_assert_ok(pz_module_train(module, false));
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  ck_assert_ok(pz_cached_begin(module));
  fixture_expect("weight", &folded);
  ck_assert_int_eq(atomic_load(&map_forwards), 0);
  ck_assert_ok(pz_module_unbake(module));
  fixture_read("weight");
  fixture_read("weight");
  ck_assert_int_eq(atomic_load(&map_forwards), 1);
  ck_assert_ok(pz_cached_end(module));
  fixture_read("weight");
  fixture_read("weight");
  ck_assert_int_eq(atomic_load(&map_forwards), 5); /* fixture_read reads twice */
}
END_TEST

#define EXPECT_BAKED(call) ck_assert_fails(call, PZ_INVALID, "pz_module_unbake")

START_TEST(semantics_18_a_baked_module_refuses_changes)
{
  pz_tensor out;
  pz_module* child = NULL;
  double distance = 0.0;
  fill();
  const pz_tensor t = fixture_read("weight");
  ck_assert_ok(pz_module_bake(module));
  char* const picture = fixture_picture();
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), NULL, &child));
  EXPECT_BAKED(pz_module_bake(module));
  EXPECT_BAKED(pz_module_set(module, "weight", &t));
  EXPECT_BAKED(pz_module_set(module, "bias", &t));
  EXPECT_BAKED(pz_module_edit(module, "bias", &out));
  EXPECT_BAKED(pz_module_commit(module, "bias"));
  EXPECT_BAKED(pz_module_touch(module, "bias"));
  EXPECT_BAKED(pz_module_sample(module, "weight"));
  EXPECT_BAKED(pz_module_update(module, "weight"));
  EXPECT_BAKED(pz_module_update(module, NULL));
  EXPECT_BAKED(pz_module_residual(module, "weight", &distance));
  EXPECT_BAKED(pz_module_backward(module, "weight", &t));
  EXPECT_BAKED(pz_module_gradient(module, "bias", &out));
  EXPECT_BAKED(pz_module_zero_gradients(module));
  EXPECT_BAKED(pz_module_require_grad(module, "bias", false));
  EXPECT_BAKED(pz_register_parametrization(module, "weight", "skew", NULL));
  EXPECT_BAKED(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  EXPECT_BAKED(pz_remove_stage(module, "weight", 0));
  EXPECT_BAKED(pz_module_add(module, "more", PZ_PARAMETER, &t));
  EXPECT_BAKED(pz_module_add_child(module, "child", child));
  EXPECT_BAKED(test_module_to(context, module, "reference"));
  EXPECT_BAKED(pz_module_to_dtype(module, PZ_F64));
  EXPECT_BAKED(pz_transfer_parametrizations(child, module, NULL));
  EXPECT_BAKED(pz_module_check_writes(module, true));
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "pz_module_unbake"));
  ck_assert_ok(pz_module_check(module));
  fixture_unchanged(picture);
  pz_module_free(child);
}
END_TEST

START_TEST(semantics_18_children_are_baked_with_a_module_or_alone)
{
  pz_module* child = NULL;
  fill();
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Block", &child));
  const pz_tensor t = fixture_parametrize(child, "weight", 3, 3, "skew");
  ck_assert_ok(pz_module_bake(child)); /* and is nested as it is */
  ck_assert_ok(pz_module_add_child(module, "block", child));
  ck_assert(!pz_module_is_baked(module));

  /* the module around goes on */
  EXPECT_BAKED(pz_module_set(module, "block.weight", &t));
  EXPECT_BAKED(pz_module_bake(module));
  EXPECT_BAKED(pz_module_to_dtype(module, PZ_F64));
  ck_assert_ok(pz_module_update(module, NULL));
  ck_assert_ok(pz_module_zero_gradients(module));
  ck_assert_ok(pz_module_set(module, "parametrizations.other.original", &t));
  ck_assert_ok(pz_module_unbake(child));

  ck_assert_ok(pz_module_bake(module));
  ck_assert(pz_module_is_baked(child));
  fixture_names("weight bias other block.weight ");
  EXPECT_BAKED(pz_module_set(child, "weight", &t));
  EXPECT_BAKED(pz_module_unbake(child));
  ck_assert_ok(pz_module_unbake(module));
  ck_assert(!pz_module_is_baked(child));
  ck_assert_fails(pz_module_unbake(module), PZ_INVALID, "not baked");
  fixture_read("block.weight");
  ck_assert_ok(pz_module_to_dtype(module, PZ_F64));
  ck_assert_ok(pz_module_bake(module)); /* freed as it is */
}
END_TEST

START_TEST(semantics_18_bakes_all_or_nothing)
{
  pz_tensor open;
  fill();
  const pz_tensor before = fixture_read("weight");
  fixture_read("other");
  char* const picture = fixture_picture();
  map_failing = "forward";
  ck_assert_fails(pz_module_bake(module), PZ_DEVICE, "\"other\"");
  map_failing = NULL;
  ck_assert_ok(pz_module_backward(module, "other", &before));
  ck_assert_ok(pz_module_edit(module, "bias", &open));
  ck_assert_fails(pz_module_bake(module), PZ_INVALID, "bias");
  ck_assert_ok(pz_module_commit(module, "bias"));
  ck_assert_ok(pz_module_edit(module, INNER, &open));
  ck_assert_fails(pz_module_bake(module), PZ_INVALID, INNER);
  ck_assert_ok(pz_module_commit(module, INNER));
  fixture_expect("weight", &before);
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_18_a_baked_module_is_copied_as_a_plain_one)
{
  pz_module* copy = NULL;
  pz_tensor there;
  fill();
  const pz_tensor value = fixture_read("weight");
  ck_assert_ok(pz_module_bake(module));
  ck_assert_ok(pz_module_copy(module, &copy));
  ck_assert(!pz_module_is_baked(copy));
  ck_assert(!pz_is_parametrized(copy, NULL));
  ck_assert_ok(pz_module_set(copy, "weight", &value));
  ck_assert_ok(pz_module_get(copy, "weight", &there));
  pz_module_free(copy);
}
END_TEST

START_TEST(semantics_18_a_baked_module_is_saved_as_a_plain_one)
{
  char path[] = "/tmp/folding-XXXXXX";
  const int descriptor = mkstemp(path);
  ck_assert_int_ge(descriptor, 0);
  close(descriptor);
  fill();
  const pz_tensor weight = fixture_read("weight");
  ck_assert_ok(pz_module_bake(module));
  ck_assert_ok(pz_module_save(module, path, NULL));
  EXPECT_BAKED(test_module_load(module, path));
  pz_module_free(module);
  module = NULL;
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &module));
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "bias", 1, 3);
  fixture_add(module, "other", 3, 3);
  ck_assert_ok(test_module_load(module, path));
  ck_assert(!pz_is_parametrized(module, NULL));
  fixture_expect("weight", &weight);
  unlink(path);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("folding");
  tcase_add_test(tcase, semantics_18_baked_values_are_plain);
  tcase_add_test(tcase, semantics_18_unbaking_brings_back_every_bit);
  tcase_add_test(tcase, semantics_18_modes_set_meanwhile_are_seen_after);
  tcase_add_test(tcase, semantics_18_a_baked_module_refuses_changes);
  tcase_add_test(tcase, semantics_18_children_are_baked_with_a_module_or_alone);
  tcase_add_test(tcase, semantics_18_bakes_all_or_nothing);
  tcase_add_test(tcase, semantics_18_a_baked_module_is_copied_as_a_plain_one);
  tcase_add_test(tcase, semantics_18_a_baked_module_is_saved_as_a_plain_one);
  return test_main_case(tcase);
}
