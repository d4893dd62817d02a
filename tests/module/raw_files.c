/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files as they are: every dtype of the format, texts, lists told by names. */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Dtypes with the bits of an element. */
static const struct {
  const char* name;
  unsigned bits;
} dtypes[] = {
    {"BOOL", 8},    {"F16", 16},  {"I64", 64},    {"F4", 4},      {"U8", 8},
    {"F32", 32},    {"BF16", 16}, {"C64", 64},    {"I8", 8},      {"F64", 64},
    {"F8_E4M3", 8}, {"I32", 32},  {"U32", 32},    {"F8_E5M2", 8}, {"U64", 64},
    {"I16", 16},    {"U16", 16},  {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

static pz_writer_tensor
entry_of(const char* const name, const char* const dtype, const int64_t extent,
         const uint64_t bytes)
{
  pz_writer_tensor entry = {.name = name, .dtype = dtype, .spec = {.ndim = 1}, .bytes = bytes};
  entry.spec.shape[0] = extent;
  return entry;
}

START_TEST(semantics_20_every_dtype_passes_through)
{
  pz_writer_tensor entries[DTYPES];
  unsigned char data[DTYPES][32];
  const pz_metadata texts[] = {{.key = "format", .text = "pt"},
                               {.key = "\xc3\xa9\"\\\n", .text = "line\t\x01"},
                               {.key = "empty", .text = ""}};
  pz_writer* writer = NULL;
  pz_metadata text;
  for (size_t k = 0; k < DTYPES; ++k) {
    entries[k] = entry_of(dtypes[k].name, dtypes[k].name, 4, dtypes[k].bits / 2);
    for (size_t i = 0; i < sizeof(data[k]); ++i) {
      data[k][i] = (unsigned char)test_bits(&seed);
    }
  }
  ck_assert_ok(pz_writer_open(path, PZ_KEEP_EXISTING, entries, DTYPES, texts, 3, &writer));
  for (size_t k = DTYPES; k-- > 0;) { /* in pieces, some of them empty */
    const uint64_t piece = entries[k].bytes / 3;
    ck_assert_ok(pz_writer_put(writer, k, data[k], piece));
    ck_assert_ok(pz_writer_put(writer, k, data[k] + piece, entries[k].bytes - piece));
  }
  ck_assert_ok(pz_writer_commit(writer));

  reopen();
  unsigned before = 64;
  const char* last = NULL;
  for (size_t k = 0; k < DTYPES; ++k) {
    pz_file_tensor_info found = {.size = sizeof(found)};
    ck_assert_ok(pz_file_tensor(file, k, &found));
    ck_assert(!last || (const char*)found.data >= last); /* in order of bytes */
    last = found.data;
    unsigned bits = 0;
    for (size_t i = 0; i < DTYPES; ++i) {
      bits = strcmp(found.dtype, dtypes[i].name) == 0 ? dtypes[i].bits : bits;
    }
    ck_assert_uint_le(bits < 8 ? 8 : bits, before); /* wide ones first */
    before = bits < 8 ? 8 : bits;
    ck_assert_uint_eq((uintptr_t)found.data % (before / 8), 0);
    ck_assert_ok(pz_file_find(file, dtypes[k].name, &found));
    ck_assert_mem_eq(found.data, data[k], found.bytes);
    ck_assert_str_eq(found.dtype, dtypes[k].name);
    ck_assert_int_eq(found.spec.shape[0], 4);
    ck_assert_int_eq(found.spec.dtype != 0, strcmp(found.dtype, "F32") == 0 ||
                                                strcmp(found.dtype, "F64") == 0 ||
                                                strcmp(found.dtype, "I64") == 0);
  }
  for (size_t k = 0; k < 3; ++k) {
    ck_assert_ok(pz_file_metadata(file, k, &text));
    ck_assert_str_eq(text.key, texts[k].key);
    ck_assert_str_eq(text.text, texts[k].text);
    ck_assert_str_eq(pz_file_text(file, texts[k].key), texts[k].text);
  }
  pz_file_tensor_info found = {.size = sizeof(found)};
  ck_assert_int_eq(pz_file_tensor(file, DTYPES, &found), PZ_NOT_FOUND);
  ck_assert_fails(pz_file_find(file, "f32", &found), PZ_NOT_FOUND, "\"f32\"");
  ck_assert_int_eq(pz_file_metadata(file, 3, &text), PZ_NOT_FOUND);
  ck_assert_ptr_null(pz_file_text(file, "none"));
  found.size = 4;
  ck_assert_int_eq(pz_file_tensor(file, 0, &found), PZ_INVALID);
  pz_file_close(NULL);
}
END_TEST

START_TEST(writers_check_what_they_are_given)
{
  pz_writer* writer = NULL;
  pz_writer_tensor e[2] = {entry_of("a", "F32", 2, 8), entry_of("b", "U8", 0, 0)};
  const pz_metadata twice[] = {{.key = "x", .text = "1"}, {.key = "x", .text = "2"}};
  const pz_metadata broken = {.key = "x", .text = "\xff"};
  ck_assert_int_eq(pz_writer_open(NULL, 0, e, 2, NULL, 0, &writer), PZ_INVALID);
  ck_assert_int_eq(pz_writer_open(path, 6, e, 2, NULL, 0, &writer), PZ_INVALID);
  ck_assert_fails(pz_writer_open(path, 0, e, 2, twice, 2, &writer), PZ_INVALID,
                  "metadata: \"x\" appears twice");
  ck_assert_fails(pz_writer_open(path, 0, e, 2, &broken, 1, &writer), PZ_INVALID, "not UTF-8");
  e[1].name = "a";
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID,
                  "\"a\" appears twice");
  e[1].name = "\xc3";
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID, "not UTF-8");
  e[1].name = "__metadata__";
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID, "reserved");
  e[1].name = "b";
  e[1].dtype = "F80";
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID, "\"F80\"");
  e[1].dtype = "F4";
  e[1].spec.shape[0] = 3; /* a byte and a half */
  e[1].bytes = 2;
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID, "found 2 bytes");
  e[1] = entry_of("b", "U8", 0, 0);
  e[0].bytes = 12;
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID, "found 12 bytes");
  e[0].bytes = 8;

  ck_assert_ok(pz_writer_open(path, 0, e, 2, NULL, 0, &writer));
  ck_assert_fails(pz_writer_put(writer, 0, "123456789", 9), PZ_INVALID, "expected at most 8");
  ck_assert_fails(pz_writer_put(writer, 0, NULL, 8), PZ_INVALID, "found 0 bytes");
  ck_assert_int_eq(pz_writer_put(writer, 2, "", 0), PZ_INVALID);
  ck_assert_ok(pz_writer_put(writer, 0, "1234567", 7));
  ck_assert_fails(pz_writer_put(writer, 0, "89", 2), PZ_INVALID, "expected at most 1");
  ck_assert_fails(pz_writer_commit(writer), PZ_INVALID, "\"a\": found 7 bytes written, expected 8");
  ck_assert_int_ne(access(path, F_OK), 0);
  ck_assert_ok(pz_writer_open(path, 0, e, 2, NULL, 0, &writer));
  ck_assert_ok(pz_writer_put(writer, 0, "12345678", 8));
  pz_writer_abandon(writer);
  pz_writer_abandon(NULL);
  ck_assert_int_ne(access(path, F_OK), 0);

  /* What is there stays until the end, and with PZ_KEEP_EXISTING for good. */
  write_file("{}", 0);
  ck_assert_fails(pz_writer_open(path, PZ_KEEP_EXISTING, e, 2, NULL, 0, &writer), PZ_EXISTS, path);
  ck_assert_int_eq(unlink(path), 0);
  ck_assert_ok(pz_writer_open(path, PZ_KEEP_EXISTING, e, 2, NULL, 0, &writer));
  ck_assert_ok(pz_writer_put(writer, 0, "12345678", 8));
  write_file("{}", 0);
  ck_assert_fails(pz_writer_commit(writer), PZ_EXISTS, path);
  reopen();
  pz_file_tensor_info found = {.size = sizeof(found)};
  ck_assert_int_eq(pz_file_tensor(file, 0, &found), PZ_NOT_FOUND);
}
END_TEST

