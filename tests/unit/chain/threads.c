/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One chain and one queue, a state and an evaluation per thread: no locks of the host's,
   and the same numbers everywhere. Chains are made and given up meanwhile. */

#include <maps.h>
#include <rig.h>

#include <pthread.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 40 };

static const int64_t shape[] = {3, 6, 6};

typedef struct worker {
  const rig* r;
  const pz_tensor* w;
  double value[108];
  double gradient[108];
  pz_status status;
} worker;

static pz_status
work(worker* const me, pz_state* const state, pz_eval* const eval)
{
  pz_tensor value;
  const pz_tensor out = pz_host_tensor(PZ_F64, me->gradient, 3, shape);
  for (int i = 0; i < ROUNDS; ++i) {
    pz_chain* longer = NULL;
    PZ_TRY(pz_eval_assign(eval, state, PZ_REGISTER, me->w));
    PZ_TRY(pz_eval_forward(eval, state, PZ_CALL_SAVING, NULL, &value));
    PZ_TRY(pz_eval_vjp(eval, state, me->w, 1, 1, false, &out));
    memcpy(me->value, value.data, sizeof(me->value));
    PZ_TRY(pz_chain_append(me->r->chain, "gain,fold", NULL, 0, &longer));
    pz_chain_free(longer);
    PZ_TRY(pz_eval_update(eval, state));
  }
  return PZ_OK;
}

static void*
run(void* const argument)
{
  worker* const me = argument;
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  me->status = pz_state_new(me->r->chain, me->r->queue, &state);
  if (me->status == PZ_OK) {
    me->status = pz_eval_new(me->r->chain, me->r->queue, &eval);
  }
  if (me->status == PZ_OK) {
    me->status = work(me, state, eval);
  }
  pz_eval_free(eval);
  pz_state_free(state);
  return NULL;
}

START_TEST(test_threads)
{
  rig r;
  pthread_t threads[THREADS];
  static worker workers[THREADS];
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  rig_from_tensor(&r, "fold,turn", PZ_F64, 3, shape);
  const pz_tensor w = host_normal(pz_chain_value(r.chain), &r.random, 0.3);
  for (int i = 0; i < THREADS; ++i) {
    workers[i] = (worker){.r = &r, .w = &w};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; ++i) {
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(workers[i].status, PZ_OK);
    ck_assert_mem_eq(workers[i].value, workers[0].value, sizeof(workers[0].value));
    ck_assert_mem_eq(workers[i].gradient, workers[0].gradient, sizeof(workers[0].gradient));
  }
  rig_close(&r);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("threads");
  tcase_add_test(tests, test_threads);
  return test_main_case(tests);
}
