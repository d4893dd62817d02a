/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20 for lists on what lists work on. */

#include "folder.h"
#include "full_module.h"

#include <stdio.h>
#include <stdlib.h>

static void
setup(void)
{
  ck_assert_ok(test_module_to(context, module, "reference"));
}

static const char* const nested_values[] = {"weight", "parametrizations.weight.original",
                                            "parametrizations.weight.0.shift"};

/* A list on an original, another on an own parameter, and one on the inner original. */
static void
nest(pz_module* const to)
{
  fixture_parametrize(to, "weight", 4, 4, "affine");
  ck_assert_ok(pz_register_parametrization(to, "parametrizations.weight.original", "affine", NULL));
  ck_assert_ok(pz_register_parametrization(
      to, "parametrizations.weight.parametrizations.original.original", "skew", NULL));
  ck_assert_ok(
      pz_register_parametrization(to, "parametrizations.weight.0.shift", "symmetric", NULL));
}

static void
assert_same_nested(pz_module* const a, pz_module* const b)
{
  for (size_t k = 0; k < sizeof(nested_values) / sizeof(nested_values[0]); ++k) {
    const pz_tensor x = fixture_read_of(a, nested_values[k]);
    fixture_expect_of(b, nested_values[k], &x);
  }
}

START_TEST(semantics_20_lists_on_originals_come_back)
{
  pz_module* made = NULL;
  nest(module);
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  ck_assert_ok(test_module_from_file(context, "reference", file, NULL, NULL, &made));
  char* const picture = fixture_picture();
  char* const other = fixture_picture_of(made);
  ck_assert_str_eq(picture, other);
  assert_same_nested(module, made);
  free(picture);
  free(other);
  pz_tensor t = fixture_normal(PZ_F32, 4, 4); /* what is inside is seen outside */
  for (int k = 0; k < 2; ++k) {
    ck_assert_ok(pz_module_set(k ? made : module,
                               "parametrizations.weight.0.parametrizations.shift.original", &t));
  }
  assert_same_nested(module, made);
  ck_assert_ok(pz_module_load(made, file, NULL)); /* into the lists that are there */
  ck_assert_ok(pz_module_load(module, file, NULL));
  assert_same_nested(module, made);
  pz_module_free(made);

  /* Onto a plain tensor, and onto one that has the outer list alone. */
  for (int k = 0; k < 2; ++k) {
    pz_module* const plain = fixture_empty_module("Linear");
    t = fixture_add(plain, "weight", 4, 4);
    if (k == 1) {
      ck_assert_ok(pz_register_parametrization(plain, "weight", "affine", NULL));
    }
    const char* const original = "parametrizations.weight.original";
    const void* const there = k == 1 ? fixture_place_of(plain, original) : NULL;
    ck_assert_ok(pz_module_load(plain, file, NULL));
    assert_same_nested(module, plain);
    ck_assert(k == 0 ||
              pz_is_parametrized(plain, "parametrizations.weight.parametrizations.original."
                                        "original"));
    ck_assert(k == 0 || there != fixture_place_of(plain, original));
    pz_module_free(plain);
  }
}
END_TEST

START_TEST(semantics_20_values_are_assigned_through_inner_lists)
{
  const pz_load_settings settings = {.size = sizeof(settings),
                                     .flags = PZ_LOAD_ASSIGN | PZ_LOAD_LENIENT};
  nest(module);
  pz_module* const plain = fixture_empty_module("Linear");
  const pz_tensor value = fixture_zeros(PZ_F32, 4, 4); /* skew, four times what is inmost */
  for (int k = 0; k < 4; ++k) {
    for (int i = 0; i < k; ++i) {
      host_f32(&value)[4 * k + i] = (float)(k + 2 * i);
      host_f32(&value)[4 * i + k] = -(float)(k + 2 * i);
    }
  }
  ck_assert_ok(pz_module_add(plain, "weight", PZ_PARAMETER, &value));
  ck_assert_ok(pz_module_save(plain, path, NULL));
  pz_module_free(plain);
  reopen();
  ck_assert_ok(pz_module_load(module, file, &settings));
  fixture_expect("weight", &value); /* halves and doubles are exact */
  pz_tensor now = fixture_read("parametrizations.weight.parametrizations.original.original");
  ck_assert_double_eq(host_at(&now, 1), host_at(&value, 1) / 4.0);
}
END_TEST

START_TEST(semantics_20_foreign_lists_on_originals)
{
  static const pz_chain_rule rules[] = {
      {.pattern = "parametrizations.*.original", .text = "skew"}, /* the inner one */
      {.pattern = "*", .text = "affine"},
  };
  const char* const header =
      "{\"parametrizations.weight.parametrizations.original.original\":{\"dtype\":\"F32\","
      "\"shape\":[2,2],\"data_offsets\":[0,16]},\"parametrizations.weight.0.shift\":{\"dtype\":"
      "\"F32\",\"shape\":[2,2],\"data_offsets\":[16,32]},\"parametrizations.weight.0.scale\":{"
      "\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[32,48]}}";
  pz_load_settings settings = {.size = sizeof(settings), .rules = rules, .n_rules = 2};
  pz_module* made = NULL;
  write_file(header, 48);
  reopen();
  ck_assert_ok(test_module_from_file(context, "reference", file, NULL, &settings, &made));
  const pz_chain* chain = NULL;
  ck_assert_ok(pz_module_chain(made, "weight", &chain));
  ck_assert_str_eq(pz_chain_text(chain), "affine");
  ck_assert_ok(pz_module_chain(made, "parametrizations.weight.original", &chain));
  ck_assert_str_eq(pz_chain_text(chain), "skew");
  pz_module_free(made);
  made = NULL;
  settings.rules = &rules[1]; /* "*" does not speak of inner lists */
  settings.n_rules = 1;
  ck_assert_fails(test_module_from_file(context, "reference", file, NULL, &settings, &made),
                  PZ_MISMATCH, "\"parametrizations.weight.original\" is parametrized in the file");
}
END_TEST

/* Of one value, those inside it with it: their paths lie before or after its own. */
START_TEST(semantics_20_one_value_comes_with_the_lists_inside_it)
{
  static const char* const names[] = {"a", "weight"};
  for (int k = 0; k < 2; ++k) {
    char original[64];
    snprintf(original, sizeof(original), "parametrizations.%s.original", names[k]);
    fixture_parametrize(module, names[k], 3, 3, "affine");
    ck_assert_ok(pz_register_parametrization(module, original, "skew", NULL));
  }
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  for (int k = 0; k < 2; ++k) {
    pz_module* made = NULL;
    ck_assert_ok(test_module_from_file(context, "reference", file, names[k], NULL, &made));
    const pz_tensor x = fixture_read_of(module, names[k]);
    fixture_expect_of(made, names[k], &x);
    ck_assert(!pz_is_parametrized(made, names[1 - k]));
    pz_module_free(made);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("loading nested");
  tcase_add_checked_fixture(tcase, setup, NULL);
  tcase_add_test(tcase, semantics_20_lists_on_originals_come_back);
  tcase_add_test(tcase, semantics_20_one_value_comes_with_the_lists_inside_it);
  tcase_add_test(tcase, semantics_20_values_are_assigned_through_inner_lists);
  tcase_add_test(tcase, semantics_20_foreign_lists_on_originals);
  return test_main_case(tcase);
}