/* Tensors of 9 to 64 dimensions are read and written; modules do not hold them. */
START_TEST(more_dimensions_than_modules_have)
{
  enum { MOST = 64 };
  static const float data[6] = {1, 2, 3, 4, 5, 6};
  static const pz_chain_rule rule = {.pattern = "w", .text = "pruning"};
  int64_t extents[MOST];
  for (size_t k = 0; k < MOST; ++k) {
    extents[k] = k == 5 ? 3 : k == 8 ? 2 : 1;
  }
  pz_writer_tensor e[] = {
      {.name = "deep", .dtype = "F32", .bytes = 24, .extents = extents, .n_extents = 9},
      {.name = "parametrizations.w.original", .dtype = "F32", .bytes = 24, .extents = extents},
  };
  pz_writer* writer = NULL;
  e[1].n_extents = MOST + 1;
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID, "another number");
  e[1].n_extents = MOST;
  e[1].reserved = 1;
  ck_assert_fails(pz_writer_open(path, 0, e, 2, NULL, 0, &writer), PZ_INVALID, "reserved");
  e[1].reserved = 0;
  ck_assert_ok(pz_writer_open(path, 0, e, 2, NULL, 0, &writer));
  for (uint32_t k = 0; k < 2; ++k) {
    ck_assert_ok(pz_writer_put(writer, k, data, 24));
  }
  ck_assert_ok(pz_writer_commit(writer));
  reopen();
  for (uint32_t k = 0; k < 2; ++k) {
    pz_file_tensor_info found = {.size = sizeof(found)};
    ck_assert_ok(pz_file_find(file, e[k].name, &found));
    ck_assert_int_eq(found.spec.ndim, -1);
    ck_assert_uint_eq(found.spec.dtype, 0);
    ck_assert_uint_eq(found.n_extents, e[k].n_extents);
    ck_assert_mem_eq(found.extents, extents, found.n_extents * sizeof(*extents));
    ck_assert_mem_eq(found.data, data, 24);
  }
  /* a plain tensor, an original, and the tensor of a module */
  pz_module* made = NULL;
  pz_load_settings settings = settings_of(PZ_LOAD_WIDEN, &rule, 1);
  ck_assert_fails(pz_module_from_file(context, NULL, file, "deep", &settings, &made), PZ_MISMATCH,
                  "\"deep\": found 9 dimensions, expected at most 8");
  ck_assert_fails(pz_module_from_file(context, NULL, file, "w", &settings, &made), PZ_MISMATCH,
                  "found 64 dimensions");
  settings.flags |= PZ_LOAD_LENIENT;
  ck_assert_ok(pz_module_from_file(context, NULL, file, "deep", &settings, &made));
  pz_module_free(made);
  fixture_add(module, "deep", 3, 2);
  ck_assert_int_eq(pz_module_load(module, file, &settings), PZ_MISMATCH);
}
END_TEST

