/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 14 to 16, 24 and 25: assigning, writing in place, drawing, updating. */

#include "fixture.h"

#include <stdlib.h>

START_TEST(semantics_14_assigning_runs_the_right_inverses)
{
  pz_tensor original;
  pz_tensor after;
  fixture_parametrize(module, "weight", 3, 3, "affine,affine");
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &original));
  const pz_tensor value = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_set(module, "weight", &value));
  fixture_expect("weight", &value);
  pz_tensor now = fixture_read("parametrizations.weight.original");
  ck_assert_double_eq(host_at(&now, 7), 0.25 * host_at(&value, 7));
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &after));
  ck_assert_ptr_eq(original.data, after.data); /* an optimizer's pointer stays good */
}
END_TEST

START_TEST(semantics_14_a_map_without_right_inverse_refuses)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine,bare,counting");
  char* const picture = fixture_picture();
  ck_assert_fails(pz_module_set(module, "weight", &w), PZ_UNSUPPORTED,
                  "\"weight\": bare: has no right inverse");
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_14_several_originals)
{
  fixture_parametrize(module, "weight", 3, 3, "weighted,affine");
  const pz_tensor value = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_set(module, "weight", &value));
  fixture_expect("weight", &value);
  pz_tensor now = fixture_read("parametrizations.weight.original0");
  ck_assert_double_eq(host_at(&now, 0), 2.0);
}
END_TEST

START_TEST(semantics_15_everything_is_checked_first)
{
  static const char* const names[] = {"plain", "weight", "parametrizations.weight.original"};
  pz_tensor w = fixture_add(module, "plain", 3, 3);
  w = fixture_parametrize(module, "weight", 3, 3, "affine");
  char* const picture = fixture_picture();
  for (size_t k = 0; k < 3; ++k) {
    pz_tensor bad = fixture_normal(PZ_F32, 3, 2);
    ck_assert_fails(pz_module_set(module, names[k], &bad), PZ_MISMATCH, "float32 3x2");
    bad = fixture_normal(PZ_F64, 3, 3);
    ck_assert_fails(pz_module_set(module, names[k], &bad), PZ_MISMATCH, "float64 3x3");
    bad = fixture_normal(PZ_F32, 3, 3);
    bad.device = (pz_device){.type = PZ_DEVICE_CUDA, .id = 5};
    ck_assert_int_eq(pz_module_set(module, names[k], &bad), PZ_MISMATCH);
    ck_assert_ptr_nonnull(strstr(pz_error_message(), "cuda:5"));
    bad = w;
    bad.data = NULL;
    ck_assert_int_ne(pz_module_set(module, names[k], &bad), PZ_OK);
    ck_assert_int_ne(pz_module_set(module, names[k], NULL), PZ_OK);
  }
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_15_storage_is_copied_never_aliased)
{
  fixture_parametrize(module, "weight", 3, 3, "counting");
  const pz_tensor value = fixture_normal(PZ_F32, 3, 3);
  const double kept = host_at(&value, 0);
  ck_assert_ok(pz_module_set(module, "weight", &value));
  host_f32(&value)[0] = 77.0F;
  ck_assert_ok(pz_module_touch(module, "weight"));
  const pz_tensor now = fixture_read("weight");
  ck_assert_double_eq(host_at(&now, 0), kept);
}
END_TEST

START_TEST(semantics_15_strides_are_honoured)
{
  static const char* const names[] = {"plain", "weight"};
  fixture_add(module, "plain", 2, 3);
  fixture_parametrize(module, "weight", 2, 3, "counting");
  pz_tensor turned = fixture_normal(PZ_F32, 3, 2);
  const int64_t shape[2] = {2, 3};
  const int64_t strides[2] = {1, 2};
  turned.shape = shape;
  turned.strides = strides;
  for (size_t k = 0; k < 2; ++k) {
    ck_assert_ok(pz_module_set(module, names[k], &turned));
    const pz_tensor now = fixture_read(names[k]);
    ck_assert_double_eq(host_at(&now, 2), host_at(&turned, 4));
    ck_assert_double_eq(host_at(&now, 3), host_at(&turned, 1));
  }
}
END_TEST

