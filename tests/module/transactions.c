/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Calls that change a module, when memory or the device fails: every allocation, and every call
   of the device, in turn. The module is then as it was, bit for bit: stored tensors, names, print,
   values and gradients; nothing has leaked; and the call succeeds the next time. On the reference
   and test doubles, since a BLAS may abort. */

#include "snapshot.h"

#include <allocator.h>
#include <opaque.h>
#include <stdlib.h>

#define SHIFT "parametrizations.weight.0.shift"

static pz_tensor value;

/* Parametrizations of tensors. */
static void
open_flat(const char* const device)
{
  pz_tensor there;
  pz_module_free(module);
  module = NULL;
  ck_assert_ok(test_module_new(context, device, "Linear", &module));
  fixture_add(module, "plain", 3, 3);
  fixture_parametrize(module, "weight", 3, 3, "affine,fragile");
  fixture_parametrize(module, "pair", 3, 3, "weighted");
  value = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_module_get(module, "weight", &there));
}

/* And of originals and own parameters; with a gradient. */
static void
open_nested(const char* const device)
{
  pz_tensor there;
  open_flat(device);
  const pz_tensor t = fixture_normal(PZ_F32, 3, 3);
  ck_assert_ok(pz_register_parametrization(module, ORIGINAL, "fragile,skew", NULL));
  ck_assert_ok(pz_register_parametrization(module, SHIFT, "counting", NULL));
  ck_assert_ok(pz_module_set(module, SHIFT, &t)); /* which an assignment moves to 0 */
  ck_assert_ok(pz_module_get(module, "weight", &there));
  ck_assert_ok(pz_module_backward(module, "weight", &value));
}

static void
open_baked(const char* const device)
{
  open_nested(device);
  ck_assert_ok(pz_module_bake(module));
}

typedef struct setting {
  void (*open)(const char* device);
  const char* names[6]; /* to look at */
  bool gradient;        /* of INNER */
} setting;

static const setting flat = {open_flat, {"plain", "weight", "pair", ORIGINAL}, false};
static const setting nested = {open_nested, {"plain", "weight", "pair", ORIGINAL, INNER}, true};
static const setting baked = {open_baked, {"plain", "weight", "pair"}, false};

/* ---- the calls ------------------------------------------------------------------ */

static pz_status
call_add(void)
{
  return pz_module_add(module, "new", PZ_PARAMETER, &value);
}

static pz_status
call_add_child(void)
{
  pz_module* child = NULL;
  PZ_TRY(test_module_new(context, "reference", "Block", &child));
  const pz_status status = pz_module_add_child(module, "child", child);
  if (status != PZ_OK) {
    pz_module_free(child);
  }
  return status;
}

static pz_status
call_register_several(void)
{
  return pz_register_parametrization(module, "plain", "weighted", NULL);
}

static pz_status
call_register(void)
{
  return pz_register_parametrization(module, "plain", "skew,affine,pruning(p_drop=0.5)", NULL);
}

static pz_status
call_register_inside(void)
{
  return pz_register_parametrization(module, "parametrizations.pair.original1", "skew,affine",
                                     NULL);
}

static pz_status
call_register_several_inside(void)
{
  return pz_register_parametrization(module, INNER, "weighted", NULL);
}

static pz_status
call_append(void)
{
  return pz_register_parametrization(module, "weight", "fragile,affine", NULL);
}

static pz_status
call_append_inside(void)
{
  return pz_register_parametrization(module, ORIGINAL, "affine,symmetric", NULL);
}

/* Of a value that is not there any more. A failure of the device is remembered until
   something changes. */
static pz_status
read_again(const char* const original)
{
  pz_tensor now;
  PZ_TRY(pz_module_touch(module, original));
  const pz_status status = pz_module_get(module, "weight", &now);
  return status == PZ_OK || pz_module_touch(module, original) == PZ_OK ? status : PZ_PLUGIN;
}

static pz_status
call_read(void)
{
  return read_again(ORIGINAL);
}

static pz_status
call_read_inside(void)
{
  return read_again(INNER);
}

