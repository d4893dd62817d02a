/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A host's own descriptor, what is told of a map and its options, and the small services
   of a context. */

#include "scene.h"

#include "context.h"
#include "kept_text.h"
#include "lookup.h"
#include "nearest_name.h"

#include <locale.h>
#include <math.h>

static pz_status
forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_copy(c, x, y);
}

static const char* const shapes[] = {"round", "square"};
static const pz_option all_options[] = {
    PZ_OPTION_REAL("ratio", 0.1, 0.0, 1.0, "a ratio"),
    PZ_OPTION_REAL("free", -2.5, -INFINITY, INFINITY, "any number"),
    PZ_OPTION_REAL("above", 1e-300, 0.0, INFINITY, "from a bound on"),
    PZ_OPTION_INTEGER("count", 3, 1, 8, "a count"),
    PZ_OPTION_INTEGER("below", 3, INT64_MIN, 8, "up to a bound"),
    PZ_OPTION_FLAG("flag", 1, "a flag"),
    PZ_OPTION_CHOICE("shape", 1, shapes, "a choice"),
    PZ_OPTION_TENSOR("tensor", "a tensor"),
};

#define TABLE(id_) \
  .size = sizeof(pz_parametrization), .id = (id_), .summary = "Mine", .forward = forward

static const pz_parametrization mine = {
    TABLE("mine"),           .option_size = sizeof(pz_option), .formula = "Y = X\nanywhere",
    PZ_OPTIONS(all_options), .right_inverse = forward,
};
static const pz_parametrization good = {TABLE("good")};
static const pz_parametrization broken = {
    .size = sizeof(broken), .id = "broken", .summary = "No forward"};

#define DESCRIPTOR(name_, items_)                                                       \
  {                                                                                     \
    .size = sizeof(pz_plugin), .item_size = sizeof(pz_item), .abi = PZ_ABI_INITIALIZER, \
    .name = (name_), .version = "3.1", .items = (items_),                               \
    .n_items = sizeof(items_) / sizeof((items_)[0])                                     \
  }

START_TEST(test_add_plugin)
{
  static const pz_item items[] = {PZ_PARAMETRIZATION(&mine), PZ_PARAMETRIZATION(&good)};
  static const pz_plugin plugin = DESCRIPTOR("my_maps", items);
  scene_copy("good", "good.so");
  pz_context* const context = scene_context("", NULL);
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_ok(pz_context_add_plugin(context, &plugin));
  ck_assert_ok(pz_context_find(context, "mine", &info));
  ck_assert_str_eq(info.id, "mine");
  ck_assert_str_eq(info.summary, "Mine");
  ck_assert_str_eq(info.formula, "Y = X\nanywhere");
  ck_assert_str_eq(info.version, "3.1");
  ck_assert_str_eq(info.path, "(given by the host) my_maps");
  ck_assert_uint_eq(info.n_options, 8);
  ck_assert_uint_eq(info.flags, PZ_HAS_RIGHT_INVERSE);
  scene_refused(context, "good.so", "\"good\" comes from (given by the host) my_maps, not from");

  ck_assert_fails(pz_context_add_plugin(context, &plugin), PZ_EXISTS, "\"mine\" comes from");
  pz_context_free(context);
}
END_TEST

START_TEST(test_all_or_nothing)
{
  static const pz_item items[] = {PZ_PARAMETRIZATION(&mine), PZ_PARAMETRIZATION(&broken)};
  static const pz_plugin half = DESCRIPTOR("half", items);
  static const pz_item taken[] = {PZ_PARAMETRIZATION(&mine), PZ_PARAMETRIZATION(&good)};
  static const pz_plugin late = DESCRIPTOR("late", taken);
  scene_copy("good", "good.so");
  pz_context* const context = scene_context("", NULL);
  pz_parametrization_info info = {.size = sizeof(info)};
  ck_assert_fails(pz_context_add_plugin(context, &half), PZ_PLUGIN, "forward is NULL");
  ck_assert_fails(pz_context_find(context, "mine", &info), PZ_NOT_FOUND, "mine");
  ck_assert_ok(pz_context_find(context, "good", &info)); /* taken from now on */
  ck_assert_fails(pz_context_add_plugin(context, &late), PZ_EXISTS, scene_path("good.so"));
  ck_assert_fails(pz_context_find(context, "mine", &info), PZ_NOT_FOUND, "mine");
  ck_assert_fails(pz_context_add_plugin(context, NULL), PZ_PLUGIN, "readable memory");
  pz_context_free(context);
}
END_TEST