START_TEST(semantics_15_its_own_value_may_be_assigned)
{
  pz_tensor before;
  pz_tensor after;
  pz_tensor value;
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "plain", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine,affine", NULL));
  for (int k = 0; k < 3; ++k) {
    before = fixture_read("weight");
    ck_assert_ok(pz_module_get(module, "weight", &value));
    ck_assert_ok(pz_module_set(module, "weight", &value));
    fixture_expect("weight", &before);
  }
  /* its transpose too, in place of a plain tensor and of an original */
  static const char* const names[] = {"plain", "parametrizations.weight.original"};
  for (size_t k = 0; k < 2; ++k) {
    before = fixture_read(names[k]);
    ck_assert_ok(pz_module_get(module, names[k], &value));
    ck_assert_ok(pz_module_set(module, names[k], &value));
    fixture_expect(names[k], &before);
    value.strides = (const int64_t[]){1, 3};
    ck_assert_ok(pz_module_set(module, names[k], &value));
    after = fixture_read(names[k]);
    for (int64_t i = 0; i < 9; ++i) {
      ck_assert_double_eq(host_at(&after, i), host_at(&before, 3 * (i % 3) + i / 3));
    }
  }
  /* an original as the value */
  before = fixture_read("parametrizations.weight.original");
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &value));
  ck_assert_ok(pz_module_set(module, "weight", &value));
  fixture_expect("weight", &before);
}
END_TEST

START_TEST(semantics_16_pruning_shows_what_it_kept)
{
  fixture_parametrize(module, "weight", 8, 8, "pruning(p_drop=0.5)");
  const pz_tensor value = fixture_normal(PZ_F32, 8, 8);
  ck_assert_ok(pz_module_set(module, "weight", &value));
  const pz_tensor now = fixture_read("weight");
  const pz_tensor mask = fixture_read("parametrizations.weight.0.mask");
  for (int64_t k = 0; k < 64; ++k) {
    ck_assert_double_eq(host_at(&now, k), host_at(&mask, k) * host_at(&value, k));
  }
}
END_TEST

START_TEST(semantics_16_the_last_map_judges)
{
  const pz_tensor w = fixture_parametrize(module, "weight", 4, 4, "skew");
  char* const picture = fixture_picture();
  ck_assert_int_eq(pz_module_set(module, "weight", &w), PZ_OUTSIDE);
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "\"weight\": skew: "));
  fixture_unchanged(picture);
  /* an inner skew takes what it is handed */
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting", NULL));
  ck_assert_ok(pz_module_set(module, "weight", &w));
}
END_TEST

START_TEST(semantics_16_a_maps_own_state_moves_along_or_not_at_all)
{
  pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "counting,fragile");
  ck_assert_ok(pz_module_update(module, "weight"));
  pz_tensor b = fixture_read("parametrizations.weight.1.b");
  ck_assert_double_eq(host_at(&b, 0), 1.0);
  const pz_tensor value = fixture_normal(PZ_F32, 3, 3);
  char* const picture = fixture_picture();
  w = fixture_read("weight");
  map_failing = "right_inverse";
  ck_assert_int_eq(pz_module_set(module, "weight", &value), PZ_DEVICE);
  map_failing = NULL;
  fixture_unchanged(picture);
  fixture_expect("weight", &w);
  ck_assert_ok(pz_module_set(module, "weight", &value)); /* makes b zero */
  b = fixture_read("parametrizations.weight.1.b");
  ck_assert_double_eq(host_at(&b, 0), 0.0);
  fixture_expect("weight", &value);
}
END_TEST

