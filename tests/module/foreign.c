/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20: files of others. State dicts with PyTorch's names load with rules that say
   which maps make the values; what is left over is named; plain checkpoints go through right
   inverses when asked; half precision is widened when asked. */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>

static pz_file* file;

static void
setup(void)
{
  file = NULL;
}

static void
teardown(void)
{
  pz_file_close(file);
}

/* A tensor of a file in the making. */
typedef struct part {
  const char* name;
  const char* dtype;
  const rig_tensor* tensor; /* float32, or bytes of another dtype */
  uint64_t bytes;
} part;

/* Writes a file without any description, opens it. */
static void
make_file(const part* const parts, const size_t n)
{
  pz_file_entry entries[16];
  const pz_metadata format = {"format", "pt"};
  pz_writer* writer = NULL;
  for (size_t k = 0; k < n; ++k) {
    entries[k] = (pz_file_entry){.size = sizeof(entries[k]),
                                 .name = parts[k].name,
                                 .dtype = parts[k].dtype,
                                 .spec = pz_spec_of(&parts[k].tensor->tensor),
                                 .bytes = parts[k].bytes};
  }
  ck_assert_ok(pz_writer_open(path, 0, entries, n, &format, 1, &writer));
  for (size_t k = 0; k < n; ++k) {
    ck_assert_ok(pz_writer_put(writer, k, &parts[k].tensor->data, parts[k].bytes));
  }
  ck_assert_ok(pz_writer_commit(writer));
  pz_file_close(file);
  file = NULL;
  ck_assert_ok(pz_file_open(path, &file));
}

/* What a load reported, as text. */
static char reports[1024];

static void
report(void* const user, const pz_load_remark remark, const char* const name)
{
  static const char* const kinds[] = {"", "unknown", "missing", "dtype"};
  ck_assert_ptr_eq(user, &file);
  const size_t length = strlen(reports);
  snprintf(reports + length, sizeof(reports) - length, "%s %s; ", kinds[remark], name);
}

static pz_load_settings
settings_of(const uint32_t flags, const pz_list_rule* const rules, const uint32_t n)
{
  reports[0] = '\0';
  return (pz_load_settings){.size = sizeof(pz_load_settings),
                            .flags = flags,
                            .rules = rules,
                            .n_rules = n,
                            .report = report,
                            .user = &file};
}

static rig_tensor a;
static rig_tensor b;
static rig_tensor c;
static rig_tensor now;

static void
fill_tensors(void)
{
  rig_normal(&a, PZ_F32, 4, 4);
  rig_normal(&b, PZ_F32, 4, 4);
  rig_normal(&c, PZ_F32, 4, 4);
}

/* The value of `text` on these originals, computed by a module of its own. */
static void
value_of(const char* const text, const rig_tensor* const original, const char* const buffer,
         const rig_tensor* const contents, rig_tensor* const out)
{
  pz_module* const kept = module;
  ck_assert_ok(pz_module_new(context, getenv("TEST_DEVICE"), "Linear", &module));
  ck_assert_ok(pz_module_add(module, "w", PZ_PARAMETER, &original->tensor));
  ck_assert_ok(pz_register_parametrization(module, "w", text, 0));
  ck_assert_ok(pz_module_set(module, "parametrizations.w.original", &original->tensor));
  if (buffer) {
    ck_assert_ok(pz_module_set(module, buffer, &contents->tensor));
  }
  rig_read("w", out);
  pz_module_free(module);
  module = kept;
}

