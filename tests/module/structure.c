/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 1 to 4: what a module is made of, what its tensors are called, how it looks. */

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void
expect_print(const char* const expected)
{
  char text[8192];
  const size_t length = pz_module_print(module, text, sizeof(text));
  ck_assert_uint_eq(length, strlen(text));
  ck_assert_str_eq(text, expected);

  /* Any size gives a prefix and the same length. */
  char part[64];
  for (size_t size = 0; size < sizeof(part); ++size) {
    memset(part, '?', sizeof(part));
    ck_assert_uint_eq(pz_module_print(module, size ? part : NULL, size), length);
    if (size > 0) {
      const size_t n = size - 1 < length ? size - 1 : length;
      ck_assert_int_eq(memcmp(part, text, n), 0);
      ck_assert_int_eq(part[n], '\0');
    }
    ck_assert(size == sizeof(part) || part[size] == '?');
  }
}

/* A child of the module with one tensor. */
static pz_module*
make_child(const char* const name, const char* const tensor)
{
  pz_module* child = NULL;
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), "Block", &child));
  fixture_add(child, tensor, 2, 2);
  ck_assert_ok(pz_module_add_child(module, name, child));
  return child;
}

START_TEST(semantics_01_several_tensors_are_parametrized_independently)
{
  fixture_add(module, "a", 3, 3);
  const pz_tensor b = fixture_add(module, "b", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "a", "skew", NULL));
  ck_assert_ok(pz_register_parametrization(module, "b", "symmetric", NULL));
  pz_tensor now = fixture_read("a");
  ck_assert_double_eq(host_at(&now, 1), -host_at(&now, 3));
  ck_assert_double_eq(host_at(&now, 0), 0.0);
  now = fixture_read("b");
  ck_assert_double_eq(host_at(&now, 1), host_at(&now, 3));
  ck_assert_double_eq(host_at(&now, 0), host_at(&b, 0));
  ck_assert_ok(pz_remove_parametrizations(module, "a", PZ_LEAVE_PARAMETRIZED));
  ck_assert(!pz_is_parametrized(module, "a"));
  ck_assert(pz_is_parametrized(module, "b"));
  ck_assert(pz_is_parametrized(module, NULL));
}
END_TEST

START_TEST(semantics_01_modules_nest)
{
  pz_module* const child = make_child("block", "weight");
  pz_module* found = NULL;
  ck_assert_ok(pz_register_parametrization(module, "block.weight", "skew", NULL));
  fixture_names("block.parametrizations.weight.original ");
  pz_tensor now = fixture_read("block.weight");
  ck_assert_double_eq(host_at(&now, 1), -host_at(&now, 2));
  now = fixture_read("block.parametrizations.weight.original");
  ck_assert_ok(pz_module_child(module, "block", &found));
  ck_assert_ptr_eq(found, child);
  ck_assert_ok(pz_module_child(module, "", &found));
  ck_assert_ptr_eq(found, module);
  ck_assert_fails(pz_module_child(module, "block.", &found), PZ_NOT_FOUND, "block.");
  ck_assert_fails(pz_module_child(module, "blok", &found), PZ_NOT_FOUND, "blok");
  ck_assert(!pz_is_parametrized(module, NULL)); /* children are not counted */
  ck_assert(pz_is_parametrized(child, NULL));
  ck_assert(pz_is_parametrized(module, "block.weight"));

  /* from the child's own side the names are shorter */
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(child, 0, &entry));
  ck_assert_str_eq(entry.name, "parametrizations.weight.original");

  pz_module_free(child); /* nothing: it is not ours to free any more */
  now = fixture_read("block.weight");
  ck_assert_fails(pz_module_add_child(child, "up", module), PZ_INVALID, "inside itself");
  ck_assert_fails(pz_module_add_child(module, "again", child), PZ_INVALID, "nested nowhere");
  ck_assert_fails(pz_module_add_child(module, "self", module), PZ_INVALID, "nested nowhere");
}
END_TEST