/* Tensors of memory are those of a file. */
START_TEST(files_of_tensors_in_memory)
{
  static const float g[] = {3, 5};
  static const double v[] = {1, 0, 0, 2};
  const pz_metadata texts[] = {{.key = "a", .text = "1"}, {.key = "parametrize", .text = "{"}};
  const pz_chain_rule rule = {.pattern = "w", .text = "weight_norm"};
  pz_file_tensor_info t[3] = {
      {.name = "parametrizations.w.original1", .dtype = "F64", .data = v, .bytes = 32},
      {.name = "parametrizations.w.original0", .dtype = "F32", .data = g, .bytes = 8},
      {.name = "empty", .dtype = "BOOL"},
  };
  for (size_t k = 0; k < 3; ++k) {
    const int64_t shape[] = {k == 2 ? 0 : 2, k == 0 ? 2 : 1};
    t[k].size = sizeof(t[k]);
    t[k].spec = pz_spec_make(0, 2, shape);
  }
  pz_file* made = NULL;
  ck_assert_fails(pz_file_from_tensors(NULL, 1, NULL, 0, &made), PZ_INVALID, "expected tensors");
  ck_assert_fails(pz_file_from_tensors(t, 3, NULL, 1, &made), PZ_INVALID, "metadata");
  ck_assert_int_eq(pz_file_from_tensors(t, 3, texts, 1, NULL), PZ_INVALID);
  ck_assert_fails(pz_file_from_tensors(t, 3, texts, 2, &made), PZ_IO, "the description");
  t[1].bytes = 4;
  ck_assert_fails(pz_file_from_tensors(t, 3, texts, 1, &made), PZ_INVALID, "found 4 bytes");
  t[1].bytes = 8;
  t[1].data = NULL;
  ck_assert_fails(pz_file_from_tensors(t, 3, texts, 1, &made), PZ_INVALID, "found 0 bytes");
  t[1].data = g;
  t[1].dtype = "F33";
  ck_assert_fails(pz_file_from_tensors(t, 3, texts, 1, &made), PZ_INVALID, "\"F33\"");
  t[1].dtype = "F32";
  t[1].spec.ndim = -1;
  ck_assert_fails(pz_file_from_tensors(t, 3, texts, 1, &made), PZ_INVALID, "another number");
  t[1].spec.ndim = 2;
  t[1].name = t[0].name;
  ck_assert_fails(pz_file_from_tensors(t, 3, texts, 1, &made), PZ_IO, "appears twice");
  t[1].name = NULL;
  ck_assert_fails(pz_file_from_tensors(t, 3, texts, 1, &made), PZ_INVALID, "no name");
  char name[] = "parametrizations.w.original0"; /* is copied */
  t[1].name = name;
  t[1].size = 4;
  ck_assert_int_eq(pz_file_from_tensors(t, 3, texts, 1, &made), PZ_INVALID);
  t[1].size = sizeof(t[1]);
  ck_assert_ok(pz_file_from_tensors(t, 3, texts, 1, &made));
  memset(name, 'x', sizeof(name) - 1);
  ck_assert_str_eq(pz_file_text(made, "a"), "1");
  for (uint32_t k = 0; k < 3; ++k) { /* in their order, where they are */
    pz_file_tensor_info found = {.size = sizeof(found)};
    ck_assert_ok(pz_file_tensor(made, k, &found));
    ck_assert_str_eq(found.dtype, t[k].dtype);
    ck_assert(found.data == t[k].data || k == 2);
  }
  pz_file_chain_info chain = {.size = sizeof(chain)};
  ck_assert_ok(pz_file_chain(made, 0, &chain));
  ck_assert_str_eq(chain.path, "w");
  ck_assert_uint_eq(chain.n_tensors, 2);

  /* the value has the widest dtype of its tensors, if it may */
  pz_load_settings settings = settings_of(0, &rule, 1);
  pz_module* w = NULL;
  ck_assert_int_eq(pz_module_from_file(context, NULL, made, "w", &settings, &w), PZ_MISMATCH);
  settings.flags = PZ_LOAD_WIDEN;
  ck_assert_ok(test_module_from_file(context, getenv("TEST_DEVICE"), made, "w", &settings, &w));
  double value[4];
  const pz_tensor host = pz_host_tensor(PZ_F64, value, 2, (const int64_t[]){2, 2});
  ck_assert_ok(pz_module_read(w, "w", &host));
  ck_assert_double_eq(value[0], 3.0);
  ck_assert_double_eq(value[3], 5.0);
  pz_module_free(w);

  /* with current names, and after the file it was made from */
  pz_file* renamed = NULL;
  ck_assert_ok(pz_file_with_current_names(made, context, &rule, 1, &renamed));
  pz_file_close(renamed);
  pz_file_close(made);
  ck_assert_ok(pz_file_from_tensors(NULL, 0, NULL, 0, &made));
  pz_file_close(made);
}
END_TEST

