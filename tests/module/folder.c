/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char folder[64];
char path[96];

static void
setup(void)
{
  rig_setup();
  strcpy(folder, "/tmp/parametrize-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/x.safetensors", folder);
}

static void
teardown(void)
{
  unlink(path);
  ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left there */
  rig_teardown();
}

void
write_raw(const uint64_t prefix, const char* const header, const size_t length, const size_t bytes)
{
  FILE* const out = fopen(path, "wb");
  ck_assert_ptr_nonnull(out);
  for (int k = 0; k < 8; ++k) {
    fputc((int)(prefix >> (8 * k) & 0xff), out);
  }
  ck_assert_uint_eq(fwrite(header, 1, length, out), length);
  for (size_t k = 0; k < bytes; ++k) {
    fputc((int)(k % 251), out);
  }
  ck_assert_int_eq(fclose(out), 0);
}

void
write_file(const char* const header, const size_t bytes)
{
  write_raw(strlen(header), header, strlen(header), bytes);
}

char*
read_file(size_t* const size)
{
  struct stat there;
  ck_assert_int_eq(stat(path, &there), 0);
  *size = (size_t)there.st_size;
  char* const data = calloc(1, *size + 1);
  FILE* const in = fopen(path, "rb");
  ck_assert_uint_eq(fread(data, 1, *size, in), *size);
  fclose(in);
  return data;
}

void
expect_refusal(const pz_status status, const char* const part)
{
  char* const picture = rig_picture();
  ck_assert_fails(pz_module_load(module, path), status, part);
  ck_assert_int_eq(strncmp(pz_error_message(), path, strlen(path)), 0);
  rig_unchanged(picture);
}

TCase*
folder_case(const char* const name)
{
  TCase* const tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_set_timeout(tcase, 60);
  return tcase;
}
