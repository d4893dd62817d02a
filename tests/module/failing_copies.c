/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copying, transferring and moving when memory or the device fails: every allocation, and
   every call of the device that allocates, copies or fills, in turn. Both modules are then as
   they were, bit for bit, nothing has leaked, and the call that follows succeeds. On the
   reference and test doubles, since a BLAS may abort. */

#include "full_module.h"
#include "snapshot.h"

#include <allocator.h>
#include <opaque.h>
#include <stdlib.h>

static pz_module* other;

/* A module to give and one to take: some tensors are there already, some are not. */
static void
open_both(const char* const device, const char* const device_of_other)
{
  pz_module_free(module);
  pz_module_free(other);
  pz_module* fresh = NULL;
  ck_assert_ok(test_module_new(context, "reference", "Linear", &fresh));
  module = fresh;
  full_module_fill(module);
  ck_assert_ok(test_module_to(context, module, device));
  ck_assert_ok(test_module_new(context, device_of_other, "Other", &other));
  pz_tensor t = fixture_add(other, "own", 4, 4);
  t = fixture_add(other, "bias", 4, 4);
  t = fixture_add(other, "weight", 4, 4);
  pz_tensor value; /* and a gradient to move */
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &t));
}

static void
setup(void)
{
  other = NULL;
}

static void
teardown(void)
{
  pz_module_free(other);
}

/* ---- the calls ------------------------------------------------------------------ */

static pz_status
call_copy(void)
{
  pz_module* copy = NULL;
  const pz_status status = pz_module_copy(module, &copy);
  pz_module_free(copy);
  return status;
}

static pz_status
call_transfer(void)
{
  return pz_transfer_parametrizations(module, other, NULL);
}

static pz_status
call_to(void)
{
  return test_module_to(context, module, "bare");
}

static pz_status
call_from(void)
{
  return test_module_to(context, module, "reference");
}

static pz_status
call_to_dtype(void)
{
  return pz_module_to_dtype(module, PZ_F64);
}

static const struct {
  const char* name;
  const char* device;
  const char* device_of_other;
  pz_status (*call)(void);
} all[] = {
    {"copy", "reference", "reference", call_copy},
    {"copy on a device", "lean", "reference", call_copy},
    {"transfer", "reference", "reference", call_transfer},
    {"transfer to a device", "reference", "lean", call_transfer},
    {"transfer from a device", "lean", "reference", call_transfer},
    {"move to a device", "reference", "reference", call_to},
    {"move from a device", "lean", "reference", call_from},
    {"change dtype", "reference", "reference", call_to_dtype},
    {"change dtype on a device", "lean", "reference", call_to_dtype},
};

/* ---- failing ---------------------------------------------------------------------- */

typedef struct both {
  snapshot module;
  snapshot other;
} both;

static void
look(both* const b)
{
  static const char* const names[] = {ORIGINAL, "weight", NULL};
  snapshot_take(&b->module, module, names);
  snapshot_take(&b->other, other, &names[1]);
}

static void
assert_unchanged(const both* const before, const char* const name, const unsigned long n)
{
  static both now;
  look(&now);
  snapshot_assert_same(&before->module, &now.module, name, n);
  snapshot_assert_same(&before->other, &now.other, name, n);
  snapshot_assert_no_leak(&before->other, &now.other, name, n);
}

/* Both modules once through the call, so that what is kept for good is there. */
static void
warm_up(const int k)
{
  open_both(all[k].device, all[k].device_of_other);
  ck_assert_ok(all[k].call());
}

/* Both modules fresh, and looked at before. */
static void
begin(const int k)
{
  static both first;
  open_both(all[k].device, all[k].device_of_other);
  look(&first);
}

START_TEST(each_allocation_fails_in_turn)
{
  warm_up(_i);
  begin(_i);
  for (unsigned long n = 1;; ++n) {
    static both before;
    look(&before);
    allocator_start(n);
    const pz_status status = all[_i].call();
    (void)allocator_stop();
    if (!allocator_refused()) { /* there are no more */
      ck_assert_int_eq(status, PZ_OK);
      ck_assert_uint_gt(n, 1);
      break;
    }
    if (status == PZ_OK) { /* it could do without: a host queue, say */
      begin(_i);
      continue;
    }
    ck_assert_int_eq(status, PZ_NO_MEMORY);
    assert_unchanged(&before, all[_i].name, n);
    ck_assert_uint_lt(n, 5000);
  }
}
END_TEST

START_TEST(each_call_of_the_device_fails_in_turn)
{
  warm_up(_i);
  begin(_i);
  for (unsigned long n = 1;; ++n) {
    static both before;
    look(&before);
    opaque_refuse(n);
    const pz_status status = all[_i].call();
    if (!opaque_refused()) {
      opaque_refuse(0);
      ck_assert_int_eq(status, PZ_OK);
      break;
    }
    ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_DEVICE, "%s, failure %lu: %s",
                  all[_i].name, n, pz_status_text(status));
    ck_assert_ptr_nonnull(strstr(pz_error_message(), "the test double refuses"));
    assert_unchanged(&before, all[_i].name, n);
    ck_assert_uint_lt(n, 5000);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case_on_doubles("failing copies");
  const int n = (int)(sizeof(all) / sizeof(all[0]));
  tcase_add_checked_fixture(tcase, setup, teardown);
#ifndef TEST_NO_ALLOCATOR
  tcase_add_loop_test(tcase, each_allocation_fails_in_turn, 0, n);
#endif
  tcase_add_loop_test(tcase, each_call_of_the_device_fails_in_turn, 0, n);
  return test_main_case(tcase);
}
