/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Assignment under every intent, sampling, residuals: all of it or nothing, and always in the
   same memory. */

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

static void
check_log(const uint32_t k, const char* const entry, const uint32_t intent)
{
  ck_assert_uint_lt(k, map_calls.n);
  ck_assert_str_eq(map_calls.entry[k], entry);
  ck_assert_uint_eq(map_calls.intent[k], intent);
}

/* The last map is asked with the caller's intent, the others never validate. */
START_TEST(test_intents)
{
  pz_tensor value;
  const pz_tensor w = host_skew(&spec, &r.random);
  rig_chain(&r, "fold,gain,fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  static const pz_intent intents[] = {PZ_ASSIGN, PZ_REGISTER, PZ_CHAIN};
  for (int i = 0; i < 3; ++i) {
    map_calls.n = 0;
    const uint64_t version = pz_state_version(r.state);
    ck_assert_ok(pz_eval_assign(r.eval, r.state, intents[i], &w));
    ck_assert_uint_eq(map_calls.n, 3);
    check_log(0, "fold right_inverse", intents[i]);
    check_log(1, "gain right_inverse", PZ_CHAIN);
    check_log(2, "fold right_inverse", PZ_CHAIN);
    ck_assert_uint_ne(pz_state_version(r.state), version);
    ck_assert_uint_eq(map_calls.in[0], PZ_GENERAL);
  }
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_mem_eq(value.data, w.data, host_bytes(&w));
  ck_assert_fails(pz_eval_assign(r.eval, r.state, (pz_intent)0, &w), PZ_INVALID, "intent 0");

  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  map_calls.n = 0;
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  ck_assert_uint_eq(map_calls.in[0], PZ_SKEW); /* turn: what its x is known to be */
}
END_TEST

START_TEST(test_values)
{
  static rig_snapshot before;
  pz_tensor w = host_skew(&spec, &r.random);
  pz_tensor value;
  rig_chain(&r, "fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  const pz_tensor original = rig_tensor(&r, PZ_ORIGINAL, 0);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  const pz_tensor after = rig_tensor(&r, PZ_ORIGINAL, 0);
  ck_assert_ptr_eq(original.data, after.data);
  rig_look(&r, &before);

  double* const v = w.data;
  v[1] += 1.0;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_OUTSIDE,
                  "fold: found a matrix 0.5 from skew");
  rig_assert_unchanged(&r, &before);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
  rig_look(&r, &before);

  static const int64_t other[] = {2, 3, 4};
  pz_tensor bad = w;
  bad.shape = other;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &bad), PZ_MISMATCH,
                  "value: found float64 2x3x4, expected float64 2x3x3");
  bad = w;
  bad.dtype = PZ_F32;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &bad), PZ_MISMATCH,
                  "value: found float32 2x3x3, expected float64 2x3x3");
  bad = w;
  bad.device.type = PZ_DEVICE_CUDA;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &bad), PZ_MISMATCH,
                  "found on cuda:0, expected");
  bad = w;
  bad.data = NULL;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &bad), PZ_INVALID, "no data");
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, NULL), PZ_INVALID, "value");
  rig_assert_unchanged(&r, &before);

  /* Transposed through strides, off alignment: a copy, not an alias. */
  static const int64_t strides[] = {9, 1, 3};
  pz_spec room_spec = spec;
  room_spec.shape[0] = 3;
  const pz_tensor room = host_zeros(&room_spec);
  w = host_skew(&spec, &r.random);
  double* const at = (double*)room.data + 1;
  memcpy(at, w.data, host_bytes(&w));
  pz_tensor strided = room;
  strided.shape = shape;
  strided.strides = strides;
  strided.byte_offset = sizeof(double);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &strided));
  memset(room.data, 0, host_bytes(&room));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  for (int k = 0; k < 18; ++k) { /* the transpose of a skew matrix is its negative */
    ck_assert_double_eq(((const double*)value.data)[k], -((const double*)w.data)[k]);
  }
  /* A value of the evaluation itself. */
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &value));
}
END_TEST

/* Registering: no right inverse, or one without an answer, counts as the identity; own
   tensors that it had staged by then are left as they were. */
