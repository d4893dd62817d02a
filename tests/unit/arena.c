/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arenas, and the geometry of tensors that operations are checked and lowered by. */

#include "lower.h"
#include "opaque.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* ---- arenas --------------------------------------------------------------------- */

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
    ck_assert_ok(pz_queue_open(context, devices[_i], &queue));
  }
  pzi_arena arena;
  pzi_arena_init(&arena, &queue->allocator);
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

/* ---- geometry -------------------------------------------------------------------- */

enum { ROOM = 400 };

static void
random_view(uint64_t* const random, char* const base, pz_view* const v)
{
  v->tensor = pz_host_tensor(PZ_F32, base, (int32_t)(test_bits(random) % 4), v->shape);
  v->tensor.strides = v->strides;
  int64_t low = 0;
  for (int32_t i = 0; i < v->tensor.ndim; ++i) {
    v->shape[i] = (int64_t)(test_bits(random) % 5);
    v->strides[i] = (int64_t)(test_bits(random) % 19) - 5;
    low += v->strides[i] < 0 ? v->strides[i] * 4 : 0;
  }
  v->tensor.byte_offset = ((uint64_t)-low + test_bits(random) % 40) * sizeof(float);
}

static void
mark_elements(const pz_view* const v, const char* const base, bool* const seen)
{
  memset(seen, 0, ROOM * sizeof(bool));
  for (int64_t e = 0; e < pz_count(&v->tensor); ++e) {
    int64_t at = ((const char*)v->tensor.data - base + (int64_t)v->tensor.byte_offset) / 4;
    int64_t rest = e;
    for (int32_t i = v->tensor.ndim; i-- > 0;) {
      at += rest % v->shape[i] * v->strides[i];
      rest /= v->shape[i];
    }
    seen[at] = true;
  }
}

/* Against looking at every element. */
START_TEST(test_overlap)
{
  static float base[ROOM];
  uint64_t random = test_seed();
  int found = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    pz_view a;
    pz_view b;
    bool in_a[ROOM];
    bool in_b[ROOM];
    random_view(&random, (char*)base, &a);
    random_view(&random, (char*)base + 4 * (test_bits(&random) % 40), &b);
    mark_elements(&a, (char*)base, in_a);
    mark_elements(&b, (char*)base, in_b);
    bool expected = false;
    for (int k = 0; k < ROOM; ++k) {
      expected = expected || (in_a[k] && in_b[k]);
    }
    if (pzi_overlap(true, &a.tensor, &b.tensor) != expected) {
      ck_abort_msg("trial %d: overlap is %d", trial, expected);
    }
    found += expected;
  }
  ck_assert_int_gt(found, 1000);
  ck_assert_int_lt(found, 19000);
}
END_TEST

START_TEST(test_handles_overlap_by_offset)
{
  const int64_t shape[] = {4};
  pz_tensor a = pz_host_tensor(PZ_F64, (void*)(uintptr_t)101, 1, shape);
  pz_tensor b = a;
  b.byte_offset = 32;
  ck_assert(!pzi_overlap(false, &a, &b));
  b.byte_offset = 24;
  ck_assert(pzi_overlap(false, &a, &b));
  b.byte_offset = 36; /* not a multiple of the size */
  a.byte_offset = 8;
  ck_assert(pzi_overlap(false, &a, &b));
  b.data = (void*)(uintptr_t)103;
  ck_assert(!pzi_overlap(false, &a, &b));
}
END_TEST

/* What is lowered names the same elements; what is not has a reason. */
START_TEST(test_lowering)
{
  static const struct {
    int64_t shape[4];
    int64_t strides[4];
    bool lowers;
  } cases[] = {
      {{2, 3, 4, 5}, {60, 20, 5, 1}, true},  /* contiguous */
      {{2, 3, 4, 5}, {60, 20, 1, 4}, true},  /* by columns */
      {{2, 3, 4, 5}, {90, 30, 7, 1}, true},  /* padded */
      {{2, 3, 4, 5}, {70, 20, 5, 1}, false}, /* two batch strides */
      {{1, 3, 4, 5}, {70, 20, 5, 1}, true},  /* of which one is idle */
      {{2, 3, 4, 5}, {0, 0, 5, 1}, true},    /* one matrix again and again */
      {{2, 3, 4, 5}, {0, 20, 5, 1}, false},  /* three, twice */
      {{2, 3, 4, 5}, {60, 20, 5, 2}, false}, /* no unit stride */
      {{2, 3, 4, 1}, {24, 8, 2, 1}, true},   /* columns may have a stride */
      {{2, 3, 1, 5}, {30, 10, 1, 2}, true},  /* rows as well */
      {{2, 3, 4, 5}, {60, 20, -5, 1}, false}, {{2, 3, 4, 5}, {60, 20, 1, 1}, false}, /* windows */
      {{2, 3, 4, 5}, {60, 20, 0, 1}, false},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    for (int transposed = 0; transposed <= 1; ++transposed) {
      pz_tensor t = pz_host_tensor(PZ_F32, NULL, 4, cases[k].shape);
      pz_mat m;
      t.strides = cases[k].strides;
      t.byte_offset = 4096;
      ck_assert_msg(pzi_lower(&t, PZI_AS_MATRIX, transposed, &m) == cases[k].lowers, "case %zu", k);
      if (!cases[k].lowers) {
        continue;
      }
      const int64_t* const n = cases[k].shape;
      const int64_t* const s = cases[k].strides;
      ck_assert_int_eq(m.batch, n[0] * n[1]);
      ck_assert(m.row_stride == 1 || m.col_stride == 1);
      for (int64_t e = 0; e < n[0] * n[1] * n[2] * n[3]; ++e) {
        const int64_t c = e % n[3];
        const int64_t r = e / n[3] % n[2];
        const int64_t b = e / n[3] / n[2];
        const int64_t expected = b / n[1] * s[0] + b % n[1] * s[1] + r * s[2] + c * s[3];
        const int64_t found = b * m.batch_stride + (transposed ? c : r) * m.row_stride +
                              (transposed ? r : c) * m.col_stride;
        if (found != expected) {
          ck_abort_msg("case %zu: element at %lld, expected %lld", k, (long long)found,
                       (long long)expected);
        }
      }
    }
  }
}
END_TEST

int
main(void)
{
  Suite* const suite = suite_create("arena");
  TCase* const tcase = tcase_create("arena");
  tcase_set_timeout(tcase, 30);
  tcase_add_test(tcase, test_places_never_move);
  tcase_add_loop_test(tcase, test_repetition_allocates_nothing, 0, 3);
  tcase_add_test(tcase, test_arena_tensors);
  tcase_add_test(tcase, test_overlap);
  tcase_add_test(tcase, test_handles_overlap_by_offset);
  tcase_add_test(tcase, test_lowering);
  suite_add_tcase(suite, tcase);
  return test_main(suite);
}
