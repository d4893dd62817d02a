/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What changes a state: assignment under every intent, filling, updating, sampling; all of
   it or nothing, and always in the same memory. */

#include "chain.h"
#include "rig.h"

static rig r;
static const int64_t shape[] = {2, 3, 3};
static pz_spec spec;

static void
setup(void)
{
  rig_open(&r, NULL);
  spec = pz_spec_make(PZ_F64, 3, shape);
}

static void
teardown(void)
{
  rig_close(&r);
}

/* Bytes of every tensor of the state, one after the other, and its version. */
typedef struct picture {
  size_t bytes;
  uint64_t version;
  char data[16384];
} picture;

static void
take(picture* const p)
{
  p->bytes = 0;
  p->version = pz_state_version(r.state);
  for (pz_role role = PZ_ORIGINAL; role <= PZ_STATE_BUFFER; ++role) {
    for (uint32_t k = 0; k < pz_chain_count(r.chain, role); ++k) {
      const pz_tensor t = rig_tensor(&r, role, k);
      ck_assert_uint_le(p->bytes + rig_bytes(&t), sizeof(p->data));
      memcpy(p->data + p->bytes, t.data, rig_bytes(&t));
      p->bytes += rig_bytes(&t);
    }
  }
}

static void
check_unchanged(const picture* const before)
{
  static picture now;
  take(&now);
  ck_assert_uint_eq(now.version, before->version);
  ck_assert_mem_eq(now.data, before->data, before->bytes);
}

static pz_tensor
skew_value(void)
{
  pz_tensor a = rig_host_normal(&r, &spec, 1.0);
  double* const v = a.data;
  for (int b = 0; b < 2; ++b) {
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j <= i; ++j) {
        v[b * 9 + i * 3 + j] = i == j ? 0.0 : -v[b * 9 + j * 3 + i];
      }
    }
  }
  return a;
}

static void
check_log(const uint32_t k, const char* const entry, const uint32_t intent)
{
  ck_assert_uint_lt(k, test_map_log.n);
  ck_assert_str_eq(test_map_log.entry[k], entry);
  ck_assert_uint_eq(test_map_log.intent[k], intent);
}

/* The last map is asked with the caller's intent, the others never validate. */
START_TEST(test_intents)
{
  pz_tensor value;
  pz_tensor w = skew_value();
  rig_chain(&r, "fold,gain,fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  static const pz_intent intents[] = {PZ_ASSIGN, PZ_REGISTER, PZ_CHAIN};
  for (int i = 0; i < 3; ++i) {
    test_map_log.n = 0;
    const uint64_t version = pz_state_version(r.state);
    ck_assert_ok(pz_eval_assign(r.eval, r.state, intents[i], &w));
    ck_assert_uint_eq(test_map_log.n, 3);
    check_log(0, "fold right_inverse", intents[i]);
    check_log(1, "gain right_inverse", PZ_CHAIN);
    check_log(2, "fold right_inverse", PZ_CHAIN);
    ck_assert_uint_ne(pz_state_version(r.state), version);
    ck_assert_uint_eq(test_map_log.in[0], PZ_GENERAL);
  }
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
  ck_assert_mem_eq(value.data, w.data, rig_bytes(&w));
  ck_assert_fails(pz_eval_assign(r.eval, r.state, (pz_intent)0, &w), PZ_INVALID, "intent 0");

  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  test_map_log.n = 0;
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  ck_assert_uint_eq(test_map_log.in[0], PZ_SKEW); /* turn: what its x is known to be */
  rig_host_free(&w);
}
END_TEST

START_TEST(test_values)
{
  static picture before;
  pz_tensor w = skew_value();
  pz_tensor value;
  rig_chain(&r, "fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  const pz_tensor original = rig_tensor(&r, PZ_ORIGINAL, 0);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  const pz_tensor after = rig_tensor(&r, PZ_ORIGINAL, 0);
  ck_assert_ptr_eq(original.data, after.data);
  take(&before);

  double* const v = w.data;
  v[1] += 1.0;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_OUTSIDE,
                  "fold: found a matrix 0.5 from skew");
  check_unchanged(&before);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
  take(&before);

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
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &bad), PZ_MISMATCH, "device");
  bad = w;
  bad.data = NULL;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &bad), PZ_INVALID, "no data");
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, NULL), PZ_INVALID, "value");
  check_unchanged(&before);

  /* Transposed through strides, off alignment: a copy, not an alias. */
  static const int64_t strides[] = {9, 1, 3};
  pz_spec room_spec = spec;
  room_spec.shape[0] = 3;
  pz_tensor room = rig_host(&room_spec);
  rig_host_free(&w);
  w = skew_value();
  double* const at = (double*)room.data + 1;
  memcpy(at, w.data, rig_bytes(&w));
  pz_tensor strided = room;
  strided.shape = shape;
  strided.strides = strides;
  strided.byte_offset = sizeof(double);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &strided));
  memset(room.data, 0, rig_bytes(&room));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
  for (int k = 0; k < 18; ++k) { /* the transpose of a skew matrix is its negative */
    ck_assert_double_eq(((const double*)value.data)[k], -((const double*)w.data)[k]);
  }
  /* A value of the evaluation itself. */
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &value));
  rig_host_free(&room);
  rig_host_free(&w);
}
END_TEST

