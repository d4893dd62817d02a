/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A map that declares its value as the fold of a triangle is left out before one that takes
   triangles: `taken` of maps.h, which folds what it is handed and is the identity elsewhere.
   Values and gradients must be those of the map itself. */

#include "subject.h"
#include "suites.h"
#include "variants.h"

#include <maps.h>

#include <stdio.h>
#include <stdlib.h>

/* Folds have a symmetry, and no state of their own. */
static void
taken_as_declared(rig* const r, const extents shape, const char* const chain)
{
  const uint32_t structure = r->y.structure;
  if ((structure != PZ_SYMMETRIC && structure != PZ_SKEW) ||
      pz_chain_count(r->chain, PZ_STATE_BUFFER) > 0) {
    return;
  }
  double* const x = rig_normal(r, r->x.dtype, r->n_x, 0.3);
  double* const g = rig_normal(r, r->y.dtype, r->n_y, 1.0);
  rig_write_originals(r, x);
  double* const y = rig_forward(r);
  double* const gx = rig_gradients(r, g);
  char longer[160];
  rig other;
  (void)snprintf(longer, sizeof(longer), "%s,taken", chain);
  subject_open(&other, longer, r->y.dtype, shape);
  rig_write_originals(&other, x);
  double* const y_taken = rig_forward(&other);
  double* const gx_taken = rig_gradients(&other, g);
  rig_close(&other);
  ck_assert_msg(largest_difference(r->n_y, y, y_taken) == 0.0,
                "%s: the fold that was declared is not the value", chain);
  ck_assert_msg(largest_difference(r->n_x, gx, gx_taken) == 0.0,
                "%s: the fold that was declared has another gradient", chain);
  free(x);
  free(g);
  free(y);
  free(gx);
  free(y_taken);
  free(gx_taken);
}

START_TEST(folds_are_as_declared)
{
  ck_assert_ok(pz_context_add_plugin(subject.context, &pz_plugin_v1_triangle_maps));
  on_every_chain(taken_as_declared, true);
}
END_TEST

TCase*
tests_taken(void)
{
  TCase* const tests = subject_case("taken");
  tcase_add_test(tests, folds_are_as_declared);
  return tests;
}
