/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Semantics 20: whatever else a file may hold is refused in one line, nothing changed. */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(semantics_20_names_and_specs_must_fit)
{
  fixture_add(module, "a", 1, 2);
  fixture_add(module, "b", 1, 2);
  write_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", 8);
  expect_refusal(PZ_MISMATCH, "1 of 2 expected tensors is not in the file: \"b\"");
  write_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
             "\"b\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
             "\"0.Id\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[16,24]}}",
             24);
  expect_refusal(PZ_MISMATCH, "1 tensor of the file is unknown: \"0.Id\"");
  write_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
             "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[8,16]}}",
             16);
  expect_refusal(PZ_MISMATCH, "\"b\": found float32 2x1, expected float32 1x2");
  write_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
             "\"b\":{\"dtype\":\"F64\",\"shape\":[1,2],\"data_offsets\":[8,24]}}",
             24);
  expect_refusal(PZ_MISMATCH, "\"b\": found float64 1x2, expected float32 1x2");
  write_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
             "\"b\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[8,12]}}",
             12);
  expect_refusal(PZ_MISMATCH, "\"b\": found dtype BF16, expected float32 1x2");
}
END_TEST

#define ONES "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}"

/* Headers with 8 bytes of data behind them, and what is wrong with them. */
static const struct {
  const char* header;
  const char* part;
} corrupt[] = {
    {"", "does not begin with"},
    {" {" A "}", "does not begin with"},
    {"\xef\xbb\xbf{" A "}", "does not begin with"},
    {"[1]", "does not begin with"},
    {"{" A, "not JSON"},
    {"{" A ",}", "not JSON"},
    {"{\"a\"}", "not JSON"},
    {"{" A "}x", "has extra bytes after its end"},
    {"{" A "}{}", "has extra bytes after its end"},
    {"{\"\xff\":1}", "not UTF-8"},
    {"{\"a\tb\":1}", "control byte 0x09"},
    {"{\"a\\u0000b\":1}", "escaped zero"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[[[1]]],\"data_offsets\":[0,8]}}", "nested deeper"},
    {"{" A "," A "}", "\"a\": data begin at byte 0, the tensor before ends at 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}," A "}",
     "\"a\" appears twice"},
    {"{\"a\":1}", "exactly the members"},
    {"{\"a\":[]}", "exactly the members"},
    {"{\"a\":{}}", "exactly the members"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2]}}", "exactly the members"},
    {"{\"a\":{\"dtype\":32,\"shape\":[1,2],\"data_offsets\":[0,8]}}", "exactly the members"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8],\"x\":1}}",
     "exactly the members"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}",
     "exactly the members"},
    {"{\"a\":{\"dtype\":\"f32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", "unknown dtype \"f32\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,-2],\"data_offsets\":[0,8]}}", "not a whole one"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2.5],\"data_offsets\":[0,8]}}", "not a whole one"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8.0]}}", "not a whole one"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[-0,8]}}", "not a whole one"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1e300],\"data_offsets\":[0,8]}}", "not a whole one"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,\"2\"],\"data_offsets\":[0,8]}}", "an extent is not"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[" ONES ONES ONES ONES "2],\"data_offsets\":[0,8]}}",
     "more than 64 dimensions"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
     "dtype and shape give no valid number of bytes"},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,8]}}",
     "dtype and shape give no valid number of bytes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[0,8]}}",
     "found 8 bytes of data, dtype and shape require 12"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,0]}}", "data_offsets are not"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0]}}", "data_offsets are not"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,4,8]}}",
     "data_offsets are not"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[-8,0]}}", "not a whole one"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]}}",
     "\"a\": data end at byte 12, the file has 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[9007199254740990,"
     "9007199254740991]}}",
     "the file has 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     "data begin at byte 4, the tensor before ends at 0"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     "the tensors' data end at byte 4, the file has 8"},
    {"{}", "the tensors' data end at byte 0, the file has 8"},
    {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     "\"b\": data begin at byte 4, the tensor before ends at 8"},
    {"{\"__metadata__\":[]," A "}", "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"x\":1}," A "}", "__metadata__: \"x\" is not a string"},
    {"{\"__metadata__\":{\"x\":\"1\",\"y\":\"\",\"x\":\"2\"}," A "}",
     "__metadata__: \"x\" appears twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}," A "}", "\"__metadata__\" appears twice"},
};

START_TEST(semantics_20_corrupt_headers_are_refused)
{
  fixture_add(module, "a", 1, 2);
  write_file(corrupt[_i].header, 8);
  expect_refusal(PZ_IO, corrupt[_i].part);
}
END_TEST

