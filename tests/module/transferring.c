/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 21: lists of one module put on the tensors of another. */

#include "full_module.h"

#include <opaque.h>

#include <stdlib.h>

#define DEEP "parametrizations.deep.parametrizations.original.parametrizations.original"

static pz_module* other;

static void
open_other(const char* const device)
{
  ck_assert_ok(test_module_new(context, device, "Other", &other));
}

static void
setup(void)
{
  open_other(NULL);
}

static void
teardown(void)
{
  pz_module_free(other);
}

static void
assert_equal(const char* const name, const double tolerance)
{
  const pz_tensor x = fixture_read_of(module, name);
  const pz_tensor y = fixture_read_of(other, name);
  ck_assert_double_le(host_distance(&x, &y), tolerance);
}

START_TEST(semantics_21_one_list_goes_to_a_tensor_of_its_name)
{
  full_module_fill(module);
  char* const picture = fixture_picture();
  fixture_add(other, "first", 2, 2);
  fixture_add(other, "weight", 4, 4);
  fixture_add(other, "last", 2, 2);
  const void* const memory = fixture_place_of(other, "weight");
  pz_slot* slot = NULL;
  ck_assert_ok(pz_module_slot(other, "weight", &slot));
  ck_assert_ok(pz_transfer_parametrizations(module, other, "weight"));
  fixture_unchanged(picture);
  assert_equal("weight", 0.0);
  assert_equal(ORIGINAL, 0.0);
  assert_equal("parametrizations.weight.2.mask", 0.0);
  ck_assert(pz_is_parametrized(other, "weight"));
  ck_assert(!pz_is_parametrized(other, "own"));
  ck_assert_ptr_eq(fixture_place_of(other, ORIGINAL), memory); /* as registration leaves it */
  ck_assert_ptr_ne(fixture_place_of(module, ORIGINAL), memory);
  ck_assert_ptr_ne(fixture_place_of(other, "weight"), fixture_place_of(module, "weight"));
  pz_tensor through;
  ck_assert_ok(pz_slot_get(slot, &through)); /* the slot is the value's now */
  ck_assert_ptr_eq(through.data, fixture_place_of(other, "weight"));
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(other, 1, &entry)); /* in the place of the plain tensor */
  ck_assert_str_eq(entry.name, ORIGINAL);

  char* const source = fixture_picture();
  ck_assert_ok(pz_module_sample(other, "weight"));
  ck_assert_ok(pz_remove_parametrizations(other, "weight", PZ_LEAVE_PARAMETRIZED));
  ck_assert_ptr_eq(fixture_place_of(other, "weight"), memory);
  fixture_unchanged(source);
}
END_TEST

START_TEST(semantics_21_all_lists_go_in_order_and_with_their_flags)
{
  full_module_fill(module);
  pz_tensor t = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_add(other, "mean", PZ_PARAMETER, &t)); /* of another kind here */
  t = fixture_add(other, "bias", 2, 2);
  char* const picture = fixture_picture();
  ck_assert_ok(pz_transfer_parametrizations(module, other, NULL));
  fixture_unchanged(picture);
  static const char* const expected[] = {
      "parametrizations.mean.original",
      "parametrizations.mean.0.shift",
      "parametrizations.mean.0.scale",
      "bias",
      ORIGINAL,
      "parametrizations.weight.2.mask",
      "parametrizations.own.original",
      "parametrizations.own.0.shift",
      "parametrizations.own.0.scale",
      "parametrizations.noise.original",
      "parametrizations.pair.original0",
      "parametrizations.pair.original1",
      DEEP ".original",
      DEEP ".0.shift",
      DEEP ".0.scale",
      "parametrizations.deep.parametrizations.original.0.shift",
      "parametrizations.deep.parametrizations.original.0.scale",
  };
  pz_tensor_info entry = {.size = sizeof(entry)};
  for (uint32_t k = 0; k < sizeof(expected) / sizeof(expected[0]); ++k) {
    ck_assert_ok(pz_module_tensor(other, k, &entry));
    ck_assert_str_eq(entry.name, expected[k]);
    const bool frozen = strstr(entry.name, "pair") || strcmp(entry.name, expected[7]) == 0;
    const bool buffer = k == 0 || strstr(entry.name, "mask") || strstr(entry.name, "scale");
    ck_assert_uint_eq(entry.kind, buffer ? PZ_BUFFER : PZ_PARAMETER);
    ck_assert_uint_eq(entry.requires_grad, !buffer && !frozen);
  }
  assert_equal("weight", 0.0);
  assert_equal("own", 0.0);
  assert_equal("noise", 0.0); /* draws too */
  assert_equal("pair", 0.0);
  assert_equal("mean", 0.0);
  assert_equal("deep", 0.0);
}
END_TEST

