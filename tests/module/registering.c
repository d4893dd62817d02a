/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 5 to 10: registering, all or nothing. */

#include "fixture.h"

#include <stdlib.h>

#define REGISTER(...) (&(pz_register_settings){.size = sizeof(pz_register_settings), __VA_ARGS__})

START_TEST(semantics_05_originals_come_from_the_right_inverse)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  const pz_tensor original = fixture_read("parametrizations.weight.original");
  const pz_tensor value = fixture_read("weight");
  ck_assert_double_eq(host_at(&original, 4), 0.5 * host_at(&w, 4));
  ck_assert_double_eq(host_distance(&value, &w), 0.0);
}
END_TEST

START_TEST(semantics_05_any_tensor_becomes_skew)
{
  const pz_tensor w = fixture_add(module, "weight", 3, 3); /* far from skew */
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew", NULL));
  const pz_tensor value = fixture_read("weight");
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      const double expected = i < j   ? host_at(&w, 3 * i + j)
                              : i > j ? -host_at(&w, 3 * j + i)
                                      : 0.0;
      ck_assert_double_eq(host_at(&value, 3 * i + j), expected);
    }
  }
}
END_TEST

START_TEST(semantics_05_no_right_inverse_or_no_answer_means_identity)
{
  static const char* const maps[] = {"bare", "nowhere"}; // y = 2 x and y = x
  static const char* const originals[] = {"parametrizations.bare.original",
                                          "parametrizations.nowhere.original"};
  for (size_t k = 0; k < 2; ++k) {
    const pz_tensor w = fixture_parametrize(module, maps[k], 3, 3, maps[k]);
    fixture_expect(originals[k], &w);
    ck_assert_double_eq(fixture_value(maps[k], 4), (k == 0 ? 2.0 : 1.0) * host_at(&w, 4));
  }
}
END_TEST

START_TEST(semantics_05_the_original_keeps_the_storage)
{
  pz_tensor plain;
  pz_tensor original;
  fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_get(module, "weight", &plain));
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine,counting", NULL));
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &original));
  ck_assert_ptr_eq(plain.data, original.data);
  ck_assert_uint_eq(plain.byte_offset, original.byte_offset);
}
END_TEST

START_TEST(semantics_06_only_what_is_there)
{
  fixture_parametrize(module, "weight", 3, 3, "affine");
  char* const picture = fixture_picture();
  ck_assert_fails(pz_register_parametrization(module, "wieght", "skew", NULL), PZ_NOT_FOUND,
                  "\"weight\"");
  ck_assert_fails(pz_register_parametrization(module, "weight", "skwe", NULL), PZ_NOT_FOUND,
                  "skew");
  ck_assert_fails(
      pz_register_parametrization(module, "parametrizations.weight.0.scale", "skew", NULL),
      PZ_UNSUPPORTED, "parametrizations.weight.0.scale");
  ck_assert_int_eq(pz_register_parametrization(module, "weight", "", NULL), PZ_INVALID);
  ck_assert_int_eq(pz_register_parametrization(module, "weight", "skew,", NULL), PZ_INVALID);
  ck_assert_int_eq(pz_register_parametrization(module, "weight", ",skew", NULL), PZ_INVALID);
  ck_assert_int_eq(pz_register_parametrization(module, "weight", "skew(", NULL), PZ_INVALID);
  ck_assert_int_eq(pz_register_parametrization(module, "weight", "skew)", NULL), PZ_INVALID);
  ck_assert_int_eq(pz_register_parametrization(module, "weight", NULL, NULL), PZ_INVALID);
  ck_assert_int_eq(pz_register_parametrization(module, "weight", "skew", REGISTER(.flags = 6)),
                   PZ_INVALID);
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_06_shape_and_dtype_are_kept_unless_unsafe)
{
  const pz_tensor w = fixture_add(module, "weight", 2, 3);
  char* picture = fixture_picture();
  ck_assert_fails(pz_register_parametrization(module, "weight", "turned", NULL), PZ_UNSUPPORTED,
                  "\"weight\": turned: has no right inverse");
  ck_assert_fails(pz_register_parametrization(module, "weight", "counting,turned", NULL),
                  PZ_MISMATCH, "forward returns float32 3x2, expected float32 2x3");
  ck_assert_fails(pz_register_parametrization(module, "weight", "widened", NULL), PZ_MISMATCH,
                  "float64 2x3");
  ck_assert_fails(pz_register_parametrization(module, "weight", "widened", &test_unsafe),
                  PZ_MISMATCH, "float64 2x3");
  ck_assert_fails(pz_register_parametrization(module, "weight", "skew", NULL), PZ_MISMATCH, "2x3");
  fixture_unchanged(picture);

  static const char* const texts[] = {"turned", "counting,turned"};
  for (size_t k = 0; k < 2; ++k) {
    ck_assert_ok(pz_register_parametrization(module, "weight", texts[k], &test_unsafe));
    pz_tensor value = fixture_read("weight");
    ck_assert_int_eq(value.shape[0], 3);
    ck_assert_int_eq(value.shape[1], 2);
    ck_assert_double_eq(host_at(&value, 1), host_at(&w, 3));
    ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
    fixture_expect("weight", &w);
  }
}
END_TEST

