/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Trains on the device of the module, by a kernel of its own on the module's queue: device
   [DEVICE]. Nothing is copied but the result. examples/train does the same with Adam. */

#include "must.h"

#include <parametrize/kernel.h>
#include <parametrize/parametrize.h>

#include <stdio.h>

#define ORIGINAL "parametrizations.scale.original"

// clang-format off
PZ_KERNEL(descend, 2, 1, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_REAL_ARG(0, rate);
  x[i] -= rate * g[i];
)
// clang-format on

int
main(int argc, char** argv)
{
  const pz_context_settings settings = {.size = sizeof(settings), .flags = PZ_DEVICE_TENSORS};
  float numbers[4] = {1, 2, 3, 4};
  const int64_t shape[] = {4};
  const pz_tensor host = pz_host_tensor(PZ_F32, numbers, 1, shape);
  pz_queue* queue = NULL;
  pz_context* context = NULL;
  pz_module* layer = NULL;
  pz_tensor y;
  pz_tensor g;
  pz_tensor x;
  MUST(pz_context_new(&settings, &context));
  MUST(pz_queue_open(context, argc > 1 ? argv[1] : NULL, NULL, &queue));
  MUST(pz_module_new(context, queue, "Scale", &layer));
  MUST(pz_module_add(layer, "scale", PZ_PARAMETER, &host));
  MUST(pz_register_parametrization(layer, "scale", "positive", NULL));
  for (int t = 0; t < 10; ++t) { /* the loss |y|^2 / 2, whose gradient is y */
    MUST(pz_module_zero_gradients(layer));
    MUST(pz_module_get(layer, "scale", &y));
    MUST(pz_module_backward(layer, "scale", &y));
    MUST(pz_module_gradient(layer, ORIGINAL, &g));
    MUST(pz_module_edit(layer, ORIGINAL, &x));
    MUST(pz_queue_launch(queue, &descend, 4, PZ_TENSORS(&x, &g), PZ_REALS(0.01), NULL));
    MUST(pz_module_commit(layer, ORIGINAL));
  }
  MUST(pz_module_read(layer, "scale", &host));
  for (int k = 0; k < 4; ++k) {
    printf("%.5f\n", (double)numbers[k]);
  }
  pz_module_free(layer);
  pz_queue_close(queue);
  pz_context_free(context);
  return 0;
}
