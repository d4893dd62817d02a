/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20: files of others. State dicts with PyTorch's names load with rules that say
   which maps make the values; what is left over is named; plain checkpoints go through right
   inverses when asked; half precision is widened when asked. */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>

static pz_tensor a;
static pz_tensor b;
static pz_tensor c;
static pz_tensor now;

static void
fill_tensors(void)
{
  a = fixture_normal(PZ_F32, 4, 4);
  b = fixture_normal(PZ_F32, 4, 4);
  c = fixture_normal(PZ_F32, 4, 4);
}

/* The value of `text` on these originals, computed by a module of its own. */
static pz_tensor
value_of(const char* const text, const pz_tensor* const original)
{
  pz_module* const kept = module;
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Linear", &module));
  ck_assert_ok(pz_module_add(module, "w", PZ_PARAMETER, original));
  ck_assert_ok(pz_register_parametrization(module, "w", text, NULL));
  ck_assert_ok(pz_module_set(module, "parametrizations.w.original", original));
  const pz_tensor value = fixture_read("w");
  pz_module_free(module);
  module = kept;
  return value;
}

START_TEST(semantics_20_a_state_dict_of_pytorch)
{
  static const pz_chain_rule rules[] = {
      {.pattern = "rnn.kernel", .text = "skew,cayley"},
      {.pattern = "*.masked", .text = "affine,pruning"},
      {.pattern = "*", .text = "weighted"},
  };
  fill_tensors();
  pz_tensor scale = fixture_zeros(PZ_F32, 1, 1);
  scale.ndim = 0;
  host_put(&scale, 0, 3.0);
  const pz_tensor mask = fixture_zeros(PZ_F32, 4, 4);
  for (int k = 0; k < 16; ++k) {
    host_f32(&mask)[k] = k % 3 == 0 ? 0.0F : 1.0F;
  }
  const part parts[] = {
      {"bias", "F32", &c},
      {"rnn.parametrizations.kernel.original", "F32", &a},
      {"rnn.parametrizations.masked.original", "F32", &b},
      {"rnn.parametrizations.masked.0.shift", "F32", &c},
      {"rnn.parametrizations.masked.0.scale", "F32", &a},
      {"rnn.parametrizations.masked.1.mask", "F32", &mask},
      {"parametrizations.pair.original0", "F32", &scale},
      {"parametrizations.pair.original1", "F32", &b},
  };
  make_file(parts, 8);
  const pz_load_settings settings = settings_of(0, rules, 3);
  pz_module* made = NULL;
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made));
  pz_module* const kept = module;
  module = made;
  pz_tensor expected = value_of("skew,cayley", &a);
  fixture_expect("rnn.kernel", &expected);
  now = fixture_read("rnn.masked");
  for (int k = 0; k < 16; ++k) { // mask o (a o b + c)
    const double y =
        host_f32(&mask)[k] * ((double)host_f32(&a)[k] * host_f32(&b)[k] + host_f32(&c)[k]);
    ck_assert_double_eq_tol(host_f32(&now)[k], y, 4 * 0x1p-23 * 20.0);
  }
  now = fixture_read("pair");
  for (int k = 0; k < 16; ++k) {
    ck_assert_double_eq_tol(host_f32(&now)[k], 3.0 * host_f32(&b)[k], 4 * 0x1p-23 * 20.0);
  }
  fixture_expect("bias", &c);
  /* in the order of the file */
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_str_eq(entry.name, "bias");
  ck_assert_ok(pz_module_tensor(module, 3, &entry));
  ck_assert_str_eq(entry.name, "rnn.parametrizations.kernel.original");
  pz_module_free(made);
  module = kept;

  /* Each alone, as a program asks that bakes a file value by value. */
  ck_assert_ok(
      test_module_from_file(context, getenv("TEST_DEVICE"), file, "rnn.kernel", &settings, &made));
  module = made;
  fixture_expect("rnn.kernel", &expected);
  ck_assert_int_eq(pz_module_tensor(module, 1, &entry), PZ_NOT_FOUND);
  module = kept;
  pz_module_free(made);
}
END_TEST