START_TEST(test_register)
{
  static rig_snapshot before;
  static const pz_status none[] = {PZ_SINGULAR, PZ_UNSUPPORTED, PZ_OUTSIDE};
  static const pz_status failures[] = {PZ_INVALID, PZ_DEVICE, PZ_NO_MEMORY, PZ_MISMATCH};
  const pz_tensor w = host_normal(&spec, &r.random, 1.0);
  rig_chain(&r, "bare", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_UNSUPPORTED,
                  "bare: has no right inverse");
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_CHAIN, &w), PZ_UNSUPPORTED,
                  "bare: has no right inverse");
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, w.data, host_bytes(&w));

  rig_chain(&r, "mask", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  const pz_tensor mask = rig_tensor(&r, PZ_STATE_BUFFER, 0);
  double drawn[18];
  memcpy(drawn, mask.data, sizeof(drawn));
  for (int i = 0; i < 3; ++i) {
    map_mask_answer = none[i];
    rig_look(&r, &before);
    ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), none[i],
                    "mask: found what the test asked for");
    rig_assert_unchanged(&r, &before);
    ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
    ck_assert_mem_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, w.data, host_bytes(&w));
    ck_assert_mem_eq(mask.data, drawn, sizeof(drawn));
  }
  for (int i = 0; i < 4; ++i) {
    map_mask_answer = failures[i];
    rig_look(&r, &before);
    ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w), failures[i],
                    "mask: found what the test asked for");
    rig_assert_unchanged(&r, &before);
  }
  map_mask_answer = PZ_OK;
  rig_chain(&r, "fold,bare", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w), PZ_UNSUPPORTED,
                  "bare: has no right inverse");
}
END_TEST

/* The last maps succeed and stage new buffers and parameters, the first one fails: nothing
   of all that is written. */
START_TEST(test_staged)
{
  static rig_snapshot before;
  const pz_tensor w = host_normal(&spec, &r.random, 1.0);
  pz_tensor value;
  rig_chain(&r, "mask,gain,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  rig_fill(&r, 1.0);
  rig_look(&r, &before);
  map_mask_answer = PZ_SINGULAR;
  map_calls.n = 0;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_SINGULAR, "mask: ");
  ck_assert_uint_eq(map_calls.n, 3); /* all of them ran */
  rig_assert_unchanged(&r, &before);
  map_mask_answer = PZ_OK;
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 1).data, w.data, host_bytes(&w));
  const double* const gain = rig_tensor(&r, PZ_OWN_PARAMETER, 0).data;
  const double* const x = rig_tensor(&r, PZ_ORIGINAL, 0).data;
  for (int k = 0; k < 18; ++k) {
    ck_assert_double_eq(gain[k], 1.0);
    ck_assert_double_eq(x[k], 0.0);
  }
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_mem_eq(value.data, w.data, host_bytes(&w));
}
END_TEST

START_TEST(test_sample)
{
  pz_tensor value;
  double first[18];
  rig_chain(&r, "gain,fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  map_calls.n = 0;
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  check_log(0, "fold sample", 0);
  check_log(1, "fold right_inverse", PZ_CHAIN);
  check_log(2, "gain right_inverse", PZ_CHAIN);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  memcpy(first, value.data, sizeof(first));
  ck_assert_double_eq(first[0], 0.0);
  ck_assert_double_eq(first[1], -first[3]);
  ck_assert_double_ne(first[1], 0.0);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_mem_ne(value.data, first, sizeof(first));

  /* Without sample: normal originals. The same seed gives the same ones. */
  pz_context_seed(r.context, 5);
  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  memcpy(first, rig_tensor(&r, PZ_ORIGINAL, 0).data, sizeof(first));
  pz_context_seed(r.context, 5);
  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  ck_assert_mem_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, first, sizeof(first));
  double sum = 0.0;
  for (int k = 0; k < 18; ++k) {
    sum += first[k] * first[k];
  }
  ck_assert(sum > 1.0 && sum < 100.0);

  rig_chain(&r, "bare,fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_fails(pz_eval_sample(r.eval, r.state), PZ_UNSUPPORTED, "bare: has no right inverse");
}
END_TEST

START_TEST(test_residual)
{
  const pz_tensor w = host_skew(&spec, &r.random);
  double distance = -1.0;
  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 0, &w, &distance));
  ck_assert_double_eq(distance, 0.0);
  ((double*)w.data)[1] += 1.0;
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 0, &w, &distance));
  ck_assert_double_eq_tol(distance, 0.5, 1e-14);
  ck_assert_fails(pz_eval_residual(r.eval, r.state, 1, &w, &distance), PZ_UNSUPPORTED,
                  "turn: has no residual");
  ck_assert_fails(pz_eval_residual(r.eval, r.state, 2, &w, &distance), PZ_INVALID,
                  "parametrization 2");
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("assign");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_intents);
  tcase_add_test(tests, test_values);
  tcase_add_test(tests, test_register);
  tcase_add_test(tests, test_staged);
  tcase_add_test(tests, test_sample);
  tcase_add_test(tests, test_residual);
  return test_main_case(tests);
}
