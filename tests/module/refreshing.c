/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* pz_module_refresh: many values in one call, on many threads. */

#include "full_module.h"

#include <stdio.h>
#include <stdlib.h>

static const uint32_t numbers_of_threads[] = {1, 2, 5, 64, 1000, 0};
enum { N_NUMBERS = sizeof(numbers_of_threads) / sizeof(numbers_of_threads[0]) };

/* Lists of `text` on 4 x 4 matrices "w0", "w1" ... */
static void
add_many(const int n, const char* const text)
{
  for (int k = 0; k < n; ++k) {
    char name[16];
    snprintf(name, sizeof(name), "w%d", k);
    fixture_parametrize(module, name, 4, 4, text);
  }
}

START_TEST(values_are_the_same_for_every_number_of_threads)
{
  pz_module* other = NULL;
  full_module_fill(module);
  add_many(50, "skew,cayley");
  ck_assert_ok(pz_module_copy(module, &other));
  ck_assert_ok(pz_module_train(module, false)); /* every value is to be computed */
  ck_assert_ok(pz_module_train(module, true));
  ck_assert_ok(pz_module_refresh(module, numbers_of_threads[_i]));
  full_module_assert_same(module, other, 0.0);
  for (int k = 0; k < 50; ++k) {
    char name[16];
    snprintf(name, sizeof(name), "w%d", k);
    const pz_tensor x = fixture_read_of(module, name);
    fixture_expect_of(other, name, &x);
  }
  pz_module_free(other);
}
END_TEST

START_TEST(each_value_is_computed_once)
{
  pz_tensor value;
  add_many(200, "counting");
  (pz_tensor){0} = fixture_read("w7");
  map_forwards = 0;
  ck_assert_ok(pz_module_refresh(module, numbers_of_threads[_i]));
  ck_assert_int_eq(map_forwards, 199); /* one was read before */
  ck_assert_ok(pz_module_refresh(module, numbers_of_threads[_i]));
  ck_assert_ok(pz_module_get(module, "w199", &value));
  ck_assert_int_eq(map_forwards, 199);
  ck_assert_ok(pz_module_touch(module, "parametrizations.w3.original"));
  ck_assert_ok(pz_module_refresh(module, numbers_of_threads[_i]));
  ck_assert_int_eq(map_forwards, 200);
}
END_TEST

START_TEST(a_failure_leaves_the_others_computed)
{
  pz_tensor open;
  add_many(20, "counting");
  ck_assert_ok(pz_module_edit(module, "parametrizations.w11.original", &open));
  ck_assert_ok(pz_module_edit(module, "parametrizations.w5.original", &open));
  map_forwards = 0;
  ck_assert_fails(pz_module_refresh(module, numbers_of_threads[_i]), PZ_INVALID,
                  "\"parametrizations.w5.original\" is open for writing");
  ck_assert_int_eq(map_forwards, 18);
  ck_assert_ok(pz_module_commit(module, "parametrizations.w5.original"));
  ck_assert_ok(pz_module_commit(module, "parametrizations.w11.original"));
  ck_assert_ok(pz_module_refresh(module, numbers_of_threads[_i]));
  ck_assert_int_eq(map_forwards, 20);
}
END_TEST

START_TEST(what_a_map_says_is_reported)
{
  fixture_parametrize(module, "v", 2, 2, "fragile");
  add_many(3, "skew");
  map_failing = "forward";
  map_passes = 0;
  ck_assert_fails(pz_module_refresh(module, 4), PZ_DEVICE, "\"v\": fragile");
  map_failing = NULL;
}
END_TEST

START_TEST(what_is_not_kept_is_not_computed)
{
  add_many(3, "counting");
  map_forwards = 0;
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_SCOPED));
  ck_assert_ok(pz_module_refresh(module, 2));
  ck_assert_int_eq(map_forwards, 0);
  ck_assert_ok(pz_cached_begin(module));
  ck_assert_ok(pz_module_refresh(module, 2));
  ck_assert_ok(pz_module_refresh(module, 2));
  ck_assert_int_eq(map_forwards, 3);
  ck_assert_ok(pz_cached_end(module));
  ck_assert_ok(pz_module_cache_policy(module, PZ_CACHE_AUTOMATIC));
  map_forwards = 0;
  ck_assert_ok(pz_module_bake(module)); /* computes what it folds */
  const int folded = map_forwards;
  ck_assert_ok(pz_module_refresh(module, 2));
  ck_assert_int_eq(map_forwards, folded);
  ck_assert_ok(pz_module_unbake(module));
}
END_TEST

static uint64_t
count_of(pz_queue* const queue, const char* const name)
{
  pz_op_report report = {.size = sizeof(report)};
  uint32_t k = 0;
  do {
    ck_assert_ok(pz_queue_op(queue, k++, &report));
  } while (strcmp(report.name, name) != 0);
  return report.count[0] + report.count[1] + report.count[2];
}

START_TEST(operations_of_all_threads_are_counted)
{
  pz_queue* queue = NULL;
  ck_assert_ok(pz_queue_open(context, getenv("TEST_DEVICE"), NULL, &queue));
  pz_module_free(module);
  ck_assert_ok(pz_module_new(context, queue, "Linear", &module));
  add_many(40, "skew");
  const uint64_t before = count_of(queue, "fold");
  ck_assert_ok(pz_module_refresh(module, 4));
  ck_assert_uint_eq(count_of(queue, "fold") - before, 40);
  pz_queue_close(queue);
}
END_TEST

static pz_status inner;

static void
refresh_again(void)
{
  inner = pz_module_refresh(module, 2);
}

START_TEST(maps_cannot_call_it)
{
  add_many(1, "counting");
  map_callback = refresh_again;
  ck_assert_ok(pz_module_refresh(module, 1));
  map_callback = NULL;
  ck_assert_int_eq(inner, PZ_INVALID);
  ck_assert_fails(pz_module_refresh(NULL, 1), PZ_INVALID, "module");
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("refreshing");
  tcase_add_loop_test(tcase, values_are_the_same_for_every_number_of_threads, 0, N_NUMBERS);
  tcase_add_loop_test(tcase, each_value_is_computed_once, 0, N_NUMBERS);
  tcase_add_loop_test(tcase, a_failure_leaves_the_others_computed, 0, N_NUMBERS);
  tcase_add_test(tcase, what_a_map_says_is_reported);
  tcase_add_test(tcase, what_is_not_kept_is_not_computed);
  tcase_add_test(tcase, operations_of_all_threads_are_counted);
  tcase_add_test(tcase, maps_cannot_call_it);
  return test_main_case(tcase);
}