START_TEST(semantics_20_no_rule_says_which_maps)
{
  static const pz_chain_rule other = {.pattern = "kernel", .text = "skew"};
  pz_module* made = NULL;
  fill_tensors();
  const part parts[] = {{"parametrizations.weight.original", "F32", &a}, {"bias", "F32", &b}};
  make_file(parts, 2);
  pz_load_settings settings = settings_of(0, &other, 1);
  ck_assert_fails(
      pz_module_from_file(context, NULL, file, NULL, &settings, &made), PZ_MISMATCH,
      "\"weight\" is parametrized in the file, but neither the file nor a rule defines its chain");
  c = fixture_add(module, "weight", 4, 4);
  c = fixture_add(module, "bias", 4, 4);
  char* const picture = fixture_picture();
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_MISMATCH, "nor a rule defines");
  fixture_unchanged(picture);

  /* Where the list is here already nobody needs to say it. */
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley", NULL));
  ck_assert_ok(pz_module_load(module, file, NULL));
  fixture_expect("parametrizations.weight.original", &a);

  /* A rule must say the same as the list that is here. */
  const pz_chain_rule rule = {.pattern = "weight", .text = "skew"};
  settings = settings_of(0, &rule, 1);
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_MISMATCH,
                  "\"weight\": \"skew\" in the file, \"skew,cayley\" here");

  settings = settings_of(PZ_LOAD_LENIENT, NULL, 0);
  ck_assert_ok(pz_module_from_file(context, NULL, file, NULL, &settings, &made));
  ck_assert_str_eq(reports, "unknown parametrizations.weight.original; ");
  pz_module_free(made);
}
END_TEST

START_TEST(semantics_20_what_is_left_over)
{
  static const pz_chain_rule rule = {.pattern = "weight", .text = "affine,fragile"};
  fill_tensors();
  const part parts[] = {{"parametrizations.weight.original", "F32", &a},
                        {"parametrizations.weight.0.Id", "F32", &b},
                        {"parametrizations.weight.0.shift", "F32", &c},
                        {"other", "F32", &b}};
  make_file(parts, 4);
  now = fixture_add(module, "weight", 4, 4);
  now = fixture_add(module, "bias", 4, 4);
  char* const picture = fixture_picture();
  pz_load_settings settings = settings_of(0, &rule, 1);
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_MISMATCH,
                  "4 of 6 expected tensors are not in the file: \"parametrizations.weight.1.p\", "
                  "\"parametrizations.weight.0.scale\", \"parametrizations.weight.1.b\", \"bias\"");
  ck_assert_str_eq(reports, "");
  fixture_unchanged(picture);
  settings = settings_of(PZ_LOAD_LENIENT, &rule, 1);
  ck_assert_ok(pz_module_load(module, file, &settings));
  ck_assert_str_eq(reports, "missing parametrizations.weight.1.p; "
                            "missing parametrizations.weight.0.scale; "
                            "missing parametrizations.weight.1.b; missing bias; "
                            "unknown other; unknown parametrizations.weight.0.Id; ");
  fixture_expect("bias", &now);
  now = fixture_read("weight"); // scale as registration makes it: 2 a + c
  for (int k = 0; k < 16; ++k) {
    ck_assert_double_eq_tol(host_f32(&now)[k], 2.0 * host_f32(&a)[k] + host_f32(&c)[k],
                            4 * 0x1p-23 * 20.0);
  }
}
END_TEST

