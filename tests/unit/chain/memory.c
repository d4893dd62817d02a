/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory of chains and evaluations: none is asked for in steady state; and when any one
   request is refused the call says so, nothing leaks, and nothing has changed. */

#include "allocator.h"
#include <maps.h>
#include <rig.h>

#include <string.h>

static const int64_t shape[] = {2, 5, 5};
static const int64_t strides[] = {26, 1, 5}; /* of what the host binds: transposed, a gap */
static double bound[64];

/* ---- steady state ---------------------------------------------------------------------------- */

static void
bind_strided(const rig* const r)
{
  pz_tensor mine = pz_host_tensor(PZ_F64, bound, 3, shape);
  mine.strides = strides;
  mine.byte_offset = sizeof(double);
  ck_assert_ok(pz_state_bind(r->state, PZ_ORIGINAL, 0, &mine));
}

static uint64_t
held(const rig* const r, uint64_t* const bytes)
{
  pz_eval_usage usage = {.size = sizeof(usage)};
  ck_assert_ok(pz_eval_memory(r->eval, &usage));
  *bytes = usage.value_bytes + usage.saved_bytes + usage.work_bytes;
  ck_assert_uint_gt(usage.value_bytes, 0);
  ck_assert_uint_gt(usage.saved_bytes, 0);
  ck_assert_uint_gt(usage.work_bytes, 0);
  return usage.allocations;
}

/* Without assertions, which allocate. */
static pz_status
step(const rig* const r, const pz_tensor* const g, const pz_tensor* const gx, const bool change)
{
  pz_tensor value;
  if (change) {
    pz_state_touch(r->state);
  }
  PZ_TRY(pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, &value));
  return pz_eval_vjp(r->eval, r->state, g, 1, 3, true, gx);
}

/* The numbers of a tensor as those of the first two dimensions. */
static pz_tensor
numbers_of(const pz_tensor* const t)
{
  return pz_host_tensor(PZ_F64, t->data, 2, shape);
}

/* Of `scaled,entries`. */
static pz_status
differentiate(const rig* const r, const pz_tensor* const g, const pz_tensor* const gx)
{
  const pz_tensor tangents[2] = {*g};
  const pz_tensor number = numbers_of(&gx[1]);
  const pz_tensor weight = numbers_of(g);
  const pz_tensor gradients[2] = {gx[0], number};
  PZ_TRY(pz_eval_jvp(r->eval, r->state, tangents, 1, gx));
  PZ_TRY(pz_eval_log_abs_det(r->eval, r->state, &number));
  return pz_eval_log_abs_det_vjp(r->eval, r->state, &weight, 3, true, gradients);
}

static pz_status
move(const rig* const r, const pz_tensor* const value)
{
  PZ_TRY(pz_eval_assign(r->eval, r->state, PZ_ASSIGN, value));
  return pz_eval_update(r->eval, r->state);
}

START_TEST(test_steady)
{
  static const char* const devices[] = {"reference", "cpu"};
  rig r;
  rig_open(&r, &pz_plugin_v1_test_maps, devices[_i]);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_density_maps));
  rig_from_tensor(&r, "fold,turn,power,gain,mask,noise", PZ_F64, 3, shape);
  bind_strided(&r);
  const pz_tensor g = host_normal(pz_chain_value(r.chain), &r.random, 1.0);
  double room[64] = {0};
  pz_tensor gx[2] = {pz_host_tensor(PZ_F64, room, 3, shape), host_zeros(pz_chain_value(r.chain))};
  gx[0].strides = strides;
  const pz_tensor x = rig_tensor(&r, PZ_ORIGINAL, 0);
  for (int k = 0; k < 64; ++k) {
    bound[k] = test_normal(&r.random);
  }
  ck_assert_ptr_eq(x.data, bound);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &g));
  for (int i = 0; i < 3; ++i) {
    ck_assert_ok(step(&r, &g, gx, true));
  }
  uint64_t bytes = 0;
  uint64_t bytes_after = 0;
  const uint64_t allocations = held(&r, &bytes);
  allocator_start(0);
  pz_status status = PZ_OK;
  for (int i = 0; i < 1000 && status == PZ_OK; ++i) {
    status = step(&r, &g, gx, i % 2 == 0);
  }
  const unsigned long requests = allocator_stop();
  ck_assert_ok(status);
  ck_assert_uint_eq(requests, 0);
  ck_assert_uint_eq(held(&r, &bytes_after), allocations);
  ck_assert_uint_eq(bytes_after, bytes);

  /* Assigning and updating settle as well. */
  rig_from_tensor(&r, "mask,gain,base", PZ_F64, 3, shape);
  for (int i = 0; i < 3; ++i) {
    ck_assert_ok(move(&r, &g));
  }
  allocator_start(0);
  for (int i = 0; i < 100 && status == PZ_OK; ++i) {
    status = move(&r, &g);
  }
  ck_assert_uint_eq(allocator_stop(), 0);
  ck_assert_ok(status);

  /* So do derivatives. */
  rig_from_tensor(&r, "scaled,entries", PZ_F64, 3, shape);
  for (int i = 0; i < 3; ++i) {
    ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, NULL));
    ck_assert_ok(differentiate(&r, &g, gx));
  }
  allocator_start(0);
  for (int i = 0; i < 100 && status == PZ_OK; ++i) {
    status = pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, NULL);
    status = status == PZ_OK ? differentiate(&r, &g, gx) : status;
  }
  ck_assert_uint_eq(allocator_stop(), 0);
  ck_assert_ok(status);
  rig_close(&r);
}
END_TEST