START_TEST(semantics_06_a_failure_at_any_entry_changes_nothing)
{
  static const char* const entries[] = {"plan", "init", "forward", "right_inverse"};
  static const char* const texts[] = {"fragile", "fragile,counting", "counting,fragile",
                                      "counting,affine,fragile,skew"};
  fixture_add(module, "plain", 3, 3);
  fixture_parametrize(module, "weight", 3, 3, "affine");
  pz_slot* slot = NULL;
  ck_assert_ok(pz_module_slot(module, "plain", &slot));
  for (size_t e = 0; e < 4; ++e) {
    for (size_t t = 0; t < 4; ++t) {
      for (int appended = 0; appended < 2; ++appended) {
        const char* const name = appended ? "weight" : "plain";
        const pz_tensor before = fixture_read("weight");
        char* const picture = fixture_picture();
        map_failing = entries[e];
        const pz_status status = pz_register_parametrization(module, name, texts[t], NULL);
        map_failing = NULL;
        if (strcmp(entries[e], "right_inverse") == 0 && (t >= 2 || appended)) {
          ck_assert_ok(status); /* appended maps are not inverted */
          ck_assert_ok(pz_remove_parametrizations(module, name, PZ_LEAVE_ORIGINAL));
          if (appended) {
            ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
          }
          free(picture);
          continue;
        }
        ck_assert_int_eq(status, PZ_DEVICE);
        ck_assert_ptr_nonnull(strstr(pz_error_message(), "fails on demand"));
        fixture_unchanged(picture);
        fixture_expect("weight", &before);
      }
    }
  }
  pz_tensor there;
  ck_assert_ok(pz_slot_get(slot, &there));
}
END_TEST

START_TEST(semantics_07_appending_leaves_the_originals)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  const pz_tensor original = fixture_read("parametrizations.weight.original");
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  fixture_expect("parametrizations.weight.original", &original);
  const pz_tensor value =
      fixture_read("weight"); /* the value jumps to its image: twice what it was */
  for (int64_t k = 0; k < 9; ++k) {
    ck_assert_double_eq(host_at(&value, k), 2.0 * host_at(&w, k));
  }
}
END_TEST

START_TEST(semantics_07_a_text_of_several_is_one_after_the_other)
{
  const pz_tensor w = fixture_add(module, "a", 4, 4);
  ck_assert_ok(pz_module_add(module, "b", PZ_PARAMETER, &w));
  ck_assert_ok(pz_register_parametrization(module, "a",
                                           " skew , cayley,pruning( p_drop = 0.5 , "
                                           "seed=7)",
                                           NULL));
  ck_assert_ok(pz_register_parametrization(module, "b", "skew", NULL));
  ck_assert_ok(pz_register_parametrization(module, "b", "cayley", NULL));
  ck_assert_ok(pz_register_parametrization(module, "b", "pruning(p_drop=0.5,seed=7)", NULL));
  const pz_tensor a = fixture_read("a");
  fixture_expect("b", &a);
  const pz_chain* chain = NULL;
  const pz_chain* other = NULL;
  ck_assert_ok(pz_module_chain(module, "a", &chain));
  ck_assert_ok(pz_module_chain(module, "b", &other));
  ck_assert_str_eq(pz_chain_text(chain), pz_chain_text(other));
}
END_TEST

START_TEST(semantics_07_only_the_first_takes_several_originals)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "weighted,affine");
  const pz_tensor value = fixture_read("weight");
  ck_assert_double_eq(host_at(&value, 5), 2.0 * host_at(&w, 5));
  char* const picture = fixture_picture();
  ck_assert_fails(
      pz_register_parametrization(module, "weight", "weighted", NULL), PZ_MISMATCH,
      "\"weight\": weighted: found 2 originals at place 2 of a chain, expected one: only the first "
      "parametrization may have several");
  fixture_unchanged(picture);
}
END_TEST