static pz_status
call_backward(void)
{
  return pz_module_backward(module, "weight", &value);
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
call_remove_first_map(void)
{
  return pz_remove_stage(module, "weight", 0);
}

static pz_status
call_remove_map(void)
{
  return pz_remove_stage(module, "weight", 1);
}

static pz_status
call_remove_map_inside(void)
{
  return pz_remove_stage(module, ORIGINAL, 0);
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
  const setting* in;
} all[] = {
    {"add", call_add, &flat},
    {"add a child", call_add_child, &flat},
    {"register", call_register, &nested},
    {"register several", call_register_several, &flat},
    {"register inside", call_register_inside, &nested},
    {"register several inside", call_register_several_inside, &nested},
    {"append", call_append, &flat},
    {"append outside", call_append, &nested},
    {"append inside", call_append_inside, &nested},
    {"read", call_read, &flat},
    {"read inside", call_read_inside, &nested},
    {"backward", call_backward, &flat},
    {"set", call_set, &flat},
    {"set outside", call_set, &nested},
    {"set several", call_set_several, &nested},
    {"sample", call_sample, &flat},
    {"sample outside", call_sample, &nested},
    {"update", call_update, &flat},
    {"update outside", call_update, &nested},
    {"update all flat", call_update_all, &flat},
    {"update all", call_update_all, &nested},
    {"remove", call_remove, &flat},
    {"remove all levels", call_remove, &nested},
    {"remove outside", call_remove_outside, &nested},
    {"remove inside", call_remove_inside, &nested},
    {"remove several", call_remove_several, &nested},
    {"remove a map", call_remove_first_map, &flat},
    {"remove a map outside", call_remove_map, &nested},
    {"remove a map inside", call_remove_map_inside, &nested},
    {"bake", call_bake, &nested},
    {"unbake", call_unbake, &baked},
};

enum { CALLS = sizeof(all) / sizeof(all[0]) };
static const char* const devices[] = {"bare", "lean"};

/* ---- failing ---------------------------------------------------------------------- */

typedef struct state {
  snapshot module;
  pz_tensor gradient;
} state;

static void
look(state* const s, const setting* const in)
{
  snapshot_take(&s->module, module, in->names);
  s->gradient = in->gradient ? fixture_gradient(INNER) : (pz_tensor){0};
}

static void
assert_unchanged(const state* const before, const int k, const unsigned long n)
{
  static state now;
  look(&now, all[k].in);
  snapshot_assert_same(&before->module, &now.module, all[k].name, n);
  ck_assert_msg(!all[k].in->gradient || host_same(&before->gradient, &now.gradient),
                "%s, failure %lu: the gradient changed", all[k].name, n);
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
  all[k].in->open(device);
}

START_TEST(each_allocation_fails_in_turn)
{
  static state before;
  long empty = 0;
  all[_i].in->open("reference");
  ck_assert_ok(all[_i].call()); /* maps are loaded */
  begin("reference", _i, &empty);
  for (unsigned long n = 1;; ++n) {
    look(&before, all[_i].in);
    allocator_start(n);
    const pz_status status = all[_i].call();
    (void)allocator_stop();
    if (!allocator_refused()) { /* there are no more */
      ck_assert_int_eq(status, PZ_OK);
      break;
    }
    if (status != PZ_OK) {
      ck_assert_int_eq(status, PZ_NO_MEMORY);
      assert_unchanged(&before, _i, n);
      ck_assert_ok(all[_i].call()); /* and now it works */
    }
    begin("reference", _i, &empty); /* what grew in the call is to grow again */
    ck_assert_uint_lt(n, 5000);
  }
}
END_TEST

START_TEST(each_call_of_the_device_fails_in_turn)
{
  static state before;
  const int k = _i % CALLS;
  const char* const device = devices[_i / CALLS];
  long empty = 0;
  all[k].in->open(device);
  ck_assert_ok(all[k].call());
  begin(device, k, &empty);
  for (unsigned long n = 1;; ++n) {
    look(&before, all[k].in);
    opaque_refuse(n);
    const pz_status status = all[k].call();
    if (!opaque_refused()) {
      opaque_refuse(0);
      ck_assert_int_eq(status, PZ_OK);
      break;
    }
    ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_DEVICE, "%s, failure %lu: %s", all[k].name,
                  n, pz_status_text(status));
    ck_assert_msg(strstr(pz_error_message(), "the test double refuses"), "%s, failure %lu: %s",
                  all[k].name, n, pz_error_message());
    assert_unchanged(&before, k, n);
    ck_assert_ok(all[k].call()); /* and now it works */
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