#ifndef TEST_NO_ALLOCATOR

/* ---- each request refused in turn -------------------------------------------------------------- */

/* One attempt with request k refused; true when there was no k-th request any more. */
typedef pz_status (*attempt_function)(rig* r, pz_tensor* g, pz_tensor* gx);

static pz_status
attempt_forward(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor value;
  (void)g;
  (void)gx;
  return pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, &value);
}

static pz_status
attempt_vjp(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  pz_tensor strided = *gx;
  strided.strides = strides;
  pz_tensor both[2] = {strided, gx[1]};
  return pz_eval_vjp(r->eval, r->state, g, 1, 3, true, both);
}

static pz_status
attempt_jvp(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  const pz_tensor tangents[2] = {*g};
  pz_tensor strided = *gx;
  strided.strides = strides;
  return pz_eval_jvp(r->eval, r->state, tangents, 1, &strided);
}

static pz_status
attempt_log_abs_det(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  const pz_tensor number = numbers_of(&gx[1]);
  (void)g;
  return pz_eval_log_abs_det(r->eval, r->state, &number);
}

static pz_status
attempt_log_abs_det_vjp(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  const pz_tensor weight = numbers_of(g);
  pz_tensor both[2] = {*gx, numbers_of(&gx[1])};
  both[0].strides = strides;
  return pz_eval_log_abs_det_vjp(r->eval, r->state, &weight, 3, true, both);
}

static pz_status
attempt_assign(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  (void)gx;
  return pz_eval_assign(r->eval, r->state, PZ_CHAIN, g);
}

static pz_status
attempt_initialize(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  (void)gx;
  return pz_eval_initialize(r->eval, r->state, 0, g);
}

static pz_status
attempt_update(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  (void)g;
  (void)gx;
  return pz_eval_update(r->eval, r->state);
}

static pz_status
attempt_sample(rig* const r, pz_tensor* const g, pz_tensor* const gx)
{
  (void)g;
  (void)gx;
  return pz_eval_sample(r->eval, r->state);
}

/* `power` has no right inverse. */
static const struct {
  attempt_function run;
  const char* text;
  bool forward_first;
} attempts[] = {
    {attempt_forward, "fold,turn,power,gain,mask(keep=0.5),base", false},
    {attempt_vjp, "fold,turn,power,gain,mask(keep=0.5),base", true},
    {attempt_assign, "fold,turn,gain,mask(keep=0.5),base", false},
    {attempt_initialize, "fold,turn,gain,mask(keep=0.5),base", false},
    {attempt_update, "fold,mask(keep=0.5),turn,mask", false},
    {attempt_sample, "gain,base,fold", false},
    {attempt_jvp, "scaled,entries", true},
    {attempt_log_abs_det, "scaled,entries", true},
    {attempt_log_abs_det_vjp, "scaled,entries", true},
};