START_TEST(options_given_by_the_program)
{
  const pz_chain* chain = NULL;
  fixture_add(module, "weight", 3, 3);
  pz_option_setting setting = {
      .name = "p_drop", .stage = 1, .value = {.type = PZ_REAL, .as = {.real = 0.125}}};
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,pruning(seed=3)",
                                           REGISTER(.options = &setting, .n_options = 1)));
  ck_assert_ok(pz_module_chain(module, "weight", &chain));
  ck_assert_str_eq(pz_chain_text(chain), "skew,pruning(p_drop=0.125,seed=3)");
  char* const picture = fixture_picture();
  setting.stage = 2;
  ck_assert_fails(pz_register_parametrization(module, "weight", "skew,pruning",
                                              REGISTER(.options = &setting, .n_options = 1)),
                  PZ_INVALID, "stage 2 of a text of 2");
  setting.stage = 0;
  ck_assert_fails(pz_register_parametrization(module, "weight", "skew",
                                              REGISTER(.options = &setting, .n_options = 1)),
                  PZ_NOT_FOUND, "p_drop");
  ck_assert_int_eq(pz_register_parametrization(module, "weight", "skew", REGISTER(.n_options = 1)),
                   PZ_INVALID);
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_08_the_mode_reaches_the_maps)
{
  /* A new list runs in the module's mode: the mode is no property of lists. */
  fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_train(module, false));
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  fixture_read("weight");
  const int before = atomic_load(&map_forwards);
  const pz_tensor grad = fixture_normal(PZ_F32, 3, 3);
  /* in evaluation mode nothing was saved, and backward runs forward once more */
  ck_assert_ok(pz_module_backward(module, "weight", &grad));
  ck_assert_int_eq(atomic_load(&map_forwards), before + 1);
  ck_assert_ok(pz_module_train(module, true));
  fixture_read("weight");
  ck_assert_ok(pz_module_backward(module, "weight", &grad));
  ck_assert_int_eq(atomic_load(&map_forwards), before + 2); /* the read alone */
}
END_TEST

START_TEST(semantics_09_requires_grad_carries_over)
{
  const pz_tensor w = fixture_add(module, "weight", 3, 3);
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_require_grad(module, "weight", false));
  ck_assert_ok(pz_register_parametrization(module, "weight", "weighted", NULL));
  for (uint32_t k = 0; k < 2; ++k) {
    ck_assert_ok(pz_module_tensor(module, k, &entry));
    ck_assert_uint_eq(entry.kind, PZ_PARAMETER);
    ck_assert_uint_eq(entry.requires_grad, 0);
  }
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_str_eq(entry.name, "weight");
  ck_assert_uint_eq(entry.kind, PZ_PARAMETER);
  ck_assert_uint_eq(entry.requires_grad, 0);

  ck_assert_ok(pz_register_parametrization(module, "weight", "weighted", NULL));
  ck_assert_ok(pz_module_require_grad(module, "weight", true)); /* reaches the originals */
  ck_assert_ok(pz_module_tensor(module, 1, &entry));
  ck_assert_uint_eq(entry.requires_grad, 1);
  ck_assert_ok(pz_module_add(module, "buffer", PZ_BUFFER, &w));
  ck_assert_fails(pz_module_require_grad(module, "buffer", true), PZ_INVALID, "buffer");
}
END_TEST

START_TEST(semantics_10_registration_draws_nothing)
{
  const pz_tensor w = fixture_add(module, "weight", 4, 4);
  ck_assert_ok(pz_module_set(module, "weight", &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "symmetric", NULL));
  const pz_tensor now = fixture_read("weight");
  for (int64_t k = 0; k < 4; ++k) {
    ck_assert_double_eq(host_at(&now, k), host_at(&w, k)); /* the first row is in the triangle */
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("registering");
  tcase_add_test(tcase, semantics_05_originals_come_from_the_right_inverse);
  tcase_add_test(tcase, semantics_05_any_tensor_becomes_skew);
  tcase_add_test(tcase, semantics_05_no_right_inverse_or_no_answer_means_identity);
  tcase_add_test(tcase, semantics_05_the_original_keeps_the_storage);
  tcase_add_test(tcase, semantics_06_only_what_is_there);
  tcase_add_test(tcase, semantics_06_shape_and_dtype_are_kept_unless_unsafe);
  tcase_add_test(tcase, semantics_06_a_failure_at_any_entry_changes_nothing);
  tcase_add_test(tcase, semantics_07_appending_leaves_the_originals);
  tcase_add_test(tcase, semantics_07_a_text_of_several_is_one_after_the_other);
  tcase_add_test(tcase, semantics_07_only_the_first_takes_several_originals);
  tcase_add_test(tcase, options_given_by_the_program);
  tcase_add_test(tcase, semantics_08_the_mode_reaches_the_maps);
  tcase_add_test(tcase, semantics_09_requires_grad_carries_over);
  tcase_add_test(tcase, semantics_10_registration_draws_nothing);
  return test_main_case(tcase);
}