/* Nothing but functions is used of a descriptor once it was taken. */
START_TEST(test_copied)
{
  char id[] = "mine";
  char summary[] = "Mine";
  char version[] = "1.0";
  pz_option option = PZ_OPTION_REAL("ratio", 0.25, 0.0, 1.0, "a ratio");
  pz_parametrization table = {.size = sizeof(table),
                              .option_size = sizeof(option),
                              .id = id,
                              .summary = summary,
                              .options = &option,
                              .n_options = 1,
                              .forward = forward};
  pz_item item = PZ_PARAMETRIZATION(&table);
  pz_plugin plugin = {.size = sizeof(plugin),
                      .item_size = sizeof(item),
                      .abi = PZ_ABI_INITIALIZER,
                      .name = "mine",
                      .version = version,
                      .items = &item,
                      .n_items = 1};
  pz_context* const context = scene_context("", NULL);
  ck_assert_ok(pz_context_add_plugin(context, &plugin));
  memset(id, 'x', 4);
  memset(summary, 'x', 4);
  memset(version, 'x', 3);
  memset(&option, 0x55, sizeof(option));
  memset(&table, 0x55, sizeof(table));
  memset(&item, 0x55, sizeof(item));
  memset(&plugin, 0x55, sizeof(plugin));
  pz_parametrization_info info = {.size = sizeof(info)};
  pz_option_info told = {.size = sizeof(told)};
  ck_assert_ok(pz_context_find(context, "mine", &info));
  ck_assert_str_eq(info.summary, "Mine");
  ck_assert_str_eq(info.version, "1.0");
  ck_assert_ok(pz_context_option(context, "mine", 0, &told));
  ck_assert_str_eq(told.name, "ratio");
  ck_assert_str_eq(told.fallback, "0.25");
  pz_context_free(context);
}
END_TEST

/* Ids that chains read as words of their own. */
START_TEST(test_words)
{
  static const char* const ids[] = {"view", "back"};
  pz_context* const context = scene_context("", NULL);
  for (size_t i = 0; i < 2; ++i) {
    const pz_parametrization table = {TABLE(ids[i])};
    const pz_item items[] = {PZ_PARAMETRIZATION(&table)};
    const pz_plugin plugin = DESCRIPTOR("words", items);
    ck_assert_fails(pz_context_add_plugin(context, &plugin), PZ_PLUGIN,
                    "is a word of chains, expected another id");
  }
  pz_context_free(context);
}
END_TEST

START_TEST(test_older_names)
{
  static const char* const bad[] = {
      "",          "original",           "original=",    "=_g",          "_u=_u", "original0=.g",
      "two words", "original=_a  _b=_c", "original=_a ", "original=_a\n"};
  pz_context* const context = scene_context("", NULL);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
    const pz_parametrization table = {TABLE("older"), .legacy_names = bad[i]};
    const pz_item items[] = {PZ_PARAMETRIZATION(&table)};
    const pz_plugin plugin = DESCRIPTOR("older_maps", items);
    ck_assert_fails(pz_context_add_plugin(context, &plugin), PZ_PLUGIN, "\"older\": older names");
  }
  const pz_parametrization table = {TABLE("older"),
                                    .legacy_names = "original1=_a original0=_b x=_x"};
  const pz_item items[] = {PZ_PARAMETRIZATION(&table)};
  const pz_plugin plugin = DESCRIPTOR("older_maps", items);
  ck_assert_ok(pz_context_add_plugin(context, &plugin));
  pz_context_free(context);
}
END_TEST

/* Every text of a descriptor, with every kind of byte that a terminal would obey or refuse. */
START_TEST(test_texts)
{
  static const struct {
    const char* text;
    const char* says;
  } bad[] = {
      {"a\x1b[1m", "U+001B"},        {"a\rb", "U+000D"},           {"a\b", "U+0008"},
      {"a\x7f", "U+007F"},           {"a\xc2\x9b", "U+009B"},      {"a\x9b", "is not UTF-8"},
      {"a\xff", "is not UTF-8"},     {"\xc0\x80", "is not UTF-8"}, {"\xed\xa0\x80", "is not UTF-8"},
      {"a\xe2\x80", "is not UTF-8"},
  };
  enum { SUMMARY, FORMULA, TAGS, DOC, CHOICE, OPTION, VERSION, NAME, BACKEND, TEXTS };
  for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); ++k) {
    for (int place = 0; place < TEXTS; ++place) {
      const char* const t = bad[k].text;
      const char* const choices[] = {place == CHOICE ? t : "a"};
      const pz_option option = {.name = place == OPTION ? t : "shape",
                                .doc = place == DOC ? t : "a shape",
                                .type = PZ_CHOICE,
                                .n_choices = 1,
                                .choices = choices};
      const pz_parametrization table = {.size = sizeof(table),
                                        .id = "texts",
                                        .forward = forward,
                                        .summary = place == SUMMARY ? t : "Texts",
                                        .formula = place == FORMULA ? t : "Y\n= X",
                                        .tags = place == TAGS ? t : "tag",
                                        .option_size = sizeof(option),
                                        .options = &option,
                                        .n_options = 1};
      const pz_backend backend = {.size = sizeof(backend), .id = "texts", .summary = t};
      const pz_item items[] = {PZ_PARAMETRIZATION(&table)};
      const pz_item backends[] = {PZ_BACKEND(&backend)};
      pz_plugin plugin = DESCRIPTOR(place == NAME ? t : "texts", items);
      plugin.version = place == VERSION ? t : "1";
      plugin.items = place == BACKEND ? backends : items;
      pz_context* const context = scene_context("", NULL);
      ck_assert_fails(pz_context_add_plugin(context, &plugin), PZ_PLUGIN, bad[k].says);
      pz_context_free(context);
    }
  }
}
END_TEST

