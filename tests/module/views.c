/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Views on tensors of modules: registering, printing, changing, saving and loading chains with the
   words `view` and `back`. */

#include "folder.h"

#include <stdlib.h>

enum { OUT = 4, IN = 2, K = 3, COUNT = OUT * IN * K * K };
static const int64_t kernel[] = {OUT, IN, K, K};

static pz_tensor
normal_kernel(void)
{
  const pz_spec spec = pz_spec_make(PZ_F32, 4, kernel);
  return host_normal(&spec, &seed, 1.0);
}

/* Adds the convolution kernel "weight" with a chain; what was added. */
static pz_tensor
parametrize(const char* const text)
{
  const pz_tensor w = normal_kernel();
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", text, NULL));
  return w;
}

static void
expect_print(const char* const line)
{
  char* const picture = fixture_picture();
  ck_assert_msg(strstr(picture, line) != NULL, "\"%s\" is not in\n%s", line, picture);
  free(picture);
}

/* The value as matrices: OUT x (IN K K), or of every input channel OUT x (K K). */
static void
expect_orthogonal(const bool by_input)
{
  const pz_tensor w = fixture_read("weight");
  const int64_t one[] = {1, OUT, IN * K * K};
  const int64_t each[] = {IN, OUT, K * K};
  const pz_spec spec = pz_spec_make(PZ_F32, 3, by_input ? each : one);
  const pz_tensor matrices = host_zeros(&spec);
  for (int64_t k = 0; k < COUNT; ++k) {
    const int64_t o = k / (IN * K * K);
    const int64_t i = k / (K * K) % IN;
    host_put(&matrices, by_input ? (i * OUT + o) * K * K + k % (K * K) : k, host_at(&w, k));
  }
  ck_assert_double_le(host_orthogonality(&matrices), 20 * 1.2e-7);
}

START_TEST(a_kernel_is_orthogonal)
{
  static const char* const texts[] = {"view,orthogonal", "view(rows=0,cols=2-3),orthogonal"};
  parametrize(texts[_i]);
  expect_orthogonal(_i == 1);
  /* the tensor's memory is the original's, and its shape */
  fixture_names(ORIGINAL " parametrizations.weight.1.reflectors ");
  const pz_tensor original = fixture_read(ORIGINAL);
  ck_assert_int_eq(original.ndim, 4);
  ck_assert_mem_eq(original.shape, kernel, sizeof(kernel));
  expect_print(_i == 0 ? "(0): view(rows=0,cols=*) -> float32 4x18\n"
                       : "(0): view(rows=0,cols=2-3) -> float32 2x4x9\n");
  expect_print(_i == 0 ? "(1): orthogonal() -> float32 4x18 orthogonal, orthogonal "
                       : "(1): orthogonal() -> float32 2x4x9 orthogonal, orthogonal ");
  const pz_tensor g = normal_kernel();
  ck_assert_ok(pz_module_backward(module, "weight", &g));
  ck_assert_int_eq(fixture_gradient(ORIGINAL).ndim, 4);
  double distance = 1.0;
  ck_assert_ok(pz_module_residual(module, "weight", &distance));
  ck_assert_double_le(distance, 20 * 1.2e-7);
  /* an assigned member comes back */
  const pz_tensor value = fixture_read("weight");
  ck_assert_ok(pz_module_set(module, "weight", &value));
  const pz_tensor again = fixture_read("weight");
  ck_assert_double_le(host_distance(&value, &again), 20 * 1.2e-7);
}
END_TEST

START_TEST(stages_follow_a_view)
{
  parametrize("view(rows=1,cols=0),affine");
  ck_assert_ok(pz_register_parametrization(module, "weight", "gain", NULL)); // still in the view
  fixture_names(ORIGINAL " parametrizations.weight.1.shift parametrizations.weight.2.gain "
                         "parametrizations.weight.1.scale ");
  ck_assert_int_eq(fixture_read("parametrizations.weight.2.gain").shape[2], IN);
  ck_assert_ok(pz_register_parametrization(module, "weight", "back,gain", NULL));
  ck_assert_int_eq(fixture_read("parametrizations.weight.4.gain").shape[0], OUT);
  expect_print("(3): back() -> float32 4x2x3x3\n");
  ck_assert_fails(pz_register_parametrization(module, "weight", "back", NULL), PZ_INVALID,
                  "back: found no view before it");
  ck_assert_fails(pz_register_parametrization(module, "weight", "view", NULL), PZ_INVALID,
                  "view: found no parametrization after it");
  ck_assert_fails(pz_remove_stage(module, "weight", 0), PZ_INVALID,
                  "back: found no view before it");
  const pz_tensor expected = fixture_read("weight");
  ck_assert_ok(pz_remove_stage(module, "weight", 2));
  fixture_names(ORIGINAL " parametrizations.weight.1.shift parametrizations.weight.3.gain "
                         "parametrizations.weight.1.scale ");
  fixture_expect("weight", &expected); // gain begins as the identity
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
  ck_assert_int_eq(fixture_read("weight").ndim, 4);
}
END_TEST

/* Settings count stages of the text, words included. */
START_TEST(settings_count_words)
{
  const pz_option_setting setting = {
      .name = "p_drop", .stage = 3, .value = {.type = PZ_REAL, .as.real = 0.0}};
  const pz_register_settings settings = {
      .size = sizeof(settings), .options = &setting, .n_options = 1};
  const pz_tensor w = normal_kernel();
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_register_parametrization(module, "weight", "view,gain,back,pruning", &settings));
  expect_print("(3): pruning(p_drop=0) -> ");
}
END_TEST

