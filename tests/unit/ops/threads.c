/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Threads on one queue, and on queues of one context: native, composed and host operations
   give each thread the results it would get alone. */

#include "op_runner.h"
#include "opaque.h"

#include <pthread.h>

enum { N = 12, THREADS = 4, ROUNDS = 10 };

typedef struct worker {
  pz_queue* queue;
  uint64_t seed;
  double result[2 * N * N];
  pz_status status;
} worker;

#define TRY(expression)       \
  do {                        \
    w->status = (expression); \
    if (w->status != PZ_OK) { \
      return;                 \
    }                         \
  } while (0)

/* A skew X from random numbers, its Cayley transform, then the upper factor of Q X. */
static void
compute(worker* const w)
{
  const int64_t shape[] = {N, N};
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  pzi_frame frame;
  pz_call call;
  pzi_arena memory;
  pzi_arena shapes;
  pz_tensor t[4];
  pzi_ops_table_init_call(&call, &frame, w->queue, NULL);
  pzi_arena_init(&memory, &w->queue->allocator);
  pzi_arena_init(&shapes, NULL);
  for (int k = 0; k < 4; ++k) {
    TRY(pzi_arena_tensor(&memory, &shapes, &spec, &t[k]));
  }
  TRY(call.ops->random(&call, PZ_UNIFORM, w->seed, 0, -1.0, 1.0, &t[0]));
  TRY(call.ops->fold(&call, PZ_UPPER, -1, &t[0], &t[1]));
  TRY(call.ops->shifted_inverse(&call, PZ_SKEW, &(pz_shift){-1.0, 2.0, 1.0, -1.0}, &t[1], &t[2]));
  TRY(call.ops->gemm(&call, PZ_N, PZ_T, 1.0, &t[2], &t[1], 0.0, &t[3]));
  TRY(call.ops->read(&call, &t[2], w->result));
  TRY(call.ops->read(&call, &t[3], w->result + N * N));
  pzi_arena_cleanup(&memory);
  pzi_arena_cleanup(&shapes);
}

static void*
work(void* const data)
{
  worker* const w = (worker*)data;
  for (int k = 0; k < ROUNDS && w->status == PZ_OK; ++k) {
    compute(w);
  }
  return NULL;
}

START_TEST(test_threads)
{
  static const char* const devices[] = {"reference", "cpu", "bare", "lean", "inverter"};
  static worker alone[THREADS];
  static worker together[THREADS];
  pz_context* const context = test_context();
  pz_queue* queue = NULL;
  pz_queue* own = NULL;
  pthread_t threads[THREADS];
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_opaque));
  ck_assert_ok(pz_queue_open(context, devices[_i], NULL, &queue));
  ck_assert_ok(pz_queue_open(context, devices[_i], NULL, &own));
  for (int k = 0; k < THREADS; ++k) {
    alone[k] = (worker){.queue = queue, .seed = (uint64_t)k + 1};
    together[k] = (worker){.queue = k == 0 ? own : queue, .seed = (uint64_t)k + 1};
    compute(&alone[k]);
    ck_assert_int_eq(alone[k].status, PZ_OK);
  }
  for (int k = 0; k < THREADS; ++k) {
    ck_assert_int_eq(pthread_create(&threads[k], NULL, work, &together[k]), 0);
  }
  for (int k = 0; k < THREADS; ++k) {
    ck_assert_int_eq(pthread_join(threads[k], NULL), 0);
    ck_assert_int_eq(together[k].status, PZ_OK);
    ck_assert_mem_eq(together[k].result, alone[k].result, sizeof(alone[k].result));
  }
  pz_queue_close(own);
  pz_queue_close(queue);
  pz_context_free(context);
  ck_assert_int_eq(opaque_allocations(), 0);
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("threads");
  tcase_add_loop_test(tcase, test_threads, 0, 5);
  return test_main_case(tcase);
}
