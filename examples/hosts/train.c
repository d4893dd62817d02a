/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Trains the original of a rotation by Adam on the host, for a module on any device: train
   [DEVICE]. The loss is |Q - target|^2 / 2. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>

#define ORIGINAL "parametrizations.weight.original"

int
main(int argc, char** argv)
{
  const double target[4] = {3, -4, 4, 3}; /* 5 times the rotation by acos 0.6 */
  double x[4] = {0};
  double q[4];
  double g[4];
  double m[4] = {0};
  double v[4] = {0};
  const int64_t shape[] = {2, 2};
  const pz_tensor original = pz_host_tensor(PZ_F64, x, 2, shape);
  const pz_tensor value = pz_host_tensor(PZ_F64, q, 2, shape);
  const pz_tensor gradient = pz_host_tensor(PZ_F64, g, 2, shape);
  pz_queue* queue = NULL;
  pz_context* context = NULL;
  pz_module* layer = NULL;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_queue_open(context, argc > 1 ? argv[1] : NULL, NULL, &queue));
  MUST(pz_module_new(context, queue, "Linear", &layer));
  MUST(pz_module_add(layer, "weight", PZ_PARAMETER, &original));
  MUST(pz_register_parametrization(layer, "weight", "skew,cayley", NULL));
  for (int t = 1; t <= 400; ++t) {
    MUST(pz_module_read(layer, "weight", &value));
    for (int k = 0; k < 4; ++k) {
      g[k] = q[k] - target[k];
    }
    MUST(pz_module_zero_gradients(layer));
    MUST(pz_module_backward(layer, "weight", &gradient));
    MUST(pz_module_read_gradient(layer, ORIGINAL, &gradient));
    for (int k = 0; k < 4; ++k) {
      m[k] += 0.1 * (g[k] - m[k]);
      v[k] += 0.001 * (g[k] * g[k] - v[k]);
      x[k] -= 0.02 * m[k] / (1 - pow(0.9, t)) / (sqrt(v[k] / (1 - pow(0.999, t))) + 1e-8);
    }
    MUST(pz_module_set(layer, ORIGINAL, &original));
  }
  MUST(pz_module_read(layer, "weight", &value));
  printf("%.4f %.4f\n", q[0], q[1]);
  pz_module_free(layer);
  pz_queue_close(queue);
  pz_context_free(context);
  return 0;
}
