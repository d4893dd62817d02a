/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Every system call of a save fails in turn: one line says why, what was there stays, and
   nothing else is left in the folder. */

#include "failing.h"
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Errors of full and of broken disks, and of quotas. */
static const int errors[] = {ENOSPC, EIO, EDQUOT};

/* Entries of the folder. */
static int
count_files(void)
{
  int n = 0;
  DIR* const open = opendir(folder);
  ck_assert_ptr_nonnull(open);
  for (const struct dirent* entry; (entry = readdir(open)) != NULL;) {
    n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
  }
  closedir(open);
  return n;
}

static void
make_module(void)
{
  fixture_add(module, "weight", 20, 20);
  fixture_add(module, "bias", 1, 20);
  ck_assert_ok(pz_register_parametrization(module, "weight", "skew,cayley", NULL));
}

/* Fails call after call of one kind until a save makes no more of them; returns how many
   failures were refusals. `there`: a file is replaced. */
static int
fail_each(const failing_call call, const int error, const bool there)
{
  int refused = 0;
  for (int number = 1;; ++number) {
    ck_assert_int_lt(number, 100);
    size_t size = 0;
    size_t size_after = 0;
    char* const before = there ? read_file(&size) : NULL;
    pz_tensor bias = fixture_normal(PZ_F32, 1, 20);
    ck_assert_ok(pz_module_set(module, "bias", &bias));
    failing_set(call, number, error);
    const pz_status status = pz_module_save(module, path, NULL);
    const bool happened = failing_happened();
    failing_set(0, 0, 0);
    if (status != PZ_OK) {
      ck_assert(happened);
      ck_assert_int_eq(status, PZ_IO);
      ck_assert_ptr_nonnull(strstr(pz_error_message(), path));
      ck_assert_ptr_nonnull(strstr(pz_error_message(), strerror(error)));
      ck_assert_ptr_null(strchr(pz_error_message(), '\n'));
      ck_assert_int_eq(count_files(), there ? 1 : 0);
      char* const after = there ? read_file(&size_after) : NULL;
      ck_assert_uint_eq(size, size_after);
      ck_assert(!there || memcmp(before, after, size) == 0);
      free(after);
      ++refused;
    } else {
      ck_assert_ok(test_module_load(module, path));
      ck_assert_int_eq(count_files(), 1);
      unlink(there ? "" : path);
    }
    free(before);
    if (!happened) {
      return refused;
    }
  }
}

/* `_i`: one bit for whether a file is replaced, one for files without a name. */
START_TEST(semantics_20_every_failing_call_leaves_what_was_there)
{
  const bool there = (_i & 1) != 0;
  failing_allow_unnamed((_i & 2) != 0);
  make_module();
  if (there) {
    ck_assert_ok(pz_module_save(module, path, NULL));
  }
  int refused[FAILING_CALLS] = {0};
  for (failing_call call = 1; call < FAILING_CALLS; ++call) {
    for (size_t k = 0; k < sizeof(errors) / sizeof(errors[0]); ++k) {
      refused[call] += fail_each(call, errors[k], there);
    }
  }
  /* One at least of each kind matters, but for those that the way of writing has not. */
  ck_assert_int_gt(refused[FAILING_PWRITE], 0);
  ck_assert_int_gt(refused[FAILING_FSYNC], 0);
  ck_assert_int_gt(refused[FAILING_LINKAT] + refused[FAILING_RENAMEAT], 0);
  failing_allow_unnamed(true);
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("failing writes");
  tcase_add_loop_test(tcase, semantics_20_every_failing_call_leaves_what_was_there, 0, 4);
  return test_main_case(tcase);
}