START_TEST(test_options)
{
  static const struct {
    uint32_t type;
    const char* name;
    const char* fallback;
    const char* range;
  } expected[] = {
      {PZ_REAL, "ratio", "0.1", "0 .. 1"},
      {PZ_REAL, "free", "-2.5", ""},
      {PZ_REAL, "above", "1e-300", ">= 0"},
      {PZ_INTEGER, "count", "3", "1 .. 8"},
      {PZ_INTEGER, "below", "3", "<= 8"},
      {PZ_FLAG, "flag", "1", "0|1"},
      {PZ_CHOICE, "shape", "square", "round|square"},
      {PZ_TENSOR, "tensor", "", ""},
  };
  static const pz_item items[] = {PZ_PARAMETRIZATION(&mine)};
  static const pz_plugin plugin = DESCRIPTOR("my_maps", items);
  pz_context* const context = scene_context("", NULL);
  ck_assert_ok(pz_context_add_plugin(context, &plugin));
  (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* a decimal comma, where it is installed */
  pz_option_info info = {.size = sizeof(info)};
  for (uint32_t i = 0; i < 8; ++i) {
    ck_assert_ok(pz_context_option(context, "mine", i, &info));
    ck_assert_uint_eq(info.type, expected[i].type);
    ck_assert_str_eq(info.name, expected[i].name);
    ck_assert_str_eq(info.fallback, expected[i].fallback);
    ck_assert_str_eq(info.range, expected[i].range);
    ck_assert_str_eq(info.doc, all_options[i].doc);
  }
  ck_assert_fails(pz_context_option(context, "mine", 8, &info), PZ_NOT_FOUND, "option 8");
  ck_assert_fails(pz_context_option(context, "min", 0, &info), PZ_NOT_FOUND, "nearest is \"mine\"");
  pz_context_free(context);
}
END_TEST

/* A caller of another minor version has a smaller or a larger structure. */
START_TEST(test_sizes)
{
  struct {
    pz_parametrization_info info;
    char more[64];
  } larger;
  static const pz_item items[] = {PZ_PARAMETRIZATION(&mine)};
  static const pz_plugin plugin = DESCRIPTOR("my_maps", items);
  pz_context* const context = scene_context("", NULL);
  ck_assert_ok(pz_context_add_plugin(context, &plugin));

  memset(&larger, 0x55, sizeof(larger));
  larger.info.size = offsetof(pz_parametrization_info, formula);
  ck_assert_ok(pz_context_find(context, "mine", &larger.info));
  ck_assert_str_eq(larger.info.summary, "Mine");
  ck_assert_uint_eq(larger.info.size, offsetof(pz_parametrization_info, formula));
  ck_assert_uint_eq(*(const unsigned char*)&larger.info.formula, 0x55);

  larger.info.size = sizeof(larger);
  ck_assert_ok(pz_context_find(context, "mine", &larger.info));
  ck_assert_uint_eq(larger.info.size, sizeof(larger));
  ck_assert_int_eq(larger.more[63], 0);

  larger.info.size = 0;
  ck_assert_fails(pz_context_find(context, "mine", &larger.info), PZ_INVALID, "size 0");
  pz_context_free(context);

  pz_context* none = NULL;
  pz_context_settings settings = {.size = 4};
  ck_assert_fails(pz_context_new(&settings, &none), PZ_INVALID, "size 4");
  settings = (pz_context_settings){.size = sizeof(settings), .flags = 0x80};
  ck_assert_fails(pz_context_new(&settings, &none), PZ_INVALID, "0x80");
  settings = (pz_context_settings){.size = sizeof(settings), .n_folders = 2};
  ck_assert_fails(pz_context_new(&settings, &none), PZ_INVALID, "2 folders at NULL");
  ck_assert_ptr_null(none);
  pz_context_free(NULL);
}
END_TEST

START_TEST(test_stream)
{
  pz_context* const a = scene_context("", NULL); /* both seeded with 1 */
  pz_context* const b = scene_context("", NULL);
  for (int i = 0; i < 100; ++i) {
    const uint64_t draw = pzi_context_draw(a);
    ck_assert_uint_eq(draw, pzi_context_draw(b));
    ck_assert_uint_ne(draw, 0);
    ck_assert_uint_ne(draw, pzi_context_draw(a));
    (void)pzi_context_draw(b);
  }
  /* The first number of SplitMix64 from 1234567, and again. */
  for (int i = 0; i < 2; ++i) {
    pz_context_seed(a, 1234567);
    ck_assert_uint_eq(pzi_context_draw(a), 6457827717110365317U);
    ck_assert_uint_eq(pzi_context_draw(a), 3203168211198807973U);
  }
  /* From the system: not twice the same. */
  pz_context_seed(a, 0);
  pz_context_seed(b, 0);
  ck_assert_uint_ne(pzi_context_draw(a), pzi_context_draw(b));
  ck_assert_ptr_eq(pzi_kept_text_add(a, "text"), pzi_kept_text_add(a, "text"));
  pz_context_free(a);
  pz_context_free(b);
}
END_TEST

START_TEST(test_backends)
{
  pz_context* const context = scene_context("", NULL);
  const pzi_backend* backend = NULL;
  ck_assert_ok(pzi_lookup_backend(context, "reference", &backend));
  ck_assert_str_eq(backend->path, "(built in)");
  ck_assert(backend->table.operations != NULL);
  const pzi_backend* at = NULL;
  ck_assert_ok(pzi_lookup_backend_at(context, 0, &at));
  ck_assert_ptr_eq(at, backend);
  ck_assert_ok(pzi_lookup_backend_at(context, 1, &at));
  ck_assert_ptr_null(at);
  ck_assert_fails(pzi_lookup_backend(context, "referenec", &backend), PZ_NOT_FOUND,
                  "no backend \"referenec\", nearest is \"reference\"");
  pz_context_free(context);

  scene_copy("bad_backend", "any.so");
  pz_context* const more = scene_context("", NULL);
  ck_assert_ok(pzi_lookup_backend_at(more, 0, &at));
  ck_assert_str_eq(at->table.id, "mandatory");
  ck_assert_ok(pzi_lookup_backend_at(more, 1, &at));
  ck_assert_str_eq(at->table.id, "reference");
  ck_assert_ok(pzi_lookup_backend(more, "mandatory", &backend));
  ck_assert(backend->table.sync != NULL);
  ck_assert(backend->table.operations == NULL); /* behind the end of the table */
  ck_assert_uint_eq(backend->table.size, sizeof(backend->table));
  pz_context_free(more);
}
END_TEST

START_TEST(test_nearest)
{
  static const char* const ids[] = {"cayley", "matrix_exp", "skew", "symmetric"};
  static const struct {
    const char* name;
    const char* nearest;
  } expected[] = {
      {"cayle", "cayley"},
      {"Cayley", "cayley"},
      {"caylye", "cayley"},
      {"skwe", "skew"},
      {"symetric", "symmetric"},
      {"matrix-exp", "matrix_exp"},
      {"matexp", NULL},
      {"qr", NULL},
      {"", NULL},
      {"orthogonal", NULL},
      {"matrix_expp", "matrix_exp"},
      {"SKEW", "skew"},
  };
  for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); ++i) {
    const char* const nearest = pzi_nearest_name(expected[i].name, ids, 4);
    if (expected[i].nearest) {
      ck_assert_msg(nearest != NULL, "%s", expected[i].name);
      ck_assert_str_eq(nearest, expected[i].nearest);
    } else {
      ck_assert_msg(nearest == NULL, "%s: %s", expected[i].name, nearest ? nearest : "");
    }
  }
  char longest[200];
  memset(longest, 'a', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = '\0';
  ck_assert_ptr_null(pzi_nearest_name(longest, ids, 4));
  ck_assert_ptr_null(pzi_nearest_name("skew", NULL, 0));
}
END_TEST

int
main(void)
{
  TCase* const cases = scene_case("descriptor");
  tcase_add_test(cases, test_add_plugin);
  tcase_add_test(cases, test_all_or_nothing);
  tcase_add_test(cases, test_copied);
  tcase_add_test(cases, test_words);
  tcase_add_test(cases, test_older_names);
  tcase_add_test(cases, test_texts);
  tcase_add_test(cases, test_options);
  tcase_add_test(cases, test_sizes);
  tcase_add_test(cases, test_stream);
  tcase_add_test(cases, test_backends);
  tcase_add_test(cases, test_nearest);
  return test_main_case(cases);
}
