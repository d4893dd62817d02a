/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20: what a file of ours holds becomes a module, or goes into one, with its lists,
   without code that registers them. */

#include "folder.h"
#include "full_module.h"

#include <stdlib.h>

/* ---- a map with a tensor for an option ------------------------------------------------- */

static const pz_option marked_options[] = {
    {.name = "mark", .doc = "Added to everything", .type = PZ_TENSOR},
    PZ_OPTION_REAL("times", 1.0, 0.0, 9.0, "How often"),
};

static pz_status
marked_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  PZ_TRY(pz_copy(c, x, y));
  const pz_tensor* const mark = c->options[0].as.tensor;
  return mark ? pz_axpby(c, c->options[1].as.real, mark, 1.0, y) : PZ_OK;
}

static const pz_parametrization marked = {
    .size = sizeof(marked),
    .id = "marked",
    .summary = "Itself and a given tensor",
    PZ_OPTIONS(marked_options),
    .option_size = sizeof(pz_option),
    .forward = marked_forward,
};

PZ_PLUGIN(test_marked, "1.0.0", PZ_PARAMETRIZATION(&marked));

static void
setup(void)
{
  ck_assert_ok(pz_context_add_plugin(context, &pz_plugin_v1_test_marked));
  ck_assert_ok(test_module_to(context, module, "reference"));
}

/* ---- making modules -------------------------------------------------------------------- */

START_TEST(semantics_20_a_module_is_made_from_its_file)
{
  pz_module* made = NULL;
  full_module_fill(module);
  ck_assert_ok(pz_module_require_grad(module, "bias", false));
  pz_tensor t = fixture_normal(PZ_F64, 2, 2);
  ck_assert_ok(pz_module_add(module, "wide", PZ_PARAMETER, &t));
  ck_assert_ok(pz_register_parametrization(module, "wide", "sequence", NULL));
  t = fixture_zeros(PZ_F32, 0, 3);
  ck_assert_ok(pz_module_add(module, "none", PZ_BUFFER, &t));
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  ck_assert_ok(test_module_from_file(context, "reference", file, NULL, NULL, &made));
  char* const picture = fixture_picture();
  char* const other = fixture_picture_of(made);
  ck_assert_str_eq(picture, other);
  full_module_assert_same(module, made, 0.0); /* noise too: the draws are saved */

  /* And it is saved to the same bytes. */
  size_t sizes[2];
  char* const first = read_file(&sizes[0]);
  ck_assert_ok(pz_module_save(made, path, NULL));
  char* const second = read_file(&sizes[1]);
  ck_assert_uint_eq(sizes[0], sizes[1]);
  ck_assert_mem_eq(first, second, sizes[0]);
  free(first);
  free(second);
  free(picture);
  free(other);
  pz_module_free(made);
}
END_TEST

START_TEST(semantics_20_one_value_of_a_file)
{
  full_module_fill(module);
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  for (const char* const* name = full_module_values; *name; ++name) {
    pz_module* made = NULL;
    pz_tensor_info entry = {.size = sizeof(entry)};
    if (strncmp(*name, "parametrizations.", 17) == 0) {
      continue; /* comes with the value around it */
    }
    ck_assert_ok(test_module_from_file(context, "reference", file, *name, NULL, &made));
    const pz_tensor a = fixture_read(*name);
    fixture_expect_of(made, *name, &a);
    for (uint32_t k = 0; pz_module_tensor(made, k, &entry) == PZ_OK; ++k) {
      ck_assert_uint_lt(k, 10); /* nothing else is there: "deep" has nine */
    }
    pz_module_free(made);
  }
  pz_module* made = NULL;
  ck_assert_fails(pz_module_from_file(context, NULL, file, "child", NULL, &made), PZ_NOT_FOUND,
                  "\"child\"");
  ck_assert_fails(pz_module_from_file(context, NULL, file, "", NULL, &made), PZ_NOT_FOUND, "\"\"");
}
END_TEST

START_TEST(semantics_20_options_that_are_tensors)
{
  pz_tensor value;
  pz_module* made = NULL;
  pz_file_chain_info list = {.size = sizeof(list)};
  pz_file_tensor_info entry = {.size = sizeof(entry)};
  const pz_tensor w = fixture_add(module, "weight", 3, 3);
  const pz_tensor mark = fixture_normal(PZ_F32, 3, 3);
  const pz_option_setting setting = {
      .name = "mark", .stage = 1, .value = {.type = PZ_TENSOR, .as.tensor = &mark}};
  ck_assert_ok(pz_register_parametrization(
      module, "weight", "affine,marked(times=3)",
      &(pz_register_settings){
          .size = sizeof(pz_register_settings), .options = &setting, .n_options = 1}));
  value = fixture_read("weight");
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  ck_assert_ok(pz_file_chain(file, 0, &list));
  ck_assert_str_eq(list.text, "affine,marked(mark=<tensor>,times=3)");
  ck_assert_ok(pz_file_find(file, "parametrizations.weight.1.options.mark", &entry));
  ck_assert_mem_eq(entry.data, mark.data, 36);

  ck_assert_ok(test_module_from_file(context, "reference", file, NULL, NULL, &made));
  fixture_expect_of(made, "weight", &value);
  ck_assert_ok(pz_module_load(module, file, NULL)); /* the same options here */
  pz_module_free(made);

  made = fixture_empty_module("Linear");
  ck_assert_ok(pz_module_add(made, "weight", PZ_PARAMETER, &w));
  host_f32(&mark)[4] += 1.0F;
  ck_assert_ok(pz_register_parametrization(
      made, "weight", "affine,marked(times=3)",
      &(pz_register_settings){
          .size = sizeof(pz_register_settings), .options = &setting, .n_options = 1}));
  ck_assert_fails(pz_module_load(made, file, NULL), PZ_MISMATCH, "the tensor options of");
  pz_module_free(made);
}
END_TEST