START_TEST(semantics_20_a_state_dict_of_pytorch)
{
  static const pz_list_rule rules[] = {
      {"rnn.kernel", "skew,cayley"},
      {"*.masked", "affine,pruning"},
      {"*", "weighted"},
  };
  fill_tensors();
  rig_tensor scale = c;
  scale.tensor.ndim = 0;
  scale.data.f32[0] = 3.0F;
  scale.tensor.shape = scale.shape;
  rig_tensor mask;
  rig_zeros(&mask, PZ_F32, 4, 4);
  for (int k = 0; k < 16; ++k) {
    mask.data.f32[k] = k % 3 == 0 ? 0.0F : 1.0F;
  }
  const part parts[] = {
      {"bias", "F32", &c, 64},
      {"rnn.parametrizations.kernel.original", "F32", &a, 64},
      {"rnn.parametrizations.masked.original", "F32", &b, 64},
      {"rnn.parametrizations.masked.0.shift", "F32", &c, 64},
      {"rnn.parametrizations.masked.0.scale", "F32", &a, 64},
      {"rnn.parametrizations.masked.1.mask", "F32", &mask, 64},
      {"parametrizations.pair.original0", "F32", &scale, 4},
      {"parametrizations.pair.original1", "F32", &b, 64},
  };
  make_file(parts, 8);
  const pz_load_settings settings = settings_of(0, rules, 3);
  pz_module* made = NULL;
  ck_assert_ok(pz_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made));
  pz_module* const kept = module;
  module = made;
  rig_tensor expected;
  value_of("skew,cayley", &a, NULL, NULL, &expected);
  rig_read("rnn.kernel", &now);
  ck_assert_double_eq(rig_distance(&now, &expected), 0.0);
  rig_read("rnn.masked", &now);
  for (int k = 0; k < 16; ++k) { // mask o (a o b + c)
    const double y = mask.data.f32[k] * ((double)a.data.f32[k] * b.data.f32[k] + c.data.f32[k]);
    ck_assert_double_eq_tol(now.data.f32[k], y, 4 * 0x1p-23 * 20.0);
  }
  rig_read("pair", &now);
  for (int k = 0; k < 16; ++k) {
    ck_assert_double_eq_tol(now.data.f32[k], 3.0 * b.data.f32[k], 4 * 0x1p-23 * 20.0);
  }
  rig_read("bias", &now);
  ck_assert_double_eq(rig_distance(&now, &c), 0.0);
  /* in the order of the file */
  pz_tensor_entry entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_str_eq(entry.name, "bias");
  ck_assert_ok(pz_module_tensor(module, 3, &entry));
  ck_assert_str_eq(entry.name, "rnn.parametrizations.kernel.original");
  pz_module_free(made);
  module = kept;

  /* Each alone, as a program asks that bakes a file value by value. */
  ck_assert_ok(
      pz_module_from_file(context, getenv("TEST_DEVICE"), file, "rnn.kernel", &settings, &made));
  module = made;
  rig_read("rnn.kernel", &now);
  ck_assert_double_eq(rig_distance(&now, &expected), 0.0);
  ck_assert_int_eq(pz_module_tensor(module, 1, &entry), PZ_NOT_FOUND);
  module = kept;
  pz_module_free(made);
}
END_TEST

START_TEST(semantics_20_no_rule_says_which_maps)
{
  static const pz_list_rule other = {"kernel", "skew"};
  pz_module* made = NULL;
  fill_tensors();
  const part parts[] = {{"parametrizations.weight.original", "F32", &a, 64},
                        {"bias", "F32", &b, 64}};
  make_file(parts, 2);
  pz_load_settings settings = settings_of(0, &other, 1);
  ck_assert_fails(
      pz_module_from_file(context, NULL, file, NULL, &settings, &made), PZ_MISMATCH,
      "\"weight\" is parametrized in the file, but neither the file nor a rule defines its chain");
  rig_add(module, "weight", 4, 4, &c);
  rig_add(module, "bias", 4, 4, &c);
  char* const picture = rig_picture();
  ck_assert_fails(pz_module_load_from(module, file, &settings), PZ_MISMATCH, "nor a rule defines");
  rig_unchanged(picture);

  /* Where the list is here already nobody needs to say it. */
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley", 0));
  ck_assert_ok(pz_module_load_from(module, file, NULL));
  rig_read("parametrizations.weight.original", &now);
  ck_assert_double_eq(rig_distance(&now, &a), 0.0);

  /* A rule must say the same as the list that is here. */
  const pz_list_rule rule = {"weight", "skew"};
  settings = settings_of(0, &rule, 1);
  ck_assert_fails(pz_module_load_from(module, file, &settings), PZ_MISMATCH,
                  "\"weight\": \"skew\" in the file, \"skew,cayley\" here");

  settings = settings_of(PZ_LOAD_LENIENT, NULL, 0);
  ck_assert_ok(pz_module_from_file(context, NULL, file, NULL, &settings, &made));
  ck_assert_str_eq(reports, "unknown parametrizations.weight.original; ");
  pz_module_free(made);
}
END_TEST

