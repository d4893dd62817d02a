/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Structs of older and newer hosts (rule 2 of parametrize/types.h). */

#include "sized_struct.h"

#include <support.h>

#include <string.h>

typedef struct known {
  uint32_t size;
  uint32_t flags;
  uint64_t number;
  uint32_t count;
  uint32_t reserved;
} known;

typedef struct newer {
  known known;
  uint64_t more;
} newer;

START_TEST(test_read)
{
  known out;
  const newer whole = {.known = {.size = sizeof(whole), .flags = 3, .number = 7}};
  ck_assert_ok(pzi_struct_read(&out, sizeof(out), offsetof(known, reserved), &whole, "settings"));
  ck_assert_uint_eq(out.flags, 3);
  ck_assert_uint_eq(out.number, 7);

  const newer unknown = {.known = {.size = sizeof(unknown)}, .more = UINT64_C(1) << 56};
  ck_assert_fails(
      pzi_struct_read(&out, sizeof(out), offsetof(known, reserved), &unknown, "settings"),
      PZ_UNSUPPORTED, "settings: byte 31 of 32 is set");

  const known older = {.size = offsetof(known, number), .flags = 1, .number = 9};
  ck_assert_ok(pzi_struct_read(&out, sizeof(out), offsetof(known, reserved), &older, "settings"));
  ck_assert_uint_eq(out.flags, 1);
  ck_assert_uint_eq(out.number, 0);

  const known reserved = {.size = sizeof(reserved), .reserved = 5};
  ck_assert_fails(
      pzi_struct_read(&out, sizeof(out), offsetof(known, reserved), &reserved, "settings"),
      PZ_UNSUPPORTED, "settings: found 5 in a reserved field");

  static const uint32_t wrong[] = {0, 7, (1U << 16) + 1};
  for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); ++k) {
    const known bad = {.size = wrong[k]};
    ck_assert_fails(pzi_struct_read(&out, sizeof(out), offsetof(known, reserved), &bad, "settings"),
                    PZ_INVALID, "settings: found size");
  }
  ck_assert_fails(pzi_struct_read(&out, sizeof(out), offsetof(known, reserved), NULL, "settings"),
                  PZ_INVALID, "found no settings");
}
END_TEST

START_TEST(test_write)
{
  const known from = {.flags = 5, .number = 11};
  newer out = {.known = {.size = sizeof(out)}, .more = 99};
  pzi_struct_write(&out, &from, sizeof(from));
  ck_assert_uint_eq(out.known.size, sizeof(out));
  ck_assert_uint_eq(out.known.flags, 5);
  ck_assert_uint_eq(out.known.number, 11);
  ck_assert_uint_eq(out.more, 0);

  out = (newer){.known = {.size = offsetof(known, number), .number = 42}};
  pzi_struct_write(&out, &from, sizeof(from));
  ck_assert_uint_eq(out.known.flags, 5);
  ck_assert_uint_eq(out.known.number, 42);
}
END_TEST

START_TEST(test_reserved)
{
  const uint64_t clear[2] = {0, 0};
  const uint64_t set[2] = {0, 1};
  ck_assert_ok(pzi_struct_check_reserved(clear, sizeof(clear), "rule", 4));
  ck_assert_fails(pzi_struct_check_reserved(set, sizeof(set), "rule", 4), PZ_INVALID,
                  "rule 4: its reserved bytes are not zero");
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("sized_struct");
  tcase_add_test(tcase, test_read);
  tcase_add_test(tcase, test_write);
  tcase_add_test(tcase, test_reserved);
  return test_main_case(tcase);
}
