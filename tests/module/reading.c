/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 11 to 13: when a value is computed, and by whom. */

#include "fixture.h"

#include <stdlib.h>

/* Forwards of the counting map since the last call of this function. */
static int
forwards(void)
{
  return atomic_exchange(&map_forwards, 0);
}

static void
add_counted(const char* const name)
{
  fixture_parametrize(module, name, 3, 3, "counting");
  (void)forwards();
}

static pz_tensor
get(const char* const name)
{
  pz_tensor value;
  ck_assert_ok(pz_module_get(module, name, &value));
  return value;
}

START_TEST(semantics_11_a_value_is_computed_when_something_changed)
{
  pz_tensor open;
  add_counted("weight");
  const pz_tensor w = fixture_normal(PZ_F32, 3, 3);
  const pz_tensor first = get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ptr_eq(get("weight").data, first.data);
  ck_assert_int_eq(forwards(), 0);

  ck_assert_ok(pz_module_set(module, "weight", &w));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.original", &w));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_edit(module, "parametrizations.weight.original", &open));
  ck_assert_ok(pz_module_commit(module, "parametrizations.weight.original"));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_touch(module, "parametrizations.weight.original"));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_touch(module, "weight"));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_update(module, "weight"));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_train(module, true)); /* it was */
  get("weight");
  ck_assert_int_eq(forwards(), 0);
  ck_assert_ok(pz_module_train(module, false));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_sample(module, "weight"));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
}
END_TEST

START_TEST(semantics_11_unchanged_values_are_not_computed_again)
{
  enum { TIMES = 1000 };
  pz_slot* slot = NULL;
  pz_tensor value = {0};
  add_counted("weight");
  ck_assert_ok(pz_module_slot(module, "weight", &slot));
  const pz_tensor first = get("weight");
  ck_assert_int_eq(forwards(), 1);
  for (int k = 0; k < TIMES; ++k) {
    ck_assert_ok(pz_slot_get(slot, &value));
    ck_assert_ptr_eq(value.data, first.data);
    ck_assert_ptr_eq(get("weight").data, first.data);
  }
  ck_assert_int_eq(forwards(), 0);
}
END_TEST

START_TEST(semantics_11_what_does_not_matter_leaves_the_value)
{
  add_counted("weight");
  fixture_add(module, "bias", 3, 3);
  add_counted("other");
  const pz_tensor grad = fixture_normal(PZ_F32, 3, 3);
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_set(module, "bias", &grad));
  ck_assert_ok(pz_module_set(module, "other", &grad));
  ck_assert_ok(pz_module_backward(module, "weight", &grad));
  ck_assert_ok(pz_module_zero_gradients(module));
  ck_assert_ok(pz_module_check(module));
  char text[256];
  pz_module_print(module, text, sizeof(text));
  get("weight");
  ck_assert_int_eq(forwards(), 0);
}
END_TEST

START_TEST(semantics_11_scoped_is_the_rule_of_pytorch)
{
  add_counted("weight");
  add_counted("other");
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  get("weight");
  get("weight");
  ck_assert_int_eq(forwards(), 2);
  ck_assert_ok(pz_cached_begin(module));
  const pz_tensor first = get("weight");
  ck_assert_ptr_eq(get("weight").data, first.data);
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_cached_begin(module));
  get("weight");
  get("other");
  ck_assert_ok(pz_cached_end(module));
  get("weight");
  get("other");
  ck_assert_int_eq(forwards(), 1); /* other, once: the inner end drops nothing */
  ck_assert_ok(pz_cached_end(module));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_cached_begin(module));
  get("weight"); /* nothing is left of the scope before */
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_cached_end(module));
  ck_assert_int_eq(pz_cached_end(module), PZ_INVALID); /* one too many: no harm */
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "without pz_cached_begin"));
  get("weight");
  ck_assert_int_eq(forwards(), 1);
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_AUTOMATIC));
  get("weight");
  get("weight");
  ck_assert_int_eq(forwards(), 0);
}
END_TEST

