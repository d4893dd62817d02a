/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Plans that declare nonsense, each in one way: one line that names the map, and no chain. */

#include <maps.h>
#include <support.h>

#include <string.h>

static const int64_t shape[] = {2, 2};
static int plan_case;

static pz_status
liar_plan(pz_call* const c, const pz_spec* const given)
{
  static const int64_t flat[] = {4};
  pz_spec vector = pz_spec_make(given->dtype, 1, flat);
  pz_spec other = *given;
  pz_tensor t = {
      .data = &t, .device = {PZ_DEVICE_CPU, 0}, .ndim = 1, .dtype = PZ_F64, .shape = flat};
  double number = 0.0;
  static const int64_t one[] = {1};
  const pz_tensor scalar = pz_host_tensor(PZ_F64, &number, 1, one);
  pz_tensor result = scalar;
  void* memory = NULL;
  switch (plan_case) {
  case 0: /* no original */
    return pz_declare_value(c, given, PZ_GENERAL);
  case 1: /* no value */
    return pz_declare_original(c, NULL, given);
  case 2: /* a vector cannot be skew */
    PZ_TRY(pz_declare_original(c, NULL, given));
    return pz_declare_value(c, &vector, PZ_SKEW);
  case 3:
    PZ_TRY(pz_declare_original(c, NULL, given));
    return pz_declare_value(c, &vector, PZ_UPPER_TRIANGULAR);
  case 4:
    PZ_TRY(pz_declare_original(c, "a.b", given));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 5:
    PZ_TRY(pz_declare_original(c, NULL, given));
    PZ_TRY(pz_declare_buffer(c, NULL, given));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 6:
    PZ_TRY(pz_declare_original(c, NULL, given));
    PZ_TRY(pz_declare_buffer(c, "same", given));
    PZ_TRY(pz_declare_parameter(c, "same", given));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 7: /* ignored, and yet it counts */
    (void)pz_declare_buffer(c, "1st", given);
    PZ_TRY(pz_declare_original(c, NULL, given));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 8:
    other.shape[0] = -3;
    PZ_TRY(pz_declare_original(c, NULL, &other));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 9:
    other.dtype = PZ_DTYPE(2, 16);
    PZ_TRY(pz_declare_original(c, NULL, &other));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 10:
    other.dtype = PZ_I64;
    PZ_TRY(pz_declare_parameter(c, "p", &other));
    return PZ_OK;
  case 11:
    PZ_TRY(pz_declare_original(c, NULL, NULL));
    return PZ_OK;
  case 12: /* without end */
    for (;;) {
      PZ_TRY(pz_declare_original(c, NULL, given));
    }
  case 13:
    PZ_TRY(pz_declare_original(c, NULL, given));
    PZ_TRY(pz_declare_value(c, given, PZ_GENERAL));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 14: /* passes disagree */
    PZ_TRY(pz_declare_original(c, NULL, given));
    other.ndim = 1;
    return pz_declare_value(c, c->direction == PZ_FROM_INPUT ? &other : given, PZ_GENERAL);
  case 15:
    PZ_TRY(pz_work(c, given, &t));
    return PZ_OK;
  case 16:
    PZ_TRY(pz_copy(c, &scalar, &result));
    return PZ_OK;
  case 17:
    PZ_TRY(pz_read(c, &scalar, &number));
    return PZ_OK;
  case 18:
    PZ_TRY(pz_save_host(c, 8, &memory));
    return PZ_OK;
  case 19:
    pz_work_release(c, c->host->work_mark(c));
    PZ_TRY(pz_declare_original(c, "twin", given));
    PZ_TRY(pz_declare_original(c, "twin", given));
    return PZ_OK;
  case 20:
    PZ_TRY(pz_declare_original(c, "original1", given));
    PZ_TRY(pz_declare_original(c, NULL, given));
    return pz_declare_value(c, given, PZ_GENERAL);
  case 21: /* more than vjp can tell apart, together */
    for (int i = 0; i < 33; ++i) {
      char name[16] = "p";
      name[1] = (char)('0' + i / 10);
      name[2] = (char)('0' + i % 10);
      PZ_TRY(pz_declare_original(c, NULL, given));
      PZ_TRY(pz_declare_parameter(c, name, given));
    }
    return pz_declare_value(c, given, PZ_GENERAL);
  case 22:
    other.ndim = 9;
    PZ_TRY(pz_declare_buffer(c, "b", &other));
    return PZ_OK;
  default:
    return pz_fail(c, PZ_UNSUPPORTED, "found case %d", plan_case);
  }
}