START_TEST(semantics_01_names_are_checked)
{
  pz_module* child = NULL;
  const pz_tensor w = fixture_add(module, "weight", 2, 2);
  static const char* const bad[] = {
      "",     "a.b",  ".",        "parametrizations", "__metadata__",
      "a\nb", "\xff", "\xc0\x80", "\xed\xa0\x80",
  };
  ck_assert_ok(test_module_new(context, getenv("TEST_DEVICE"), NULL, &child));
  for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); ++k) {
    ck_assert_int_eq(pz_module_add(module, bad[k], PZ_PARAMETER, &w), PZ_INVALID);
    ck_assert_int_eq(pz_module_add_child(module, bad[k], child), PZ_INVALID);
  }
  ck_assert_int_eq(pz_module_add(module, NULL, PZ_PARAMETER, &w), PZ_INVALID);
  ck_assert_fails(pz_module_add(module, "weight", PZ_BUFFER, &w), PZ_EXISTS, "weight");
  ck_assert_fails(pz_module_add_child(module, "weight", child), PZ_EXISTS, "weight");
  ck_assert_ok(pz_module_add_child(module, "Gewicht\xc3\xa9", child));
  ck_assert_fails(pz_module_add(module, "Gewicht\xc3\xa9", PZ_BUFFER, &w), PZ_EXISTS, "child");
  ck_assert_fails(pz_module_add(module, "x", (pz_tensor_kind)3, &w), PZ_INVALID, "kind 3");
  fixture_names("weight ");
}
END_TEST

START_TEST(semantics_01_tensors_are_copied_with_their_strides)
{
  const pz_tensor w = fixture_normal(PZ_F64, 3, 2);
  const int64_t shape[2] = {2, 3};
  pz_tensor turned = w;
  turned.shape = shape;
  turned.strides = (const int64_t[]){1, 2};
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &turned));
  const pz_tensor now = fixture_read("weight");
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      ck_assert_double_eq(host_at(&now, 3 * i + j), host_at(&w, i + 2 * j));
    }
  }
  const int64_t one = 1;
  int64_t number = 3;
  const pz_tensor integers = pz_host_tensor(PZ_I64, &number, 1, &one);
  ck_assert_fails(pz_module_add(module, "n", PZ_BUFFER, &integers), PZ_MISMATCH, "int64");
}
END_TEST

START_TEST(semantics_02_names_of_originals_and_own_tensors)
{
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "pair", 3, 3);
  fixture_add(module, "single", 3, 3);
  fixture_add(module, "bias", 1, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,affine,fragile", NULL));
  ck_assert_ok(pz_register_parametrization(module, "pair", "weighted", NULL));
  ck_assert_ok(pz_register_parametrization(module, "single", "sequence", NULL));
  fixture_names("parametrizations.weight.original parametrizations.weight.1.shift "
                "parametrizations.weight.2.p parametrizations.weight.1.scale "
                "parametrizations.weight.2.b parametrizations.pair.original0 "
                "parametrizations.pair.original1 parametrizations.single.original0 bias ");
  pz_tensor there;
  ck_assert_ok(pz_module_get(module, "parametrizations.pair.original0", &there));
  ck_assert_int_eq(there.ndim, 0);
  ck_assert_fails(pz_module_get(module, "parametrizations.pair.original", &there), PZ_NOT_FOUND,
                  "the nearest is \"parametrizations.pair.original0\"");
  ck_assert_fails(pz_module_get(module, "parametrizations.bias.original", &there), PZ_NOT_FOUND,
                  "");
  ck_assert_fails(pz_module_get(module, "parametrizations.weight", &there), PZ_NOT_FOUND, "");
  ck_assert_fails(pz_module_get(module, "parametrizations", &there), PZ_NOT_FOUND, "");
  ck_assert_fails(pz_module_get(module, "biass", &there), PZ_NOT_FOUND, "\"bias\"");
  ck_assert_int_eq(pz_module_get(module, "", &there), PZ_NOT_FOUND);
  ck_assert_int_eq(pz_module_get(module, NULL, &there), PZ_NOT_FOUND);
  pz_tensor_info entry = {.size = 4};
  ck_assert_fails(pz_module_tensor(module, 0, &entry), PZ_INVALID, "size 4");
}
END_TEST

START_TEST(semantics_02_removal_restores_the_place)
{
  fixture_add(module, "a", 3, 3);
  fixture_add(module, "b", 3, 3);
  fixture_add(module, "c", 3, 3);
  make_child("block", "d");
  ck_assert_ok(pz_register_parametrization(module, "b", "affine", NULL));
  fixture_names("a parametrizations.b.original parametrizations.b.0.shift "
                "parametrizations.b.0.scale c block.d ");
  ck_assert_ok(pz_remove_parametrizations(module, "b", PZ_LEAVE_PARAMETRIZED));
  fixture_names("a b c block.d ");
}
END_TEST