START_TEST(semantics_21_a_list_goes_to_another_device)
{
  static const char* const devices[] = {"reference", "bare", "lean", "later"};
  const double tolerance = 16.0 * 4.0 * 1.2e-7; /* c n eps: two backends compute */
  full_module_fill(module);
  char* const picture = fixture_picture();
  pz_module_free(other);
  open_other(devices[_i]);
  fixture_add(other, "weight", 4, 4);
  const void* const memory = fixture_place_of(other, "weight");
  ck_assert_ok(pz_transfer_parametrizations(module, other, NULL));
  fixture_unchanged(picture);
  ck_assert_ptr_eq(fixture_place_of(other, ORIGINAL), memory);
  assert_equal(ORIGINAL, 0.0);
  assert_equal("parametrizations.weight.2.mask", 0.0);
  assert_equal("weight", tolerance);
  assert_equal("own", tolerance);
  assert_equal("noise", tolerance);
  assert_equal("pair", tolerance);
}
END_TEST

START_TEST(semantics_21_lists_in_lists_go_along)
{
  full_module_fill(module);
  char* const picture = fixture_picture();
  pz_tensor t = fixture_add(other, "deep", 4, 4);
  const void* const memory = fixture_place_of(other, "deep");
  ck_assert_fails(pz_transfer_parametrizations(module, other, "parametrizations.deep.original"),
                  PZ_INVALID, "a tensor of a chain, which is transferred as a whole");
  ck_assert_ok(pz_transfer_parametrizations(module, other, "deep"));
  ck_assert_ptr_eq(fixture_place_of(other, DEEP ".original"),
                   memory); /* the innermost original's */
  assert_equal(DEEP ".original", 0.0);
  assert_equal("deep", 0.0);
  t = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_set(other, DEEP ".original", &t));
  fixture_unchanged(picture);
  ck_assert_ok(pz_module_set(module, DEEP ".original", &t)); /* both run from inside out */
  assert_equal("deep", 0.0);
  ck_assert_ok(pz_module_backward(other, "deep", &t));
}
END_TEST

START_TEST(semantics_21_a_list_stays_within_the_tree)
{
  pz_module* child = NULL;
  full_module_fill(module);
  ck_assert_ok(pz_module_child(module, "child", &child));
  ck_assert_ok(pz_transfer_parametrizations(module, child, "own"));
  const pz_tensor x = fixture_read("own");
  fixture_expect("child.own", &x);
  ck_assert_ok(pz_transfer_parametrizations(child, other, NULL));
  ck_assert(pz_is_parametrized(other, "own"));
  ck_assert(pz_is_parametrized(other, "weight"));
}
END_TEST

START_TEST(a_value_of_another_spec_than_its_original_keeps_no_memory)
{
  fixture_add(module, "weight", 2, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "turned", &test_unsafe));
  const pz_tensor value = fixture_read("weight");
  fixture_add(other, "weight", value.shape[0], value.shape[1]);
  const void* const memory = fixture_place_of(other, "weight");
  ck_assert_ok(pz_transfer_parametrizations(module, other, "weight"));
  ck_assert_ptr_ne(fixture_place_of(other, ORIGINAL), memory);
  assert_equal("weight", 0.0);
}
END_TEST

