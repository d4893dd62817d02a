/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Options of every type: what is read from text and from programs, what plan is handed,
   what is written back, and what is said of the rest. */

#include <maps.h>
#include <support.h>

#include <locale.h>
#include <math.h>
#include <string.h>

static const char* const sides[] = {"left", "right", "both"};

static const pz_option options[] = {
    PZ_OPTION_REAL("rate", 0.5, 0.0, 1.0, "a bounded real"),
    PZ_OPTION_REAL("free", 0.0, -HUGE_VAL, HUGE_VAL, "any real"),
    PZ_OPTION_INTEGER("count", 3, -5, 10, "a bounded integer"),
    PZ_OPTION_INTEGER("seed", 0, INT64_MIN, INT64_MAX, "any integer"),
    PZ_OPTION_FLAG("quick", 0, "a flag"),
    PZ_OPTION_CHOICE("side", 1, sides, "a choice"),
    PZ_OPTION_TENSOR("weights", "a tensor"),
};
enum { N = sizeof(options) / sizeof(options[0]) };

static pz_value seen[N];
static double weights[64];
static int64_t weights_shape[PZ_MAX_DIMS];
static bool weights_contiguous;

static pz_status
keep_plan(pz_call* const c, const pz_spec* const given)
{
  memcpy(seen, c->options, sizeof(seen));
  const pz_tensor* const w = c->options[6].as.tensor;
  if (w) {
    weights_contiguous = w->strides == NULL && (uintptr_t)w->data % 64 == 0;
    memcpy(weights_shape, w->shape, (size_t)w->ndim * sizeof(int64_t));
    memcpy(weights, w->data, (size_t)pz_count(w) * 8);
  }
  return map_plan(c, given, NULL, NULL);
}

static const pz_parametrization keep = {
    .size = sizeof(keep),
    .option_size = sizeof(pz_option),
    .id = "keep",
    .summary = "The input",
    .options = options,
    .n_options = N,
    .plan = keep_plan,
    .forward = map_copy_forward,
};

PZ_PLUGIN(option_maps, "1.0.0", PZ_PARAMETRIZATION(&keep));

static pz_context* context;

static void
setup(void)
{
  const pz_context_settings settings = {
      .size = sizeof(settings), .flags = PZ_ONLY_GIVEN_FOLDERS, .seed = 1};
  ck_assert_ok(pz_context_new(&settings, &context));
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_option_maps));
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_test_maps));
}

static void
teardown(void)
{
  pz_context_free(context);
}

static pz_status
make(const char* const text, const pz_option_setting* const settings, const uint32_t n,
     pz_chain** const out)
{
  static const int64_t shape[] = {2, 2};
  const pz_spec spec = pz_spec_make(PZ_F32, 2, shape);
  return pz_chain_new(context, text, settings, n, PZ_FROM_TENSOR, &spec, 1, out);
}

/* Makes the chain and compares its canonical text, which must read back as itself. */
static void
check_text(const char* const text, const char* const canonical)
{
  pz_chain* chain = NULL;
  pz_chain* again = NULL;
  ck_assert_ok(make(text, NULL, 0, &chain));
  ck_assert_str_eq(pz_chain_text(chain), canonical);
  pz_value first[N];
  memcpy(first, seen, sizeof(first));
  ck_assert_ok(make(canonical, NULL, 0, &again));
  ck_assert_str_eq(pz_chain_text(again), canonical);
  ck_assert_mem_eq(first, seen, sizeof(first));
  pz_chain_free(chain);
  pz_chain_free(again);
}

static void
check_refused(const char* const text, const pz_status status, const char* const message)
{
  pz_chain* chain = NULL;
  ck_assert_int_eq(make(text, NULL, 0, &chain), status);
  ck_assert_str_eq(pz_error_message(), message);
  ck_assert_ptr_null(chain);
}

START_TEST(test_defaults)
{
  check_text("keep", "keep");
  ck_assert_double_eq(seen[0].as.real, 0.5);
  ck_assert_int_eq(seen[2].as.integer, 3);
  ck_assert_int_eq(seen[4].as.integer, 0);
  ck_assert_int_eq(seen[5].as.integer, 1);
  ck_assert_ptr_null(seen[6].as.tensor);
  for (uint32_t i = 0; i < N; ++i) {
    ck_assert_uint_eq(seen[i].type, options[i].type);
  }
}
END_TEST

