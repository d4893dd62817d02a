/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 19: modules on other devices and in other dtypes, and back. */

#include "full_module.h"

#include <opaque.h>

#include <stdlib.h>

static const char* const devices[] = {"reference", "cpu", "bare", "lean", "later"};
enum { DEVICES = sizeof(devices) / sizeof(devices[0]) };

/* ---- devices --------------------------------------------------------------------- */

START_TEST(semantics_19_everything_moves_and_comes_back)
{
  const char* const device = devices[_i];
  const double tolerance = 16.0 * 4.0 * 1.2e-7; /* c n eps: two backends compute */
  full_module_fill(module);
  ck_assert_ok(test_module_to(context, module, "cpu"));
  pz_module* const here = fixture_copy_of(module);
  char* picture = fixture_picture();
  ck_assert_ok(test_module_to(context, module, device));
  fixture_unchanged(picture);
  pz_tensor t;
  ck_assert_ok(pz_module_get(module, "child.parametrizations.weight.0.b", &t));
  pz_queue* queue = NULL;
  pz_device there;
  ck_assert_ok(pz_queue_open(context, device, NULL, &queue));
  (void)pz_queue_device(queue, &there);
  pz_queue_close(queue);
  ck_assert_int_eq(t.device.type, there.type);
  ck_assert_int_eq(t.device.id, there.id);
  full_module_assert_same(module, here, tolerance);

  picture = fixture_picture(); /* and what happens there comes along */
  fixture_unchanged(picture);
  ck_assert_ok(pz_module_update(module, NULL));
  ck_assert_ok(pz_module_update(here, NULL));
  picture = fixture_picture();
  ck_assert_ok(test_module_to(context, module, "cpu"));
  fixture_unchanged(picture);
  full_module_assert_same(module, here, 0.0);
  pz_module_free(here);
}
END_TEST

START_TEST(semantics_19_slots_and_gradients_move)
{
  static const char* const names[] = {"weight", INNER, "parametrizations.weight.2.shift", "plain",
                                      ORIGINAL};
  enum { N = 5 };
  pz_slot* slots[N] = {NULL};
  pz_tensor before[3];
  pz_tensor after;
  pz_tensor value;
  fixture_add(module, "weight", 4, 4);
  fixture_add(module, "plain", 4, 4);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley,affine", NULL));
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "affine", NULL));
  for (int k = 0; k < N; ++k) {
    ck_assert_ok(pz_module_slot(module, names[k], &slots[k]));
  }
  const pz_tensor g = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  ck_assert_ok(pz_module_backward(module, "plain", &g));
  for (int k = 0; k < 3; ++k) {
    before[k] = fixture_gradient(names[k + 1]);
  }
  ck_assert_ok(test_module_to(context, module, "lean"));
  for (int k = 0; k < 3; ++k) {
    after = fixture_gradient(names[k + 1]);
    ck_assert_double_eq(host_distance(&before[k], &after), 0.0);
  }
  ck_assert_fails(pz_module_backward(module, "weight", &g), PZ_STALE, "not read yet");
  for (int k = 0; k < N; ++k) {
    ck_assert_ok(pz_slot_get(slots[k], &value));
    ck_assert_int_eq(value.device.type, PZ_DEVICE_EXTENSION);
    ck_assert_ptr_eq(value.data, fixture_place_of(module, names[k]));
  }
  ck_assert_ok(pz_module_backward(module, "weight", &g)); /* adds to what came along */
  ck_assert_ok(test_module_to(context, module, NULL));
  for (int k = 0; k < 2; ++k) {
    after = fixture_gradient(names[k + 1]);
    const double tolerance = 64.0 * 4.0 * 1.2e-7 * host_scale(&after); /* c n eps */
    for (int64_t i = 0; i < 16; ++i) {
      ck_assert_double_eq_tol(host_at(&after, i), 2.0 * host_at(&before[k], i), tolerance);
    }
  }
  ck_assert_ok(pz_slot_get(slots[0], &value));
  ck_assert_int_eq(value.device.type, PZ_DEVICE_CPU);
}
END_TEST

START_TEST(moving_to_where_it_is_keeps_the_memory)
{
  static const char* const same[] = {"lean", "lean:0"};
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  ck_assert_ok(test_module_to(context, module, "lean"));
  const void* const value = fixture_place_of(module, "weight");
  const void* const original = fixture_place_of(module, ORIGINAL);
  for (int k = 0; k < 2; ++k) {
    ck_assert_ok(test_module_to(context, module, same[k]));
    ck_assert_ptr_eq(fixture_place_of(module, ORIGINAL), original);
    ck_assert_ptr_eq(fixture_place_of(module, "weight"), value);
    ck_assert_ok(pz_module_backward(module, "weight", &w)); /* not stale */
  }
}
END_TEST

