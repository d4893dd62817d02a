/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20: files from before the maps had their present names, as PyTorch's weight_norm
   (weight_g, weight_v) and spectral_norm (weight_orig, weight_u, weight_v). */

#include "folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static pz_tensor g; /* 4 x 1 */
static pz_tensor v; /* 4 x 3 */
static pz_tensor u; /* 4 */
static pz_tensor w; /* 3 */
static pz_tensor now;

static pz_tensor
vector(const int64_t n)
{
  pz_tensor t = fixture_normal(PZ_F32, n, 1);
  t.ndim = 1;
  return t;
}

static void
setup(void)
{
  g = fixture_normal(PZ_F32, 4, 1);
  v = fixture_normal(PZ_F32, 4, 3);
  u = vector(4);
  w = vector(3);
}

/* Another module, which is freed, has the tensor under today's name, to the bit. */
static void
expect_made(pz_module* const made, const char* const name, const pz_tensor* const tensor)
{
  fixture_expect_of(made, name, tensor);
  pz_module_free(made);
}

static const part normed[] = {
    {"conv.weight_v", "F32", &v}, {"conv.weight_g", "F32", &g}, {"conv.bias", "F32", &u}};

START_TEST(semantics_20_a_list_takes_older_names)
{
  pz_module* child = NULL;
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Conv", &child));
  fixture_add(child, "weight", 4, 3);
  fixture_add(child, "bias", 4, 1);
  ck_assert_ok(pz_module_add_child(module, "conv", child));
  const part column[] = {normed[0], normed[1], {"conv.bias", "F32", &g}};
  make_file(column, 3);
  char* const picture = fixture_picture();
  ck_assert_fails(pz_module_load(module, file, NULL), PZ_MISMATCH, "\"conv.weight\"");
  fixture_unchanged(picture);

  ck_assert_ok(pz_register_parametrization(module, "conv.weight", "weight_norm", NULL));
  ck_assert_ok(test_module_load(module, path));
  fixture_expect("conv.parametrizations.weight.original0", &g);
  fixture_expect("conv.parametrizations.weight.original1", &v);
  now = fixture_read("conv.weight"); // g v / |v|, c = 10
  for (int i = 0; i < 12; ++i) {
    double squares = 0.0;
    for (int j = i / 3 * 3; j < i / 3 * 3 + 3; ++j) {
      squares += host_at(&v, j) * host_at(&v, j);
    }
    const double y = host_at(&g, i / 3) * host_at(&v, i) / sqrt(squares);
    ck_assert_double_eq_tol(host_at(&now, i), y, 10.0 * 1.2e-7 * fabs(host_at(&g, i / 3)));
  }
  /* with appended maps too, and never for a map that has no older names */
  ck_assert_ok(pz_register_parametrization(module, "conv.weight", "pruning(p_drop=0)", NULL));
  ck_assert_fails(test_module_load(module, path), PZ_MISMATCH,
                  "\"conv.parametrizations.weight.1.mask\"");
  const pz_load_settings settings = settings_of(PZ_LOAD_LENIENT, NULL, 0);
  ck_assert_ok(pz_module_load(module, file, &settings));
  ck_assert_str_eq(reports, "missing conv.parametrizations.weight.1.mask; ");
}
END_TEST

START_TEST(semantics_20_a_rule_takes_older_names)
{
  static const pz_chain_rule rules[] = {{.pattern = "*.other", .text = "skew"},
                                        {.pattern = "conv.*", .text = "weight_norm"}};
  pz_module* made = NULL;
  make_file(normed, 3);
  pz_load_settings settings = settings_of(0, rules, 2);
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made));
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(made, 0, &entry));
  ck_assert_str_eq(entry.name, "conv.parametrizations.weight.original0");
  ck_assert_ok(pz_module_tensor(made, 2, &entry));
  ck_assert_str_eq(entry.name, "conv.bias");
  expect_made(made, "conv.parametrizations.weight.original0", &g);
  ck_assert_ok(
      test_module_from_file(context, getenv("TEST_DEVICE"), file, "conv.weight", &settings, &made));
  ck_assert_int_eq(pz_module_tensor(made, 2, &entry), PZ_NOT_FOUND);
  expect_made(made, "conv.parametrizations.weight.original1", &v);

  /* on a plain tensor of a module */
  pz_module* child = NULL;
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Conv", &child));
  fixture_add(child, "weight", 4, 3);
  ck_assert_ok(pz_module_add_child(module, "conv", child));
  make_file(normed, 2);
  ck_assert_ok(pz_module_load(module, file, &settings));
  fixture_expect("conv.parametrizations.weight.original0", &g);
  ck_assert(pz_is_parametrized(module, "conv.weight"));

  /* magnitudes that are not those of the rule's dimension */
  const pz_chain_rule other = {.pattern = "*", .text = "weight_norm(dim=1)"};
  settings = settings_of(0, &other, 1);
  ck_assert_fails(pz_module_from_file(context, NULL, file, NULL, &settings, &made), PZ_MISMATCH,
                  "\"conv.weight\"");
}
END_TEST

