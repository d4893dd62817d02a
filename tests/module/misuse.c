/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Calls that the contract excludes are refused, whatever is missing or running. */

#include "fixture.h"

#include <parametrize/kernel.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { READERS = 3, WRITES = 600 };

START_TEST(missing_arguments_are_refused)
{
  pz_tensor out;
  const char* const original = "parametrizations.weight.original";
  ck_assert_str_eq(pz_error_message(), ""); /* nothing failed so far */
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "skew");

  ck_assert_fails(pz_module_new(context, NULL, "", NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_module_new(context, NULL, "", NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_module_add_child(NULL, "child", module), PZ_INVALID, "expected a module");
  ck_assert_fails(pz_module_add(NULL, "a", PZ_BUFFER, &w), PZ_INVALID, "no module");
  ck_assert_fails(pz_module_child(module, "", NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_module_chain(module, "weight", NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_module_get(NULL, "weight", &out), PZ_INVALID, "no module");
  ck_assert_fails(pz_module_get(module, "weight", NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_module_slot(module, "weight", NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_slot_get(NULL, &out), PZ_INVALID, "no slot");
  ck_assert_fails(pz_module_edit(module, original, NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_module_commit(module, original), PZ_INVALID, "not open");
  ck_assert_fails(pz_module_gradient(module, original, NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_module_tensor(module, 0, NULL), PZ_INVALID, "no output");
  ck_assert_fails(pz_module_check(NULL), PZ_INVALID, "no module");
  ck_assert(!pz_is_parametrized(NULL, "weight"));
  ck_assert_fails(pz_module_train(NULL, true), PZ_INVALID, "no module");
  ck_assert_fails(pz_cached_begin(NULL), PZ_INVALID, "no module");
  ck_assert_uint_eq(pz_module_print(NULL, NULL, 0), 0);
  ck_assert_uint_gt(pz_module_print(module, NULL, 10), 10);

  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_new(NULL, NULL), PZ_INVALID, "no place");
  ck_assert_fails(pz_context_add_plugin(NULL, &pz_plugin_v1_test_maps), PZ_INVALID, "no context");
  ck_assert_fails(pz_context_add_plugin(context, NULL), PZ_PLUGIN, "descriptor");
  ck_assert_fails(pz_context_add_file(context, NULL), PZ_INVALID, "absolute path");
  ck_assert_fails(pz_context_add_folder(context, NULL), PZ_INVALID, "absolute path");
  ck_assert_fails(pz_context_rescan(NULL), PZ_INVALID, "no context");
  ck_assert_fails(pz_context_plugin(context, 0, NULL), PZ_INVALID, "no output");
  ck_assert_fails(pz_context_parametrization(context, 0, NULL), PZ_INVALID, "no output");
  ck_assert_fails(pz_context_find(NULL, "skew", &info), PZ_INVALID, "no context");
  ck_assert_fails(pz_context_find(context, NULL, &info), PZ_NOT_FOUND, "no parametrization");
  ck_assert_fails(pz_context_option(context, "skew", 0, NULL), PZ_INVALID, "no output");
}
END_TEST

// clang-format off
PZ_KERNEL(double_it, 1, 1, 1,
  PZ_TENSOR_ARG(0, x);
  PZ_REAL_ARG(0, factor);
  PZ_INTEGER_ARG(0, first);
  x[first + i] = factor * x[first + i];
)
// clang-format on

START_TEST(launches_without_their_arguments_are_refused)
{
  float numbers[4] = {1.0F, 2.0F, 3.0F, 4.0F};
  const int64_t four[] = {4};
  const int64_t two[] = {2};
  const double factor[] = {2.0};
  const int64_t first[] = {1};
  const pz_tensor x = pz_host_tensor(PZ_F32, numbers, 1, four);
  pz_tensor apart = pz_host_tensor(PZ_F32, numbers, 1, two);
  apart.strides = two;
  const pz_tensor* const tensors[] = {&x};
  const pz_tensor* const strided[] = {&apart};
  pz_queue* const queue = pz_module_queue(module);
  const pz_kernel unnamed = {.size = sizeof(unnamed)};
  ck_assert_ptr_null(pz_module_queue(NULL));
  ck_assert_str_eq(pz_error_message(), "found no module");
  ck_assert_fails(pz_queue_launch(NULL, &double_it, 3, tensors, factor, first), PZ_INVALID,
                  "found no queue");
  ck_assert_fails(pz_queue_launch(queue, NULL, 3, tensors, factor, first), PZ_INVALID, "no kernel");
  ck_assert_fails(pz_queue_launch(queue, &unnamed, 3, tensors, factor, first), PZ_INVALID, "name");
  ck_assert_fails(pz_queue_launch(queue, &double_it, -1, tensors, factor, first), PZ_INVALID,
                  "launch of double_it: found -1 items");
  ck_assert_fails(pz_queue_launch(queue, &double_it, 3, NULL, factor, first), PZ_INVALID,
                  "launch of double_it: found no tensors, expected 1");
  ck_assert_fails(pz_queue_launch(queue, &double_it, 3, tensors, NULL, first), PZ_INVALID, "reals");
  ck_assert_fails(pz_queue_launch(queue, &double_it, 3, tensors, factor, NULL), PZ_INVALID,
                  "integers");
  ck_assert_fails(pz_queue_launch(queue, &double_it, 1, strided, factor, first), PZ_INVALID,
                  "found strides");
  ck_assert_float_eq(numbers[1], 2.0F);
  ck_assert_ok(pz_queue_launch(queue, &double_it, 3, tensors, factor, first));
  ck_assert_float_eq(numbers[0], 1.0F);
  ck_assert_float_eq(numbers[1], 4.0F);
  ck_assert_float_eq(numbers[3], 8.0F);
}
END_TEST

START_TEST(empty_tensors_of_vast_extents_are_refused)
{
  const int64_t vast[] = {INT64_MAX / 2, 1000, 0};
  const int64_t empty[] = {0, 1000, 1000};
  pz_tensor tensor = pz_host_tensor(PZ_F64, NULL, 3, vast);
  ck_assert_fails(pz_module_add(module, "vast", PZ_BUFFER, &tensor), PZ_INVALID, "any memory");
  tensor.shape = empty;
  ck_assert_ok(pz_module_add(module, "empty", PZ_BUFFER, &tensor));
  ck_assert_ok(pz_register_parametrization(module, "empty", "skew,cayley", NULL));
}
END_TEST

START_TEST(broken_text_is_shown_whole)
{
  fixture_add(module, "weight", 3, 3);
  ck_assert_fails(pz_register_parametrization(module, "weight", "skew,", NULL), PZ_INVALID,
                  "chain \"skew,\": found the end at column 6");
  ck_assert_fails(pz_register_parametrization(module, "weight", "skew,,cayley", NULL), PZ_INVALID,
                  "found \",\" at column 6, expected the name of a parametrization");
  ck_assert(!pz_is_parametrized(module, "weight"));
}
END_TEST

START_TEST(a_message_says_a_name_once)
{
  const pz_tensor w = fixture_zeros(PZ_F32, 1, 1);
  ck_assert_int_eq(pz_module_add(module, "a.b", PZ_BUFFER, &w), PZ_INVALID);
  ck_assert_str_eq(pz_error_message(), "\"a.b\": a name has no dots and no control bytes");
  ck_assert_int_eq(pz_module_add(module, NULL, PZ_BUFFER, &w), PZ_INVALID);
  ck_assert_str_eq(pz_error_message(), "an empty name");
  ck_assert_int_eq(pz_module_add(module, "a", (pz_tensor_kind)7, &w), PZ_INVALID);
  ck_assert_str_eq(pz_error_message(), "\"a\": found kind 7, expected PZ_PARAMETER or PZ_BUFFER");
}
END_TEST

START_TEST(a_long_name_leaves_room_for_the_reason)
{
  enum { LENGTH = 3000, SHOWN = 200 };
  char name[LENGTH + 2];
  for (int odd = 0; odd <= 1; ++odd) { /* a cut before, and inside, a character of two bytes */
    memset(name, 'x', (size_t)odd);
    for (int k = odd; k < LENGTH; k += 2) {
      memcpy(name + k, "\xc3\xa9", 3);
    }
    const pz_tensor w = fixture_parametrize(module, name, 2, 2, "skew");
    ck_assert_fails(pz_module_backward(module, name, &w), PZ_STALE,
                    "...\": the value was not read yet");
    const char* const message = pz_error_message();
    const char* const dots = strstr(message, "...\": ");
    ck_assert_int_le(dots - message, SHOWN - 4);
    ck_assert_int_ge(dots - message, SHOWN - 5);
    ck_assert_mem_eq(message + 1, name, (size_t)(dots - message) - 1);
    ck_assert_int_eq((dots - message - 1 - odd) % 2, 0); /* whole characters */
  }
}
END_TEST

/* ---- readers beside a writer ------------------------------------------------- */

static atomic_bool done;
static atomic_int wrong;
static pz_module* child;
static pz_slot* slot;

static void*
read_on(void* const user)
{
  const int kind = *(const int*)user;
  while (!atomic_load(&done)) {
    pz_tensor value;
    const pz_status status = kind == 0   ? pz_slot_get(slot, &value)
                             : kind == 1 ? pz_module_get(module, "weight", &value)
                                         : pz_module_get(child, "weight", &value);
    atomic_fetch_add(&wrong, status != PZ_OK && status != PZ_INVALID);
  }
  return NULL;
}

/* Whoever breaks the rule is turned away, and nothing of that stays. */
START_TEST(readers_and_a_writer_turn_each_other_away)
{
  pthread_t threads[READERS];
  int kinds[READERS];
  const pz_tensor w = fixture_parametrize(module, "weight", 3, 3, "counting");
  ck_assert_ok(pz_module_slot(module, "weight", &slot));
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Child", &child));
  ck_assert_ok(pz_module_add(child, "weight", PZ_PARAMETER, &w));
  for (int k = 0; k < READERS; ++k) {
    kinds[k] = k;
    ck_assert_int_eq(pthread_create(&threads[k], NULL, read_on, &kinds[k]), 0);
  }
  bool nested = false;
  for (int k = 0; k < WRITES; ++k) {
    (void)pz_module_cache_policy(module, k % 2 ? PZ_CACHE_AUTOMATIC : PZ_CACHE_SCOPED);
    (void)pz_module_touch(module, "weight");
    if (pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL) == PZ_OK) {
      while (pz_register_parametrization(module, "weight", "counting", NULL) != PZ_OK) {
      }
    }
    nested = nested || pz_module_add_child(module, "child", child) == PZ_OK;
  }
  atomic_store(&done, true);
  for (int k = 0; k < READERS; ++k) {
    pthread_join(threads[k], NULL);
  }
  ck_assert_int_eq(atomic_load(&wrong), 0);
  if (!nested) {
    ck_assert_ok(pz_module_add_child(module, "child", child));
  }
  ck_assert_ok(pz_module_touch(child, "weight")); /* nobody is left at the gate */
  fixture_expect("child.weight", &w);
  fixture_expect("weight", &w);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("misuse");
  tcase_add_test(tcase, missing_arguments_are_refused);
  tcase_add_test(tcase, launches_without_their_arguments_are_refused);
  tcase_add_test(tcase, empty_tensors_of_vast_extents_are_refused);
  tcase_add_test(tcase, broken_text_is_shown_whole);
  tcase_add_test(tcase, a_message_says_a_name_once);
  tcase_add_test(tcase, a_long_name_leaves_room_for_the_reason);
  tcase_add_test(tcase, readers_and_a_writer_turn_each_other_away);
  return test_main_case(tcase);
}