/* ---- into modules -------------------------------------------------------------------- */

/* The tensors of the full module, all plain. */
static pz_module*
plain_twin(void)
{
  static const char* const names[] = {"bias", "weight", "own", "noise", "pair"};
  pz_tensor t;
  pz_module* const made = fixture_empty_module("Linear");
  pz_module* const child = fixture_empty_module("Block");
  pz_module* const leaf = fixture_empty_module("Leaf");
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); ++k) {
    t = fixture_add(made, names[k], k == 0 ? 1 : 4, 4);
  }
  t = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_add(made, "mean", PZ_BUFFER, &t));
  t = fixture_add(made, "deep", 4, 4);
  t = fixture_add(child, "weight", 4, 4);
  t = fixture_add(leaf, "weight", 4, 4);
  t = fixture_normal(PZ_F32, 2, 3);
  ck_assert_ok(pz_module_add(leaf, "count", PZ_BUFFER, &t));
  ck_assert_ok(pz_module_add_child(child, "leaf", leaf));
  ck_assert_ok(pz_module_add_child(made, "child", child));
  return made;
}

START_TEST(semantics_20_lists_are_made_on_plain_tensors)
{
  full_module_fill(module);
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  pz_module* const twin = plain_twin();
  const void* const weight = fixture_place_of(twin, "weight");
  const void* const bias = fixture_place_of(twin, "bias");
  map_failing = "right_inverse"; /* which is not to run */
  ck_assert_ok(pz_module_load(twin, file, NULL));
  map_failing = NULL;
  full_module_assert_same(module, twin, 0.0);
  ck_assert_ptr_eq(fixture_place_of(twin, "parametrizations.weight.original"), weight);
  ck_assert_ptr_eq(fixture_place_of(twin, "bias"), bias);
  ck_assert(pz_is_parametrized(twin, "child.leaf.weight"));

  /* A second time the lists are there already, and their draws come back. */
  const pz_tensor t = fixture_normal(PZ_F32, 4, 4);
  ck_assert_ok(pz_module_update(twin, NULL));
  ck_assert_ok(pz_module_set(twin, "parametrizations.noise.original", &t));
  ck_assert_ok(pz_module_load(twin, file, NULL));
  full_module_assert_same(module, twin, 0.0);
  ck_assert_ptr_eq(fixture_place_of(twin, "parametrizations.weight.original"), weight);
  pz_module_free(twin);
}
END_TEST

