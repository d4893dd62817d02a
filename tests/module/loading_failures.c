/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Saving and loading when memory or the device fails: every allocation, and every call of the
   device that allocates, copies or fills, in turn. The module is then as it was, bit for bit,
   nothing has leaked, and in the end the call succeeds. On the reference and test doubles,
   since a BLAS may abort. */

#include "folder.h"
#include "full_module.h"
#include "snapshot.h"

#include <allocator.h>
#include <opaque.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char* place; /* device of the module */

/* ---- the calls ------------------------------------------------------------------------ */

static pz_status
call_save(void)
{
  char own[160];
  snprintf(own, sizeof(own), "%s.saved", path);
  const pz_status status = pz_module_save(module, own, NULL);
  unlink(own);
  return status;
}

static pz_status
call_open(void)
{
  pz_file* own = NULL;
  const pz_status status = pz_file_open(path, &own);
  pz_file_close(own);
  return status;
}

static pz_status
call_from_file(void)
{
  pz_module* made = NULL;
  const pz_status status = test_module_from_file(context, place, file, NULL, NULL, &made);
  pz_module_free(made);
  return status;
}

static pz_status
call_load(void)
{
  return pz_module_load(module, file, NULL);
}

static void
listen(void* const user, const pz_load_remark remark, const char* const name)
{
  (void)user;
  (void)remark;
  (void)name;
}

static pz_status
call_leniently(void)
{
  const pz_load_settings settings = {.size = sizeof(settings),
                                     .flags = PZ_LOAD_LENIENT | PZ_LOAD_ASSIGN | PZ_LOAD_WIDEN,
                                     .report = listen};
  return pz_module_load(module, file, &settings);
}

/* Entries under the names of before weight_norm had its present ones. */
static pz_status
call_renamed(void)
{
  static const pz_chain_rule rule = {.pattern = "conv.*", .text = "weight_norm(dim=all)"};
  const pz_load_settings settings = {.size = sizeof(settings), .rules = &rule, .n_rules = 1};
  pz_module* made = NULL;
  pz_file* renamed = NULL;
  pz_status status = pz_file_with_current_names(file, context, &rule, 1, &renamed);
  if (status == PZ_OK) {
    status = test_module_from_file(context, place, file, NULL, &settings, &made);
  }
  pz_module_free(made);
  pz_file_close(renamed);
  return status;
}

/* ---- modules and files ------------------------------------------------------------------ */

/* Furnished, with a list on an original too, all on one device. */
static void
prepare_full(void)
{
  pz_module_free(module);
  ck_assert_ok(test_module_new(context, "reference", "Linear", &module));
  full_module_fill(module);
  ck_assert_ok(
      pz_register_parametrization(module, "parametrizations.own.original", "affine", NULL));
  ck_assert_ok(test_module_to(context, module, place));
}

/* The same tensors without any list. */
static void
prepare_plain(void)
{
  prepare_full();
  for (const char* const* name = full_module_values; *name; ++name) {
    if (pz_is_parametrized(module, *name)) {
      ck_assert_ok(pz_remove_parametrizations(module, *name, PZ_LEAVE_PARAMETRIZED));
    }
  }
}

/* Some plain values, and a list that lacks its own tensors. */
static void
write_values(void)
{
  const pz_tensor t = fixture_normal(PZ_F32, 4, 4);
  const part parts[] = {{"own", "F32", &t},
                        {"pair", "F32", &t},
                        {"mean", "F32", &t},
                        {"parametrizations.weight.original", "F32", &t}};
  make_file(parts, 4);
}

static void
write_older(void)
{
  const pz_tensor t = fixture_normal(PZ_F32, 4, 4);
  pz_tensor magnitude = t;
  magnitude.ndim = 0;
  const part parts[] = {
      {"conv.weight_v", "F32", &t}, {"conv.weight_g", "F32", &magnitude}, {"conv.bias", "F32", &t}};
  make_file(parts, 3);
}

