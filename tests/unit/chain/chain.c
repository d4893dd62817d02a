/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Chains: planning both ways, structure handed on, appending and leaving out, names. */

#include <maps.h>
#include <rig.h>

#include <string.h>

static rig r;

static void
setup(void)
{
  rig_open(&r, &pz_plugin_v1_test_maps, NULL);
}

static void
teardown(void)
{
  rig_close(&r);
}

static pz_spec
matrix(const int64_t rows, const int64_t cols)
{
  const int64_t shape[] = {rows, cols};
  return pz_spec_make(PZ_F64, 2, shape);
}

static void
check_tensor(const pz_chain* const chain, const pz_role role, const uint32_t index,
             const char* const name, const uint32_t map)
{
  pz_chain_tensor_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_chain_tensor(chain, role, index, &info));
  ck_assert_str_eq(info.name, name);
  ck_assert_uint_eq(info.role, role);
  ck_assert_uint_eq(info.stage, map);
}

START_TEST(test_names)
{
  const pz_spec spec = matrix(4, 4);
  rig_chain(&r, "fold,gain,mask(keep=0.25),turn,mask", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_uint_eq(pz_chain_length(r.chain), 5);
  ck_assert_str_eq(pz_chain_text(r.chain), "fold,gain,mask(keep=0.25),turn,mask");
  ck_assert_uint_eq(pz_chain_count(r.chain, PZ_ORIGINAL), 1);
  ck_assert_uint_eq(pz_chain_count(r.chain, PZ_OWN_PARAMETER), 1);
  ck_assert_uint_eq(pz_chain_count(r.chain, PZ_STATE_BUFFER), 2);
  check_tensor(r.chain, PZ_ORIGINAL, 0, "original", 0);
  check_tensor(r.chain, PZ_OWN_PARAMETER, 0, "1.gain", 1);
  check_tensor(r.chain, PZ_STATE_BUFFER, 0, "2.mask", 2);
  check_tensor(r.chain, PZ_STATE_BUFFER, 1, "4.mask", 4);
  pz_chain_tensor_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_chain_tensor(r.chain, PZ_STATE_BUFFER, 2, &info), PZ_NOT_FOUND, "no tensor 2");
  ck_assert_fails(pz_chain_tensor(r.chain, (pz_role)9, 0, &info), PZ_NOT_FOUND, "role 9");
  info.size = 4;
  ck_assert_fails(pz_chain_tensor(r.chain, PZ_ORIGINAL, 0, &info), PZ_INVALID, "size 4");

  rig_chain(&r, "norm", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  check_tensor(r.chain, PZ_ORIGINAL, 0, "original0", 0);
  check_tensor(r.chain, PZ_ORIGINAL, 1, "original1", 0);
  rig_chain(&r, "factors", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  check_tensor(r.chain, PZ_ORIGINAL, 0, "left", 0);
  check_tensor(r.chain, PZ_ORIGINAL, 1, "right", 0);
}
END_TEST

/* Structure goes from map to map, and no further than it is promised. */
START_TEST(test_structure)
{
  const pz_spec spec = matrix(3, 3);
  pz_stage_info info = {.size = sizeof(info)};
  rig_chain(&r, "turn,fold,turn,gain,turn", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  static const uint32_t expected[] = {PZ_GENERAL, PZ_SKEW, PZ_ORTHOGONAL, PZ_GENERAL, PZ_GENERAL};
  static const char* const ids[] = {"turn", "fold", "turn", "gain", "turn"};
  for (uint32_t i = 0; i < 5; ++i) {
    ck_assert_ok(pz_chain_stage(r.chain, i, &info));
    ck_assert_uint_eq(info.value.structure, expected[i]);
    ck_assert_str_eq(info.id, ids[i]);
    ck_assert_str_eq(info.text, ids[i]);
    ck_assert_uint_eq(info.has_density, 0);
  }
  ck_assert_fails(pz_chain_stage(r.chain, 5, &info), PZ_NOT_FOUND, "index 5");
  pz_tensor value;
  rig_fill(&r, 0.1);
  map_calls.n = 0;
  ck_assert_ok(pz_eval_forward(r.eval, r.state, 0, NULL, &value));
  ck_assert_uint_eq(map_calls.in[0], PZ_GENERAL);
  ck_assert_uint_eq(map_calls.in[2], PZ_SKEW);
  ck_assert_uint_eq(map_calls.in[3], PZ_GENERAL);

  /* What the caller promises of a plain tensor counts for nothing. */
  pz_spec promised = spec;
  promised.structure = PZ_SKEW;
  rig_chain(&r, "turn", NULL, 0, PZ_FROM_INPUT, &promised, 1);
  ck_assert_uint_eq(pz_chain_value(r.chain)->structure, PZ_GENERAL);
}
END_TEST

START_TEST(test_directions)
{
  static int64_t index[] = {1, 2};
  static const int64_t count[] = {2};
  const pz_tensor tensor = pz_host_tensor(PZ_I64, index, 1, count);
  const pz_option_setting settings[] = {
      {.name = "index", .stage = 1, .value = {.type = PZ_TENSOR, .as.tensor = &tensor}}};
  pz_spec spec = matrix(2, 5);
  rig_chain(&r, "factors(rank=2),rows(of=7)", settings, 1, PZ_FROM_TENSOR, &spec, 1);
  pz_chain_tensor_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_chain_tensor(r.chain, PZ_ORIGINAL, 0, &info));
  ck_assert_int_eq(info.spec.shape[0], 7);
  ck_assert_int_eq(info.spec.shape[1], 2);
  ck_assert_ok(pz_chain_tensor(r.chain, PZ_ORIGINAL, 1, &info));
  ck_assert_int_eq(info.spec.shape[0], 2);
  ck_assert_int_eq(info.spec.shape[1], 5);
  ck_assert(pz_spec_equal(pz_chain_value(r.chain), &spec));

  const pz_spec two[] = {matrix(7, 2), matrix(2, 5)};
  rig_chain(&r, "factors(rank=2),rows(of=7)", settings, 1, PZ_FROM_INPUT, two, 2);
  ck_assert(pz_spec_equal(pz_chain_value(r.chain), &spec));
}
END_TEST

static void
check_refused(const char* const text, const pz_direction direction, const pz_spec* const given,
              const uint32_t n, const pz_status status, const char* const message)
{
  pz_chain* chain = NULL;
  ck_assert_int_eq(pz_chain_new(r.context, text, NULL, 0, direction, given, n, &chain), status);
  ck_assert_str_eq(pz_error_message(), message);
  ck_assert_ptr_null(chain);
}

START_TEST(test_refused)
{
  const pz_spec spec = matrix(3, 4);
  const pz_spec square = matrix(3, 3);
  const pz_spec two[] = {square, square};
  pz_spec bad = square;
  check_refused("fold", PZ_FROM_TENSOR, &spec, 1, PZ_MISMATCH, "fold: found no square matrices");
  check_refused("gain,fold", PZ_FROM_TENSOR, &spec, 1, PZ_MISMATCH,
                "fold: found no square matrices");
  check_refused("fold,norm", PZ_FROM_TENSOR, &square, 1, PZ_MISMATCH,
                "norm: found 2 originals at place 1 of a chain, expected one: only the first "
                "parametrization may have several");
  check_refused("fold", PZ_FROM_INPUT, two, 2, PZ_MISMATCH, "fold: found 2 originals, expected 1");
  check_refused("bare", PZ_FROM_INPUT, two, 2, PZ_MISMATCH, "bare: found 2 originals, expected 1");
  check_refused("norm", PZ_FROM_INPUT, two, 2, PZ_MISMATCH,
                "norm: found input float64 3x3, expected float64 3");
  check_refused("fold", PZ_FROM_TENSOR, two, 2, PZ_INVALID, "chain: found 2 specs, expected 1");
  check_refused("fold", PZ_FROM_INPUT, two, 0, PZ_INVALID,
                "chain: found 0 specs, expected 1 to 64");
  check_refused("fold", PZ_FROM_INPUT, NULL, 1, PZ_INVALID,
                "chain: found 0 specs, expected 1 to 64");
  check_refused("fold", (pz_direction)3, &square, 1, PZ_INVALID,
                "chain: found direction 3, expected PZ_FROM_TENSOR or PZ_FROM_INPUT");
  bad.dtype = PZ_I64;
  check_refused("fold", PZ_FROM_TENSOR, &bad, 1, PZ_MISMATCH,
                "value: found int64, expected float32 or float64");
  bad.dtype = PZ_DTYPE(2, 16);
  check_refused("fold", PZ_FROM_INPUT, &bad, 1, PZ_MISMATCH,
                "original 0: found float16, expected float32 or float64");
  bad = square;
  bad.shape[1] = -1;
  check_refused("fold", PZ_FROM_TENSOR, &bad, 1, PZ_MISMATCH,
                "value: found extent -1, expected 0 or more");
  bad.ndim = 9;
  check_refused("fold", PZ_FROM_TENSOR, &bad, 1, PZ_MISMATCH,
                "value: found 9 dimensions, expected 0 to 8");
  bad = matrix(INT64_MAX / 2, INT64_MAX / 2);
  check_refused("gain", PZ_FROM_TENSOR, &bad, 1, PZ_UNSUPPORTED,
                "value: float64 4611686018427387903x4611686018427387903 is beyond any memory");
  check_refused(
      "skew,,cayley", PZ_FROM_TENSOR, &square, 1, PZ_INVALID,
      "chain \"skew,,cayley\": found \",\" at column 6, expected the name of a parametrization");
  pz_chain* chain = NULL;
  ck_assert_fails(pz_chain_new(r.context, "fodl", NULL, 0, PZ_FROM_TENSOR, &square, 1, &chain),
                  PZ_NOT_FOUND, "fold");
  ck_assert_fails(pz_chain_new(NULL, "fold", NULL, 0, PZ_FROM_TENSOR, &square, 1, &chain),
                  PZ_INVALID, "NULL");

  /* 64 trained tensors are the most that vjp can tell apart. */
  char text[1024] = "gain";
  for (int i = 1; i < 63; ++i) {
    strcat(text, ",gain");
  }
  ck_assert_ok(pz_chain_new(r.context, text, NULL, 0, PZ_FROM_TENSOR, &square, 1, &chain));
  pz_chain* longer = NULL;
  ck_assert_fails(pz_chain_append(chain, "gain", NULL, 0, &longer), PZ_UNSUPPORTED,
                  "found 65 originals and own parameters, expected at most 64");
  ck_assert_ok(pz_chain_append(chain, "fold", NULL, 0, &longer));
  pz_chain_free(longer);
  pz_chain_free(chain);
}
END_TEST

START_TEST(test_append)
{
  const pz_spec spec = matrix(3, 3);
  pz_chain* longer = NULL;
  const pz_option_setting setting = {
      .name = "keep", .stage = 1, .value = {.type = PZ_REAL, .as.real = 0.25}};
  rig_chain(&r, "gain", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_ok(pz_chain_append(r.chain, "fold,mask", &setting, 1, &longer));
  ck_assert_str_eq(pz_chain_text(longer), "gain,fold,mask(keep=0.25)");
  ck_assert_str_eq(pz_chain_text(r.chain), "gain");
  check_tensor(longer, PZ_STATE_BUFFER, 0, "2.mask", 2);
  pz_chain* third = NULL;
  ck_assert_fails(pz_chain_append(longer, "fold,,", NULL, 0, &third), PZ_INVALID, "column 6");
  ck_assert_fails(pz_chain_append(longer, "norm", NULL, 0, &third), PZ_MISMATCH, "place 3");
  ck_assert_ptr_null(third);

  /* Leaving out. */
  ck_assert_ok(pz_chain_without(longer, 0, &third));
  ck_assert_str_eq(pz_chain_text(third), "fold,mask(keep=0.25)");
  check_tensor(third, PZ_STATE_BUFFER, 0, "1.mask", 1);
  pz_chain_free(third);
  ck_assert_ok(pz_chain_without(longer, 2, &third));
  ck_assert_str_eq(pz_chain_text(third), "gain,fold");
  pz_chain_free(third);
  third = NULL;
  ck_assert_fails(pz_chain_without(longer, 3, &third), PZ_NOT_FOUND, "index 3");
  ck_assert_fails(pz_chain_without(r.chain, 0, &third), PZ_INVALID,
                  "cannot leave out gain, its only stage");
  /* A state keeps its chain. */
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  ck_assert_ok(pz_state_new(longer, r.queue, &state));
  ck_assert_ok(pz_eval_new(longer, r.queue, &eval));
  pz_chain_free(longer);
  ck_assert_ok(pz_eval_forward(eval, state, 0, NULL, NULL));
  pz_eval_free(eval);
  pz_state_free(state);
  pz_chain_free(NULL);

  /* Two originals do not fit the map that would come first. */
  rig_chain(&r, "norm,gain", NULL, 0, PZ_FROM_TENSOR, &spec, 1);
  ck_assert_fails(pz_chain_without(r.chain, 0, &third), PZ_MISMATCH,
                  "gain: found 2 originals, expected 1");
}
END_TEST

/* A map whose own tensors would change their shape cannot stay. */
START_TEST(test_without_reshaping)
{
  static int64_t index[] = {0, 1};
  static const int64_t count[] = {2};
  const pz_tensor tensor = pz_host_tensor(PZ_I64, index, 1, count);
  const pz_option_setting settings[] = {
      {.name = "index", .stage = 0, .value = {.type = PZ_TENSOR, .as.tensor = &tensor}}};
  const pz_spec spec = matrix(8, 3);
  pz_chain* shorter = NULL;
  rig_chain(&r, "rows,gain", settings, 1, PZ_FROM_INPUT, &spec, 1);
  ck_assert_fails(pz_chain_without(r.chain, 0, &shorter), PZ_MISMATCH,
                  "gain: its buffers and own parameters would change with the new input");
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("chain");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_names);
  tcase_add_test(tests, test_structure);
  tcase_add_test(tests, test_directions);
  tcase_add_test(tests, test_refused);
  tcase_add_test(tests, test_append);
  tcase_add_test(tests, test_without_reshaping);
  return test_main_case(tests);
}
