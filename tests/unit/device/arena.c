/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arenas: places that never move, and repetition that allocates nothing. */

#include "queue.h"

#include <opaque.h>
#include <support.h>

#include <stdlib.h>
#include <string.h>

START_TEST(test_places_never_move)
{
  enum { N = 200 };
  pzi_arena arena;
  char* places[N];
  uint64_t random = test_seed();
  pzi_arena_init(&arena, NULL);
  for (int k = 0; k < N; ++k) {
    void* data = NULL;
    uint64_t offset = 1;
    const size_t bytes = (size_t)(test_bits(&random) % 5000);
    ck_assert_ok(pzi_arena_take(&arena, bytes, &data, &offset));
    ck_assert_uint_eq(offset, 0);
    ck_assert_uint_eq((uintptr_t)data % 64, 0);
    places[k] = data;
    memset(data, k, bytes);
    for (int i = 0; i < k; ++i) {
      if (places[i] == data) {
        ck_abort_msg("places %d and %d are the same", i, k);
      }
    }
  }
  pzi_arena_cleanup(&arena);
}
END_TEST

/* A repeated pattern with inner releases meets the same places and allocates nothing. */
START_TEST(test_repetition_allocates_nothing)
{
  static const char* const devices[] = {NULL, "reference", "lean"};
  pz_context* const context = test_context();
  pz_queue* queue = NULL;
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_opaque));
  if (devices[_i]) {
    ck_assert_ok(pz_queue_open(context, devices[_i], NULL, &queue));
  }
  pzi_arena arena;
  pzi_arena_init(&arena, queue ? &queue->allocator : NULL);
  void* first[64] = {NULL};
  uint64_t first_offset[64] = {0};
  uint64_t allocations = 0;
  for (int round = 0; round < 4; ++round) {
    uint64_t random = 12345;
    for (int k = 0; k < 64; ++k) {
      const uint64_t mark = pzi_arena_mark(&arena);
      void* data = NULL;
      uint64_t offset = 0;
      ck_assert_ok(pzi_arena_take(&arena, (size_t)(test_bits(&random) % 90000), &data, &offset));
      ck_assert(round == 0 || (data == first[k] && offset == first_offset[k]));
      first[k] = data;
      first_offset[k] = offset;
      if (k % 3 == 2) {
        pzi_arena_release(&arena, mark);
      }
    }
    ck_assert(round == 0 || arena.allocations == allocations);
    allocations = arena.allocations;
    pzi_arena_release(&arena, 0);
  }
  ck_assert_uint_lt(allocations, 12);
  pzi_arena_cleanup(&arena);
  pz_queue_close(queue);
  pz_context_free(context);
}
END_TEST

START_TEST(test_arena_tensors)
{
  pzi_arena arena;
  pz_tensor t;
  const int64_t shape[] = {3, 4};
  pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  pzi_arena_init(&arena, NULL);
  ck_assert_ok(pzi_arena_tensor(&arena, &arena, &spec, &t));
  memset(t.data, 0, 12 * sizeof(double));
  ck_assert_int_eq(t.shape[1], 4);
  ck_assert_int_eq(t.device.type, PZ_DEVICE_CPU);
  spec.shape[0] = (int64_t)1 << 61;
  ck_assert_fails(pzi_arena_tensor(&arena, &arena, &spec, &t), PZ_INVALID, "beyond any memory");
  void* data = NULL;
  uint64_t offset = 0;
  ck_assert_int_eq(pzi_arena_take(&arena, (size_t)1 << 62, &data, &offset), PZ_NO_MEMORY);
  pzi_arena_cleanup(&arena);
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("arena");
  tcase_add_test(tcase, test_places_never_move);
  tcase_add_loop_test(tcase, test_repetition_allocates_nothing, 0, 3);
  tcase_add_test(tcase, test_arena_tensors);
  return test_main_case(tcase);
}
