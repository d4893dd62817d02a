/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 21 and 13: deep copies, which share nothing with what they were made from. */

#include "full_module.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

START_TEST(semantics_21_a_copy_has_everything_and_shares_nothing)
{
  full_module_fill(module);
  char* const picture = fixture_picture();
  pz_module* const copy = fixture_copy_of(module);
  char* const same = fixture_picture_of(copy);
  ck_assert_str_eq(picture, same);
  free(same);
  full_module_assert_same(module, copy, 0.0);
  for (const char* const* name = full_module_values; *name; ++name) {
    ck_assert_ptr_ne(fixture_place_of(module, *name), fixture_place_of(copy, *name));
  }
  pz_tensor_info entry = {.size = sizeof(entry)};
  for (uint32_t k = 0; pz_module_tensor(module, k, &entry) == PZ_OK; ++k) {
    ck_assert_ptr_ne(fixture_place_of(module, entry.name), fixture_place_of(copy, entry.name));
  }

  const pz_tensor t =
      fixture_normal(PZ_F32, 4, 4); /* the copy changes in every way, the source in none */
  ck_assert_ok(pz_module_set(copy, "own", &t));
  ck_assert_ok(pz_module_set(copy, "child.weight", &t));
  ck_assert_ok(pz_module_sample(copy, "weight"));
  ck_assert_ok(pz_module_update(copy, NULL));
  ck_assert_ok(pz_remove_parametrizations(copy, "pair", PZ_LEAVE_PARAMETRIZED));
  fixture_unchanged(picture);
  pz_module_free(copy);
}
END_TEST

START_TEST(semantics_21_a_copy_outlives_its_source)
{
  full_module_fill(module);
  const pz_tensor before = fixture_read("child.leaf.weight");
  pz_module* const copy = fixture_copy_of(module);
  pz_module_free(module);
  module = copy;
  fixture_expect("child.leaf.weight", &before);
  ck_assert_ok(pz_module_touch(module, "child.weight"));
  ck_assert_ok(pz_register_parametrization(module, "bias", "counting", NULL));
}
END_TEST

START_TEST(semantics_21_draws_go_on_alike)
{
  /* Equal draws, equal noise, now and after a step; and the context's stream stands where it
     stood: what is drawn after copying does not depend on it. */
  full_module_fill(module);
  pz_module* copy = fixture_copy_of(module);
  full_module_assert_same(module, copy, 0.0);
  ck_assert_ok(pz_module_update(module, NULL));
  ck_assert_ok(pz_module_update(copy, NULL));
  full_module_assert_same(module, copy, 0.0);

  pz_context_seed(context, 5);
  ck_assert_ok(pz_module_sample(module, "weight"));
  const pz_tensor x = fixture_read("weight");
  pz_context_seed(context, 5);
  pz_module_free(copy);
  copy = fixture_copy_of(module);
  ck_assert_ok(pz_module_sample(module, "weight"));
  fixture_expect("weight", &x);
  pz_module_free(copy);
}
END_TEST

START_TEST(semantics_21_modes_are_copied_and_scopes_are_not)
{
  fixture_parametrize(module, "weight", 3, 3, "counting");
  ck_assert_ok(pz_module_train(module, false));
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  ck_assert_ok(pz_cached_begin(module));
  pz_module* const copy = fixture_copy_of(module);
  atomic_store(&map_forwards, 0);
  (void)fixture_place_of(copy, "weight");
  (void)fixture_place_of(copy, "weight");
  ck_assert_int_eq(atomic_load(&map_forwards), 2); /* scoped, and outside a scope */
  (void)fixture_place_of(module, "weight");
  (void)fixture_place_of(module, "weight");
  ck_assert_int_eq(atomic_load(&map_forwards), 3); /* inside its own */
  ck_assert_int_eq(pz_cached_end(copy), PZ_INVALID);
  ck_assert_ptr_nonnull(strstr(pz_error_message(), "without pz_cached_begin"));
  ck_assert_ok(pz_cached_end(module));
  pz_module_free(copy);

  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_AUTOMATIC));
  ck_assert_ok(pz_module_check_writes(module, true));
  pz_module* const checked = fixture_copy_of(module);
  pz_tensor t;
  ck_assert_ok(pz_module_get(checked, "weight", &t));
  ck_assert_ok(pz_module_get(checked, ORIGINAL, &t));
  ((float*)t.data)[0] += 1.0F;
  ck_assert_fails(pz_module_get(checked, "weight", &t), PZ_STALE, "without pz_module_touch");
  ck_assert_ok(pz_module_get(module, "weight", &t));
  pz_module_free(checked);
}
END_TEST

START_TEST(semantics_21_the_update_policy_is_copied)
{
  fixture_parametrize(module, "weight", 3, 3, "fragile"); /* a step adds 1 */
  ck_assert_ok(pz_module_update_policy(module, PZ_UPDATE_ON_READ));
  pz_module* const copy = fixture_copy_of(module);
  const pz_tensor first = fixture_read_of(copy, "parametrizations.weight.0.b");
  (void)fixture_place_of(copy, "weight");
  pz_tensor second = fixture_read_of(copy, "parametrizations.weight.0.b");
  ck_assert_double_eq(host_at(&second, 0), host_at(&first, 0) + 1.0);
  second = fixture_read("parametrizations.weight.0.b");
  ck_assert_double_eq(host_at(&second, 0), host_at(&first, 0)); /* of the source: not read */
  pz_module_free(copy);
}
END_TEST

