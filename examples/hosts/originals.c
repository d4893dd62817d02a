/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A tensor with several originals: weight_norm keeps a magnitude g for each row and a direction v.
   A step halves the magnitudes; the directions are frozen and stay. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <stdio.h>

#define MAGNITUDES "parametrizations.weight.original0"
#define DIRECTIONS "parametrizations.weight.original1"

int
main(void)
{
  double w[6] = {3, 4, 0, 0, 5, 12};
  double g[2];
  const int64_t shape[] = {2, 3};
  const int64_t column[] = {2, 1};
  const pz_tensor weight = pz_host_tensor(PZ_F64, w, 2, shape);
  const pz_tensor magnitudes = pz_host_tensor(PZ_F64, g, 2, column);
  pz_tensor_info tensor = {.size = sizeof(tensor)};
  pz_context* context = NULL;
  pz_module* layer = NULL;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_module_new(context, NULL, "Linear", &layer));
  MUST(pz_module_add(layer, "weight", PZ_PARAMETER, &weight));
  MUST(pz_register_parametrization(layer, "weight", "weight_norm", NULL));
  MUST(pz_module_require_grad(layer, DIRECTIONS, false));
  for (uint32_t k = 0; pz_module_tensor(layer, k, &tensor) == PZ_OK; ++k) {
    printf("%s%s\n", tensor.name, tensor.requires_grad ? "" : " (frozen)");
  }
  MUST(pz_module_read(layer, MAGNITUDES, &magnitudes));
  printf("rows of norm %g and %g\n", g[0], g[1]);

  MUST(pz_module_read(layer, "weight", &weight)); /* the loss |w|^2 / 2, whose gradient is w */
  MUST(pz_module_backward(layer, "weight", &weight));
  MUST(pz_module_read_gradient(layer, MAGNITUDES, &magnitudes));
  for (int k = 0; k < 2; ++k) {
    g[k] /= 2.0; /* the gradient of |g|^2 / 2 is g */
  }
  MUST(pz_module_set(layer, MAGNITUDES, &magnitudes));
  MUST(pz_module_read(layer, "weight", &weight));
  printf("%g %g %g\n%g %g %g\n", w[0], w[1], w[2], w[3], w[4], w[5]);
  pz_module_free(layer);
  pz_context_free(context);
  return 0;
}
