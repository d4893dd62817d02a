/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Trains a rotation towards a matrix by Adam, on any device: train [DEVICE [STEPS]]. The moments are
   buffers of the module and the kernels run on its queue, so a step copies nothing to or from the
   host. The loss is |weight - target|^2 / 2, and the answer the orthogonal polar factor. */

#include "../hosts/must.h"

#include <parametrize/kernel.h>
#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ORIGINAL "parametrizations.weight.original"

enum { N = 8, BUFFERS = 4 };

// clang-format off
PZ_KERNEL(difference, 3, 0, 0,
  PZ_TENSOR_ARG(0, w);
  PZ_TENSOR_ARG(1, target);
  PZ_TENSOR_ARG(2, d);
  d[i] = w[i] - target[i];
)
PZ_KERNEL(adam, 4, 3, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, g);
  PZ_TENSOR_ARG(2, m);
  PZ_TENSOR_ARG(3, v);
  PZ_REAL_ARG(0, rate);
  PZ_REAL_ARG(1, m_seen); /* 1 - 0.9^t */
  PZ_REAL_ARG(2, v_seen); /* 1 - 0.999^t */
  m[i] += (real)0.1 * (g[i] - m[i]);
  v[i] += (real)0.001 * (g[i] * g[i] - v[i]);
  x[i] -= rate * (m[i] / m_seen) / (pz_sqrt(v[i] / v_seen) + (real)1e-8);
)
// clang-format on

int
main(const int argc, char** const argv)
{
  static const char* const names[BUFFERS] = {"target", "difference", "first", "second"};
  static float numbers[BUFFERS][N * N];
  const pz_context_settings settings = {.size = sizeof(settings), .flags = PZ_DEVICE_TENSORS};
  const int steps = argc > 2 ? atoi(argv[2]) : 300;
  const int64_t shape[] = {N, N};
  pz_context* context = NULL;
  pz_queue* queue = NULL;
  pz_module* module = NULL;
  pz_tensor host[BUFFERS], b[BUFFERS], w, x, g;
  for (int k = 0; k < N * N; ++k) {
    numbers[0][k] = sinf((float)(k * k)) + (k % (N + 1) == 0 ? 3.0F : 0.0F);
  }
  MUST(pz_context_new(&settings, &context));
  MUST(pz_queue_open(context, argc > 1 ? argv[1] : NULL, NULL, &queue));
  MUST(pz_module_new(context, queue, "Nearest", &module));
  for (int k = 0; k < BUFFERS; ++k) {
    host[k] = pz_host_tensor(PZ_F32, numbers[k], 2, shape);
    MUST(pz_module_add(module, names[k], PZ_BUFFER, &host[k]));
  }
  MUST(pz_module_add(module, "weight", PZ_PARAMETER, &host[1]));
  MUST(pz_register_parametrization(module, "weight", "skew,cayley", NULL));
  for (int t = 1; t <= steps; ++t) {
    for (int k = 0; k < BUFFERS; ++k) {
      MUST(pz_module_edit(module, names[k], &b[k]));
    }
    MUST(pz_module_get(module, "weight", &w));
    MUST(pz_queue_launch(queue, &difference, N * N, PZ_TENSORS(&w, &b[0], &b[1]), NULL, NULL));
    MUST(pz_module_zero_gradients(module));
    MUST(pz_module_backward(module, "weight", &b[1]));
    MUST(pz_module_gradient(module, ORIGINAL, &g));
    MUST(pz_module_edit(module, ORIGINAL, &x));
    MUST(pz_queue_launch(queue, &adam, N * N, PZ_TENSORS(&x, &g, &b[2], &b[3]),
                         PZ_REALS(0.02, 1.0 - pow(0.9, t), 1.0 - pow(0.999, t)), NULL));
    MUST(pz_module_commit(module, ORIGINAL));
    for (int k = 0; k < BUFFERS; ++k) {
      MUST(pz_module_commit(module, names[k]));
    }
    if (t % 50 == 0) { /* the only copy */
      double loss = 0.0;
      MUST(pz_module_read(module, "difference", &host[1]));
      for (int k = 0; k < N * N; ++k) {
        loss += 0.5 * (double)numbers[1][k] * (double)numbers[1][k];
      }
      printf("%4d %.5f\n", t, loss);
    }
  }
  MUST(pz_module_save(module, "trained.safetensors", NULL));
  pz_module_free(module);
  pz_queue_close(queue);
  pz_context_free(context);
  return 0;
}