START_TEST(semantics_11_scopes_and_rules_reach_children)
{
  pz_module* child = NULL;
  pz_tensor value;
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Block", &child));
  fixture_parametrize(child, "weight", 3, 3, "counting");
  ck_assert_ok(pz_cached_begin(module));
  ck_assert_ok(pz_module_add_child(module, "block", child));
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  (void)forwards();
  get("block.weight");
  get("block.weight");
  ck_assert_int_le(forwards(), 1);
  ck_assert_ok(pz_module_get(child, "weight", &value));
  ck_assert_int_eq(forwards(), 0);
  ck_assert_ok(pz_cached_begin(child));
  ck_assert_ok(pz_cached_end(module));
  get("block.weight");
  ck_assert_int_eq(forwards(), 0); /* the child's own scope goes on */
  ck_assert_ok(pz_cached_end(child));
  get("block.weight");
  get("block.weight");
  ck_assert_int_eq(forwards(), 2);
}
END_TEST

START_TEST(semantics_12_changes_inside_a_scope_are_seen)
{
  add_counted("weight");
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  ck_assert_ok(pz_cached_begin(module));
  get("weight");
  const pz_tensor w = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_set(module, "weight", &w));
  fixture_expect("weight", &w);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  pz_tensor now = fixture_read("weight");
  ck_assert_double_eq(host_at(&now, 3), 2.0 * host_at(&w, 3));
  ck_assert_ok(pz_cached_end(module));
}
END_TEST

START_TEST(failures_are_remembered_for_their_version)
{
  pz_tensor value;
  fixture_parametrize(module, "weight", 3, 3, "counting,fragile");
  (void)forwards();
  ck_assert_ok(pz_module_touch(module, "weight"));
  map_failing = "forward";
  for (int k = 0; k < 3; ++k) {
    ck_assert_fails(pz_module_get(module, "weight", &value), PZ_DEVICE,
                    "\"weight\": fragile: forward fails on demand");
  }
  ck_assert_int_eq(forwards(), 1);
  map_failing = NULL;
  ck_assert_int_eq(pz_module_get(module, "weight", &value), PZ_DEVICE);
  ck_assert_ok(pz_module_touch(module, "weight"));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_int_eq(forwards(), 1);
}
END_TEST

START_TEST(reads_go_into_host_memory_with_strides)
{
  const pz_tensor w = fixture_add(module, "weight", 2, 3);
  pz_tensor out = fixture_zeros(PZ_F32, 2, 3);
  out.strides = (const int64_t[]){1, 2};
  ck_assert_ok(pz_module_read(module, "weight", &out));
  ck_assert_double_eq(host_at(&out, 1), host_at(&w, 3));
  out = fixture_zeros(PZ_F64, 2, 3);
  ck_assert_fails(pz_module_read(module, "weight", &out), PZ_MISMATCH, "float32 2x3");
  out = fixture_zeros(PZ_F32, 3, 2);
  ck_assert_fails(pz_module_read(module, "weight", &out), PZ_MISMATCH, "float32 3x2");
  ck_assert_int_ne(pz_module_read(module, "weight", NULL), PZ_OK);
}
END_TEST

START_TEST(slots_outlive_lists)
{
  pz_slot* weight = NULL;
  pz_slot* shift = NULL;
  pz_slot* scale = NULL;
  pz_tensor a;
  pz_tensor b;
  fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_slot(module, "weight", &weight));
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting,affine", NULL));
  ck_assert_ok(pz_slot_get(weight, &a));
  ck_assert_ok(pz_module_get(module, "weight", &b));
  ck_assert_ptr_eq(a.data, b.data);
  ck_assert_ok(pz_module_slot(module, "parametrizations.weight.1.shift", &shift));
  ck_assert_ok(pz_module_slot(module, "parametrizations.weight.1.scale", &scale));
  ck_assert_ok(pz_remove_stage(module, "weight", 0)); /* affine is map 0 now */
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.0.shift", &b));
  ck_assert_ok(pz_slot_get(shift, &a));
  ck_assert_ptr_eq(a.data, b.data);
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  ck_assert_ok(pz_slot_get(weight, &a));
  ck_assert_fails(pz_slot_get(shift, &a), PZ_NOT_FOUND, "was removed after pz_module_slot");
  ck_assert_fails(pz_slot_get(scale, &a), PZ_NOT_FOUND, "was removed after pz_module_slot");
}
END_TEST

/* ---- forgotten touches --------------------------------------------------------- */