/* Nobody says that they are of a list: they are what they are called. */
START_TEST(semantics_20_older_names_are_names)
{
  static const pz_chain_rule skew = {.pattern = "*", .text = "skew"};
  static const pz_chain_rule first[] = {{.pattern = "conv.w*", .text = "skew"},
                                        {.pattern = "*", .text = "weight_norm"}};
  pz_module* made = NULL;
  make_file(normed, 3);
  for (int k = 0; k < 3; ++k) {
    const pz_load_settings settings = settings_of(0, k < 2 ? &skew : first, k == 2 ? 2 : 1);
    ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL,
                                       k == 0 ? NULL : &settings, &made));
    expect_made(made, "conv.weight_g", &g);
  }
  /* half of them are none */
  const pz_chain_rule rule = {.pattern = "*", .text = "weight_norm"};
  const pz_load_settings settings = settings_of(0, &rule, 1);
  make_file(normed, 1);
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made));
  expect_made(made, "conv.weight_v", &v);
  /* beside those of today they are unknown */
  const part both[] = {{"weight_g", "F32", &g},
                       {"weight_v", "F32", &v},
                       {"parametrizations.weight.original0", "F32", &g},
                       {"parametrizations.weight.original1", "F32", &v}};
  make_file(both, 4);
  fixture_parametrize(module, "weight", 4, 3, "weight_norm");
  ck_assert_fails(pz_module_load(module, file, NULL), PZ_MISMATCH, "\"weight_g\", \"weight_v\"");
  /* and those of a module's own tensors first */
  fixture_add(module, "weight_g", 4, 1);
  make_file(both, 2);
  ck_assert_fails(pz_module_load(module, file, NULL), PZ_MISMATCH,
                  "\"parametrizations.weight.original0\"");
}
END_TEST

/* weight_v is what the map says that it is. */
START_TEST(semantics_20_older_names_of_spectral_norm)
{
  static const pz_chain_rule rule = {.pattern = "weight", .text = "spectral_norm"};
  static const part parts[] = {
      {"weight_orig", "F32", &v}, {"weight_u", "F32", &u}, {"weight_v", "F32", &w}};
  pz_module* made = NULL;
  make_file(parts, 3);
  pz_load_settings settings = settings_of(0, &rule, 1);
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made));
  expect_made(made, "parametrizations.weight.0._u", &u);
  fixture_parametrize(module, "weight", 4, 3, "spectral_norm");
  ck_assert_ok(test_module_load(module, path));
  fixture_expect("parametrizations.weight.original", &v);
  fixture_expect("parametrizations.weight.0._u", &u);
  fixture_expect("parametrizations.weight.0._v", &w);
  /* a buffer that was not kept is missing under its name of today */
  make_file(parts, 2);
  ck_assert_fails(test_module_load(module, path), PZ_MISMATCH, "\"parametrizations.weight.0._v\"");
}
END_TEST

START_TEST(semantics_20_files_under_the_names_of_today)
{
  static const pz_chain_rule rule = {.pattern = "conv.weight", .text = "weight_norm"};
  static const pz_chain_rule bad = {.pattern = "conv.weight", .text = NULL};
  static const pz_chain_rule nonsense[] = {{.pattern = "*", .text = "no_such_map"},
                                           {.pattern = "*", .text = "("}};
  pz_file* renamed = NULL;
  pz_file_chain_info list = {.size = sizeof(list)};
  pz_file_tensor_info entry = {.size = sizeof(entry)};
  make_file(normed, 3);
  ck_assert_fails(pz_file_with_current_names(file, context, &bad, 1, &renamed), PZ_INVALID,
                  "rule 0");
  ck_assert_fails(pz_file_with_current_names(NULL, context, &rule, 1, &renamed), PZ_INVALID,
                  "a file");
  ck_assert_fails(pz_file_with_current_names(file, context, NULL, 1, &renamed), PZ_INVALID,
                  "rules");
  ck_assert_ok(pz_file_with_current_names(file, context, &rule, 1, &renamed));
  ck_assert_ok(pz_file_chain(renamed, 0, &list));
  ck_assert_str_eq(list.path, "conv.weight");
  ck_assert_uint_eq(list.n_tensors, 2);
  ck_assert_ok(pz_file_find(renamed, "conv.parametrizations.weight.original0", &entry));
  ck_assert_int_eq(memcmp(entry.data, g.data, 4 * sizeof(float)), 0);
  ck_assert_int_eq(pz_file_find(renamed, "conv.weight_g", &entry), PZ_NOT_FOUND);
  ck_assert_ok(pz_file_find(renamed, "conv.bias", &entry));
  ck_assert_int_eq(pz_file_chain(file, 0, &list), PZ_NOT_FOUND); /* it stays as it is */
  pz_file_close(renamed);
  ck_assert_ok(pz_file_with_current_names(file, context, nonsense, 2, &renamed));
  ck_assert_int_eq(pz_file_chain(renamed, 0, &list), PZ_NOT_FOUND);
  ck_assert_ok(pz_file_find(renamed, "conv.weight_g", &entry));
  pz_file_close(renamed);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("legacy names");
  tcase_add_checked_fixture(tcase, setup, NULL);
  tcase_add_test(tcase, semantics_20_a_list_takes_older_names);
  tcase_add_test(tcase, semantics_20_a_rule_takes_older_names);
  tcase_add_test(tcase, semantics_20_older_names_are_names);
  tcase_add_test(tcase, semantics_20_older_names_of_spectral_norm);
  tcase_add_test(tcase, semantics_20_files_under_the_names_of_today);
  return test_main_case(tcase);
}