START_TEST(semantics_20_plain_checkpoints_are_assigned)
{
  fill_tensors();
  /* An orthogonal matrix with determinant 1: a turn by 0.6, 0.8. */
  a = fixture_zeros(PZ_F32, 4, 4);
  host_f32(&a)[0] = host_f32(&a)[5] = 0.6F;
  host_f32(&a)[1] = -0.8F;
  host_f32(&a)[4] = 0.8F;
  host_f32(&a)[10] = host_f32(&a)[15] = 1.0F;
  const part parts[] = {{"weight", "F32", &a}, {"bias", "F32", &b}};
  make_file(parts, 2);
  c = fixture_add(module, "weight", 4, 4);
  c = fixture_add(module, "bias", 4, 4);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley", NULL));
  pz_tensor before;
  pz_tensor after;
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &before));
  char* picture = fixture_picture();
  ck_assert_fails(pz_module_load(module, file, NULL), PZ_MISMATCH,
                  "\"parametrizations.weight.original\"");
  fixture_unchanged(picture);
  pz_load_settings settings = settings_of(PZ_LOAD_ASSIGN, NULL, 0);
  ck_assert_ok(pz_module_load(module, file, &settings));
  now = fixture_read("weight");
  ck_assert_double_lt(host_distance(&now, &a), 8 * 4 * 0x1p-23);
  fixture_expect("bias", &b);
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &after));
  ck_assert_ptr_eq(before.data, after.data);

  /* What the last map refuses, it refuses here, and the bias stays as it is as well. */
  const part outside[] = {{"bias", "F32", &c}, {"weight", "F32", &c}};
  make_file(outside, 2);
  picture = fixture_picture();
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_OUTSIDE, "\"weight\"");
  fixture_unchanged(picture);

  const part both[] = {
      {"bias", "F32", &c}, {"weight", "F32", &a}, {"parametrizations.weight.original", "F32", &c}};
  make_file(both, 3);
  picture = fixture_picture();
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_MISMATCH,
                  "both the value and its original");
  fixture_unchanged(picture);
}
END_TEST

START_TEST(semantics_20_assigning_moves_own_tensors_along)
{
  fill_tensors();
  const part parts[] = {{"weight", "F32", &a}, {"parametrizations.weight.0.scale", "F32", &b}};
  make_file(parts, 2);
  now = fixture_parametrize(module, "weight", 4, 4, "affine");
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.shift", &c));
  const pz_load_settings settings = settings_of(PZ_LOAD_ASSIGN, NULL, 0);
  ck_assert_ok(pz_module_load(module, file, &settings));
  fixture_expect("parametrizations.weight.0.scale", &b);
  now = fixture_read("parametrizations.weight.0.shift"); /* as its right inverse leaves it */
  b = fixture_zeros(PZ_F32, 4, 4);
  ck_assert_double_eq(host_distance(&now, &b), 0.0);
}
END_TEST

/* 1, -2, 0.5, 0 in both half precisions. */
static const uint16_t f16[] = {0x3c00, 0xc000, 0x3800, 0x0000};
static const uint16_t bf16[] = {0x3f80, 0xc000, 0x3f00, 0x0000};
static const double halves[] = {1.0, -2.0, 0.5, 0.0};

START_TEST(semantics_20_half_precision_is_widened)
{
  static const pz_chain_rule rule = {.pattern = "skewed", .text = "skew"};
  const pz_tensor h = fixture_zeros(PZ_F32, 2, 2);
  const pz_tensor g = fixture_zeros(PZ_F32, 2, 2);
  memcpy(h.data, f16, 8);
  memcpy(g.data, bf16, 8);
  const pz_tensor f = fixture_normal(PZ_F32, 2, 2);
  const part parts[] = {{"a", "F16", &h},
                        {"b", "BF16", &g},
                        {"f", "F32", &f},
                        {"parametrizations.skewed.original", "F16", &h}};
  make_file(parts, 4);
  pz_module* made = NULL;
  pz_load_settings settings = settings_of(0, &rule, 1);
  ck_assert_fails(
      test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made),
      PZ_MISMATCH, "F16");
  settings = settings_of(PZ_LOAD_WIDEN, &rule, 1);
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made));
  pz_module* const kept = module;
  module = made;
  for (int k = 0; k < 4; ++k) {
    now = fixture_read("a");
    ck_assert_double_eq(host_at(&now, k), halves[k]);
    now = fixture_read("b");
    ck_assert_double_eq(host_at(&now, k), halves[k]);
  }
  now = fixture_read("skewed"); /* from the upper triangle */
  ck_assert_double_eq(host_at(&now, 1), -2.0);
  ck_assert_double_eq(host_at(&now, 2), 2.0);
  module = kept;
  pz_module_free(made);

  static const char* const names[] = {"a", "b", "f", "skewed"};
  for (size_t k = 0; k < 4; ++k) {
    now = fixture_normal(PZ_F64, 2, 2);
    ck_assert_ok(pz_module_add(module, names[k], PZ_PARAMETER, &now));
  }
  char* const picture = fixture_picture();
  settings = settings_of(0, &rule, 1);
  ck_assert_int_eq(pz_module_load(module, file, &settings), PZ_MISMATCH);
  fixture_unchanged(picture);
  settings = settings_of(PZ_LOAD_WIDEN, &rule, 1);
  ck_assert_ok(pz_module_load(module, file, &settings));
  now = fixture_read("f");
  ck_assert_uint_eq(now.dtype, PZ_F64);
  for (int k = 0; k < 4; ++k) {
    ck_assert_double_eq(host_at(&now, k), host_f32(&f)[k]);
  }
  now = fixture_read("skewed");
  ck_assert_double_eq(host_at(&now, 2), 2.0);
}
END_TEST

