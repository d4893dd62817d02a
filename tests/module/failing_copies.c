/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copying, transferring and moving when memory or the device fails: every allocation, and
   every call of the device that allocates, copies or fills, in turn. Both modules are then as
   they were, bit for bit, nothing has leaked, and the call that follows succeeds. On the
   reference and test doubles, since a BLAS may abort. */

#include "full_module.h"

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
  ck_assert_ok(pz_module_new(context, "reference", "Linear", &fresh));
  module = fresh;
  full_module_fill(module);
  ck_assert_ok(pz_module_to(module, device));
  ck_assert_ok(pz_module_new(context, device_of_other, "Other", &other));
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
  return pz_module_to(module, "bare");
}

static pz_status
call_from(void)
{
  return pz_module_to(module, "reference");
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

typedef struct scene {
  char* pictures[2];
  const void* places[3];
  int alive;
  long live;
} scene;

static void
look(scene* const s)
{
  s->pictures[0] = fixture_picture();
  s->pictures[1] = fixture_picture_of(other);
  s->places[0] = fixture_place_of(module, "parametrizations.weight.original");
  s->places[1] = fixture_place_of(module, "weight");
  s->places[2] = fixture_place_of(other, "weight");
  s->alive = opaque_allocations();
  s->live = allocator_live();
}

static void
forget(const scene* const s)
{
  free(s->pictures[0]);
  free(s->pictures[1]);
}

static void
assert_unchanged(const scene* const before, const char* const name, const unsigned long n)
{
  scene now;
  look(&now); /* which takes as much memory */
  for (int k = 0; k < 2; ++k) {
    ck_assert_msg(strcmp(before->pictures[k], now.pictures[k]) == 0,
                  "%s, failure %lu: module %d changed", name, n, k);
  }
  for (int k = 0; k < 3; ++k) {
    ck_assert_msg(before->places[k] == now.places[k], "%s, failure %lu: tensor %d moved", name, n,
                  k);
  }
  ck_assert_msg(before->alive == now.alive, "%s, failure %lu: %d on the device, %d before", name, n,
                now.alive, before->alive);
#ifndef TEST_NO_ALLOCATOR
  const long pictures = 2; /* of before, which are still there */
  ck_assert_msg(now.live == before->live + pictures, "%s, failure %lu: %ld blocks, %ld before",
                name, n, now.live - pictures, before->live);
#endif
  forget(&now);
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
  scene first;
  open_both(all[k].device, all[k].device_of_other);
  look(&first);
  forget(&first);
}

START_TEST(each_allocation_fails_in_turn)
{
  warm_up(_i);
  begin(_i);
  for (unsigned long n = 1;; ++n) {
    scene before;
    look(&before);
    allocator_start(n);
    const pz_status status = all[_i].call();
    (void)allocator_stop();
    if (!allocator_refused()) { /* there are no more */
      ck_assert_int_eq(status, PZ_OK);
      forget(&before);
      ck_assert_uint_gt(n, 1);
      break;
    }
    if (status == PZ_OK) { /* it could do without: a host queue, say */
      forget(&before);
      begin(_i);
      continue;
    }
    ck_assert_int_eq(status, PZ_NO_MEMORY);
    assert_unchanged(&before, all[_i].name, n);
    forget(&before);
    ck_assert_uint_lt(n, 5000);
  }
}
END_TEST

START_TEST(each_call_of_the_device_fails_in_turn)
{
  warm_up(_i);
  begin(_i);
  for (unsigned long n = 1;; ++n) {
    scene before;
    look(&before);
    opaque_refuse(n);
    const pz_status status = all[_i].call();
    if (!opaque_refused()) {
      opaque_refuse(0);
      ck_assert_int_eq(status, PZ_OK);
      forget(&before);
      break;
    }
    ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_DEVICE, "%s, failure %lu: %s",
                  all[_i].name, n, pz_status_text(status));
    ck_assert_ptr_nonnull(strstr(pz_error_message(), "the test double refuses"));
    assert_unchanged(&before, all[_i].name, n);
    forget(&before);
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