START_TEST(semantics_03_the_list_by_index)
{
  const pz_chain* chain = NULL;
  fixture_add(module, "weight", 3, 3);
  ck_assert_fails(pz_module_chain(module, "weight", &chain), PZ_NOT_FOUND, "not parametrized");
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,pruning(p_drop=0.25)", NULL));
  ck_assert_ok(pz_module_chain(module, "weight", &chain));
  ck_assert_uint_eq(pz_chain_length(chain), 2);
  pz_stage_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_chain_stage(chain, 1, &info));
  ck_assert_str_eq(info.id, "pruning");
  ck_assert_str_eq(info.text, "pruning(p_drop=0.25)");
}
END_TEST

START_TEST(semantics_03_prints_as_a_tree)
{
  expect_print("Linear()");
  fixture_add(module, "weight", 3, 3);
  fixture_add(module, "bias", 1, 3);
  pz_module* const child = make_child("block", "w");
  ck_assert_ok(pz_module_require_grad(module, "bias", false));
  expect_print("Linear(\n"
               "  (weight): Parameter(float32 3x3)\n"
               "  (bias): Parameter(float32 1x3, frozen)\n"
               "  (block): Block(\n"
               "    (w): Parameter(float32 2x2)\n"
               "  )\n"
               ")");
  ck_assert_ok(pz_register_parametrization(module, "weight", "counting,affine", NULL));
  ck_assert_ok(pz_register_parametrization(child, "w", "sequence", NULL));
  const int before = atomic_load(&map_forwards);
  expect_print("ParametrizedLinear(\n"
               "  (bias): Parameter(float32 1x3, frozen)\n"
               "  (parametrizations): ModuleDict(\n"
               "    (weight): ParametrizationList(\n"
               "      (original): Parameter(float32 3x3)\n"
               "      (0): counting() -> float32 3x3, counting 1.2.3 from (given by the host) "
               "test_maps\n"
               "      (1): affine() -> float32 3x3, affine 1.2.3 from (given by the host) "
               "test_maps\n"
               "        (shift): Parameter(float32 3x3)\n"
               "        (scale): Buffer(float32 3x3)\n"
               "    )\n"
               "  )\n"
               "  (block): ParametrizedBlock(\n"
               "    (parametrizations): ModuleDict(\n"
               "      (w): ParametrizationList(\n"
               "        (original0): Parameter(float32 2x2)\n"
               "        (0): sequence() -> float32 2x2, sequence 1.2.3 from (given by the host) "
               "test_maps\n"
               "      )\n"
               "    )\n"
               "  )\n"
               ")");
  ck_assert_int_eq(atomic_load(&map_forwards), before); /* printing never evaluates */
}
END_TEST

START_TEST(semantics_03_prints_options_and_the_file)
{
  char text[8192];
  fixture_parametrize(module, "weight", 3, 3, "skew,pruning(p_drop=0.25)");
  pz_module_print(module, text, sizeof(text));
  ck_assert_ptr_nonnull(strstr(text, "(0): skew() -> float32 3x3 skew, skew 1.0.0 from /"));
  ck_assert_ptr_nonnull(strstr(text, "/skew.so\n"));
  ck_assert_ptr_nonnull(strstr(text, "(1): pruning(p_drop=0.25) -> float32 3x3, pruning 1.0.0"));
}
END_TEST

START_TEST(semantics_04_buffers_are_parametrized_alike)
{
  const pz_tensor w = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_add(module, "running", PZ_BUFFER, &w));
  ck_assert_ok(pz_register_parametrization(module, "running", "skew", NULL));
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_str_eq(entry.name, "parametrizations.running.original");
  ck_assert_uint_eq(entry.kind, PZ_BUFFER);
  ck_assert_uint_eq(entry.requires_grad, 0);
  ck_assert_ok(pz_remove_parametrizations(module, "running", PZ_LEAVE_PARAMETRIZED));
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  ck_assert_str_eq(entry.name, "running");
  ck_assert_uint_eq(entry.kind, PZ_BUFFER);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("structure");
  tcase_add_test(tcase, semantics_01_several_tensors_are_parametrized_independently);
  tcase_add_test(tcase, semantics_01_modules_nest);
  tcase_add_test(tcase, semantics_01_names_are_checked);
  tcase_add_test(tcase, semantics_01_tensors_are_copied_with_their_strides);
  tcase_add_test(tcase, semantics_02_names_of_originals_and_own_tensors);
  tcase_add_test(tcase, semantics_02_removal_restores_the_place);
  tcase_add_test(tcase, semantics_03_the_list_by_index);
  tcase_add_test(tcase, semantics_03_prints_as_a_tree);
  tcase_add_test(tcase, semantics_03_prints_options_and_the_file);
  tcase_add_test(tcase, semantics_04_buffers_are_parametrized_alike);
  return test_main_case(tcase);
}