/* Registering: no right inverse, or one without an answer, counts as the identity; own
   tensors that it had staged by then are left as they were. */
START_TEST(test_register)
{
  static picture before;
  static const pz_status none[] = {PZ_SINGULAR, PZ_UNSUPPORTED, PZ_OUTSIDE};
  static const pz_status failures[] = {PZ_INVALID, PZ_DEVICE, PZ_NO_MEMORY, PZ_MISMATCH};
  pz_tensor w = rig_host_normal(&r, &spec, 1.0);
  rig_chain(&r, "bare", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_UNSUPPORTED,
                  "bare: has no right inverse");
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_CHAIN, &w), PZ_UNSUPPORTED,
                  "bare: has no right inverse");
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, w.data, rig_bytes(&w));

  rig_chain(&r, "mask", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  const pz_tensor mask = rig_tensor(&r, PZ_STATE_BUFFER, 0);
  double drawn[18];
  memcpy(drawn, mask.data, sizeof(drawn));
  for (int i = 0; i < 3; ++i) {
    test_mask_answer = none[i];
    take(&before);
    ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), none[i],
                    "mask: found what the test asked for");
    check_unchanged(&before);
    ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
    ck_assert_mem_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, w.data, rig_bytes(&w));
    ck_assert_mem_eq(mask.data, drawn, sizeof(drawn));
  }
  for (int i = 0; i < 4; ++i) {
    test_mask_answer = failures[i];
    take(&before);
    ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w), failures[i],
                    "mask: found what the test asked for");
    check_unchanged(&before);
  }
  test_mask_answer = PZ_OK;
  rig_chain(&r, "fold,bare", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w), PZ_UNSUPPORTED,
                  "bare: has no right inverse");
  rig_host_free(&w);
}
END_TEST

/* The last maps succeed and stage new buffers and parameters, the first one fails: nothing
   of all that is written. */
START_TEST(test_staged)
{
  static picture before;
  pz_tensor w = rig_host_normal(&r, &spec, 1.0);
  pz_tensor value;
  rig_chain(&r, "mask,gain,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  rig_fill(&r, 1.0);
  take(&before);
  test_mask_answer = PZ_SINGULAR;
  test_map_log.n = 0;
  ck_assert_fails(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w), PZ_SINGULAR, "mask: ");
  ck_assert_uint_eq(test_map_log.n, 3); /* all of them ran */
  check_unchanged(&before);
  test_mask_answer = PZ_OK;
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_ASSIGN, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 1).data, w.data, rig_bytes(&w));
  const double* const gain = rig_tensor(&r, PZ_OWN_PARAMETER, 0).data;
  const double* const x = rig_tensor(&r, PZ_ORIGINAL, 0).data;
  for (int k = 0; k < 18; ++k) {
    ck_assert_double_eq(gain[k], 1.0);
    ck_assert_double_eq(x[k], 0.0);
  }
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
  ck_assert_mem_eq(value.data, w.data, rig_bytes(&w));
  rig_host_free(&w);
}
END_TEST