START_TEST(semantics_24_state_changes_only_by_update)
{
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "noise", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "fragile", NULL));
  ck_assert_ok(pz_register_parametrization(module, "noise", "noise", NULL));
  const pz_tensor first = fixture_read("noise");
  ck_assert_ok(pz_module_touch(module, "noise"));
  fixture_expect("noise", &first); /* reading draws nothing new */
  pz_tensor now = fixture_read("weight");
  now = fixture_read("weight");
  ck_assert_ok(pz_module_update(module, "weight"));
  now = fixture_read("weight");
  const pz_tensor once = now;
  ck_assert_ok(pz_module_update(module, NULL));
  now = fixture_read("weight");
  ck_assert_double_eq_tol(host_at(&now, 2) - host_at(&once, 2), 1.0, 1e-5);
  now = fixture_read("noise");
  ck_assert_double_gt(host_distance(&now, &first), 0.0); /* and the stream moved on */
  fixture_add(module, "plain", 3, 3);
  ck_assert_fails(pz_module_update(module, "plain"), PZ_NOT_FOUND, "not parametrized");
}
END_TEST

START_TEST(semantics_24_an_update_of_all_is_of_all_or_none)
{
  pz_module* child = NULL;
  pz_tensor w = fixture_add(module, "a", 3, 3);
  w = fixture_add(module, "b", 3, 3);
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Block", &child));
  w = fixture_add(child, "c", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "a", "counting,fragile", NULL));
  ck_assert_ok(pz_register_parametrization(module, "b", "noise", NULL));
  w = fixture_parametrize(module, "d", 3, 3, "orthogonal(rebase=1)");
  ck_assert_ok(pz_register_parametrization(child, "c", "fragile", NULL));
  ck_assert_ok(pz_module_add_child(module, "child", child));
  ck_assert_ok(pz_module_set(module, "parametrizations.d.original", &w));
  pz_tensor before = fixture_read("d");
  ck_assert_ok(pz_module_update(module, NULL));
  pz_tensor now =
      fixture_read("parametrizations.d.original"); /* an update may move originals, not values */
  for (int64_t k = 0; k < 9; ++k) {
    ck_assert_double_eq(host_at(&now, k), 0.0);
  }
  now = fixture_read("d");
  ck_assert_double_le(host_distance(&now, &before), 1e-5);
  ck_assert_ok(pz_module_set(module, "parametrizations.d.original", &w));
  before = fixture_read("a");
  const pz_tensor noise = fixture_read("b");
  now = fixture_read("child.c");
  char* const picture = fixture_picture();
  map_failing = "update";
  map_passes = 1; /* "a" and "b" have moved when "child.c" fails */
  ck_assert_fails(pz_module_update(module, NULL), PZ_DEVICE, "\"child.c\": fragile");
  map_failing = NULL;
  fixture_unchanged(picture);
  ck_assert_ok(pz_module_backward(module, "a", &w)); /* what was read is the value still */
  ck_assert_ok(pz_module_backward(module, "b", &w));
  ck_assert_ok(pz_module_backward(module, "child.c", &w));
  fixture_expect("a", &before);
  fixture_expect("b", &noise);
  ck_assert_ok(pz_module_update(module, NULL));
  now = fixture_read("b");
  ck_assert_double_gt(host_distance(&now, &noise), 0.0);
  now = fixture_read("parametrizations.a.1.b");
  ck_assert_double_eq(host_at(&now, 0), 2.0);
}
END_TEST