START_TEST(a_child_moves_alone)
{
  pz_module* child = NULL;
  pz_tensor t;
  full_module_fill(module);
  pz_module* const here = fixture_copy_of(module);
  ck_assert_ok(pz_module_child(module, "child", &child));
  const void* const weight = fixture_place_of(module, ORIGINAL);
  ck_assert_ok(test_module_to(context, child, "bare"));
  ck_assert_ptr_eq(fixture_place_of(module, ORIGINAL), weight);
  ck_assert_ok(pz_module_get(module, "child.leaf.count", &t));
  ck_assert_int_eq(t.device.type, PZ_DEVICE_EXTENSION);
  full_module_assert_same(module, here, 16.0 * 4.0 * 1.2e-7); /* c n eps */
  ck_assert_ok(test_module_to(context, module, "bare"));      /* which takes the rest along */
  ck_assert_ok(pz_module_get(module, "bias", &t));
  ck_assert_int_eq(t.device.type, PZ_DEVICE_EXTENSION);
  pz_module_free(here);
}
END_TEST

START_TEST(a_device_without_float64_is_given_none)
{
  pz_module* single = NULL;
  const pz_tensor wide = fixture_normal(PZ_F64, 3, 3);
  const pz_tensor narrow = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(test_module_new(context, "single", "Single", &single));
  ck_assert_fails(pz_module_add(single, "weight", PZ_PARAMETER, &wide), PZ_UNSUPPORTED,
                  "\"weight\": found float64, which device single:0 has not");
  ck_assert_ok(pz_module_add(single, "weight", PZ_PARAMETER, &narrow));
  ck_assert_ok(pz_register_parametrization(single, "weight", "skew", NULL));
  pz_module_free(single);
}
END_TEST

START_TEST(a_device_that_cannot_take_the_module_is_refused)
{
  pz_tensor t;
  full_module_fill(module);
  pz_module* child = NULL;
  ck_assert_ok(pz_module_new(context, NULL, "Wide", &child));
  const pz_tensor wide = fixture_normal(PZ_F64, 3, 3);
  ck_assert_ok(pz_module_add(child, "weight", PZ_PARAMETER, &wide));
  ck_assert_ok(pz_module_add(child, "plain", PZ_BUFFER, &wide));
  ck_assert_ok(pz_register_parametrization(child, "weight", "affine", NULL));
  ck_assert_ok(pz_module_add_child(module, "wide", child));
  char* const picture = fixture_picture();
  const void* const weight = fixture_place_of(module, "weight");

  ck_assert_fails(test_module_to(context, module, "laen"), PZ_NOT_FOUND,
                  "found no device \"laen\"");
  ck_assert_fails(test_module_to(context, module, "lean:1"), PZ_DEVICE, "unplugged");
  ck_assert_fails(test_module_to(context, module, "single"), PZ_UNSUPPORTED,
                  "\"wide.weight\": found float64, which device single:0 has not");
  ck_assert_ok(pz_remove_parametrizations(child, "weight", PZ_LEAVE_ORIGINAL));
  ck_assert_fails(test_module_to(context, child, "single"), PZ_UNSUPPORTED,
                  "\"wide.weight\": found float64");
  ck_assert_ok(pz_register_parametrization(child, "weight", "affine", NULL));
  ck_assert_ok(pz_module_set(child, ORIGINAL, &wide));
  ck_assert_fails(test_module_to(context, NULL, "cpu"), PZ_INVALID, "no module");
  ck_assert_ok(pz_module_edit(module, "child.leaf.count", &t));
  ck_assert_fails(test_module_to(context, module, "lean"), PZ_INVALID,
                  "\"child.leaf.count\" is open for writing");
  ck_assert_fails(pz_module_to_dtype(module, PZ_F64), PZ_INVALID,
                  "\"child.leaf.count\" is open for writing");
  ck_assert_ok(pz_module_commit(module, "child.leaf.count"));
  ck_assert_ptr_eq(fixture_place_of(module, "weight"), weight);
  free(picture);
  ck_assert_ok(pz_module_to_dtype(module, PZ_F32));
  ck_assert_ok(test_module_to(context, module, "single"));
  ck_assert_fails(pz_module_to_dtype(module, PZ_F64), PZ_UNSUPPORTED,
                  "\"bias\": found float64, which device single:0 has not");
  ck_assert_ok(pz_module_get(module, "wide.plain", &t));
  ck_assert_uint_eq(t.dtype, PZ_F32);
}
END_TEST

/* ---- dtypes ---------------------------------------------------------------------- */