#define ENTRY(name) "\"" name "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}"

START_TEST(semantics_20_lists_are_told_by_names)
{
  static const struct {
    const char* path;
    const char* prefix;
    uint32_t n;
  } expected[] = {
      {"a.b.weight", "a.b.parametrizations.weight.", 3},
      {"bias", "parametrizations.bias.", 2},
      {"kernel", "parametrizations.kernel.", 1},
      {"parametrizations.kernel.original", "parametrizations.kernel.parametrizations.original.", 1},
      {"u.0.base", "u.0.parametrizations.base.", 1},
  };
  pz_file_chain_info list = {.size = sizeof(list)};
  write_file(
      "{" ENTRY("parametrizations.kernel.parametrizations.original.original") "," ENTRY(
          "a.b."
          "parametriz"
          "ations."
          "weight."
          "original") "," ENTRY("parametrizations.bias."
                                "original0") "," ENTRY("bias."
                                                       "x") "," ENTRY("a.b.parametrizations."
                                                                      "weight.0._u") "," ENTRY("par"
                                                                                               "a"
                                                                                               "met"
                                                                                               "r"
                                                                                               "iza"
                                                                                               "t"
                                                                                               "ion"
                                                                                               "s"
                                                                                               ".bi"
                                                                                               "a"
                                                                                               "s."
                                                                                               "ori"
                                                                                               "g"
                                                                                               "ina"
                                                                                               "l"
                                                                                               "1") "," ENTRY("a.b.parametrizations.weight.0.deep.Id") "," ENTRY("u.0.parametrizations.base.original") "," ENTRY("parametrizations.original") "," ENTRY("parametrizations.x.other") "," ENTRY("myparametrizations.x.original") "," ENTRY("parametrizations.x.originals") "," ENTRY("parametrizations.x.0.") "}",
      0);
  reopen();
  for (size_t k = 0; k < sizeof(expected) / sizeof(expected[0]); ++k) {
    ck_assert_ok(pz_file_chain(file, k, &list));
    ck_assert_str_eq(list.path, expected[k].path);
    ck_assert_str_eq(list.prefix, expected[k].prefix);
    ck_assert_uint_eq(list.n_tensors, expected[k].n);
    ck_assert_ptr_null(list.text);
    ck_assert_ptr_null(list.plugins);
  }
  ck_assert_int_eq(pz_file_chain(file, 5, &list), PZ_NOT_FOUND);
}
END_TEST

