/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* States: filled when maps join, moved on by update, bound to the host's memory, taken over
   by longer and shorter chains, and empty. */

#include "state.h"
#include <maps.h>
#include <rig.h>

#include <string.h>

static rig r;
static const int64_t shape[] = {2, 3, 3};
static pz_spec spec;

static void
setup(void)
{
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
  spec = pz_spec_make(PZ_F64, 3, shape);
}

static void
teardown(void)
{
  rig_close(&r);
}

/* Each map is filled from what it is registered on: the tensor, then the value so far. */
START_TEST(test_initialize)
{
  const pz_tensor w = host_normal(&spec, &r.random, 1.0);
  pz_tensor value;
  rig_chain(&r, "base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, w.data, host_bytes(&w));

  /* fold of w is what the base after it sees, registered together or one by one. */
  rig_chain(&r, "fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  const pz_tensor folded = host_zeros(&spec);
  memcpy(folded.data, value.data, host_bytes(&folded));
  rig_chain(&r, "fold,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  const pz_tensor x = rig_tensor(&r, PZ_ORIGINAL, 0);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, folded.data, host_bytes(&folded));
  for (int k = 0; k < 18; ++k) { /* originals are not its business */
    ck_assert_double_eq(((const double*)x.data)[k], 0.0);
  }
  /* From the input: from the originals as they are. */
  rig_chain(&r, "fold,base", NULL, 0, PZ_FROM_INPUT, &spec, 1);
  const pz_tensor original = rig_tensor(&r, PZ_ORIGINAL, 0);
  memcpy(original.data, w.data, host_bytes(&w));
  pz_state_touch(r.state);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &original));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, folded.data, host_bytes(&folded));
  /* Later maps alone: the others keep what they have. */
  rig_chain(&r, "base,gain,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  rig_fill(&r, 1.0);
  double kept[18];
  memcpy(kept, rig_tensor(&r, PZ_STATE_BUFFER, 0).data, sizeof(kept));
  map_calls.n = 0;
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 2, NULL));
  ck_assert_uint_eq(map_calls.n, 1);
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, kept, sizeof(kept));
  ck_assert_fails(pz_eval_initialize(r.eval, r.state, 3, NULL), PZ_INVALID, "parametrization 3");
  ck_assert_fails(pz_eval_initialize(r.eval, r.state, 0, NULL), PZ_INVALID, "tensor");
  /* Two originals, and a first map without a right inverse. */
  static const int64_t flat[] = {4, 3};
  rig_from_tensor(&r, "norm,mask", PZ_F64, 2, flat);
  const pz_tensor n = host_normal(pz_chain_value(r.chain), &r.random, 1.0);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &n));
  rig_chain(&r, "bare,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  for (int k = 0; k < 18; ++k) {
    ck_assert_double_eq(((const double*)rig_tensor(&r, PZ_STATE_BUFFER, 0).data)[k],
                        2.0 * ((const double*)w.data)[k]);
  }
}
END_TEST

START_TEST(test_update)
{
  const pz_tensor w = host_normal(&spec, &r.random, 1.0);
  pz_tensor value;
  double first[18];
  /* A map that only uses its draw: the same until the host says update. */
  rig_chain(&r, "noise", NULL, 0, PZ_FROM_INPUT, &spec, 1);
  memcpy(rig_tensor(&r, PZ_ORIGINAL, 0).data, w.data, host_bytes(&w));
  pz_state_touch(r.state);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  memcpy(first, value.data, sizeof(first));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
  ck_assert_mem_eq(value.data, first, sizeof(first));
  const uint64_t version = pz_state_version(r.state);
  ck_assert_ok(pz_eval_update(r.eval, r.state));
  ck_assert_uint_ne(pz_state_version(r.state), version);
  pz_tensor g = w;
  const pz_tensor gx = host_zeros(&spec);
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, 1, false, &gx), PZ_STALE, "changed");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_mem_ne(value.data, first, sizeof(first));

  /* Buffers move, originals do not; two masks draw apart, and later maps see the new
     value of the earlier. */
  rig_chain(&r, "mask(keep=0.5),mask(keep=0.5)", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  rig_fill(&r, 1.0);
  const pz_tensor a = rig_tensor(&r, PZ_STATE_BUFFER, 0);
  const pz_tensor b = rig_tensor(&r, PZ_STATE_BUFFER, 1);
  double masks[2][18];
  bool moved = false;
  ck_assert_mem_ne(a.data, b.data, sizeof(first)); /* equal once in 2^18 */
  for (int i = 0; i < 4; ++i) {
    memcpy(masks[0], a.data, sizeof(first));
    memcpy(masks[1], b.data, sizeof(first));
    memcpy(first, rig_tensor(&r, PZ_ORIGINAL, 0).data, sizeof(first));
    ck_assert_ok(pz_eval_update(r.eval, r.state));
    ck_assert_mem_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, first, sizeof(first));
    moved = moved || memcmp(masks[0], a.data, sizeof(first)) != 0;
    for (int k = 0; k < 18; ++k) {
      const double m = ((const double*)a.data)[k];
      ck_assert(m == 0.0 || m == 1.0);
    }
  }
  ck_assert(moved);
}
END_TEST