START_TEST(semantics_25_writing_in_place)
{
  pz_tensor open;
  pz_tensor value;
  const char* const name = "parametrizations.weight.original";
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  ck_assert_ok(pz_module_get(module, "weight", &value));

  ck_assert_fails(pz_module_commit(module, name), PZ_INVALID, "not open");
  ck_assert_fails(pz_module_edit(module, "weight", &open), PZ_INVALID, "a value");
  ck_assert_ok(pz_module_edit(module, name, &open));
  ck_assert_fails(pz_module_edit(module, name, &open), PZ_INVALID, "already");

  /* until commit nothing reads or uses what is half written */
  ck_assert_fails(pz_module_get(module, "weight", &value), PZ_INVALID, name);
  ck_assert_fails(pz_module_get(module, name, &value), PZ_INVALID, name);
  ck_assert_fails(pz_module_set(module, "weight", &w), PZ_INVALID, name);
  ck_assert_fails(pz_module_set(module, name, &w), PZ_INVALID, name);
  ck_assert_fails(pz_module_sample(module, "weight"), PZ_INVALID, name);
  ck_assert_fails(pz_module_update(module, "weight"), PZ_INVALID, name);
  ck_assert_fails(pz_module_update(module, NULL), PZ_INVALID, name);
  ck_assert_fails(pz_module_backward(module, "weight", &w), PZ_INVALID, name);
  ck_assert_fails(pz_register_parametrization(module, "weight", "skew", NULL), PZ_INVALID, name);
  ck_assert_fails(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL), PZ_INVALID,
                  name);
  ck_assert_fails(pz_module_save(module, "/nowhere/at/all", NULL), PZ_INVALID, name);
  ck_assert_ok(pz_module_gradient(module, name, &value)); /* a step needs it */

  if (open.device.type == PZ_DEVICE_CPU) {
    for (int k = 0; k < 9; ++k) {
      ((float*)open.data)[k] = (float)k;
    }
  }
  ck_assert_ok(pz_module_commit(module, name));
  const pz_tensor now = fixture_read("weight");
  if (open.device.type == PZ_DEVICE_CPU) {
    ck_assert_double_eq(host_at(&now, 5), 10.0);
  }
  ck_assert_fails(pz_module_commit(module, name), PZ_INVALID, "not open");
}
END_TEST

START_TEST(semantics_25_writing_through_a_kept_pointer)
{
  pz_tensor kept;
  fixture_add(module, "weight", 3, 3);
  ck_assert_ok(pz_module_get(module, "weight", &kept)); /* the plain tensor's memory */
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", NULL));
  pz_tensor now = fixture_read("weight");
  if (kept.device.type == PZ_DEVICE_CPU) {
    ((float*)kept.data)[0] = 3.0F;
    ck_assert_ok(pz_module_touch(module, "parametrizations.weight.original"));
    now = fixture_read("weight");
    ck_assert_double_eq(host_at(&now, 0), 6.0);
  }
  ck_assert_int_eq(pz_module_touch(module, "nothing"), PZ_NOT_FOUND);
}
END_TEST

START_TEST(sampling_draws_members)
{
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "plain", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew", NULL));
  ck_assert_ok(pz_module_sample(module, "weight"));
  pz_tensor a = fixture_read("weight");
  ck_assert_ok(pz_module_sample(module, "weight"));
  pz_tensor b = fixture_read("weight");
  ck_assert_double_gt(host_distance(&a, &b), 0.0);
  ck_assert_double_eq(host_at(&b, 1), -host_at(&b, 3));
  ck_assert_fails(pz_module_sample(module, "plain"), PZ_NOT_FOUND, "not parametrized");
  pz_context_seed(context, 11);
  ck_assert_ok(pz_module_sample(module, "weight"));
  a = fixture_read("weight");
  pz_context_seed(context, 11);
  ck_assert_ok(pz_module_sample(module, "weight"));
  fixture_expect("weight", &a);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("writing");
  tcase_add_test(tcase, semantics_14_assigning_runs_the_right_inverses);
  tcase_add_test(tcase, semantics_14_a_map_without_right_inverse_refuses);
  tcase_add_test(tcase, semantics_14_several_originals);
  tcase_add_test(tcase, semantics_15_everything_is_checked_first);
  tcase_add_test(tcase, semantics_15_storage_is_copied_never_aliased);
  tcase_add_test(tcase, semantics_15_strides_are_honoured);
  tcase_add_test(tcase, semantics_15_its_own_value_may_be_assigned);
  tcase_add_test(tcase, semantics_16_pruning_shows_what_it_kept);
  tcase_add_test(tcase, semantics_16_the_last_map_judges);
  tcase_add_test(tcase, semantics_16_a_maps_own_state_moves_along_or_not_at_all);
  tcase_add_test(tcase, semantics_24_state_changes_only_by_update);
  tcase_add_test(tcase, semantics_24_an_update_of_all_is_of_all_or_none);
  tcase_add_test(tcase, semantics_25_writing_in_place);
  tcase_add_test(tcase, semantics_25_writing_through_a_kept_pointer);
  tcase_add_test(tcase, sampling_draws_members);
  return test_main_case(tcase);
}
