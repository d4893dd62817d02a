/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Trains a rotation towards a matrix by Adam, on any device: train [DEVICE [STEPS]]. The moments are
   buffers of the module and the kernels run on its queue, so a step copies nothing to or from the
   host. The loss is |weight - target|^2 / 2, and the answer the orthogonal polar factor. */

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

static const char* const buffers[BUFFERS] = {"target", "difference", "first", "second"};

static pz_status
step(pz_module* const module, const int t)
{
  pz_queue* const queue = pz_module_queue(module);
  pz_tensor w;
  pz_tensor x;
  pz_tensor g;
  pz_tensor b[BUFFERS];
  for (int k = 0; k < BUFFERS; ++k) {
    PZ_TRY(pz_module_edit(module, buffers[k], &b[k]));
  }
  PZ_TRY(pz_module_get(module, "weight", &w));
  PZ_TRY(pz_queue_launch(queue, &difference, N * N, PZ_TENSORS(&w, &b[0], &b[1]), NULL, NULL));
  PZ_TRY(pz_module_zero_gradients(module));
  PZ_TRY(pz_module_backward(module, "weight", &b[1]));
  PZ_TRY(pz_module_gradient(module, ORIGINAL, &g));
  PZ_TRY(pz_module_edit(module, ORIGINAL, &x));
  PZ_TRY(pz_queue_launch(queue, &adam, N * N, PZ_TENSORS(&x, &g, &b[2], &b[3]),
                         PZ_REALS(0.02, 1.0 - pow(0.9, t), 1.0 - pow(0.999, t)), NULL));
  for (int k = 0; k < BUFFERS; ++k) {
    PZ_TRY(pz_module_commit(module, buffers[k]));
  }
  return pz_module_commit(module, ORIGINAL);
}

static pz_status
train(pz_context* const context, const char* const device, const int steps)
{
  static float numbers[BUFFERS + 1][N * N]; /* of the buffers, zero; and of the target */
  const int64_t shape[] = {N, N};
  const pz_tensor zeros = pz_host_tensor(PZ_F32, numbers[0], 2, shape);
  const pz_tensor d = pz_host_tensor(PZ_F32, numbers[1], 2, shape);
  const pz_tensor target = pz_host_tensor(PZ_F32, numbers[2], 2, shape);
  pz_queue* queue = NULL;
  pz_module* module = NULL;
  for (int k = 0; k < N * N; ++k) {
    numbers[2][k] = sinf((float)(k * k)) + (k % (N + 1) == 0 ? 3.0F : 0.0F);
  }
  PZ_TRY(pz_queue_open(context, device, NULL, &queue));
  PZ_TRY(pz_module_new(context, queue, "Nearest", &module));
  PZ_TRY(pz_module_add(module, "weight", PZ_PARAMETER, &zeros));
  for (int k = 0; k < BUFFERS; ++k) {
    PZ_TRY(pz_module_add(module, buffers[k], PZ_BUFFER, k == 0 ? &target : &zeros));
  }
  PZ_TRY(pz_register_parametrization(module, "weight", "skew,cayley", NULL));
  for (int t = 1; t <= steps; ++t) {
    PZ_TRY(step(module, t));
    if (t % 50 == 0) {
      double loss = 0.0;
      PZ_TRY(pz_module_read(module, "difference", &d));
      for (int k = 0; k < N * N; ++k) {
        loss += 0.5 * (double)numbers[1][k] * (double)numbers[1][k];
      }
      printf("%4d %.5f\n", t, loss);
    }
  }
  PZ_TRY(pz_module_save(module, "trained.safetensors", NULL));
  pz_module_free(module);
  pz_queue_close(queue);
  return PZ_OK;
}

int
main(const int argc, char** const argv)
{
  const pz_context_settings settings = {.size = sizeof(settings), .flags = PZ_DEVICE_TENSORS};
  pz_context* context = NULL;
  if (pz_context_new(&settings, &context) ||
      train(context, argc > 1 ? argv[1] : NULL, argc > 2 ? atoi(argv[2]) : 300)) {
    fprintf(stderr, "%s\n", pz_error_message());
    return EXIT_FAILURE;
  }
  pz_context_free(context);
  return EXIT_SUCCESS;
}
