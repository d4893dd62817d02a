/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory and devices: the mandatory part of a backend. */

#include "pair.h"

#include <string.h>

START_TEST(test_probe)
{
  pair it;
  pair* const r = &it;
  pz_device_info info = {.size = sizeof(info)};
  pair_open(r, 0);
  const pz_backend* const b = r->sides[TESTED].backend;
  ck_assert_uint_ge(b->size, sizeof(uint32_t));
  ck_assert_ptr_nonnull(b->summary);
  ck_assert_ptr_null(strchr(b->summary, '\n'));
  ck_assert(b->id[0] >= 'a' && b->id[0] <= 'z');
  ck_assert_uint_eq(strlen(b->id), strspn(b->id, "abcdefghijklmnopqrstuvwxyz0123456789_"));
  uint32_t n = 0;
  while (pair_probe(r, n, &info) == PZ_OK) {
    ck_assert_msg(info.usable ? info.name[0] != '\0' : info.reason[0] != '\0', "device %u", n);
    ck_assert_uint_lt(++n, 1000);
  }
  ck_assert_uint_ge(n, 1);
  ck_assert_int_eq(pair_probe(r, n, &info), PZ_NOT_FOUND);
  pair_close(r);
}
END_TEST

START_TEST(test_alloc)
{
  pair it;
  pair* const r = &it;
  pair_open(r, 0);
  const side* const s = &r->sides[TESTED];
  for (size_t bytes = 1; bytes < 5000; bytes += bytes / 3 + 1) {
    void* data = NULL;
    ck_assert_int_eq(s->backend->alloc(s->queue, bytes, &data), PZ_OK);
    ck_assert_ptr_nonnull(data);
    if (pair_in_host_memory()) {
      ck_assert_uint_eq((uintptr_t)data % 64, 0);
      memset(data, 0x5a, bytes);
    }
    s->backend->free(s->queue, data);
  }
  s->backend->free(s->queue, NULL);
  void* never = NULL;
  ck_assert_int_eq(s->backend->alloc(s->queue, SIZE_MAX - 8, &never), PZ_NO_MEMORY);
  ck_assert_ptr_null(never);
  pair_close(r);
}
END_TEST

// host -> device at one offset -> device at another -> host
START_TEST(test_copy)
{
  pair it;
  pair* const r = &it;
  unsigned char in[600];
  unsigned char out[600];
  void* first;
  void* second;
  pair_open(r, 0);
  const side* const s = &r->sides[TESTED];
  ck_assert_int_eq(s->backend->alloc(s->queue, sizeof(in), &first), PZ_OK);
  ck_assert_int_eq(s->backend->alloc(s->queue, sizeof(in), &second), PZ_OK);
  for (int trial = 0; trial < 100; ++trial) {
    const size_t bytes = 1 + (size_t)pair_pick(r, 400);
    const uint64_t a = (uint64_t)pair_pick(r, 100);
    const uint64_t b = (uint64_t)pair_pick(r, 100);
    for (size_t k = 0; k < sizeof(in); ++k) {
      in[k] = (unsigned char)test_bits(&r->random);
    }
    memset(out, 0xee, sizeof(out));
    ck_assert_int_eq(s->backend->copy(s->queue, PZ_HOST_TO_DEVICE, first, a, in, b, bytes), PZ_OK);
    ck_assert_int_eq(s->backend->copy(s->queue, PZ_DEVICE_TO_DEVICE, second, b, first, a, bytes),
                     PZ_OK);
    ck_assert_int_eq(s->backend->copy(s->queue, PZ_DEVICE_TO_HOST, out, a, second, b, bytes),
                     PZ_OK);
    ck_assert_mem_eq(out + a, in + b, bytes);
    for (size_t k = 0; k < sizeof(out); ++k) {
      ck_assert_msg((k >= a && k < a + bytes) || out[k] == 0xee, "byte %zu written", k);
    }
  }
  s->backend->free(s->queue, first);
  s->backend->free(s->queue, second);
  pair_close(r);
}
END_TEST

