/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Calls that change a module with lists in lists, when memory or the device fails: every
   allocation, and every call of the device, in turn. The module is then as it was, bit for
   bit: stored tensors, names, print, values and gradients; and nothing has leaked. On the reference and test doubles, since a BLAS may abort. */

#include "fixture.h"

#include <allocator.h>
#include <opaque.h>
#include <stdlib.h>

#define SHIFT "parametrizations.weight.0.shift"

static pz_tensor value;

static void
open_module(const char* const device, const bool baked)
{
  pz_tensor there;
  pz_module_free(module);
  module = NULL;
  ck_assert_ok(pz_module_new(context, device, "Linear", &module));
  pz_tensor t = fixture_add(module, "plain", 3, 3);
  t = fixture_add(module, "weight", 3, 3);
  t = fixture_add(module, "pair", 3, 3);
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine,fragile", 0));
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "fragile,skew", 0));
  ck_assert_ok(pz_register_parametrization(module, SHIFT, "counting", 0));
  ck_assert_ok(pz_module_set(module, SHIFT, &t)); /* which an assignment moves to 0 */
  ck_assert_ok(pz_register_parametrization(module, "pair", "weighted", 0));
  value = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_get(module, "weight", &there));
  ck_assert_ok(pz_module_backward(module, "weight", &value));
  ck_assert_ok(baked ? pz_module_bake(module) : PZ_OK);
}

/* ---- the calls ------------------------------------------------------------------ */

static pz_status
call_register(void)
{
  return pz_register_parametrization(module, "plain", "skew,affine,pruning(p_drop=0.5)", 0);
}

static pz_status
call_register_inside(void)
{
  return pz_register_parametrization(module, "parametrizations.pair.original1", "skew,affine", 0);
}

static pz_status
call_register_several_inside(void)
{
  return pz_register_parametrization(module, INNER, "weighted", 0);
}

static pz_status
call_append(void)
{
  return pz_register_parametrization(module, "weight", "fragile,affine", 0);
}

static pz_status
call_append_inside(void)
{
  return pz_register_parametrization(module, ORIGINAL, "affine,symmetric", 0);
}

/* Of a value that is not there any more. A failure of the device is remembered until
   something changes. */
static pz_status
call_read(void)
{
  pz_tensor now;
  PZ_TRY(pz_module_touch(module, INNER));
  const pz_status status = pz_module_get(module, "weight", &now);
  return status == PZ_OK || pz_module_touch(module, INNER) == PZ_OK ? status : PZ_PLUGIN;
}

static pz_status
call_set(void)
{
  return pz_module_set(module, "weight", &value);
}

static pz_status
call_set_several(void)
{
  return pz_module_set(module, "pair", &value);
}

static pz_status
call_sample(void)
{
  return pz_module_sample(module, "weight");
}

static pz_status
call_update(void)
{
  return pz_module_update(module, "weight");
}

static pz_status
call_update_all(void)
{
  return pz_module_update(module, NULL);
}

static pz_status
call_remove(void)
{
  return pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED);
}

static pz_status
call_remove_outside(void)
{
  return pz_remove_parametrizations(module, "weight", PZ_LEAVE_ORIGINAL);
}

static pz_status
call_remove_inside(void)
{
  return pz_remove_parametrizations(module, ORIGINAL, PZ_LEAVE_PARAMETRIZED);
}

static pz_status
call_remove_several(void)
{
  return pz_remove_parametrizations(module, "pair", PZ_LEAVE_PARAMETRIZED);
}

static pz_status
call_remove_map(void)
{
  return pz_remove_parametrization(module, "weight", 1);
}

static pz_status
call_remove_map_inside(void)
{
  return pz_remove_parametrization(module, ORIGINAL, 0);
}

static pz_status
call_bake(void)
{
  return pz_module_bake(module);
}

static pz_status
call_unbake(void)
{
  return pz_module_unbake(module);
}

static const struct {
  const char* name;
  pz_status (*call)(void);
  bool baked;
} all[] = {
    {"register", call_register, false},
    {"register inside", call_register_inside, false},
    {"register several inside", call_register_several_inside, false},
    {"append", call_append, false},
    {"append inside", call_append_inside, false},
    {"read", call_read, false},
    {"set", call_set, false},
    {"set several", call_set_several, false},
    {"sample", call_sample, false},
    {"update", call_update, false},
    {"update all", call_update_all, false},
    {"remove", call_remove, false},
    {"remove outside", call_remove_outside, false},
    {"remove inside", call_remove_inside, false},
    {"remove several", call_remove_several, false},
    {"remove a map", call_remove_map, false},
    {"remove a map inside", call_remove_map_inside, false},
    {"bake", call_bake, false},
    {"unbake", call_unbake, true},
};