START_TEST(semantics_20_lists_are_told_by_the_description)
{
  pz_file_chain_info list = {.size = sizeof(list)};
  fixture_parametrize(module, "weight", 3, 3, "skew,affine,pruning(p_drop=0)");
  ck_assert_ok(pz_module_save(module, path, NULL));
  reopen();
  ck_assert_ok(pz_file_chain(file, 0, &list));
  ck_assert_str_eq(list.path, "weight");
  ck_assert_str_eq(list.prefix, "parametrizations.weight.");
  ck_assert_str_eq(list.text, "skew,affine,pruning(p_drop=0)");
  ck_assert_str_eq(list.plugins, "skew 1.0.0, affine 1.2.3, pruning 1.0.0");
  ck_assert_uint_eq(list.n_tensors, 4);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("raw files");
  tcase_add_test(tcase, semantics_20_every_dtype_passes_through);
  tcase_add_test(tcase, writers_check_what_they_are_given);
  tcase_add_test(tcase, more_dimensions_than_modules_have);
  tcase_add_test(tcase, files_of_tensors_in_memory);
  tcase_add_test(tcase, semantics_20_lists_are_told_by_names);
  tcase_add_test(tcase, semantics_20_lists_are_told_by_the_description);
  return test_main_case(tcase);
}