START_TEST(original_may_have_a_view)
{
  parametrize("view,gain");
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "view(rows=1),orthogonal", NULL));
  const pz_tensor value = fixture_read("weight");
  ck_assert_int_eq(value.ndim, 4);
  ck_assert_ok(pz_module_save(module, path, NULL));
  const pz_tensor w = normal_kernel();
  ck_assert_ok(pz_module_set(module, "weight", &w));
  ck_assert_ok(test_module_load(module, path));
  fixture_expect("weight", &value);
}
END_TEST

/* log |det| of a chain on an original counts where both chains read alike, or sum over everything. */
START_TEST(original_adds_its_determinant)
{
  static const int64_t none[] = {0};
  const pz_spec one = pz_spec_make(PZ_F32, 0, none);
  const pz_tensor sum = host_zeros(&one);
  const pz_tensor batch = host_zeros(&(pz_spec){.dtype = PZ_F32, .ndim = 1, .shape = {IN}});
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_density_maps));
  parametrize("view(rows=0,cols=*),doubled");
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "doubled(dims=0)", NULL));
  pz_tensor value;
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &sum));
  ck_assert_double_eq_tol(host_at(&sum, 0), 2 * COUNT * 0.6931471805599453, 1e-4);
  ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED));
  ck_assert_ok(
      pz_register_parametrization(module, "weight", "view(rows=0,cols=2-3),doubled", NULL));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_log_abs_det(module, "weight", &batch));
  ck_assert_double_eq_tol(host_at(&batch, 1), COUNT / IN * 0.6931471805599453, 1e-4);
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "doubled(dims=0)", NULL));
  ck_assert_fails(pz_module_log_abs_det(module, "weight", &batch), PZ_UNSUPPORTED,
                  "doubled and doubled read the tensor differently");
}
END_TEST

static const char* const saved_texts[] = {
    "view,orthogonal",
    "view(rows=1,cols=0+2+3),weight_norm",
    "view,factors(rank=2)", // none of its originals has the tensor's shape
    "view,factors(rank=2),gain,back,gain,view(rows=1),spectral_norm",
    "view(split=0:2,rows=1,cols=2),gain,back,pruning",
};

START_TEST(what_is_saved_comes_back)
{
  pz_module* loaded = NULL;
  pz_module* copy = NULL;
  parametrize(saved_texts[_i]);
  const pz_tensor value = fixture_read("weight");
  char* const picture = fixture_picture();
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  /* into a new module, into a plain tensor, and into the same chain */
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, NULL, &loaded));
  fixture_expect_of(loaded, "weight", &value);
  pz_module_free(loaded);
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &loaded));
  const pz_tensor other = normal_kernel();
  ck_assert_ok(pz_module_add(loaded, "weight", PZ_PARAMETER, &other));
  ck_assert_ok(test_module_load(loaded, path));
  fixture_expect_of(loaded, "weight", &value);
  char* const there = fixture_picture_of(loaded);
  ck_assert_str_eq(there, picture);
  free(there);
  copy = fixture_copy_of(loaded);
  fixture_expect_of(copy, "weight", &value);
  ck_assert_ok(pz_module_to_dtype(copy, PZ_F64));
  const pz_tensor wide = fixture_read_of(copy, "weight");
  ck_assert_int_eq(wide.ndim, 4);
  pz_module_free(copy);
  pz_module_free(loaded);
  const pz_tensor w = normal_kernel();
  ck_assert_ok(pz_module_set(module, "weight", &w));
  ck_assert_ok(test_module_load(module, path));
  fixture_unchanged(picture);
  /* what other programs see */
  pz_file_chain_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_file_chain(file, 0, &info));
  ck_assert_int_eq(strncmp(info.text, "view(", 5), 0);
  ck_assert_int_eq(strncmp(info.plugins, "view ", 5), 0);
}
END_TEST

/* Without a description, a rule gives the chain; the original tells the tensor. */
START_TEST(rules_have_views)
{
  static const char text[] = "view(rows=1),orthogonal(trivialization=0,signs=0)";
  const pz_chain_rule rules[] = {{.pattern = "*", .text = text}};
  const pz_load_settings settings = settings_of(0, rules, 1);
  pz_module* loaded = NULL;
  parametrize(text);
  const pz_tensor value = fixture_read("weight");
  const pz_tensor original = fixture_read(ORIGINAL);
  const part parts[] = {{ORIGINAL, "F32", &original}};
  make_file(parts, 1);
  ck_assert_ok(
      test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &loaded));
  fixture_expect_of(loaded, "weight", &value);
  pz_module_free(loaded);
}
END_TEST

int
main(void)
{
  TCase* const tests = folder_case("views");
  tcase_add_loop_test(tests, a_kernel_is_orthogonal, 0, 2);
  tcase_add_test(tests, stages_follow_a_view);
  tcase_add_test(tests, settings_count_words);
  tcase_add_test(tests, original_may_have_a_view);
  tcase_add_test(tests, original_adds_its_determinant);
  tcase_add_loop_test(tests, what_is_saved_comes_back, 0,
                      sizeof(saved_texts) / sizeof(saved_texts[0]));
  tcase_add_test(tests, rules_have_views);
  return test_main_case(tests);
}