START_TEST(semantics_20_other_lists_are_refused)
{
  pz_tensor w = fixture_parametrize(module, "weight", 4, 4, "skew,affine");
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  pz_module* const other = fixture_empty_module("Linear");
  ck_assert_ok(pz_module_add(other, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_register_parametrization(other, "weight", "symmetric,affine", NULL));
  char* const picture = fixture_picture_of(other);
  ck_assert_fails(pz_module_load(other, file, NULL), PZ_MISMATCH,
                  "\"weight\": \"skew,affine\" in the file, \"symmetric,affine\" here");
  char* const now = fixture_picture_of(other);
  ck_assert_str_eq(picture, now);
  free(picture);
  free(now);
  pz_module_free(other);

  pz_module* const narrow = fixture_empty_module("Linear");
  w = fixture_normal(PZ_F32, 4, 5);
  ck_assert_ok(pz_module_add(narrow, "weight", PZ_PARAMETER, &w));
  ck_assert_fails(pz_module_load(narrow, file, NULL), PZ_MISMATCH,
                  "\"weight\": found float32 4x4, expected float32 4x5");
  ck_assert(!pz_is_parametrized(narrow, "weight"));
  pz_module_free(narrow);
}
END_TEST

START_TEST(semantics_20_values_of_other_specs_than_the_tensor)
{
  /* Registered with PZ_UNSAFE, the value is of another shape than the tensor was. */
  pz_tensor w = fixture_add(module, "weight", 3, 2);
  ck_assert_ok(pz_register_parametrization(module, "weight", "turned", &test_unsafe));
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  pz_module* const other = fixture_empty_module("Linear");
  const pz_spec original = pz_spec_of(&w);
  pz_tensor_info entry = {.size = sizeof(entry)};
  ck_assert_ok(pz_module_tensor(module, 0, &entry));
  w = fixture_normal(PZ_F32, entry.spec.shape[0], entry.spec.shape[1]);
  ck_assert(original.ndim == entry.spec.ndim);
  const pz_tensor a = fixture_read("weight");
  const pz_spec value = pz_spec_of(&a);
  w = fixture_normal(PZ_F32, value.shape[0], value.shape[1]);
  ck_assert_ok(pz_module_add(other, "weight", PZ_PARAMETER, &w));
  ck_assert_ok(pz_module_load(other, file, NULL));
  fixture_expect_of(other, "weight", &a);
  pz_module_free(other);
}
END_TEST

START_TEST(semantics_20_baked_values_need_no_lists)
{
  full_module_fill(module);
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  pz_module* const twin = plain_twin();
  ck_assert_ok(pz_module_load(twin, file, NULL));
  for (const char* const* name = full_module_values; *name; ++name) {
    if (strncmp(*name, "parametrizations.", 17) == 0) {
      continue; /* it went with the list around it */
    }
    if (pz_is_parametrized(twin, *name)) {
      ck_assert_ok(pz_remove_parametrizations(twin, *name, PZ_LEAVE_PARAMETRIZED));
    }
    const pz_tensor a = fixture_read(*name);
    fixture_expect_of(twin, *name, &a);
  }
  pz_module_free(twin);
}
END_TEST

/* ---- texts, settings ------------------------------------------------------------------- */

#define SAVE(...) (&(pz_save_settings){.size = sizeof(pz_save_settings), __VA_ARGS__})

START_TEST(semantics_20_texts_of_the_host)
{
  const pz_metadata texts[] = {{.key = "step", .text = "1000"},
                               {.key = "note", .text = "\xc3\xa9\n"}};
  const pz_metadata ours = {.key = "parametrize", .text = "{}"};
  fixture_add(module, "weight", 2, 2);
  ck_assert_ok(pz_module_save(module, path,
                              SAVE(.flags = PZ_KEEP_EXISTING, .metadata = texts, .n_metadata = 2)));
  ck_assert_fails(
      pz_module_save(module, path,
                     SAVE(.flags = PZ_KEEP_EXISTING, .metadata = texts, .n_metadata = 2)),
      PZ_EXISTS, path);
  ck_assert_fails(pz_module_save(module, path, SAVE(.metadata = &ours, .n_metadata = 1)),
                  PZ_INVALID, "\"parametrize\"");
  ck_assert_int_eq(pz_module_save(module, path, SAVE(.flags = 8)), PZ_INVALID);
  reopen();
  ck_assert_str_eq(pz_file_text(file, "step"), "1000");
  ck_assert_str_eq(pz_file_text(file, "note"), "\xc3\xa9\n");
  ck_assert_ok(pz_module_load(module, file, NULL));
}
END_TEST

START_TEST(settings_are_checked)
{
  fixture_add(module, "weight", 4, 4);
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  const pz_chain_rule rule = {.pattern = "weight"};
  pz_load_settings settings = (pz_load_settings){.size = sizeof(settings), .flags = 8};
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_INVALID, "flags 0x8");
  settings = (pz_load_settings){.size = sizeof(settings), .rules = &rule, .n_rules = 1};
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_INVALID, "rule 0");
  settings = (pz_load_settings){.size = sizeof(settings), .n_rules = 1};
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_INVALID, "no rules");
  settings.size = 4;
  ck_assert_fails(pz_module_load(module, file, &settings), PZ_INVALID, "size 4");
  ck_assert_fails(pz_module_load(module, NULL, NULL), PZ_INVALID, "no file");
  ck_assert_fails(pz_module_load(NULL, file, NULL), PZ_INVALID, "no module");
  pz_tensor open;
  ck_assert_ok(pz_module_edit(module, "weight", &open));
  ck_assert_int_eq(pz_module_load(module, file, NULL), PZ_INVALID);
  ck_assert_ok(pz_module_commit(module, "weight"));
  ck_assert_ok(pz_module_load(module, file, NULL));
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("loading");
  tcase_add_checked_fixture(tcase, setup, NULL);
  tcase_add_test(tcase, semantics_20_a_module_is_made_from_its_file);
  tcase_add_test(tcase, semantics_20_one_value_of_a_file);
  tcase_add_test(tcase, semantics_20_options_that_are_tensors);
  tcase_add_test(tcase, semantics_20_lists_are_made_on_plain_tensors);
  tcase_add_test(tcase, semantics_20_other_lists_are_refused);
  tcase_add_test(tcase, semantics_20_values_of_other_specs_than_the_tensor);
  tcase_add_test(tcase, semantics_20_baked_values_need_no_lists);
  tcase_add_test(tcase, semantics_20_texts_of_the_host);
  tcase_add_test(tcase, settings_are_checked);
  return test_main_case(tcase);
}