START_TEST(semantics_25_the_check_mode_finds_writers_that_forgot)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "counting,affine");
  const pz_tensor original = get("parametrizations.weight.original");
  const pz_tensor shift = get("parametrizations.weight.1.shift");
  pz_tensor value = get("weight");
  ((float*)original.data)[4] += 1.0F; /* unnoticed */
  value = get("weight");
  ck_assert_ok(pz_module_check_writes(module, true));
  value = get("weight");
  value = get("weight");
  ((float*)original.data)[8] += 1.0F;
  ck_assert_fails(pz_module_get(module, "weight", &value), PZ_STALE,
                  "\"parametrizations.weight.original\"");
  ck_assert_fails(pz_module_backward(module, "weight", &w), PZ_STALE,
                  "\"parametrizations.weight.original\"");
  ck_assert_ok(pz_module_touch(module, "parametrizations.weight.original"));
  value = get("weight");
  value = get("weight");
  ((float*)shift.data)[0] = 0.5F;
  ck_assert_fails(pz_module_get(module, "weight", &value), PZ_STALE,
                  "\"parametrizations.weight.1.shift\"");
  ck_assert_ok(pz_module_check_writes(module, false));
  value = get("weight");
  pz_slot* slot = NULL;
  ck_assert_ok(pz_module_slot(module, "weight", &slot));
  ((float*)shift.data)[0] = 0.25F;
  ck_assert_ok(pz_slot_get(slot, &value)); /* unnoticed again */
}
END_TEST

/* ---- violations ------------------------------------------------------------------ */

static pz_status inside;

static void
set_inside(void)
{
  const pz_tensor w = fixture_zeros(PZ_F32, 3, 3);
  inside = pz_module_set(module, "weight", &w);
}

static void
get_inside(void)
{
  pz_tensor value;
  inside = pz_module_get(module, "bias", &value);
}

static void
get_own_inside(void)
{
  pz_tensor value;
  inside = pz_module_get(module, "weight", &value);
}

START_TEST(violations_are_invalid)
{
  pz_tensor value;
  add_counted("weight");
  fixture_add(module, "bias", 3, 3);

  map_callback = set_inside; /* an exclusive call during a read */
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_int_eq(inside, PZ_INVALID);

  map_callback = get_inside; /* a read during a read */
  ck_assert_ok(pz_module_touch(module, "weight"));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_int_eq(inside, PZ_OK);

  map_callback = get_own_inside; /* of what is being computed */
  ck_assert_ok(pz_module_touch(module, "weight"));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_int_eq(inside, PZ_INVALID);

  map_callback = get_inside; /* a read during an exclusive call */
  ck_assert_ok(pz_register_parametrization(module, "bias", "counting", NULL));
  ck_assert_int_eq(inside, PZ_INVALID);

  map_callback = NULL;
  ck_assert_ok(pz_module_get(module, "bias", &value));
  ck_assert_ok(pz_module_get(module, "weight", &value));
}
END_TEST

START_TEST(violations_by_scoped_reads)
{
  pz_tensor value;
  add_counted("weight");
  add_counted("bias");
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  map_callback = get_inside; /* outside a scope every read is exclusive */
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_int_eq(inside, PZ_INVALID);
  map_callback = NULL;
  ck_assert_ok(pz_module_get(module, "weight", &value));
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("reading");
  tcase_add_test(tcase, semantics_11_a_value_is_computed_when_something_changed);
  tcase_add_test(tcase, semantics_11_unchanged_values_are_not_computed_again);
  tcase_add_test(tcase, semantics_11_what_does_not_matter_leaves_the_value);
  tcase_add_test(tcase, semantics_11_scoped_is_the_rule_of_pytorch);
  tcase_add_test(tcase, semantics_11_scopes_and_rules_reach_children);
  tcase_add_test(tcase, semantics_12_changes_inside_a_scope_are_seen);
  tcase_add_test(tcase, failures_are_remembered_for_their_version);
  tcase_add_test(tcase, reads_go_into_host_memory_with_strides);
  tcase_add_test(tcase, slots_outlive_lists);
  test_add_or_skip(tcase, semantics_25_the_check_mode_finds_writers_that_forgot,
                   test_no_host_memory(getenv("TEST_DEVICE")));
  tcase_add_test(tcase, violations_are_invalid);
  tcase_add_test(tcase, violations_by_scoped_reads);
  return test_main_case(tcase);
}
