/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include <parametrize/parametrize.h>
#include <stdio.h>

int
main(void)
{
  const int64_t shape[] = {3, 3};
  double x[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  double q[9];
  const pz_tensor weight = pz_host_tensor(PZ_F64, x, 2, shape);
  const pz_tensor value = pz_host_tensor(PZ_F64, q, 2, shape);
  pz_context* context = NULL;
  pz_module* layer = NULL;
  if (pz_context_new(NULL, &context) || pz_module_new(context, NULL, "Linear", &layer) ||
      pz_module_add(layer, "weight", PZ_PARAMETER, &weight) ||
      pz_register_parametrization(layer, "weight", "skew,cayley", NULL) ||
      pz_module_read(layer, "weight", &value)) {
    fprintf(stderr, "%s\n", pz_error_message());
    return 1;
  }
  printf("row 0 of a rotation: %.3f %.3f %.3f\n", q[0], q[1], q[2]);
  pz_module_free(layer);
  pz_context_free(context);
  return 0;
}