START_TEST(semantics_20_what_is_left_over)
{
  static const pz_list_rule rule = {"weight", "affine,fragile"};
  fill_tensors();
  const part parts[] = {{"parametrizations.weight.original", "F32", &a, 64},
                        {"parametrizations.weight.0.Id", "F32", &b, 64},
                        {"parametrizations.weight.0.shift", "F32", &c, 64},
                        {"other", "F32", &b, 64}};
  make_file(parts, 4);
  rig_add(module, "weight", 4, 4, &now);
  rig_add(module, "bias", 4, 4, &now);
  char* const picture = rig_picture();
  pz_load_settings settings = settings_of(0, &rule, 1);
  ck_assert_fails(pz_module_load_from(module, file, &settings), PZ_MISMATCH,
                  "4 of 6 tensors expected are not in the file: \"parametrizations.weight.1.p\", "
                  "\"parametrizations.weight.0.scale\", \"parametrizations.weight.1.b\", \"bias\"");
  ck_assert_str_eq(reports, "");
  rig_unchanged(picture);
  settings = settings_of(PZ_LOAD_LENIENT, &rule, 1);
  ck_assert_ok(pz_module_load_from(module, file, &settings));
  ck_assert_str_eq(reports, "missing parametrizations.weight.1.p; "
                            "missing parametrizations.weight.0.scale; "
                            "missing parametrizations.weight.1.b; missing bias; "
                            "unknown other; unknown parametrizations.weight.0.Id; ");
  rig_tensor bias;
  rig_read("bias", &bias);
  ck_assert_double_eq(rig_distance(&bias, &now), 0.0);
  rig_read("weight", &now); // scale as registration makes it: 2 a + c
  for (int k = 0; k < 16; ++k) {
    ck_assert_double_eq_tol(now.data.f32[k], 2.0 * a.data.f32[k] + c.data.f32[k],
                            4 * 0x1p-23 * 20.0);
  }
}
END_TEST

START_TEST(semantics_20_plain_checkpoints_are_assigned)
{
  fill_tensors();
  /* An orthogonal matrix with determinant 1: a turn by 0.6, 0.8. */
  rig_zeros(&a, PZ_F32, 4, 4);
  a.data.f32[0] = a.data.f32[5] = 0.6F;
  a.data.f32[1] = -0.8F;
  a.data.f32[4] = 0.8F;
  a.data.f32[10] = a.data.f32[15] = 1.0F;
  const part parts[] = {{"weight", "F32", &a, 64}, {"bias", "F32", &b, 64}};
  make_file(parts, 2);
  rig_add(module, "weight", 4, 4, &c);
  rig_add(module, "bias", 4, 4, &c);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley", 0));
  pz_tensor before;
  pz_tensor after;
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &before));
  char* picture = rig_picture();
  ck_assert_fails(pz_module_load_from(module, file, NULL), PZ_MISMATCH,
                  "\"parametrizations.weight.original\"");
  rig_unchanged(picture);
  pz_load_settings settings = settings_of(PZ_LOAD_ASSIGN, NULL, 0);
  ck_assert_ok(pz_module_load_from(module, file, &settings));
  rig_read("weight", &now);
  ck_assert_double_lt(rig_distance(&now, &a), 8 * 4 * 0x1p-23);
  rig_read("bias", &now);
  ck_assert_double_eq(rig_distance(&now, &b), 0.0);
  ck_assert_ok(pz_module_get(module, "parametrizations.weight.original", &after));
  ck_assert_ptr_eq(before.data, after.data);

  /* What the last map refuses, it refuses here, and the bias stays as it is as well. */
  const part outside[] = {{"bias", "F32", &c, 64}, {"weight", "F32", &c, 64}};
  make_file(outside, 2);
  picture = rig_picture();
  ck_assert_fails(pz_module_load_from(module, file, &settings), PZ_OUTSIDE, "\"weight\"");
  rig_unchanged(picture);

  const part both[] = {{"bias", "F32", &c, 64},
                       {"weight", "F32", &a, 64},
                       {"parametrizations.weight.original", "F32", &c, 64}};
  make_file(both, 3);
  picture = rig_picture();
  ck_assert_fails(pz_module_load_from(module, file, &settings), PZ_MISMATCH,
                  "both the value and its original");
  rig_unchanged(picture);
}
END_TEST

START_TEST(semantics_20_assigning_moves_own_tensors_along)
{
  fill_tensors();
  const part parts[] = {{"weight", "F32", &a, 64},
                        {"parametrizations.weight.0.scale", "F32", &b, 64}};
  make_file(parts, 2);
  rig_add(module, "weight", 4, 4, &now);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine", 0));
  ck_assert_ok(pz_module_set(module, "parametrizations.weight.0.shift", &c.tensor));
  const pz_load_settings settings = settings_of(PZ_LOAD_ASSIGN, NULL, 0);
  ck_assert_ok(pz_module_load_from(module, file, &settings));
  rig_read("parametrizations.weight.0.scale", &now);
  ck_assert_double_eq(rig_distance(&now, &b), 0.0);
  rig_read("parametrizations.weight.0.shift", &now); /* as its right inverse leaves it */
  rig_zeros(&b, PZ_F32, 4, 4);
  ck_assert_double_eq(rig_distance(&now, &b), 0.0);
}
END_TEST