START_TEST(test_fill)
{
  static const size_t sizes[] = {1, 4, 8};
  pair it;
  pair* const r = &it;
  unsigned char out[640];
  const unsigned char zero = 0;
  void* data;
  pair_open(r, 0);
  const side* const s = &r->sides[TESTED];
  ck_assert_int_eq(s->backend->alloc(s->queue, sizeof(out), &data), PZ_OK);
  for (int trial = 0; trial < 100; ++trial) {
    const size_t size = sizes[pair_pick(r, 3)];
    const size_t offset = size * (size_t)pair_pick(r, 20);
    const size_t bytes = size * (1 + (size_t)pair_pick(r, 50));
    const uint64_t pattern = test_bits(&r->random);
    ck_assert_int_eq(s->backend->fill(s->queue, data, 0, sizeof(out), &zero, 1), PZ_OK);
    ck_assert_int_eq(s->backend->fill(s->queue, data, offset, bytes, &pattern, size), PZ_OK);
    ck_assert_int_eq(s->backend->copy(s->queue, PZ_DEVICE_TO_HOST, out, 0, data, 0, sizeof(out)),
                     PZ_OK);
    for (size_t k = 0; k < sizeof(out); ++k) {
      const bool within = k >= offset && k < offset + bytes;
      const unsigned char expected =
          within ? ((const unsigned char*)&pattern)[(k - offset) % size] : 0;
      ck_assert_msg(out[k] == expected, "byte %zu of pattern %zu at %zu", k, size, offset);
    }
  }
  s->backend->free(s->queue, data);
  pair_close(r);
}
END_TEST

/* Two queues work side by side; memory of the one is used by the other, in the order of events, or
   after a wait where there are none. */
START_TEST(test_queues)
{
  enum { BYTES = 4096, ROUNDS = 20 };
  static unsigned char in[2][BYTES];
  static unsigned char out[2][BYTES];
  pair it;
  pair* const r = &it;
  void* data[2][2]; /* of queue k: what is written, and what comes from the other */
  pair_open(r, 0);
  const pz_backend* const b = r->sides[TESTED].backend;
  pz_backend_queue* const queues[] = {r->sides[TESTED].queue, pair_open_queue(r)};
  for (int k = 0; k < 4; ++k) {
    ck_assert_int_eq(b->alloc(queues[k / 2], BYTES, &data[k / 2][k % 2]), PZ_OK);
  }
  for (int round = 0; round < ROUNDS; ++round) {
    for (size_t k = 0; k < sizeof(in); ++k) {
      in[k / BYTES][k % BYTES] = (unsigned char)test_bits(&r->random);
    }
    for (int k = 0; k < 2; ++k) {
      ck_assert_int_eq(b->copy(queues[k], PZ_HOST_TO_DEVICE, data[k][0], 0, in[k], 0, BYTES),
                       PZ_OK);
    }
    for (int k = 0; k < 2; ++k) {
      void* event = NULL;
      pz_status waited = PZ_UNSUPPORTED;
      if (b->record && b->wait && b->release_event) {
        ck_assert_int_eq(b->record(queues[k], &event), PZ_OK);
        waited = b->wait(queues[1 - k], event);
        b->release_event(event);
      }
      ck_assert_int_eq(waited == PZ_UNSUPPORTED ? b->sync(queues[k]) : waited, PZ_OK);
    }
    for (int k = 0; k < 2; ++k) {
      ck_assert_int_eq(
          b->copy(queues[k], PZ_DEVICE_TO_DEVICE, data[k][1], 0, data[1 - k][0], 0, BYTES), PZ_OK);
      ck_assert_int_eq(b->copy(queues[k], PZ_DEVICE_TO_HOST, out[k], 0, data[k][1], 0, BYTES),
                       PZ_OK);
    }
    ck_assert_mem_eq(out[0], in[1], BYTES);
    ck_assert_mem_eq(out[1], in[0], BYTES);
  }
  for (int k = 0; k < 4; ++k) {
    b->free(queues[k / 2], data[k / 2][k % 2]);
  }
  b->close(queues[1]);
  pair_close(r);
}
END_TEST

TCase*
memory_case(void)
{
  TCase* const t = tcase_create("memory");
  tcase_add_test(t, test_probe);
  tcase_add_test(t, test_alloc);
  tcase_add_test(t, test_copy);
  tcase_add_test(t, test_fill);
  tcase_add_test(t, test_queues);
  return t;
}