START_TEST(semantics_20_files_that_lie_about_their_size)
{
  const char* const header = "{" A "}";
  const size_t length = strlen(header);
  fixture_add(module, "a", 1, 2);
  write_file(header, 7); /* truncated data */
  expect_refusal(PZ_IO, "\"a\": data end at byte 8, the file has 7");
  write_file(header, 9);
  expect_refusal(PZ_IO, "data end at byte 8, the file has 9");
  for (size_t size = 0; size < 8; ++size) { /* a truncated length */
    write_raw(length, header, length, 8);
    ck_assert_int_eq(truncate(path, (off_t)size), 0);
    expect_refusal(PZ_IO, "the length of the header alone takes 8");
  }
  write_raw(length, header, length - 3, 0); /* a truncated header */
  expect_refusal(PZ_IO, "the header takes");
  write_raw(UINT64_MAX, header, length, 8);
  expect_refusal(PZ_IO, "the header takes 18446744073709551615 bytes");
  write_raw(length + 9, header, length, 8);
  expect_refusal(PZ_IO, "the header takes");
  write_raw(length - 1, header, length, 8);
  expect_refusal(PZ_IO, "not JSON");
  write_raw(length + 1, header, length, 9); /* a zero byte of data in the header */
  expect_refusal(PZ_IO, "control byte 0x00");
}
END_TEST

START_TEST(semantics_20_deep_and_huge_headers_are_refused)
{
  fixture_add(module, "a", 1, 2);
  const size_t depth = 1 << 20;
  char* const deep = malloc(depth);
  ck_assert_ptr_nonnull(deep);
  memset(deep, '[', depth);
  memcpy(deep, "{\"a\":", 5);
  write_raw(depth, deep, depth, 0);
  free(deep);
  expect_refusal(PZ_IO, "nested deeper than 3");

  /* A parser would take forty bytes of memory for each of these. */
  char* const long_ = malloc(depth);
  ck_assert_ptr_nonnull(long_);
  for (size_t k = 0; k < depth; k += 2) {
    memcpy(long_ + k, "0,", 2);
  }
  memcpy(long_, "{\"a\":[", 6);
  write_raw(depth, long_, depth, 0);
  free(long_);
  expect_refusal(PZ_IO, "values in 1048576 bytes");

  /* A sparse file of 100 MiB that says it is all header. */
  write_raw(100 << 20, "{", 1, 0);
  ck_assert_int_eq(truncate(path, 8 + (100 << 20)), 0);
  expect_refusal(PZ_IO, "expected at most");
}
END_TEST

START_TEST(semantics_20_any_byte_may_be_wrong)
{
  /* Every byte of a good file replaced in turn: loaded or refused, never worse. */
  size_t size = 0;
  fixture_parametrize(module, "weight", 2, 2, "pruning(p_drop=0)");
  ck_assert_ok(pz_module_save(module, path, NULL));
  char* const good = read_file(&size);
  static const unsigned char wrong[] = {0x00, 0xff, '"', '{', '9'};
  for (size_t k = 0; k < size; ++k) {
    for (size_t i = 0; i < sizeof(wrong); ++i) {
      FILE* const out = fopen(path, "r+b");
      fseek(out, (long)k, SEEK_SET);
      fputc(wrong[i], out);
      fclose(out);
      const pz_status status = test_module_load(module, path);
      ck_assert(status == PZ_OK || status == PZ_IO || status == PZ_MISMATCH);
    }
    FILE* const out = fopen(path, "r+b");
    fseek(out, (long)k, SEEK_SET);
    fputc(good[k], out);
    fclose(out);
  }
  ck_assert_ok(test_module_load(module, path));
  free(good);
}
END_TEST

START_TEST(semantics_20_what_is_no_file_is_refused)
{
  fixture_add(module, "a", 1, 2);
  expect_refusal(PZ_NOT_FOUND, "No such file");
  ck_assert_int_eq(mkfifo(path, 0600), 0);
  expect_refusal(PZ_IO, "not a regular file"); /* and does not wait */
  unlink(path);
  ck_assert_fails(test_module_load(module, folder), PZ_IO, "a folder with 0 files");
  ck_assert_int_eq(test_module_load(module, NULL), PZ_INVALID);
  ck_assert_int_eq(pz_module_save(module, NULL, NULL), PZ_INVALID);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("bad files");
  tcase_add_test(tcase, semantics_20_names_and_specs_must_fit);
  tcase_add_loop_test(tcase, semantics_20_corrupt_headers_are_refused, 0,
                      (int)(sizeof(corrupt) / sizeof(corrupt[0])));
  tcase_add_test(tcase, semantics_20_files_that_lie_about_their_size);
  tcase_add_test(tcase, semantics_20_deep_and_huge_headers_are_refused);
  tcase_add_test(tcase, semantics_20_any_byte_may_be_wrong);
  tcase_add_test(tcase, semantics_20_what_is_no_file_is_refused);
  return test_main_case(tcase);
}