/* A fresh evaluation each time, so that every request is made again. */
static bool
attempt(rig* const r, const int which, const unsigned long k, pz_tensor* const g,
        pz_tensor* const gx)
{
  static rig_snapshot before;
  static double gradients[2][64];
  pz_tensor value;
  pz_eval_free(r->eval);
  r->eval = NULL;
  ck_assert_ok(pz_eval_new(r->chain, r->queue, &r->eval));
  if (attempts[which].forward_first) {
    ck_assert_ok(pz_eval_forward(r->eval, r->state, PZ_CALL_SAVING, NULL, &value));
  }
  rig_look(r, &before);
  memcpy(gradients[0], gx[0].data, sizeof(gradients[0]));
  memcpy(gradients[1], gx[1].data, host_bytes(&gx[1]));
  allocator_start(k);
  const pz_status status = attempts[which].run(r, g, gx);
  allocator_stop();
  const bool refused = allocator_refused();
  ck_assert_msg(status == PZ_OK || (refused && status == PZ_NO_MEMORY),
                "attempt %d, request %lu: status %d: %s", which, k, (int)status,
                pz_error_message());
  if (status != PZ_OK) {
    rig_assert_unchanged(r, &before);
    ck_assert_mem_eq(gradients[0], gx[0].data, sizeof(gradients[0]));
    ck_assert_mem_eq(gradients[1], gx[1].data, host_bytes(&gx[1]));
    ck_assert_ptr_nonnull(strstr(pz_error_message(), "out of memory"));
    ck_assert_ok(attempts[which].run(r, g, gx)); /* and it can be tried again */
  }
  return refused;
}

START_TEST(test_refused_calls)
{
  rig r;
  double room[64] = {0};
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  ck_assert_ok(pz_context_add_plugin(r.context, &pz_plugin_v1_density_maps));
  rig_from_tensor(&r, attempts[_i].text, PZ_F64, 3, shape);
  pz_tensor g = host_normal(pz_chain_value(r.chain), &r.random, 1.0);
  pz_tensor gx[2] = {pz_host_tensor(PZ_F64, room, 3, shape), host_zeros(pz_chain_value(r.chain))};
  if (_i != 5) {
    rig_fill(&r, 0.5);
  }
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &g));
  unsigned long k = 1;
  while (attempt(&r, _i, k, &g, gx)) {
    ++k;
    ck_assert_uint_lt(k, 1000);
  }
  ck_assert_uint_gt(k, 3);
  rig_close(&r);
}
END_TEST

/* What makes objects: they are not there on failure, and neither is any of their memory. */
static pz_status
make_all(rig* const r)
{
  const pz_option_setting setting = {
      .name = "keep", .stage = 4, .value = {.type = PZ_REAL, .as.real = 0.25}};
  const pz_spec spec = pz_spec_make(PZ_F64, 3, shape);
  pz_chain* chain = NULL;
  pz_chain* longer = NULL;
  pz_chain* shorter = NULL;
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  pz_status status = pz_chain_new(r->context, "fold,turn,power,gain,mask(keep=0.5),base", &setting,
                                  1, PZ_FROM_TENSOR, &spec, 1, &chain);
  if (status == PZ_OK) {
    status = pz_chain_append(chain, "gain,mask", NULL, 0, &longer);
  }
  if (status == PZ_OK) {
    status = pz_chain_without(longer, 1, &shorter);
  }
  if (status == PZ_OK) {
    status = pz_state_new(shorter, r->queue, &state);
  }
  if (status == PZ_OK) {
    status = pz_eval_new(shorter, r->queue, &eval);
  }
  if (status == PZ_OK) {
    pz_tensor mine = pz_host_tensor(PZ_F64, bound, 3, shape);
    status = pz_state_bind(state, PZ_ORIGINAL, 0, &mine);
  }
  pz_eval_free(eval);
  pz_state_free(state);
  pz_chain_free(shorter);
  pz_chain_free(longer);
  pz_chain_free(chain);
  return status;
}

START_TEST(test_refused_objects)
{
  rig r;
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  ck_assert_ok(make_all(&r)); /* maps are looked up once */
  unsigned long k = 1;
  bool refused = true;
  while (refused) {
    const long live = allocator_live();
    allocator_start(k);
    const pz_status status = make_all(&r);
    allocator_stop();
    refused = allocator_refused();
    ck_assert_int_eq(allocator_live(), live);
    ck_assert_msg(status == (refused ? PZ_NO_MEMORY : PZ_OK), "request %lu: status %d: %s", k,
                  (int)status, pz_error_message());
    ++k;
    ck_assert_uint_lt(k, 1000);
  }
  ck_assert_uint_gt(k, 50);
  rig_close(&r);
}
END_TEST

#endif /* TEST_NO_ALLOCATOR */

int
main(void)
{
  TCase* const tests = tcase_create("memory");
#ifdef TEST_CPU
  tcase_add_loop_test(tests, test_steady, 0, 2);
#else
  tcase_add_loop_test(tests, test_steady, 0, 1);
#endif
#ifndef TEST_NO_ALLOCATOR
  tcase_add_loop_test(tests, test_refused_calls, 0, (int)(sizeof(attempts) / sizeof(attempts[0])));
  tcase_add_test(tests, test_refused_objects);
#endif
  return test_main_case(tests);
}