START_TEST(semantics_19_dtypes_change_and_return)
{
  const char* const device = devices[_i];
  pz_tensor after;
  full_module_fill(module);
  ck_assert_ok(test_module_to(context, module, device));
  ck_assert_ok(pz_module_sample(module, "weight")); /* moves the signs of the map, say */
  fixture_add(module, "last", 4, 4);
  const pz_tensor g = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_backward(module, "last", &g));
  pz_module* const narrow = fixture_copy_of(module);
  char* const picture = fixture_picture();
  ck_assert_ok(pz_module_to_dtype(module, PZ_F64));
  for (const char* const* name = full_module_values; *name; ++name) {
    const pz_tensor before = fixture_read_of(narrow, *name);
    after = fixture_read(*name);
    ck_assert_uint_eq(after.dtype, PZ_F64);
    if (strcmp(*name, "noise") == 0) {
      continue; /* the same draw gives other numbers in another dtype */
    }
    const double tolerance = 32.0 * 4.0 * 1.2e-7 * host_scale(&after); /* c n eps, narrow */
    for (int64_t k = 0; k < pz_count(&after); ++k) {
      ck_assert_double_eq_tol(host_at(&after, k), host_at(&before, k), tolerance);
    }
  }
  pz_tensor_info entry = {.size = sizeof(entry)};
  for (uint32_t k = 0; pz_module_tensor(module, k, &entry) == PZ_OK; ++k) {
    ck_assert_uint_eq(entry.spec.dtype, PZ_F64);
  }
  after = fixture_gradient("last");
  ck_assert_uint_eq(after.dtype, PZ_F64);
  ck_assert_double_eq(host_at(&after, 7), host_at(&g, 7));
  const void* const memory = fixture_place_of(module, "weight");
  ck_assert_ok(pz_module_to_dtype(module, PZ_F64)); /* which it is already */
  ck_assert_ptr_eq(fixture_place_of(module, "weight"), memory);

  ck_assert_ok(pz_module_to_dtype(module, PZ_F32));
  fixture_unchanged(picture);
  full_module_assert_same(module, narrow, 0.0);
  pz_module_free(narrow);
}
END_TEST

START_TEST(semantics_19_buffers_keep_the_dtype_their_map_wants)
{
  static const int64_t three = 3;
  int64_t count[3] = {INT64_C(1) << 60, -7, 1}; /* no float has all these */
  double exact[3] = {0.1, 1e300, -0.0};
  const pz_tensor count_tensor = pz_host_tensor(PZ_I64, count, 1, &three);
  const pz_tensor exact_tensor = pz_host_tensor(PZ_F64, exact, 1, &three);
  fixture_parametrize(module, "weight", 2, 2, "ticking");
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.count", &count_tensor));
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.exact", &exact_tensor));
  for (int round = 0; round < 4; ++round) {
    int64_t count_now[3];
    double exact_now[3];
    const pz_tensor count_host = pz_host_tensor(PZ_I64, count_now, 1, &three);
    const pz_tensor exact_host = pz_host_tensor(PZ_F64, exact_now, 1, &three);
    switch (round) {
    case 0:
      ck_assert_ok(pz_module_to_dtype(module, PZ_F64));
      break;
    case 1:
      ck_assert_ok(test_module_to(context, module, "lean"));
      break;
    case 2:
      ck_assert_ok(pz_module_to_dtype(module, PZ_F32));
      break;
    default:
      ck_assert_fails(test_module_to(context, module, "single"), PZ_UNSUPPORTED,
                      "\"parametrizations.weight.0.exact\": found float64");
      break;
    }
    ck_assert_ok(pz_module_read(module, "parametrizations.weight.0.count", &count_host));
    ck_assert_ok(pz_module_read(module, "parametrizations.weight.0.exact", &exact_host));
    ck_assert_mem_eq(count_now, count, sizeof(count));
    ck_assert_mem_eq(exact_now, exact, sizeof(exact));
  }
}
END_TEST

START_TEST(a_map_may_refuse_a_dtype)
{
  full_module_fill(module);
  fixture_parametrize(module, "last", 4, 4, "affine,only32");
  char* const picture = fixture_picture();
  const void* const weight = fixture_place_of(module, "weight");
  ck_assert_fails(pz_module_to_dtype(module, PZ_F64), PZ_MISMATCH,
                  "\"last\": only32: expected float32");
  ck_assert_fails(pz_module_to_dtype(module, PZ_I64), PZ_INVALID,
                  "found int64, expected float32 or float64");
  ck_assert_fails(pz_module_to_dtype(NULL, PZ_F64), PZ_INVALID, "no module");
  ck_assert_ptr_eq(fixture_place_of(module, "weight"), weight);
  fixture_unchanged(picture);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case_on_doubles("moving");
  tcase_add_loop_test(tcase, semantics_19_everything_moves_and_comes_back, 0, DEVICES);
  tcase_add_test(tcase, semantics_19_slots_and_gradients_move);
  tcase_add_test(tcase, moving_to_where_it_is_keeps_the_memory);
  tcase_add_test(tcase, a_child_moves_alone);
  tcase_add_test(tcase, a_device_without_float64_is_given_none);
  tcase_add_test(tcase, a_device_that_cannot_take_the_module_is_refused);
  tcase_add_loop_test(tcase, semantics_19_dtypes_change_and_return, 0, DEVICES);
  tcase_add_test(tcase, semantics_19_buffers_keep_the_dtype_their_map_wants);
  tcase_add_test(tcase, a_map_may_refuse_a_dtype);
  return test_main_case(tcase);
}