/* 1, -2, 0.5, 0 in both half precisions. */
static const uint16_t f16[] = {0x3c00, 0xc000, 0x3800, 0x0000};
static const uint16_t bf16[] = {0x3f80, 0xc000, 0x3f00, 0x0000};
static const double halves[] = {1.0, -2.0, 0.5, 0.0};

START_TEST(semantics_20_half_precision_is_widened)
{
  static const pz_list_rule rule = {"skewed", "skew"};
  rig_tensor h;
  rig_tensor g;
  rig_tensor f;
  rig_zeros(&h, PZ_F32, 2, 2);
  g = h;
  g.tensor.shape = g.shape;
  memcpy(&h.data, f16, 8);
  memcpy(&g.data, bf16, 8);
  rig_normal(&f, PZ_F32, 2, 2);
  const part parts[] = {{"a", "F16", &h, 8},
                        {"b", "BF16", &g, 8},
                        {"f", "F32", &f, 16},
                        {"parametrizations.skewed.original", "F16", &h, 8}};
  make_file(parts, 4);
  pz_module* made = NULL;
  pz_load_settings settings = settings_of(0, &rule, 1);
  ck_assert_fails(pz_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made),
                  PZ_MISMATCH, "F16");
  settings = settings_of(PZ_LOAD_WIDEN, &rule, 1);
  ck_assert_ok(pz_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, &settings, &made));
  pz_module* const kept = module;
  module = made;
  for (int k = 0; k < 4; ++k) {
    rig_read("a", &now);
    ck_assert_double_eq(rig_at(&now, k), halves[k]);
    rig_read("b", &now);
    ck_assert_double_eq(rig_at(&now, k), halves[k]);
  }
  rig_read("skewed", &now); /* from the upper triangle */
  ck_assert_double_eq(rig_at(&now, 1), -2.0);
  ck_assert_double_eq(rig_at(&now, 2), 2.0);
  module = kept;
  pz_module_free(made);

  static const char* const names[] = {"a", "b", "f", "skewed"};
  for (size_t k = 0; k < 4; ++k) {
    rig_normal(&now, PZ_F64, 2, 2);
    ck_assert_ok(pz_module_add(module, names[k], PZ_PARAMETER, &now.tensor));
  }
  char* const picture = rig_picture();
  settings = settings_of(0, &rule, 1);
  ck_assert_int_eq(pz_module_load_from(module, file, &settings), PZ_MISMATCH);
  rig_unchanged(picture);
  settings = settings_of(PZ_LOAD_WIDEN, &rule, 1);
  ck_assert_ok(pz_module_load_from(module, file, &settings));
  rig_read("f", &now);
  ck_assert_uint_eq(now.tensor.dtype, PZ_F64);
  for (int k = 0; k < 4; ++k) {
    ck_assert_double_eq(rig_at(&now, k), f.data.f32[k]);
  }
  rig_read("skewed", &now);
  ck_assert_double_eq(rig_at(&now, 2), 2.0);
}
END_TEST

START_TEST(semantics_20_dtypes_that_no_module_holds)
{
  rig_tensor counts;
  rig_normal(&counts, PZ_F64, 1, 3);
  fill_tensors();
  const part parts[] = {{"bn.num_batches_tracked", "I64", &counts, 24}, {"weight", "F32", &a, 64}};
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
  Suite* const suite = suite_create("foreign");
  TCase* const tcase = folder_case("foreign");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_test(tcase, semantics_20_a_state_dict_of_pytorch);
  tcase_add_test(tcase, semantics_20_no_rule_says_which_maps);
  tcase_add_test(tcase, semantics_20_what_is_left_over);
  tcase_add_test(tcase, semantics_20_plain_checkpoints_are_assigned);
  tcase_add_test(tcase, semantics_20_assigning_moves_own_tensors_along);
  tcase_add_test(tcase, semantics_20_half_precision_is_widened);
  tcase_add_test(tcase, semantics_20_dtypes_that_no_module_holds);
  suite_add_tcase(suite, tcase);
  return test_main(suite);
}
