/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Values of lists with lists in them: read, assigned, differentiated, stepped. */

#include "fixture.h"

#include <math.h>
#include <stdlib.h>

START_TEST(semantics_11_inner_values_are_computed_when_they_changed)
{
  pz_tensor now;
  fixture_nest("affine", "counting");
  atomic_store(&map_forwards, 0);
  ck_assert_ok(pz_module_get(module, "weight", &now));
  const int first = atomic_load(&map_forwards);
  ck_assert_int_le(first, 1); /* registration may have left its value */
  ck_assert_ok(pz_module_get(module, "weight", &now));
  ck_assert_ok(pz_module_get(module, ORIGINAL, &now));
  ck_assert_int_eq(atomic_load(&map_forwards), first);
  ck_assert_ok(pz_module_touch(module, "parametrizations.weight.0.shift"));
  ck_assert_ok(pz_module_get(module, "weight", &now)); /* the outer list alone */
  ck_assert_int_eq(atomic_load(&map_forwards), first);
  ck_assert_ok(pz_module_touch(module, INNER));
  ck_assert_ok(pz_module_get(module, "weight", &now));
  ck_assert_int_eq(atomic_load(&map_forwards), first + 1);
  ck_assert_ok(pz_module_get(module, ORIGINAL, &now));
  ck_assert_int_eq(atomic_load(&map_forwards), first + 1);
}
END_TEST

START_TEST(semantics_11_scopes_reach_lists_in_lists)
{
  pz_tensor now;
  const pz_tensor w = fixture_nest("counting", "counting");
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  atomic_store(&map_forwards, 0);
  for (int k = 1; k <= 3; ++k) {
    ck_assert_ok(pz_module_get(module, "weight", &now));
    ck_assert_int_eq(atomic_load(&map_forwards), 2 * k);
  }
  ck_assert_ok(pz_cached_begin(module));
  for (int k = 1; k <= 3; ++k) {
    ck_assert_ok(pz_module_get(module, "weight", &now));
    ck_assert_ok(pz_module_get(module, ORIGINAL, &now));
    ck_assert_int_eq(atomic_load(&map_forwards), 8);
  }
  /* 12: a change is seen */
  ck_assert_ok(pz_module_set(module, INNER, &w));
  ck_assert_ok(pz_module_get(module, "weight", &now));
  ck_assert_int_eq(atomic_load(&map_forwards), 10);
  ck_assert_ok(pz_cached_end(module));
  ck_assert_ok(pz_module_get(module, "weight", &now));
  ck_assert_int_eq(atomic_load(&map_forwards), 12);
}
END_TEST

START_TEST(semantics_14_assigning_goes_through_inner_right_inverses)
{
  const pz_tensor w = fixture_nest("affine", "skew");
  const void* const memory = fixture_memory(INNER);
  ck_assert_ok(
      pz_register_parametrization(module, "parametrizations.weight.0.shift", "counting", NULL));
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.shift", &w));
  const pz_tensor v = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_set(module, "weight", &v)); /* skew judges nothing in there */
  pz_tensor now = fixture_read("weight");
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = i + 1; j < 3; ++j) {
      ck_assert_double_eq(host_at(&now, 3 * i + j), host_at(&v, 3 * i + j));
      ck_assert_double_eq(host_at(&now, 3 * j + i), -host_at(&v, 3 * i + j));
    }
  }
  ck_assert_double_eq(fixture_value("parametrizations.weight.0.shift", 4),
                      0.0); /* affine moved it */
  ck_assert_ptr_eq(fixture_memory(INNER), memory);

  /* by itself, where skew judges */
  ck_assert_fails(pz_module_set(module, ORIGINAL, &v), PZ_OUTSIDE, ORIGINAL);
  now = fixture_read(ORIGINAL);
  ck_assert_ok(pz_module_set(module, ORIGINAL, &now));
}
END_TEST

START_TEST(semantics_14_all_or_nothing_over_lists_in_lists)
{
  fixture_nest("affine", "fragile");
  const pz_tensor before = fixture_read("weight");
  const pz_tensor v = fixture_normal(PZ_F32, 3, 3);
  char* const picture = fixture_picture();
  map_failing = "right_inverse";
  ck_assert_fails(pz_module_set(module, "weight", &v), PZ_DEVICE, ORIGINAL);
  ck_assert_fails(pz_module_sample(module, "weight"), PZ_DEVICE, ORIGINAL);
  map_failing = NULL;
  fixture_unchanged(picture);
  /* what was read is the value still */
  ck_assert_ok(pz_module_backward(module, "weight", &v));
  fixture_expect("weight", &before);
  ck_assert_ok(pz_module_set(module, "weight", &v));
  fixture_expect("weight", &v);
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "bare", NULL));
  char* const closed = fixture_picture();
  ck_assert_fails(pz_module_set(module, "weight", &v), PZ_UNSUPPORTED, "bare");
  fixture_unchanged(closed);
}
END_TEST