START_TEST(test_text)
{
  check_text("keep(rate=0.2)", "keep(rate=0.2)");
  ck_assert_double_eq(seen[0].as.real, 0.2);
  check_text("keep(rate=0.5,count=3,quick=false,side=right)", "keep");
  check_text("keep( free = 1e-300 , rate=1 )", "keep(rate=1,free=1e-300)");
  check_text("keep(free=0x1p-3)", "keep(free=0.125)");
  check_text("keep(free=-inf)", "keep(free=-inf)");
  check_text("keep(free=0.1)", "keep(free=0.1)");
  check_text("keep(free=0.30000000000000004)", "keep(free=0.30000000000000004)");
  check_text("keep(count=-5,seed=-9223372036854775808)",
             "keep(count=-5,seed=-9223372036854775808)");
  ck_assert_int_eq(seen[3].as.integer, INT64_MIN);
  check_text("keep(seed=0x1F)", "keep(seed=31)");
  check_text("keep(seed=010)", "keep(seed=10)");
  check_text("keep(quick=true,side=both)", "keep(quick=1,side=both)");
  ck_assert_int_eq(seen[4].as.integer, 1);
  ck_assert_int_eq(seen[5].as.integer, 2);
  check_text("bare,keep(quick=1),keep", "bare,keep(quick=1),keep");
}
END_TEST

/* Switches to a locale with a comma for the decimal point; false where the system has none. */
static bool
use_comma(void)
{
  static const char* const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
  size_t i = 0;
  while (i < sizeof(names) / sizeof(names[0]) && !setlocale(LC_ALL, names[i])) {
    ++i;
  }
  return strcmp(localeconv()->decimal_point, ",") == 0;
}