static const pz_parametrization liar = {
    .size = sizeof(liar),
    .id = "liar",
    .summary = "Declares nonsense",
    .plan = liar_plan,
    .forward = map_copy_forward,
};

static const pz_parametrization liars = {
    .size = sizeof(liars),
    .n_originals = 2,
    .id = "liars",
    .summary = "Declares nonsense of two originals",
    .plan = liar_plan,
    .forward = map_copy_forward,
};

PZ_PLUGIN(bad_plans, "1.0.0", PZ_PARAMETRIZATION(&liar), PZ_PARAMETRIZATION(&liars));

START_TEST(test_plans)
{
  static const struct {
    pz_status status;
    const char* message;
  } expected[] = {
      {PZ_PLUGIN, "liar: plan: declared 0 originals, expected 1"},
      {PZ_PLUGIN, "liar: plan: declared no value"},
      {PZ_PLUGIN, "liar: plan: value: found float64 4, which cannot be skew"},
      {PZ_PLUGIN, "liar: plan: value: found float64 4, which cannot be upper triangular"},
      {PZ_PLUGIN, "liar: plan: original: found name \"a.b\", expected letters, digits and _"},
      {PZ_PLUGIN, "liar: plan: buffer: found no name"},
      {PZ_PLUGIN, "liar: plan: own parameter: found name \"same\" twice"},
      {PZ_PLUGIN, "liar: plan: buffer: found name \"1st\", expected letters, digits and _"},
      {PZ_PLUGIN, "liar: plan: original: found extent -3, expected 0 or more"},
      {PZ_PLUGIN, "liar: plan: original: found float16, expected float32 or float64"},
      {PZ_PLUGIN, "liar: plan: own parameter: found int64, expected float32 or float64"},
      {PZ_PLUGIN, "liar: plan: original: found no spec"},
      {PZ_PLUGIN, "liar: plan: original: found more than 64"},
      {PZ_PLUGIN, "liar: plan: value: found a second one"},
      {PZ_PLUGIN, "liar: plan: the originals for float64 2x2 make float64 2"},
      {PZ_PLUGIN, "liar: plan: asked for scratch in plan"},
      {PZ_INVALID, "liar: copy: found in plan, which has no data"},
      {PZ_INVALID, "liar: read: found in plan, which has no data"},
      {PZ_PLUGIN, "liar: plan: saved a record in plan"},
      {PZ_PLUGIN, "liar: plan: original: found name \"twin\" twice"},
      {PZ_PLUGIN, "liars: plan: original: found name \"original1\" twice"},
      {PZ_PLUGIN, "liar: plan: declared more than 64 originals and own parameters"},
      {PZ_PLUGIN, "liar: plan: buffer: found 9 dimensions, expected 0 to 8"},
      {PZ_UNSUPPORTED, "liar: found case 23"},
  };
  const pz_spec spec = pz_spec_make(PZ_F64, 2, shape);
  const pz_context_settings settings = {
      .size = sizeof(settings), .flags = PZ_ONLY_GIVEN_FOLDERS, .seed = 1};
  pz_context* context = NULL;
  ck_assert_ok(pz_context_new(&settings, &context));
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_bad_plans));
  for (plan_case = 0; plan_case < (int)(sizeof(expected) / sizeof(expected[0])); ++plan_case) {
    pz_chain* made = NULL;
    const char* const chain = strncmp(expected[plan_case].message, "liars", 5) ? "liar" : "liars";
    const pz_status status = pz_chain_new(context, chain, NULL, 0, PZ_FROM_TENSOR, &spec, 1, &made);
    ck_assert_str_eq(pz_error_message(), expected[plan_case].message);
    ck_assert_int_eq(status, expected[plan_case].status);
    ck_assert_ptr_null(made);
  }
  pz_context_free(context);
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("plans");
  tcase_add_test(tests, test_plans);
  return test_main_case(tests);
}
