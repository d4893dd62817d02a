/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reads a parametrized tensor: as a copy, in place, and by handle. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <stdio.h>

int
main(void)
{
  float x[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  float q[9];
  char text[1000];
  const int64_t shape[] = {3, 3};
  const pz_tensor weight = pz_host_tensor(PZ_F32, x, 2, shape);
  const pz_tensor copy = pz_host_tensor(PZ_F32, q, 2, shape);
  pz_context* context = NULL;
  pz_module* layer = NULL;
  pz_slot* slot = NULL;
  pz_tensor value;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_module_new(context, NULL, "Linear", &layer));
  MUST(pz_module_add(layer, "weight", PZ_PARAMETER, &weight));
  MUST(pz_register_parametrization(layer, "weight", "skew,cayley", NULL));

  /* a copy, from any device */
  MUST(pz_module_read(layer, "weight", &copy));
  /* the value itself, on the host: valid until the module changes */
  MUST(pz_module_get(layer, "weight", &value));
  /* in a loop: without looking up the name */
  MUST(pz_module_slot(layer, "weight", &slot));
  for (int k = 0; k < 1000; ++k) {
    MUST(pz_slot_get(slot, &value));
  }

  const float* const row = value.data;
  printf("%.4f %.4f %.4f\n", (double)row[0], (double)row[1], (double)row[2]);
  printf("%.4f %.4f %.4f\n", (double)q[0], (double)q[1], (double)q[2]);
  (void)pz_module_print(layer, text, sizeof(text));
  printf("%s\n", text);
  pz_module_free(layer);
  pz_context_free(context);
  return 0;
}