/* The host's own memory: strides and odd offsets are packed at every forward, and
   assignment writes through them. */
START_TEST(test_bound)
{
  static const int64_t strides[] = {10, 1, 3};
  static double memory[32];
  pz_tensor value;
  const pz_tensor w = host_skew(&spec, &r.random);
  pz_tensor mine = pz_host_tensor(PZ_F64, memory, 3, shape);
  mine.strides = strides;
  mine.byte_offset = 3 * sizeof(double);
  rig_chain(&r, "fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  const uint64_t version = pz_state_version(r.state);
  ck_assert_ok(pz_state_bind(r.state, PZ_ORIGINAL, 0, &mine));
  ck_assert_uint_ne(pz_state_version(r.state), version);
  for (int k = 0; k < 32; ++k) {
    memory[k] = -99.0;
  }
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  for (int b = 0; b < 2; ++b) {
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        const double expected = j > i ? ((const double*)w.data)[b * 9 + i * 3 + j] : 0.0;
        ck_assert_double_eq(memory[3 + b * 10 + i + j * 3], expected);
      }
    }
  }
  ck_assert_double_eq(memory[2], -99.0);
  ck_assert_double_eq(memory[12], -99.0);
  ck_assert_double_eq(memory[22], -99.0);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_mem_eq(value.data, w.data, host_bytes(&w));
  memory[3 + 3] = 42.0; /* entry (0, 0, 1) */
  pz_state_touch(r.state);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_double_eq(((const double*)value.data)[1], 42.0);
  ck_assert_double_eq(((const double*)value.data)[3], -42.0);

  static const int64_t repeating[] = {9, 0, 1};
  pz_tensor bad = mine;
  bad.strides = repeating;
  ck_assert_fails(pz_state_bind(r.state, PZ_ORIGINAL, 0, &bad), PZ_INVALID, "twice");
  bad = mine;
  bad.dtype = PZ_F32;
  ck_assert_fails(pz_state_bind(r.state, PZ_ORIGINAL, 0, &bad), PZ_MISMATCH,
                  "original: found float32 2x3x3, expected float64 2x3x3");
  bad.device.type = PZ_DEVICE_OPENCL;
  bad.dtype = PZ_F64;
  ck_assert_fails(pz_state_bind(r.state, PZ_ORIGINAL, 0, &bad), PZ_MISMATCH,
                  "found on opencl:0, expected");
  ck_assert_fails(pz_state_bind(r.state, PZ_ORIGINAL, 1, &mine), PZ_NOT_FOUND, "tensor 1");
  ck_assert_ptr_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, memory);
}
END_TEST

static const pzi_storage*
storage_of(const pz_state* const state, const uint32_t role, const uint32_t index)
{
  return state->storages[pzi_chain_place(state->chain, role, index)];
}