/* A pattern that is a name matches that name, whatever its characters mean in patterns. */
START_TEST(semantics_20_a_name_is_its_own_pattern)
{
  static const pz_chain_rule rules[] = {{.pattern = "l[01].w", .text = "skew"},
                                        {.pattern = "*", .text = "symmetric"}};
  fill_tensors();
  const part parts[] = {{"l[01].parametrizations.w.original", "F32", &a},
                        {"l0.parametrizations.w.original", "F32", &b},
                        {"l2.parametrizations.w.original", "F32", &c}};
  make_file(parts, 3);
  pz_module* made = NULL;
  const pz_load_settings settings = settings_of(0, rules, 2);
  ck_assert_ok(pz_module_from_file(context, NULL, file, NULL, &settings, &made));
  const pz_chain* chain = NULL;
  for (int k = 0; k < 3; ++k) {
    const char* const name = k == 0 ? "l[01].w" : k == 1 ? "l0.w" : "l2.w";
    ck_assert_ok(pz_module_chain(made, name, &chain));
    ck_assert_uint_eq(pz_chain_value(chain)->structure, k == 2 ? PZ_SYMMETRIC : PZ_SKEW);
  }
  pz_module_free(made);
}
END_TEST

START_TEST(semantics_20_dtypes_that_no_module_holds)
{
  const pz_tensor counts = fixture_normal(PZ_F64, 1, 3);
  fill_tensors();
  const part parts[] = {{"bn.num_batches_tracked", "I64", &counts}, {"weight", "F32", &a}};
  make_file(parts, 2);
  pz_module* made = NULL;
  ck_assert_fails(pz_module_from_file(context, NULL, file, NULL, NULL, &made), PZ_MISMATCH,
                  "\"bn.num_batches_tracked\": found dtype I64");
  const pz_load_settings settings = settings_of(PZ_LOAD_LENIENT, NULL, 0);
  ck_assert_ok(pz_module_from_file(context, NULL, file, NULL, &settings, &made));
  ck_assert_str_eq(reports, "dtype bn.num_batches_tracked; ");
  pz_module_free(made);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("foreign");
  tcase_add_test(tcase, semantics_20_a_state_dict_of_pytorch);
  tcase_add_test(tcase, semantics_20_no_rule_says_which_maps);
  tcase_add_test(tcase, semantics_20_what_is_left_over);
  tcase_add_test(tcase, semantics_20_plain_checkpoints_are_assigned);
  tcase_add_test(tcase, semantics_20_assigning_moves_own_tensors_along);
  tcase_add_test(tcase, semantics_20_half_precision_is_widened);
  tcase_add_test(tcase, semantics_20_a_name_is_its_own_pattern);
  tcase_add_test(tcase, semantics_20_dtypes_that_no_module_holds);
  return test_main_case(tcase);
}
