/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char folder[64];
char path[96];
pz_file* file;
char reports[1024];

static void
setup(void)
{
  fixture_setup();
  strcpy(folder, "/tmp/parametrize-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/x.safetensors", folder);
}

static void
teardown(void)
{
  pz_file_close(file);
  file = NULL;
  unlink(path);
  ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left there */
  fixture_teardown();
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

void
reopen(void)
{
  pz_file_close(file);
  file = NULL;
  ck_assert_ok(pz_file_open(path, &file));
}

void
make_file(const part* const parts, const size_t n)
{
  pz_writer_tensor entries[16];
  const pz_metadata format = {.key = "format", .text = "pt"};
  pz_writer* writer = NULL;
  ck_assert_uint_le(n, 16);
  for (size_t k = 0; k < n; ++k) {
    const char* const dtype = parts[k].dtype;
    const uint64_t size = strcmp(dtype, "I64") == 0 ? 8 : strcmp(dtype, "F32") == 0 ? 4 : 2;
    entries[k] = (pz_writer_tensor){.name = parts[k].name,
                                    .dtype = dtype,
                                    .spec = pz_spec_of(parts[k].tensor),
                                    .bytes = size * (uint64_t)pz_count(parts[k].tensor)};
  }
  ck_assert_ok(pz_writer_open(path, 0, entries, n, &format, 1, &writer));
  for (size_t k = 0; k < n; ++k) {
    ck_assert_ok(pz_writer_put(writer, k, parts[k].tensor->data, entries[k].bytes));
  }
  ck_assert_ok(pz_writer_commit(writer));
  reopen();
}

static void
report(void* const user, const pz_load_remark remark, const char* const name)
{
  static const char* const kinds[] = {"", "unknown", "missing", "dtype"};
  ck_assert_ptr_eq(user, &file);
  const size_t length = strlen(reports);
  snprintf(reports + length, sizeof(reports) - length, "%s %s; ", kinds[remark], name);
}

pz_load_settings
settings_of(const uint32_t flags, const pz_chain_rule* const rules, const uint32_t n)
{
  reports[0] = '\0';
  return (pz_load_settings){.size = sizeof(pz_load_settings),
                            .flags = flags,
                            .rules = rules,
                            .n_rules = n,
                            .report = report,
                            .user = &file};
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
expect_refusal(const pz_status status, const char* const words)
{
  char* const picture = fixture_picture();
  ck_assert_fails(test_module_load(module, path), status, words);
  fixture_unchanged(picture);
}

TCase*
folder_case(const char* const name)
{
  TCase* const tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, setup, teardown);
  return tcase;
}