/* Longer and shorter chains take over the storages and draws of the maps that stay. */
START_TEST(test_adopt)
{
  pz_chain* longer = NULL;
  pz_chain* shorter = NULL;
  pz_state* grown = NULL;
  pz_state* left = NULL;
  const pz_tensor w = host_normal(&spec, &r.random, 1.0);
  rig_chain(&r, "mask,gain", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  ck_assert_ok(pz_chain_append(r.chain, "mask,gain", NULL, 0, &longer));
  ck_assert_ok(pzi_state_adopt(longer, r.state, &grown));
  ck_assert_ptr_eq(storage_of(grown, PZ_ORIGINAL, 0), storage_of(r.state, PZ_ORIGINAL, 0));
  ck_assert_ptr_eq(storage_of(grown, PZ_STATE_BUFFER, 0), storage_of(r.state, PZ_STATE_BUFFER, 0));
  ck_assert_ptr_eq(storage_of(grown, PZ_OWN_PARAMETER, 0),
                   storage_of(r.state, PZ_OWN_PARAMETER, 0));
  ck_assert_uint_eq(grown->draws[0], r.state->draws[0]);
  ck_assert_uint_ne(grown->draws[2], r.state->draws[0]);
  ck_assert_uint_ne(pz_state_version(grown), pz_state_version(r.state));
  const pz_tensor fresh = storage_of(grown, PZ_STATE_BUFFER, 1)->tensor;
  for (int k = 0; k < 18; ++k) {
    ck_assert_double_eq(((const double*)fresh.data)[k], 0.0);
  }
  /* Out goes the first map: the second one's tensors come first. */
  ck_assert_ok(pz_chain_without(longer, 0, &shorter));
  ck_assert_ok(pzi_state_adopt(shorter, grown, &left));
  ck_assert_ptr_eq(storage_of(left, PZ_OWN_PARAMETER, 0), storage_of(r.state, PZ_OWN_PARAMETER, 0));
  ck_assert_ptr_eq(storage_of(left, PZ_STATE_BUFFER, 0), storage_of(grown, PZ_STATE_BUFFER, 1));
  ck_assert_uint_eq(left->draws[1], grown->draws[2]);
  ck_assert_uint_eq(pzi_chain_place(left->chain, PZ_STATE_BUFFER, 1), UINT32_MAX);
  pz_state_free(grown);
  pz_chain_free(longer);
  /* They live on without the states they came from. */
  pz_eval* eval = NULL;
  pz_tensor value;
  ck_assert_ok(pz_eval_new(shorter, r.queue, &eval));
  ck_assert_ok(pz_eval_forward(eval, left, 0, NULL, &value));
  ck_assert_fails(pz_eval_forward(r.eval, left, 0, NULL, &value), PZ_INVALID,
                  "found a state of chain \"gain,mask,gain\", expected that of its own chain "
                  "\"mask,gain\"");
  pz_eval_free(eval);
  pz_state_free(left);
  pz_chain_free(shorter);
}
END_TEST

START_TEST(test_empty)
{
  static const int64_t shapes[][3] = {{0, 3, 3}, {2, 0, 0}, {0, 0, 0}};
  static const char* const texts[] = {"fold,turn", "mask,gain,base", "noise", "power"};
  for (int s = 0; s < 3; ++s) {
    for (int t = 0; t < 4; ++t) {
      const pz_spec empty = pz_spec_make(PZ_F32, 3, shapes[s]);
      const pz_tensor w = pz_host_tensor(PZ_F32, NULL, 3, shapes[s]);
      pz_tensor gx[2] = {w, w};
      pz_tensor value;
      rig_chain(&r, texts[t], NULL, 0, PZ_FROM_TENSOR, &empty, 1);
      ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
      if (t < 2) {
        ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
      }
      ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, NULL, &value));
      ck_assert_int_eq(pz_count(&value), 0);
      ck_assert_ok(pz_eval_vjp(r.eval, r.state, &w, 1, 1, true, gx));
      ck_assert_ok(pz_eval_update(r.eval, r.state));
      ck_assert_ok(pz_eval_sample(r.eval, r.state));
    }
  }
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("state");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_initialize);
  tcase_add_test(tests, test_update);
  tcase_add_test(tests, test_bound);
  tcase_add_test(tests, test_adopt);
  tcase_add_test(tests, test_empty);
  return test_main_case(tests);
}