enum { CALLS = sizeof(all) / sizeof(all[0]) };
static const char* const devices[] = {"bare", "lean"};

/* ---- failing ---------------------------------------------------------------------- */

typedef struct scene {
  char* picture;
  uint32_t n;
  pz_tensor values[5]; /* the last one a gradient */
  const void* places[2];
} scene;

static void
look(scene* const s)
{
  static const char* const names[] = {"plain", "weight", "pair", ORIGINAL};
  const bool baked = pz_module_is_baked(module);
  memset(s, 0, sizeof(*s));
  s->picture = fixture_picture();
  s->n = baked ? 3 : 5;
  for (uint32_t k = 0; k < s->n && k < 4; ++k) {
    s->values[k] = fixture_read(names[k]);
  }
  s->places[0] = fixture_place_of(module, "plain");
  if (!baked) {
    s->places[1] = fixture_place_of(module, INNER);
    s->values[4] = fixture_gradient(INNER);
  }
}

static void
assert_unchanged(const scene* const before, const char* const name, const unsigned long n)
{
  static scene now;
  look(&now);
  ck_assert_msg(strcmp(before->picture, now.picture) == 0,
                "%s, failure %lu: the module changed from\n%s\nto\n%s", name, n, before->picture,
                now.picture);
  ck_assert_uint_eq(before->n, now.n);
  for (uint32_t k = 0; k < now.n; ++k) {
    ck_assert_msg(host_same(&before->values[k], &now.values[k]),
                  "%s, failure %lu: value %u changed", name, n, k);
  }
  for (int k = 0; k < 2; ++k) {
    ck_assert_msg(before->places[k] == now.places[k], "%s, failure %lu: tensor %d moved", name, n,
                  k);
  }
  free(now.picture);
}

/* A module as before the call. The one before leaves nothing, neither here nor on the device,
   that was not there before it. */
static void
begin(const char* const device, const int k, long* const empty)
{
  pz_module_free(module);
  module = NULL;
  host_free();
  ck_assert_int_eq(opaque_allocations(), 0);
#ifndef TEST_NO_ALLOCATOR
  const long live = allocator_live();
  ck_assert_msg(*empty == 0 || live == *empty, "%s: found %ld blocks, %ld before", all[k].name,
                live, *empty);
  *empty = live;
#else
  (void)empty;
#endif
  open_module(device, all[k].baked);
}

START_TEST(each_allocation_fails_in_turn)
{
  static scene before;
  long empty = 0;
  open_module("reference", all[_i].baked);
  ck_assert_ok(all[_i].call()); /* maps are loaded */
  begin("reference", _i, &empty);
  for (unsigned long n = 1;; ++n) {
    look(&before);
    allocator_start(n);
    const pz_status status = all[_i].call();
    (void)allocator_stop();
    if (!allocator_refused()) { /* there are no more */
      ck_assert_int_eq(status, PZ_OK);
      free(before.picture);
      break;
    }
    if (status != PZ_OK) {
      ck_assert_int_eq(status, PZ_NO_MEMORY);
      assert_unchanged(&before, all[_i].name, n);
    }
    free(before.picture);
    begin("reference", _i, &empty); /* what grew in the call is to grow again */
    ck_assert_uint_lt(n, 5000);
  }
}
END_TEST

START_TEST(each_call_of_the_device_fails_in_turn)
{
  static scene before;
  const int k = _i % CALLS;
  const char* const device = devices[_i / CALLS];
  long empty = 0;
  open_module(device, all[k].baked);
  ck_assert_ok(all[k].call());
  begin(device, k, &empty);
  for (unsigned long n = 1;; ++n) {
    look(&before);
    opaque_refuse(n);
    const pz_status status = all[k].call();
    if (!opaque_refused()) {
      opaque_refuse(0);
      ck_assert_int_eq(status, PZ_OK);
      free(before.picture);
      break;
    }
    ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_DEVICE, "%s, failure %lu: %s", all[k].name,
                  n, pz_status_text(status));
    ck_assert_msg(strstr(pz_error_message(), "the test double refuses"), "%s, failure %lu: %s",
                  all[k].name, n, pz_error_message());
    assert_unchanged(&before, all[k].name, n);
    free(before.picture);
    begin(device, k, &empty);
    ck_assert_uint_lt(n, 5000);
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case_on_doubles("transactions");
#ifndef TEST_NO_ALLOCATOR
  tcase_add_loop_test(tcase, each_allocation_fails_in_turn, 0, CALLS);
#endif
  tcase_add_loop_test(tcase, each_call_of_the_device_fails_in_turn, 0,
                      CALLS * (int)(sizeof(devices) / sizeof(devices[0])));
  return test_main_case(tcase);
}