/* Each map is filled from what it is registered on: the tensor, then the value so far. */
START_TEST(test_initialize)
{
  pz_tensor w = rig_host_normal(&r, &spec, 1.0);
  pz_tensor value;
  rig_chain(&r, "base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, w.data, rig_bytes(&w));

  /* fold of w is what the base after it sees, registered together or one by one. */
  rig_chain(&r, "fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_assign(r.eval, r.state, PZ_REGISTER, &w));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
  pz_tensor folded = rig_host(&spec);
  memcpy(folded.data, value.data, rig_bytes(&folded));
  rig_chain(&r, "fold,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  const pz_tensor x = rig_tensor(&r, PZ_ORIGINAL, 0);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, folded.data, rig_bytes(&folded));
  for (int k = 0; k < 18; ++k) { /* originals are not its business */
    ck_assert_double_eq(((const double*)x.data)[k], 0.0);
  }
  /* From the input: from the originals as they are. */
  rig_chain(&r, "fold,base", NULL, 0, PZ_FROM_INPUT, &spec, 1);
  const pz_tensor original = rig_tensor(&r, PZ_ORIGINAL, 0);
  memcpy(original.data, w.data, rig_bytes(&w));
  pz_state_touch(r.state);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &original));
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, folded.data, rig_bytes(&folded));
  /* Later maps alone: the others keep what they have. */
  rig_chain(&r, "base,gain,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  rig_fill(&r, 1.0);
  double kept[18];
  memcpy(kept, rig_tensor(&r, PZ_STATE_BUFFER, 0).data, sizeof(kept));
  test_map_log.n = 0;
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 2, NULL));
  ck_assert_uint_eq(test_map_log.n, 1);
  ck_assert_mem_eq(rig_tensor(&r, PZ_STATE_BUFFER, 0).data, kept, sizeof(kept));
  ck_assert_fails(pz_eval_initialize(r.eval, r.state, 3, NULL), PZ_INVALID, "map 3");
  ck_assert_fails(pz_eval_initialize(r.eval, r.state, 0, NULL), PZ_INVALID, "tensor");
  /* Two originals, and a first map without a right inverse. */
  static const int64_t flat[] = {4, 3};
  rig_from_tensor(&r, "norm,mask", PZ_F64, 2, flat);
  pz_tensor n = rig_host_normal(&r, pz_chain_value(r.chain), 1.0);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &n));
  rig_chain(&r, "bare,base", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  for (int k = 0; k < 18; ++k) {
    ck_assert_double_eq(((const double*)rig_tensor(&r, PZ_STATE_BUFFER, 0).data)[k],
                        2.0 * ((const double*)w.data)[k]);
  }
  rig_host_free(&n);
  rig_host_free(&folded);
  rig_host_free(&w);
}
END_TEST

START_TEST(test_update)
{
  pz_tensor w = rig_host_normal(&r, &spec, 1.0);
  pz_tensor value;
  double first[18];
  /* A map that only uses its draw: the same until the host says update. */
  rig_chain(&r, "noise", NULL, 0, PZ_FROM_INPUT, &spec, 1);
  memcpy(rig_tensor(&r, PZ_ORIGINAL, 0).data, w.data, rig_bytes(&w));
  pz_state_touch(r.state);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
  memcpy(first, value.data, sizeof(first));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, &value));
  ck_assert_mem_eq(value.data, first, sizeof(first));
  const uint64_t version = pz_state_version(r.state);
  ck_assert_ok(pz_eval_update(r.eval, r.state));
  ck_assert_uint_ne(pz_state_version(r.state), version);
  pz_tensor g = w;
  pz_tensor gx = rig_host(&spec);
  ck_assert_fails(pz_eval_vjp(r.eval, r.state, &g, 1, false, &gx), PZ_STALE, "changed");
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
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
  rig_host_free(&gx);
  rig_host_free(&w);
}
END_TEST

START_TEST(test_sample)
{
  pz_tensor value;
  double first[18];
  rig_chain(&r, "gain,fold", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  test_map_log.n = 0;
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  check_log(0, "fold sample", 0);
  check_log(1, "fold right_inverse", PZ_CHAIN);
  check_log(2, "gain right_inverse", PZ_CHAIN);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
  memcpy(first, value.data, sizeof(first));
  ck_assert_double_eq(first[0], 0.0);
  ck_assert_double_eq(first[1], -first[3]);
  ck_assert_double_ne(first[1], 0.0);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
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
  pz_tensor w = skew_value();
  double distance = -1.0;
  rig_chain(&r, "fold,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 0, &w, &distance));
  ck_assert_double_eq(distance, 0.0);
  ((double*)w.data)[1] += 1.0;
  ck_assert_ok(pz_eval_residual(r.eval, r.state, 0, &w, &distance));
  ck_assert_double_eq_tol(distance, 0.5, 1e-14);
  ck_assert_fails(pz_eval_residual(r.eval, r.state, 1, &w, &distance), PZ_UNSUPPORTED,
                  "turn: has no residual");
  ck_assert_fails(pz_eval_residual(r.eval, r.state, 2, &w, &distance), PZ_INVALID, "map 2");
  rig_host_free(&w);
}
END_TEST

/* The host's own memory: strides and odd offsets are packed at every forward, and
   assignment writes through them. */
START_TEST(test_bound)
{
  static const int64_t strides[] = {10, 1, 3};
  static double memory[32];
  pz_tensor value;
  pz_tensor w = skew_value();
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
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
  ck_assert_mem_eq(value.data, w.data, rig_bytes(&w));
  memory[3 + 3] = 42.0; /* entry (0, 0, 1) */
  pz_state_touch(r.state);
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, &value));
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
  ck_assert_fails(pz_state_bind(r.state, PZ_ORIGINAL, 0, &bad), PZ_MISMATCH, "device");
  ck_assert_fails(pz_state_bind(r.state, PZ_ORIGINAL, 1, &mine), PZ_NOT_FOUND, "tensor 1");
  ck_assert_ptr_eq(rig_tensor(&r, PZ_ORIGINAL, 0).data, memory);
  rig_host_free(&w);
}
END_TEST

