/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory: steady state takes none, and each allocation of a call failing in turn leaves the
   module as it was. On the reference backend, since a BLAS may abort. */

#include "fixture.h"

#include <allocator.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- calls that are to fail at every allocation --------------------------------- */

static pz_tensor plain;
static pz_tensor value;
static char path[] = "/tmp/parametrize-test-XXXXXX";

static pz_status
call_add(void)
{
  return pz_module_add(module, "new", PZ_PARAMETER, &plain);
}

static pz_status
call_register(void)
{
  return pz_register_parametrization(module, "plain", "skew,affine,pruning(p_drop=0.5)", 0);
}

static pz_status
call_register_several(void)
{
  return pz_register_parametrization(module, "plain", "weighted", 0);
}

static pz_status
call_append(void)
{
  return pz_register_parametrization(module, "weight", "fragile,affine", 0);
}

static pz_status
call_read(void)
{
  pz_tensor now;
  const pz_status status = pz_module_touch(module, "weight");
  return status == PZ_OK ? pz_module_get(module, "weight", &now) : status;
}

static pz_status
call_assign(void)
{
  return pz_module_set(module, "weight", &value);
}

static pz_status
call_backward(void)
{
  return pz_module_backward(module, "weight", &value);
}

static pz_status
call_sample(void)
{
  return pz_module_sample(module, "weight");
}

static pz_status
call_update(void)
{
  return pz_module_update(module, NULL);
}

static pz_status
call_remove_map(void)
{
  return pz_remove_parametrization(module, "weight", 0);
}

static pz_status
call_remove(void)
{
  return pz_remove_parametrizations(module, "weight", PZ_LEAVE_PARAMETRIZED);
}

static pz_status
call_remove_several(void)
{
  return pz_remove_parametrizations(module, "pair", PZ_LEAVE_PARAMETRIZED);
}

static pz_status
call_save(void)
{
  return pz_module_save(module, path);
}

static pz_status
call_load(void)
{
  return pz_module_load(module, path);
}

static pz_status
call_add_child(void)
{
  pz_module* child = NULL;
  PZ_TRY(pz_module_new(context, "reference", "Block", &child));
  const pz_status status = pz_module_add_child(module, "child", child);
  if (status != PZ_OK) {
    pz_module_free(child);
  }
  return status;
}

typedef struct calling {
  const char* name;
  pz_status (*call)(void);
} calling;

static const calling all[] = {
    {"add", call_add},
    {"register", call_register},
    {"register, several originals", call_register_several},
    {"append", call_append},
    {"read", call_read},
    {"assign", call_assign},
    {"backward", call_backward},
    {"sample", call_sample},
    {"update", call_update},
    {"remove a map", call_remove_map},
    {"remove", call_remove},
    {"remove, several originals", call_remove_several},
    {"save", call_save},
    {"load", call_load},
    {"add a child", call_add_child},
};

/* A fresh module in a state where every call has something to do. */
static void
open_module(void)
{
  pz_tensor there;
  pz_module_free(module);
  ck_assert_ok(pz_module_new(context, "reference", "Linear", &module));
  ck_assert_ok(pz_module_add(module, "plain", PZ_PARAMETER, &plain));
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &plain));
  ck_assert_ok(pz_module_add(module, "pair", PZ_PARAMETER, &plain));
  ck_assert_ok(pz_register_parametrization(module, "weight", "affine,fragile", 0));
  ck_assert_ok(pz_register_parametrization(module, "pair", "weighted", 0));
  ck_assert_ok(pz_module_get(module, "weight", &there));
  ck_assert_ok(pz_module_save(module, path));
}

START_TEST(each_allocation_fails_in_turn)
{
  const calling* const one = &all[_i];
  const int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  close(fd);
  plain = fixture_normal(PZ_F32, 3, 3);
  value = fixture_normal(PZ_F32, 3, 3);
  open_module();
  ck_assert_ok(pz_register_parametrization(module, "plain", "skew,pruning", 0)); /* maps loaded */

  unsigned long n = 1;
  for (;; ++n) {
    open_module();
    const pz_tensor before = fixture_read("weight");
    char* const picture = fixture_picture();
    allocator_start(n);
    const pz_status status = one->call();
    (void)allocator_stop();
    if (!allocator_refused()) { /* there are no more */
      ck_assert_int_eq(status, PZ_OK);
      free(picture);
      break;
    }
    if (status == PZ_OK) { /* it could do without */
      free(picture);
      continue;
    }
    ck_assert_msg(status == PZ_NO_MEMORY || status == PZ_IO, "%s, allocation %lu: %s: %s",
                  one->name, n, pz_status_text(status), pz_error_message());
    fixture_unchanged(picture);
    fixture_expect("weight", &before);
    ck_assert_ok(one->call()); /* and now it works */
    ck_assert_uint_lt(n, 5000);
  }
  unlink(path);
}
END_TEST

START_TEST(steady_state_allocates_nothing)
{
  const char* const original = "parametrizations.weight.original";
  pz_slot* slot = NULL;
  pz_tensor x;
  pz_tensor y;
  const pz_tensor w = fixture_parametrize(module, "weight", 6, 6, "skew,cayley,pruning,affine");
  ck_assert_ok(pz_module_slot(module, "weight", &slot));
  int bad = 0; /* check's own macros allocate */
  for (int step = 0; step < 6; ++step) {
    if (step == 3) { /* warmed up */
      allocator_start(0);
    }
    bad += pz_slot_get(slot, &y) != PZ_OK;
    bad += pz_slot_get(slot, &y) != PZ_OK;
    bad += pz_module_get(module, "weight", &y) != PZ_OK;
    bad += pz_module_read(module, "weight", &w) != PZ_OK;
    bad += pz_module_zero_gradients(module) != PZ_OK;
    bad += pz_module_backward(module, "weight", &w) != PZ_OK;
    bad += pz_module_gradient(module, original, &x) != PZ_OK;
    bad += pz_module_edit(module, original, &x) != PZ_OK;
    bad += pz_module_commit(module, original) != PZ_OK;
    bad += pz_module_update(module, "weight") != PZ_OK;
  }
  const unsigned long allocations = allocator_stop();
  ck_assert_int_eq(bad, 0);
  ck_assert_uint_eq(allocations, 0);
}
END_TEST

int
main(void)
{
  TCase* const tcase = fixture_case("allocation");
  tcase_add_loop_test(tcase, each_allocation_fails_in_turn, 0, (int)(sizeof(all) / sizeof(all[0])));
  tcase_add_test(tcase, steady_state_allocates_nothing);
  return test_main_case(tcase);
}