START_TEST(test_locale)
{
  ck_assert(use_comma());
  check_text("keep(rate=0.25)", "keep(rate=0.25)");
  ck_assert_double_eq(seen[0].as.real, 0.25);
  setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(test_number_as_tensor)
{
  pz_chain* chain = NULL;
  ck_assert_ok(make("keep(weights=-0.1)", NULL, 0, &chain));
  ck_assert_str_eq(pz_chain_text(chain), "keep(weights=-0.1)");
  ck_assert_uint_eq(seen[6].as.tensor->dtype, PZ_F64);
  ck_assert_int_eq(seen[6].as.tensor->ndim, 0);
  ck_assert_double_eq(weights[0], -0.1);
  pz_chain_free(chain);
}
END_TEST

START_TEST(test_refused)
{
  check_refused("keep(rate=1.5)", PZ_INVALID,
                "keep: rate: found \"1.5\", expected a real in 0 .. 1");
  check_refused("keep(rate=nan)", PZ_INVALID,
                "keep: rate: found \"nan\", expected a real in 0 .. 1");
  check_refused("keep(free=nan)", PZ_INVALID, "keep: free: found \"nan\", expected a real");
  check_refused("keep(free=1e999)", PZ_INVALID, "keep: free: found \"1e999\", expected a real");
  check_refused("keep(rate=0.5x)", PZ_INVALID,
                "keep: rate: found \"0.5x\", expected a real in 0 .. 1");
  check_refused("keep(count=11)", PZ_INVALID,
                "keep: count: found \"11\", expected an integer in -5 .. 10");
  check_refused("keep(count=1.0)", PZ_INVALID,
                "keep: count: found \"1.0\", expected an integer in -5 .. 10");
  check_refused("keep(seed=9223372036854775808)", PZ_INVALID,
                "keep: seed: found \"9223372036854775808\", expected an integer");
  check_refused("keep(seed=0x)", PZ_INVALID, "keep: seed: found \"0x\", expected an integer");
  check_refused("keep(quick=yes)", PZ_INVALID,
                "keep: quick: found \"yes\", expected 0, 1, true or false");
  check_refused("keep(side=up)", PZ_INVALID,
                "keep: side: found \"up\", expected one of left|right|both");
  check_refused(
      "keep(weights=one)", PZ_INVALID,
      "keep: weights: found \"one\", expected a number, or a tensor given by the program");
  check_refused("keep(rate=0.1,rate=0.2)", PZ_INVALID,
                "keep: found option \"rate\" twice, expected it once");
  check_refused("keep(ratte=0.1)", PZ_NOT_FOUND, "keep: no option \"ratte\", the nearest is rate");
  check_refused("keep(zzzzzzzzzzzz=0)", PZ_NOT_FOUND,
                "keep: no option \"zzzzzzzzzzzz\", there is rate, free, count, seed, quick, side, "
                "weights");
  check_refused("bare(rate=0.1)", PZ_NOT_FOUND, "bare: found option \"rate\", expected none");
}
END_TEST

START_TEST(test_settings)
{
  double data[] = {0, 1, 2, 3, 4, 5};
  static const int64_t shape[] = {2, 3};
  static const int64_t strides[] = {1, 2};
  pz_tensor tensor = pz_host_tensor(PZ_F64, data, 2, shape);
  tensor.strides = strides;
  const pz_option_setting good[] = {
      {.name = "rate", .stage = 1, .value = {.type = PZ_REAL, .as = {.real = 0.75}}},
      {.name = "side", .stage = 1, .value = {.type = PZ_CHOICE, .as = {.text = "both"}}},
      {.name = "seed", .stage = 1, .value = {.type = PZ_INTEGER, .as = {.integer = 7}}},
      {.name = "seed", .stage = 1, .value = {.type = PZ_INTEGER, .as = {.integer = 8}}},
      {.name = "quick", .stage = 1, .value = {.type = PZ_FLAG, .as = {.integer = 1}}},
      {.name = "weights", .stage = 1, .value = {.type = PZ_TENSOR, .as = {.tensor = &tensor}}},
  };
  pz_chain* chain = NULL;
  ck_assert_ok(make("keep,keep(rate=0.1,count=4)", good, 6, &chain));
  ck_assert_str_eq(pz_chain_text(chain),
                   "keep,keep(rate=0.75,count=4,seed=8,quick=1,side=both,weights=<tensor>)");
  /* A copy in C order: the strides given said column-major. */
  memset(data, 0, sizeof(data));
  static const double expected[] = {0, 2, 4, 1, 3, 5};
  ck_assert(weights_contiguous);
  ck_assert_int_eq(weights_shape[1], 3);
  ck_assert_mem_eq(weights, expected, sizeof(expected));
  /* A tensor cannot come back from text: refused, not forgotten. */
  check_refused(
      pz_chain_text(chain), PZ_INVALID,
      "keep: weights: found \"<tensor>\", expected a number, or a tensor given by the program");
  pz_chain_free(chain);
}
END_TEST

static void
check_setting(const pz_option_setting* const setting, const pz_status status,
              const char* const part)
{
  pz_chain* chain = NULL;
  ck_assert_fails(make("keep", setting, 1, &chain), status, part);
  ck_assert_ptr_null(chain);
}

START_TEST(test_settings_refused)
{
  pz_option_setting s = {.name = "rate", .value = {.type = PZ_INTEGER, .as = {.integer = 1}}};
  check_setting(&s, PZ_INVALID, "keep: rate: found an integer, expected a real in 0 .. 1");
  s.value = (pz_value){.type = PZ_REAL, .as = {.real = -0.5}};
  check_setting(&s, PZ_INVALID, "keep: rate: found -0.5, expected a real in 0 .. 1");
  s.value.type = 77;
  check_setting(&s, PZ_INVALID, "keep: rate: found an unknown type");
  s = (pz_option_setting){.name = "count", .value = {.type = PZ_INTEGER, .as = {.integer = 11}}};
  check_setting(&s, PZ_INVALID, "keep: count: found 11, expected an integer in -5 .. 10");
  s = (pz_option_setting){.name = "quick", .value = {.type = PZ_FLAG, .as = {.integer = 2}}};
  check_setting(&s, PZ_INVALID, "keep: quick: found 2");
  s = (pz_option_setting){.name = "side", .value = {.type = PZ_CHOICE}};
  check_setting(&s, PZ_INVALID, "keep: side: found \"\"");
  s = (pz_option_setting){.name = "cuont", .value = {.type = PZ_INTEGER}};
  check_setting(&s, PZ_NOT_FOUND, "the nearest is count");
  s = (pz_option_setting){.name = NULL, .value = {.type = PZ_INTEGER}};
  check_setting(&s, PZ_NOT_FOUND, "no option \"(no name)\"");
  s = (pz_option_setting){.name = "count", .stage = 1, .value = {.type = PZ_INTEGER}};
  check_setting(&s, PZ_INVALID, "setting 0: found stage 1, expected less than 1");

  static const int64_t shape[] = {-1};
  pz_tensor tensor = pz_host_tensor(PZ_F64, weights, 1, shape);
  s = (pz_option_setting){.name = "weights",
                          .value = {.type = PZ_TENSOR, .as = {.tensor = &tensor}}};
  check_setting(&s, PZ_INVALID, "keep: weights: found extent -1");
  tensor.ndim = 0;
  tensor.data = NULL;
  check_setting(&s, PZ_INVALID, "keep: weights: found no data");
  tensor.device.type = PZ_DEVICE_CUDA;
  check_setting(&s, PZ_MISMATCH, "keep: weights: found a tensor on a device");
  pz_chain* chain = NULL;
  ck_assert_fails(make("keep", NULL, 1, &chain), PZ_INVALID, "NULL");
}
END_TEST

int
main(void)
{
  const bool comma = use_comma();
  setlocale(LC_ALL, "C");
  TCase* const tests = tcase_create("options");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_defaults);
  tcase_add_test(tests, test_text);
  test_add_or_skip(tests, test_locale, comma ? NULL : "no locale has a decimal comma");
  tcase_add_test(tests, test_number_as_tensor);
  tcase_add_test(tests, test_refused);
  tcase_add_test(tests, test_settings);
  tcase_add_test(tests, test_settings_refused);
  return test_main_case(tests);
}