/* Longer and shorter chains take over the storages and draws of the maps that stay. */
START_TEST(test_adopt)
{
  pz_chain* longer = NULL;
  pz_chain* shorter = NULL;
  pz_state* grown = NULL;
  pz_state* left = NULL;
  pz_tensor w = rig_host_normal(&r, &spec, 1.0);
  rig_chain(&r, "mask,gain", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_eval_initialize(r.eval, r.state, 0, &w));
  ck_assert_ok(pz_chain_append(r.chain, "mask,gain", NULL, 0, &longer));
  ck_assert_ok(pzi_state_adopt(longer, r.state, &grown));
  ck_assert_ptr_eq(pzi_state_storage(grown, PZ_ORIGINAL, 0),
                   pzi_state_storage(r.state, PZ_ORIGINAL, 0));
  ck_assert_ptr_eq(pzi_state_storage(grown, PZ_STATE_BUFFER, 0),
                   pzi_state_storage(r.state, PZ_STATE_BUFFER, 0));
  ck_assert_ptr_eq(pzi_state_storage(grown, PZ_OWN_PARAMETER, 0),
                   pzi_state_storage(r.state, PZ_OWN_PARAMETER, 0));
  ck_assert_uint_eq(grown->draws[0], r.state->draws[0]);
  ck_assert_uint_ne(grown->draws[2], r.state->draws[0]);
  ck_assert_uint_ne(pz_state_version(grown), pz_state_version(r.state));
  const pz_tensor fresh = pzi_state_storage(grown, PZ_STATE_BUFFER, 1)->tensor;
  for (int k = 0; k < 18; ++k) {
    ck_assert_double_eq(((const double*)fresh.data)[k], 0.0);
  }
  /* Out goes the first map: the second one's tensors come first. */
  ck_assert_ok(pz_chain_without(longer, 0, &shorter));
  ck_assert_ok(pzi_state_adopt(shorter, grown, &left));
  ck_assert_ptr_eq(pzi_state_storage(left, PZ_OWN_PARAMETER, 0),
                   pzi_state_storage(r.state, PZ_OWN_PARAMETER, 0));
  ck_assert_ptr_eq(pzi_state_storage(left, PZ_STATE_BUFFER, 0),
                   pzi_state_storage(grown, PZ_STATE_BUFFER, 1));
  ck_assert_uint_eq(left->draws[1], grown->draws[2]);
  ck_assert_ptr_null(pzi_state_storage(left, PZ_STATE_BUFFER, 1));
  pz_state_free(grown);
  pz_chain_free(longer);
  /* They live on without the states they came from. */
  pz_eval* eval = NULL;
  pz_tensor value;
  ck_assert_ok(pz_eval_new(shorter, r.queue, &eval));
  ck_assert_ok(pz_eval_forward(eval, left, 0, &value));
  ck_assert_fails(pz_eval_forward(r.eval, left, 0, &value), PZ_INVALID,
                  "found a state of chain \"gain,mask,gain\", expected that of its own chain "
                  "\"mask,gain\"");
  pz_eval_free(eval);
  pz_state_free(left);
  pz_chain_free(shorter);
  rig_host_free(&w);
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
      ck_assert_ok(pz_eval_forward(r.eval, r.state, PZ_CALL_SAVING, &value));
      ck_assert_int_eq(pz_count(&value), 0);
      ck_assert_ok(pz_eval_vjp(r.eval, r.state, &w, 1, true, gx));
      ck_assert_ok(pz_eval_update(r.eval, r.state));
      ck_assert_ok(pz_eval_sample(r.eval, r.state));
    }
  }
}
END_TEST

int
main(void)
{
  Suite* const suite = suite_create("assign");
  TCase* const tests = tcase_create("state");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_intents);
  tcase_add_test(tests, test_values);
  tcase_add_test(tests, test_register);
  tcase_add_test(tests, test_staged);
  tcase_add_test(tests, test_initialize);
  tcase_add_test(tests, test_update);
  tcase_add_test(tests, test_sample);
  tcase_add_test(tests, test_residual);
  tcase_add_test(tests, test_bound);
  tcase_add_test(tests, test_adopt);
  tcase_add_test(tests, test_empty);
  suite_add_tcase(suite, tests);
  return test_main(suite);
}
