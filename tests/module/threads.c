/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 13: any threads may read one module together. */

#include "fixture.h"

#include <pthread.h>
#include <sched.h>

enum { THREADS = 8, ROUNDS = 50 };

static pthread_barrier_t barrier;
static pz_slot* slot;

typedef struct reader {
  pthread_t thread;
  const char* name; /* NULL: by handle */
  const void* seen[ROUNDS];
  pz_status status;
} reader;

static reader readers[THREADS];

static void*
read_rounds(void* const user)
{
  reader* const own = user;
  for (int round = 0; round < ROUNDS; ++round) {
    pz_tensor value = {0};
    pthread_barrier_wait(&barrier); /* the main thread has changed something */
    pz_status status =
        own->name ? pz_module_get(module, own->name, &value) : pz_slot_get(slot, &value);
    own->seen[round] = value.data;
    if (status == PZ_OK && (own - readers) % 4 == 0) {
      char text[256];
      pz_tensor_info entry = {.size = sizeof(entry)};
      pz_module_print(module, text, sizeof(text));
      status = pz_module_tensor(module, 0, &entry);
    }
    own->status = own->status == PZ_OK ? status : own->status;
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

/* Of the value and, in a nested list, of the value it is computed from. */
START_TEST(semantics_13_one_thread_computes_for_all)
{
  const char* const original = "parametrizations.weight.original";
  const bool nested = _i == 1;
  const pz_tensor w = fixture_add(module, "weight", 8, 8);
  ck_assert_ok(pz_register_parametrization(module, "weight",
                                           nested ? "skew,cayley" : "skew,counting,cayley", NULL));
  if (nested) {
    ck_assert_ok(pz_register_parametrization(module, original, "symmetric,counting", NULL));
  }
  ck_assert_ok(pz_module_slot(module, "weight", &slot));
  atomic_store(&map_forwards, 0);
  ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
  for (int k = 0; k < THREADS; ++k) {
    readers[k].name = k % 2 == 0 ? NULL : nested && k % 4 == 3 ? original : "weight";
    ck_assert_int_eq(pthread_create(&readers[k].thread, NULL, read_rounds, &readers[k]), 0);
  }
  for (int round = 0; round < ROUNDS; ++round) {
    ck_assert_ok(pz_module_touch(module, nested ? original : "weight"));
    if (round % 8 == 0) {
      ck_assert_ok(
          pz_module_add(module, (const char[]){(char)('a' + round / 8), 0}, PZ_BUFFER, &w));
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    ck_assert_int_eq(atomic_load(&map_forwards), round + 1); /* once per version */
  }
  for (int k = 0; k < THREADS; ++k) {
    pthread_join(readers[k].thread, NULL);
    ck_assert_int_eq(readers[k].status, PZ_OK);
    for (int round = 0; round < ROUNDS; ++round) {
      ck_assert_ptr_eq(readers[k].seen[round], readers[k % 4 == 3 ? 3 : 0].seen[round]);
    }
  }
  pthread_barrier_destroy(&barrier);
}
END_TEST

/* A reader inside a map until the main thread has tried to write. */
static atomic_int stage;

static void
hold(void)
{
  atomic_store(&stage, 1);
  while (atomic_load(&stage) != 2) {
    sched_yield();
  }
}

static void*
read_once(void* const user)
{
  pz_tensor value;
  *(pz_status*)user = pz_module_get(module, "weight", &value);
  return NULL;
}

START_TEST(a_write_during_a_read_is_noticed)
{
  pz_tensor now;
  pthread_t thread;
  pz_status status = PZ_INVALID;
  const pz_tensor w = fixture_parametrize(module, "weight", 4, 4, "counting");
  map_callback = hold;
  ck_assert_int_eq(pthread_create(&thread, NULL, read_once, &status), 0);
  while (atomic_load(&stage) != 1) {
    sched_yield();
  }
  ck_assert_fails(pz_module_set(module, "weight", &now), PZ_INVALID, "readers are");
  ck_assert_fails(pz_module_touch(module, "weight"), PZ_INVALID, "readers are");
  ck_assert_fails(pz_register_parametrization(module, "weight", "skew", NULL), PZ_INVALID,
                  "readers");
  ck_assert_fails(pz_module_train(module, false), PZ_INVALID, "readers are");
  atomic_store(&stage, 2);
  pthread_join(thread, NULL);
  map_callback = NULL;
  ck_assert_int_eq(status, PZ_OK);
  fixture_expect("weight", &w);
  ck_assert_int_eq(atomic_load(&map_forwards), 2); /* registering, then the reader: no change */
}
END_TEST

static atomic_bool over;

/* Reads that are hardly ever apart. */
static void*
read_until_over(void* const user)
{
  pz_tensor value;
  (void)user;
  while (!atomic_load(&over)) {
    (void)pz_module_get(module, "weight", &value); /* PZ_INVALID during a write */
  }
  return NULL;
}

/* On the old gate, the time limit ends this. */
START_TEST(busy_readers_let_a_writer_in)
{
  enum { WRITES = 20 };
  pthread_t threads[THREADS];
  const pz_tensor w = fixture_parametrize(module, "weight", 4, 4, "skew");
  for (int k = 0; k < THREADS; ++k) {
    ck_assert_int_eq(pthread_create(&threads[k], NULL, read_until_over, NULL), 0);
  }
  for (int done = 0; done < WRITES;) {
    const pz_status status = pz_module_set(module, "parametrizations.weight.original", &w);
    ck_assert(status == PZ_OK || status == PZ_INVALID);
    done += status == PZ_OK;
  }
  atomic_store(&over, true);
  for (int k = 0; k < THREADS; ++k) {
    pthread_join(threads[k], NULL);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("threads");
  tcase_add_loop_test(tcase, semantics_13_one_thread_computes_for_all, 0, 2);
  tcase_add_test(tcase, a_write_during_a_read_is_noticed);
  tcase_add_test(tcase, busy_readers_let_a_writer_in);
  return test_main_case(tcase);
}
