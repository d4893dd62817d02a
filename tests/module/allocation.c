/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reading, differentiating and stepping take no memory once everything is there. Calls whose
   allocations fail are in transactions.c, loading_failures.c and failing_copies.c. */

#include "fixture.h"

#include <allocator.h>

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
  tcase_add_test(tcase, steady_state_allocates_nothing);
  return test_main_case(tcase);
}