START_TEST(what_cannot_be_transferred_changes_nothing)
{
  full_module_fill(module);
  fixture_add(other, "weight", 4, 4);
  fixture_add(other, "own", 4, 4);
  fixture_add(other, "pair", 4, 3); /* the fourth list does not fit */
  char* const source = fixture_picture();
  char* const picture = fixture_picture_of(other);
  const void* const memory = fixture_place_of(other, "weight");

  ck_assert_fails(pz_transfer_parametrizations(module, other, NULL), PZ_MISMATCH,
                  "\"pair\": found float32 4x3 as the target of the chain, expected float32 4x4");
  ck_assert_fails(pz_transfer_parametrizations(module, module, NULL), PZ_INVALID, "one twice");
  ck_assert_fails(pz_transfer_parametrizations(module, NULL, NULL), PZ_INVALID, "one missing");
  ck_assert_fails(pz_transfer_parametrizations(NULL, other, NULL), PZ_INVALID, "one missing");
  ck_assert_fails(pz_transfer_parametrizations(module, other, "wieght"), PZ_NOT_FOUND, "weight");
  ck_assert_fails(pz_transfer_parametrizations(module, other, "bias"), PZ_NOT_FOUND,
                  "\"bias\" is not parametrized");
  ck_assert_fails(pz_transfer_parametrizations(other, module, NULL), PZ_NOT_FOUND,
                  "no tensor of Other is parametrized");
  ck_assert_fails(pz_transfer_parametrizations(module, other, "child.weight"), PZ_INVALID,
                  "\"child.weight\": a tensor of a nested module");

  pz_tensor open;
  ck_assert_ok(pz_module_edit(module, ORIGINAL, &open));
  ck_assert_fails(pz_transfer_parametrizations(module, other, "weight"), PZ_INVALID,
                  "\"" ORIGINAL "\" is open for writing");
  ck_assert_ok(pz_module_commit(module, ORIGINAL));
  ck_assert_ok(pz_module_edit(other, "weight", &open));
  ck_assert_fails(pz_transfer_parametrizations(module, other, "weight"), PZ_INVALID,
                  "\"weight\" is open for writing");
  ck_assert_ok(pz_module_commit(other, "weight"));

  char* const same = fixture_picture_of(other);
  ck_assert_str_eq(picture, same);
  free(same);
  free(picture);

  ck_assert_ok(pz_register_parametrization(other, "own", "skew", NULL));
  ck_assert_fails(pz_transfer_parametrizations(module, other, "own"), PZ_EXISTS,
                  "\"own\": the target is parametrized already");
  pz_module* child = NULL;
  ck_assert_ok(pz_module_new(context, NULL, "Child", &child));
  ck_assert_ok(pz_module_add_child(other, "noise", child));
  ck_assert_fails(pz_transfer_parametrizations(module, other, "noise"), PZ_EXISTS,
                  "has a child of that name");

  pz_context* const elsewhere = test_context();
  pz_module* stranger = NULL;
  ck_assert_ok(pz_module_new(elsewhere, NULL, "Stranger", &stranger));
  ck_assert_fails(pz_transfer_parametrizations(module, stranger, NULL), PZ_MISMATCH,
                  "of another context");
  pz_module_free(stranger);
  pz_context_free(elsewhere);

  ck_assert_ptr_eq(fixture_place_of(other, "weight"), memory);
  fixture_unchanged(source);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case_on_doubles("transferring");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, semantics_21_one_list_goes_to_a_tensor_of_its_name);
  tcase_add_test(tcase, semantics_21_all_lists_go_in_order_and_with_their_flags);
  tcase_add_loop_test(tcase, semantics_21_a_list_goes_to_another_device, 0, 4);
  tcase_add_test(tcase, semantics_21_lists_in_lists_go_along);
  tcase_add_test(tcase, semantics_21_a_list_stays_within_the_tree);
  tcase_add_test(tcase, a_value_of_another_spec_than_its_original_keeps_no_memory);
  tcase_add_test(tcase, what_cannot_be_transferred_changes_nothing);
  return test_main_case(tcase);
}