START_TEST(semantics_22_gradients_go_through_inner_lists)
{
  static const char* const s = "parametrizations.weight.parametrizations.original.original0";
  static const char* const v = "parametrizations.weight.parametrizations.original.original1";
  pz_tensor gradient;
  fixture_nest("affine", "weighted"); /* 2 s v + shift */
  const pz_tensor g = fixture_normal(PZ_F32, 3, 3);
  ck_assert_fails(pz_module_backward(module, "weight", &g), PZ_STALE, "read");
  fixture_read("weight");
  const pz_tensor vs = fixture_read(v);
  for (int times = 1; times <= 3; ++times) {
    ck_assert_ok(pz_module_backward(module, "weight", &g));
    const pz_tensor gv = fixture_gradient(v);
    const pz_tensor gs = fixture_gradient(s);
    double dot = 0.0;
    for (int k = 0; k < 9; ++k) {
      ck_assert_double_eq_tol(host_f32(&gv)[k], times * 4.0 * host_f32(&g)[k],
                              64 * 1.2e-7 * fabsf(host_f32(&g)[k]));
      dot += 2.0 * (double)host_f32(&g)[k] * (double)host_f32(&vs)[k];
    }
    ck_assert_double_eq_tol(host_f32(&gs)[0], times * dot, 9 * 16 * 1.2e-7);
  }
  ck_assert_fails(pz_module_gradient(module, ORIGINAL, &gradient), PZ_INVALID, "a value");
  ck_assert_ok(pz_module_zero_gradients(module));
  ck_assert_ok(pz_module_gradient(module, s, &gradient));
  ck_assert_float_eq(*(const float*)gradient.data, 0.0F);

  /* an inner value by itself, and stale from inside */
  fixture_read(ORIGINAL);
  ck_assert_ok(pz_module_backward(module, ORIGINAL, &g));
  ck_assert_ok(pz_module_gradient(module, v, &gradient));
  ck_assert_float_eq(((const float*)gradient.data)[0], 2.0F * host_f32(&g)[0]);
  ck_assert_ok(pz_module_touch(module, v));
  ck_assert_fails(pz_module_backward(module, "weight", &g), PZ_STALE, "weight");
}
END_TEST

START_TEST(semantics_23_an_inner_map_without_vjp_is_named)
{
  pz_tensor gradient;
  pz_tensor w = fixture_nest("affine", "bare");
  w = fixture_read("weight");
  ck_assert_fails(pz_module_backward(module, "weight", &w), PZ_UNSUPPORTED, "bare");
  ck_assert_ok(pz_module_gradient(module, "parametrizations.weight.0.shift", &gradient));
  ck_assert_float_eq(*(const float*)gradient.data, 0.0F); /* all or nothing */
}
END_TEST

START_TEST(semantics_24_a_step_takes_inner_lists_first)
{
  const pz_tensor w = fixture_nest("fragile", "fragile");
  const double before = fixture_value("weight", 0);
  ck_assert_ok(pz_module_update(module, "weight"));
  ck_assert_double_eq_tol(fixture_value("weight", 0), before + 2, 1e-6);
  ck_assert_ok(pz_module_update(module, ORIGINAL));
  ck_assert_double_eq_tol(fixture_value("weight", 0), before + 3, 1e-6);
  ck_assert_ok(pz_module_update(module, NULL));
  const double now = fixture_value("weight", 0);
  ck_assert_double_eq_tol(now, before + 5, 1e-6);

  char* const picture = fixture_picture();
  map_failing = "update";
  for (map_passes = 0; map_passes < 2;) {
    const int passes = map_passes;
    ck_assert_fails(pz_module_update(module, _i ? "weight" : NULL), PZ_DEVICE, "update");
    ck_assert_ok(pz_module_backward(module, "weight", &w));
    ck_assert_double_eq(fixture_value("weight", 0), now);
    map_passes = passes + 1;
  }
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_25_optimizers_write_the_innermost)
{
  pz_tensor open;
  const pz_tensor w = fixture_nest("affine", "counting");
  pz_tensor now = fixture_read("weight");
  ck_assert_ok(pz_module_edit(module, INNER, &open));
  ck_assert_fails(pz_module_get(module, "weight", &now), PZ_INVALID, INNER);
  ck_assert_fails(pz_module_get(module, ORIGINAL, &now), PZ_INVALID, INNER);
  ck_assert_fails(pz_module_update(module, NULL), PZ_INVALID, INNER);
  ck_assert_fails(pz_module_set(module, "weight", &w), PZ_INVALID, INNER);
  ck_assert_fails(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL), PZ_INVALID,
                  INNER);
  ck_assert_fails(pz_module_edit(module, ORIGINAL, &open), PZ_INVALID, "computed");
  ((float*)open.data)[0] = 3.0F;
  ck_assert_ok(pz_module_commit(module, INNER));
  ck_assert_double_eq(fixture_value("weight", 0), 6.0);
  ((float*)open.data)[0] = 4.0F;
  ck_assert_ok(pz_module_touch(module, INNER));
  ck_assert_double_eq(fixture_value("weight", 0), 8.0);

  ck_assert_ok(pz_module_check_writes(module, true));
  ck_assert_double_eq(fixture_value("weight", 0), 8.0);
  ((float*)open.data)[0] = 5.0F;
  ck_assert_fails(pz_module_get(module, "weight", &now), PZ_STALE, INNER);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("nested_values");
  tcase_add_test(tcase, semantics_11_inner_values_are_computed_when_they_changed);
  tcase_add_test(tcase, semantics_11_scopes_reach_lists_in_lists);
  tcase_add_test(tcase, semantics_14_assigning_goes_through_inner_right_inverses);
  tcase_add_test(tcase, semantics_14_all_or_nothing_over_lists_in_lists);
  tcase_add_test(tcase, semantics_22_gradients_go_through_inner_lists);
  tcase_add_test(tcase, semantics_23_an_inner_map_without_vjp_is_named);
  tcase_add_loop_test(tcase, semantics_24_a_step_takes_inner_lists_first, 0, 2);
  tcase_add_test(tcase, semantics_25_optimizers_write_the_innermost);
  return test_main_case(tcase);
}
