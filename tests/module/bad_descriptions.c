/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20: the description of a module in its file may say anything. What is wrong with
   it is said in one line, and nothing changes. */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP                                                                            \
  "{\"map\":\"skew\",\"id\":\"skew\",\"version\":\"1\",\"draw\":\"0000000000000001\"," \
  "\"options\":[]}"
#define ORIGINAL_TENSOR \
  "{\"name\":\"original\",\"role\":\"original\",\"dtype\":\"F32\",\"shape\":[2,2]}"
#define VALUE "{\"dtype\":\"F32\",\"shape\":[2,2],\"structure\":\"skew\"}"
#define LIST_OF(maps, tensors, value) \
  "{\"direction\":\"tensor\",\"maps\":[" maps "],\"tensors\":[" tensors "],\"value\":" value "}"
#define LIST LIST_OF(MAP, ORIGINAL_TENSOR, VALUE)
#define MODULE_OF(tensors) "{\"path\":\"\",\"type\":\"Linear\",\"tensors\":[" tensors "]}"
#define ALL(modules, buffers, frozen, lists)                                              \
  "{\"format\":1,\"modules\":[" modules "],\"buffers\":[" buffers "],\"frozen\":[" frozen \
  "],\"lists\":{" lists "}}"
#define WITH(list) ALL(MODULE_OF("\"weight\""), "", "", "\"weight\":" list)

/* A file with the original of "weight" and this description. */
static void
describe(const char* const text)
{
  pz_writer_tensor entry = {.name = "parametrizations.weight.original",
                            .dtype = "F32",
                            .spec = {.ndim = 2, .shape = {2, 2}},
                            .bytes = 16};
  const pz_metadata metadata = {.key = "parametrize", .text = text};
  const float data[4] = {1.0F, 2.0F, 3.0F, 4.0F};
  pz_writer* writer = NULL;
  ck_assert_ok(pz_writer_open(path, 0, &entry, 1, &metadata, 1, &writer));
  ck_assert_ok(pz_writer_put(writer, 0, data, 16));
  ck_assert_ok(pz_writer_commit(writer));
}

START_TEST(semantics_20_a_good_description_for_comparison)
{
  describe(WITH(LIST));
  pz_tensor w = fixture_add(module, "weight", 2, 2);
  ck_assert_ok(test_module_load(module, path));
  w = fixture_read("weight");
  ck_assert_double_eq(host_at(&w, 1), 2.0);
  ck_assert_double_eq(host_at(&w, 2), -2.0);
}
END_TEST