static const struct {
  const char* name;
  pz_status (*call)(void);
  void (*prepare)(void);
  void (*write)(void); /* the file; NULL: that of the full module */
} all[] = {
    {"save", call_save, prepare_full, NULL},
    {"open", call_open, prepare_full, NULL},
    {"from file", call_from_file, prepare_full, NULL},
    {"load", call_load, prepare_full, NULL},
    {"make lists", call_load, prepare_plain, NULL},
    {"assign", call_leniently, prepare_full, write_values},
    {"older names", call_renamed, prepare_full, write_older},
};
enum { CALLS = sizeof(all) / sizeof(all[0]) };

static void
begin(const int k)
{
  place = k < CALLS ? "reference" : "lean";
  prepare_full();
  if (all[k % CALLS].write) {
    all[k % CALLS].write();
  } else {
    ck_assert_ok(pz_module_save(module, path, NULL));
  }
  reopen(); /* that of another full module, say */
  all[k % CALLS].prepare();
  ck_assert_ok(all[k % CALLS].call()); /* what is kept for good is there then */
  all[k % CALLS].prepare();
}

/* ---- failing ---------------------------------------------------------------------------- */

static const char* const names[] = {"own", NULL};

/* Twice: the first look may compute and keep something. */
static void
take(snapshot* const before)
{
  snapshot_take(before, module, names);
  snapshot_take(before, module, names);
}

static void
assert_unchanged(const snapshot* const before, const char* const name, const unsigned long n)
{
  static snapshot now;
  snapshot_take(&now, module, names);
  snapshot_assert_same(before, &now, name, n);
  snapshot_assert_no_leak(before, &now, name, n);
}

START_TEST(each_allocation_fails_in_turn)
{
  enum { FIRST = 50 }; /* beyond, every third in a short run */
  const char* const name = all[_i % CALLS].name;
  begin(_i);
  for (unsigned long n = 1;; ++n) {
    static snapshot before;
    if (n > FIRST && !test_takes((int64_t)n, 3)) {
      continue;
    }
    take(&before);
    allocator_start(n);
    const pz_status status = all[_i % CALLS].call();
    (void)allocator_stop();
    if (status != PZ_OK) {
      ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_IO, "%s, failure %lu: %s: %s", name, n,
                    pz_status_text(status), pz_error_message());
      assert_unchanged(&before, name, n);
    }
    if (!allocator_refused()) { /* there are no more */
      ck_assert_int_eq(status, PZ_OK);
      ck_assert_uint_gt(n, 10);
      break;
    }
    if (status == PZ_OK) { /* it could do without */
      all[_i % CALLS].prepare();
    }
    ck_assert_uint_lt(n, 10000);
  }
}
END_TEST

START_TEST(each_call_of_the_device_fails_in_turn)
{
  const int k = CALLS + _i;
  begin(k);
  for (unsigned long n = 1;; ++n) {
    static snapshot before;
    take(&before);
    opaque_refuse(n);
    const pz_status status = all[_i].call();
    if (!opaque_refused()) {
      opaque_refuse(0);
      ck_assert_int_eq(status, PZ_OK);
      break;
    }
    ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_DEVICE, "%s, failure %lu: %s: %s",
                  all[_i].name, n, pz_status_text(status), pz_error_message());
    ck_assert_ptr_nonnull(strstr(pz_error_message(), "the test double refuses"));
    assert_unchanged(&before, all[_i].name, n);
    ck_assert_uint_lt(n, 10000);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = folder_case("loading failures");
  tcase_add_checked_fixture(tcase, fixture_add_doubles, NULL);
#ifndef TEST_NO_ALLOCATOR
  tcase_add_loop_test(tcase, each_allocation_fails_in_turn, 0, 2 * CALLS);
#endif
  tcase_add_loop_test(tcase, each_call_of_the_device_fails_in_turn, 0, CALLS);
  return test_main_case(tcase);
}