START_TEST(semantics_21_gradients_stay_behind)
{
  pz_tensor g;
  pz_tensor value;
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "affine");
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  pz_module* const copy = fixture_copy_of(module);
  ck_assert_fails(pz_module_backward(copy, "weight", &w), PZ_STALE, "not read yet");
  ck_assert_ok(pz_module_gradient(copy, ORIGINAL, &g));
  ck_assert_double_eq(((const float*)g.data)[4], 0.0);
  ck_assert_ok(pz_module_gradient(module, ORIGINAL, &g));
  ck_assert_double_eq(((const float*)g.data)[4], 2.0 * host_at(&w, 4)); /* exact: a power of two */
  pz_module_free(copy);
}
END_TEST

START_TEST(semantics_21_a_child_is_copied_to_a_root_of_its_own)
{
  pz_module* child = NULL;
  pz_module* inner = NULL;
  full_module_fill(module);
  ck_assert_ok(pz_module_child(module, "child", &child));
  pz_module* const copy = fixture_copy_of(child);
  char* const a = fixture_picture_of(child);
  char* const b = fixture_picture_of(copy);
  ck_assert_str_eq(a, b);
  free(a);
  free(b);
  ck_assert_ok(pz_module_child(copy, "leaf", &inner));
  pz_module_free(inner); /* nested: nothing happens */
  ck_assert_ok(pz_module_touch(inner, "weight"));
  ck_assert_fails(pz_module_add_child(module, "again", inner), PZ_INVALID, "nested nowhere");
  ck_assert_ok(pz_module_add_child(module, "again", copy));
  (void)fixture_place_of(module, "again.leaf.weight");
}
END_TEST

START_TEST(what_cannot_be_copied_is_refused)
{
  pz_module* copy = NULL;
  pz_tensor t;
  full_module_fill(module);
  ck_assert_fails(pz_module_copy(NULL, &copy), PZ_INVALID, "no module");
  ck_assert_fails(pz_module_copy(module, NULL), PZ_INVALID, "no place for the module");
  ck_assert_ok(pz_module_edit(module, "child.parametrizations.weight.original", &t));
  ck_assert_fails(pz_module_copy(module, &copy), PZ_INVALID,
                  "\"child.parametrizations.weight.original\" is open for writing");
  ck_assert_ptr_null(copy);
  ck_assert_ok(pz_module_commit(module, "child.parametrizations.weight.original"));
  copy = fixture_copy_of(module);
  pz_module_free(copy);
}
END_TEST

/* ---- among readers ------------------------------------------------------------- */

enum { READERS = 3, ROUNDS = 20 };

static atomic_bool copied;

static void*
read_on(void* const user)
{
  pz_status* const status = user;
  while (*status == PZ_OK && !atomic_load(&copied)) {
    for (const char* const* name = full_module_values; *name && *status == PZ_OK; ++name) {
      pz_tensor value;
      *status = pz_module_get(module, *name, &value);
    }
    sched_yield();
  }
  return NULL;
}

START_TEST(semantics_13_a_module_is_copied_while_it_is_read)
{
  pthread_t threads[READERS];
  full_module_fill(module);
  for (int round = 0; round < ROUNDS; ++round) {
    pz_status status[READERS] = {PZ_OK};
    pz_module* copy = NULL;
    atomic_store(&copied, false);
    for (const char* const* name = full_module_values; *name; ++name) {
      ck_assert_ok(pz_module_touch(module, *name)); /* values are being computed */
    }
    for (int k = 0; k < READERS; ++k) {
      ck_assert_int_eq(pthread_create(&threads[k], NULL, read_on, &status[k]), 0);
    }
    const pz_status mine = pz_module_copy(module, &copy);
    atomic_store(&copied, true);
    for (int k = 0; k < READERS; ++k) {
      pthread_join(threads[k], NULL);
      ck_assert_int_eq(status[k], PZ_OK);
    }
    ck_assert_ok(mine);
    full_module_assert_same(module, copy, 0.0);
    pz_module_free(copy);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("copying");
  tcase_add_test(tcase, semantics_21_a_copy_has_everything_and_shares_nothing);
  tcase_add_test(tcase, semantics_21_a_copy_outlives_its_source);
  tcase_add_test(tcase, semantics_21_draws_go_on_alike);
  tcase_add_test(tcase, semantics_21_modes_are_copied_and_scopes_are_not);
  tcase_add_test(tcase, semantics_21_the_update_policy_is_copied);
  tcase_add_test(tcase, semantics_21_gradients_stay_behind);
  tcase_add_test(tcase, semantics_21_a_child_is_copied_to_a_root_of_its_own);
  tcase_add_test(tcase, what_cannot_be_copied_is_refused);
  tcase_add_test(tcase, semantics_13_a_module_is_copied_while_it_is_read);
  return test_main_case(tcase);
}
