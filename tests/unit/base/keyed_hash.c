/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Known hashes, and a key that is another one in every process.

   usage: test-keyed_hash [print] */

#include "keyed_hash.h"

#include <support.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char* program;

/* Of the reference implementation: key 00 01 ... 0f, text 00 01 ... of 0, 1, 7, 8, 15 bytes. */
START_TEST(hashes_are_those_of_siphash)
{
  static const struct {
    size_t length;
    uint64_t hash;
  } known[] = {
      {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
      {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
      {15, UINT64_C(0xa129ca6149be45e5)},
  };
  static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
  char text[16];
  for (int k = 0; k < 16; ++k) {
    text[k] = (char)k;
  }
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    ck_assert_uint_eq(pzi_keyed_hash_siphash(key, text, known[k].length), known[k].hash);
  }
}
END_TEST

static uint32_t
hash_in_a_process(void)
{
  char command[4096];
  uint32_t hash = 0;
  snprintf(command, sizeof(command), "'%s' print", program);
  FILE* const pipe = popen(command, "r");
  ck_assert_ptr_nonnull(pipe);
  ck_assert_int_eq(fscanf(pipe, "%" SCNu32, &hash), 1);
  ck_assert_int_eq(pclose(pipe), 0);
  return hash;
}

START_TEST(every_process_has_its_own_key)
{
  const uint32_t first = hash_in_a_process();
  uint32_t next = first;
  for (int k = 0; k < 3 && next == first; ++k) { /* 2^-96 of all runs fail */
    next = hash_in_a_process();
  }
  ck_assert_uint_ne(first, next);
  ck_assert_uint_eq(pzi_keyed_hash("weight", 6), pzi_keyed_hash("weights", 6));
}
END_TEST

int
main(const int argc, char** const argv)
{
  if (argc > 1) {
    printf("%" PRIu32 "\n", pzi_keyed_hash("weight", 6));
    return 0;
  }
  program = argv[0];
  TCase* const tcase = tcase_create("keyed_hash");
  tcase_add_test(tcase, hashes_are_those_of_siphash);
  tcase_add_test(tcase, every_process_has_its_own_key);
  return test_main_case(tcase);
}