static const struct {
  const char* text;
  const char* part;
} wrong[] = {
    {"", "the description does not begin with \"{\""},
    {"[]", "does not begin"},
    {"{\"format\":1", "not JSON"},
    {"{\"format\":1}x", "has extra bytes after its end"},
    {"{\"a\":[[[[[[[[1]]]]]]]]}", "nested deeper than 6"},
    {"{}", "expected a description of format 1"},
    {"{\"format\":2}", "expected a description of format 1"},
    {"{\"format\":\"1\"}", "expected a description of format 1"},
    {"{\"format\":1}", "member \"modules\" is missing"},
    {"{\"format\":1,\"format\":1}", "\"format\" appears twice"},
    {"{\"format\":1,\"chain\":1}", "chain: expected an object"},
    {"{\"format\":1,\"chain\":" LIST ",\"lists\":{}}", "unknown member \"lists\""},
    {ALL("", "", "", ""), "\"modules\" does not begin with the path \"\""},
    {ALL("1", "", "", ""), "module 0: expected an object"},
    {ALL("{\"path\":1,\"type\":\"\",\"tensors\":[]}", "", "", ""), "\"path\" is not a string"},
    {ALL("{\"path\":\"\",\"type\":2,\"tensors\":[]}", "", "", ""), "\"type\" is not a string"},
    {ALL("{\"path\":\"\",\"type\":\"\",\"tensors\":{}}", "", "", ""),
     "\"tensors\" is not an array"},
    {ALL(MODULE_OF("1"), "", "", ""), "\"tensors\" is not a string"},
    {ALL(MODULE_OF("\"w\",\"w\""), "", "", ""), "\"tensors\": \"w\" appears twice"},
    {ALL(MODULE_OF(""), "2", "", ""), "\"buffers\" is not a string"},
    {ALL(MODULE_OF(""), "", "\"x\",\"x\"", ""), "\"frozen\": \"x\" appears twice"},
    {ALL(MODULE_OF(""), "", "", "\"w\":1"), "\"w\": expected an object"},
    {ALL(MODULE_OF(""), "", "", "\"w\":" LIST ",\"w\":" LIST), "\"w\" appears twice"},
    {WITH("{\"maps\":[],\"tensors\":[],\"value\":{}}"), "member \"direction\" is missing"},
    {WITH("{\"direction\":\"up\",\"maps\":[],\"tensors\":[],\"value\":{}}"), "direction \"up\""},
    {WITH(LIST_OF("", ORIGINAL_TENSOR, VALUE)),
     "\"weight\": expected at least one parametrization"},
    {WITH(LIST_OF("1", ORIGINAL_TENSOR, VALUE)), "parametrization 0: expected an object"},
    {WITH(LIST_OF("{\"map\":\"skew\"}", ORIGINAL_TENSOR, VALUE)),
     "parametrization 0: member \"id\" is missing"},
    {WITH(LIST_OF("{\"map\":\"skew(\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     "expected the name of an option"},
    {WITH(LIST_OF("{\"map\":\"skew,skew\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     "\"skew,skew\" is not one parametrization \"skew\""},
    {WITH(LIST_OF("{\"map\":\"skew\",\"id\":\"cayley\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     "is not one parametrization \"cayley\""},
    {WITH(LIST_OF("{\"map\":\"skew(m=<tensor>)\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     "with its tensor options"},
    {WITH(LIST_OF("{\"map\":\"skew\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[\"m\"]}",
                  ORIGINAL_TENSOR, VALUE)),
     "with its tensor options"},
    {WITH(LIST_OF("{\"map\":\"skew\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000000\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     "draw \"0000000000000000\""},
    {WITH(LIST_OF("{\"map\":\"skew\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"-000000000000001\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     "draw \"-000000000000001\""},
    {WITH(LIST_OF("{\"map\":\"skew\",\"id\":\"skew\",\"version\":\"1\",\"draw\":\"1\","
                  "\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     "draw \"1\""},
    {WITH(LIST_OF(MAP, "", VALUE)), "expected at least one original"},
    {WITH(LIST_OF(
         MAP,
         "{\"name\":\"b\",\"role\":\"buffer\",\"dtype\":\"F32\",\"shape\":[]}," ORIGINAL_TENSOR,
         VALUE)),
     "expected originals, then parameters, then buffers"},
    {WITH(LIST_OF(MAP, "{\"name\":\"b\",\"role\":\"x\",\"dtype\":\"F32\",\"shape\":[]}", VALUE)),
     "role \"x\""},
    {WITH(LIST_OF(MAP, "{\"name\":\"b\",\"role\":\"original\",\"dtype\":\"F16\",\"shape\":[]}",
                  VALUE)),
     "dtype \"F16\""},
    {WITH(LIST_OF(MAP, "{\"name\":\"b\",\"role\":\"original\",\"dtype\":\"F32\",\"shape\":[-1]}",
                  VALUE)),
     "not a whole one"},
    {WITH(LIST_OF(MAP,
                  "{\"name\":\"b\",\"role\":\"original\",\"dtype\":\"F32\",\"shape\":"
                  "[1,1,1,1,1,1,1,1,1]}",
                  VALUE)),
     "more than 8 dimensions"},
    {WITH(LIST_OF(MAP,
                  "{\"name\":\"b\",\"role\":\"original\",\"dtype\":\"F32\",\"shape\":"
                  "[4294967296,4294967296]}",
                  VALUE)),
     "the tensor is too large"},
};

START_TEST(semantics_20_wrong_descriptions_are_refused)
{
  fixture_add(module, "weight", 2, 2);
  describe(wrong[_i].text);
  expect_refusal(PZ_IO, wrong[_i].part);
  ck_assert_fails(test_module_load(module, path), PZ_IO, "__metadata__: \"parametrize\": ");
}
END_TEST

/* Well formed, but not of this file, or not of the maps that are here. */
static const struct {
  const char* text;
  pz_status status;
  const char* part;
} lies[] = {
    {WITH(LIST_OF("{\"map\":\"nosuch\",\"id\":\"nosuch\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     PZ_NOT_FOUND, "\"weight\": no parametrization"},
    {WITH(LIST_OF("{\"map\":\"skew(x=1)\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[]}",
                  ORIGINAL_TENSOR, VALUE)),
     PZ_NOT_FOUND, "option \"x\""},
    {WITH(LIST_OF("{\"map\":\"skew(m=<tensor>)\",\"id\":\"skew\",\"version\":\"1\",\"draw\":"
                  "\"0000000000000001\",\"options\":[\"m\"]}",
                  ORIGINAL_TENSOR, VALUE)),
     PZ_MISMATCH, "tensor option \"parametrizations.weight.0.options.m\" is not in the file"},
    {WITH(LIST_OF(MAP, ORIGINAL_TENSOR,
                  "{\"dtype\":\"F64\",\"shape\":[2,2],\"structure\":\"skew\"}")),
     PZ_MISMATCH, "saved with skew 1: the value was float64 2x2, here it is float32 2x2"},
    {WITH(LIST_OF(MAP,
                  ORIGINAL_TENSOR
                  ",{\"name\":\"0.b\",\"role\":\"buffer\",\"dtype\":\"F32\",\"shape\":[]}",
                  VALUE)),
     PZ_MISMATCH, "the chain had 2 tensors, here it has 1"},
    {WITH(LIST_OF(MAP,
                  "{\"name\":\"original0\",\"role\":\"original\",\"dtype\":\"F32\",\"shape\":"
                  "[2,2]}",
                  VALUE)),
     PZ_MISMATCH, "tensor \"original0\" was float32 2x2, here \"original\""},
    {WITH(LIST_OF(MAP,
                  "{\"name\":\"original\",\"role\":\"original\",\"dtype\":\"F32\",\"shape\":[3,3]}",
                  "{\"dtype\":\"F32\",\"shape\":[3,3],\"structure\":\"skew\"}")),
     PZ_MISMATCH, "found float32 3x3, expected float32 2x2"},
    {ALL(MODULE_OF("\"weight\""), "", "", ""), PZ_MISMATCH,
     "neither the file nor a rule defines its chain"},
    {ALL(MODULE_OF("\"weight\""), "", "",
         "\"parametrizations.weight.original\":" LIST ",\"weight\":" LIST),
     PZ_MISMATCH, "not in the file"},
};

START_TEST(semantics_20_descriptions_that_do_not_fit_are_refused)
{
  fixture_add(module, "weight", 2, 2);
  describe(lies[_i].text);
  expect_refusal(lies[_i].status, lies[_i].part);
}
END_TEST

/* As above, for modules made from the file. */
static const struct {
  const char* modules;
  pz_status status;
  const char* part;
} trees[] = {
    {MODULE_OF("\"weight\",\"bias\""), PZ_MISMATCH, "not in the file: \"bias\""},
    {MODULE_OF(""), PZ_MISMATCH, "of the file is unknown: \"parametrizations.weight.original\""},
    {MODULE_OF("\"weight\"") "," MODULE_OF("\"weight\""), PZ_IO, "an empty name"},
    {MODULE_OF("\"weight\"") ",{\"path\":\"weight\",\"type\":\"\",\"tensors\":[]}", PZ_IO,
     "has a tensor of that name"},
    {MODULE_OF("\"weight\"") ",{\"path\":\"a..b\",\"type\":\"\",\"tensors\":[]}", PZ_IO,
     "an empty name"},
    {MODULE_OF("\"weight\"") ",{\"path\":\"parametrizations\",\"type\":\"\",\"tensors\":[]}", PZ_IO,
     "reserved"},
    {MODULE_OF("\"parametrizations.weight.original\""), PZ_IO,
     "the name of a tensor contains a dot"},
};

START_TEST(semantics_20_trees_that_do_not_fit_are_refused)
{
  char text[2048];
  pz_module* made = NULL;
  snprintf(text, sizeof(text),
           "{\"format\":1,\"modules\":[%s],\"buffers\":[],\"frozen\":[],"
           "\"lists\":{\"weight\":" LIST "}}",
           trees[_i].modules);
  describe(text);
  reopen();
  ck_assert_fails(test_module_from_file(context, getenv("TEST_DEVICE"), file, NULL, NULL, &made),
                  trees[_i].status, trees[_i].part);
  ck_assert_ptr_null(made);
}
END_TEST

/* Without a description: names of two entries that no module can have. */
static const char* const names[][2] = {
    {"a", "a.b"},  {"a..b", "c"},
    {".a", "c"},   {"a.", "c"},
    {"", "c"},     {"parametrizations.x.other", "c"},
    {"a\\n", "c"}, {"parametrizations", "c"},
};

START_TEST(semantics_20_names_that_no_module_can_have)
{
  char header[512];
  pz_module* made = NULL;
  snprintf(header, sizeof(header),
           "{\"%s\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
           "\"%s\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
           names[_i][0], names[_i][1]);
  write_file(header, 0);
  reopen();
  ck_assert_int_eq(pz_module_from_file(context, NULL, file, NULL, NULL, &made), PZ_IO);
  ck_assert_ptr_null(made);
}
END_TEST

START_TEST(semantics_20_any_byte_of_a_description_may_be_wrong)
{
  /* Replaced in turn: loaded or refused, never worse, and a refusal changes nothing. */
  static const char bytes[] = {'"', '{', '9', ',', 'x', '\\'};
  const char* const good = WITH(LIST);
  char* const text = strdup(good);
  fixture_add(module, "weight", 2, 2);
  for (size_t k = 0; text[k] != '\0'; ++k) {
    pz_module* made = NULL;
    text[k] = bytes[k % sizeof(bytes)];
    describe(text);
    if (pz_file_open(path, &file) == PZ_OK) {
      char* const picture = fixture_picture();
      if (test_module_from_file(context, "reference", file, NULL, NULL, &made) == PZ_OK) {
        pz_module_free(made);
      }
      if (pz_module_load(module, file, NULL) == PZ_OK) {
        ck_assert_ok(pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL));
        free(picture);
      } else {
        fixture_unchanged(picture);
      }
    }
    pz_file_close(file);
    file = NULL;
    text[k] = good[k];
  }
  free(text);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("bad descriptions");
  tcase_add_test(tcase, semantics_20_a_good_description_for_comparison);
  tcase_add_loop_test(tcase, semantics_20_wrong_descriptions_are_refused, 0,
                      sizeof(wrong) / sizeof(wrong[0]));
  tcase_add_loop_test(tcase, semantics_20_descriptions_that_do_not_fit_are_refused, 0,
                      sizeof(lies) / sizeof(lies[0]));
  tcase_add_loop_test(tcase, semantics_20_trees_that_do_not_fit_are_refused, 0,
                      sizeof(trees) / sizeof(trees[0]));
  tcase_add_loop_test(tcase, semantics_20_names_that_no_module_can_have, 0,
                      sizeof(names) / sizeof(names[0]));
  tcase_add_test(tcase, semantics_20_any_byte_of_a_description_may_be_wrong);
  return test_main_case(tcase);
}
