/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A parametrization in the program itself, y = tanh x, used like one of a plugin. */

#include "must.h"

#define PZ_STATIC
#include <parametrize/parametrize.h>
#include <parametrize/plugin.h>

#include <stdio.h>

// clang-format off
PZ_KERNEL(bound, 2, 0, 0,
  PZ_TENSOR_ARG(0, x);
  PZ_TENSOR_ARG(1, y);
  y[i] = pz_tanh(x[i]);
)
PZ_KERNEL(bound_vjp, 3, 0, 0,
  PZ_TENSOR_ARG(0, y);
  PZ_TENSOR_ARG(1, gy);
  PZ_TENSOR_ARG(2, gx);
  gx[i] = (1 - y[i] * y[i]) * gy[i];
)
// clang-format on

static pz_status
forward(pz_call* c, const pz_tensor* x, pz_tensor* y)
{
  return pz_launch(c, &bound, pz_count(x), PZ_TENSORS(x, y), NULL, NULL);
}

static pz_status
vjp(pz_call* c, const pz_tensor* x, const pz_tensor* y, const pz_tensor* gy, pz_tensor* gx)
{
  return pz_launch(c, &bound_vjp, pz_count(x), PZ_TENSORS(y, gy, gx), NULL, NULL);
}

static const pz_parametrization bounded = {
    .size = sizeof(bounded), .id = "bounded", .summary = "tanh", .forward = forward, .vjp = vjp};
PZ_PLUGIN(my, "1.0.0", PZ_PARAMETRIZATION(&bounded));

int
main(void)
{
  double x[3] = {-1, 0, 2};
  const int64_t shape[] = {3};
  const pz_tensor gains = pz_host_tensor(PZ_F64, x, 1, shape);
  pz_context* context = NULL;
  pz_module* m = NULL;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_context_add_plugin(context, &pz_plugin_v1_my));
  MUST(pz_module_new(context, NULL, "Gains", &m));
  MUST(pz_module_add(m, "gains", PZ_PARAMETER, &gains));
  MUST(pz_register_parametrization(m, "gains", "bounded", NULL)); /* gains are its original */
  MUST(pz_module_read(m, "gains", &gains));
  printf("%.6f %.6f %.6f\n", x[0], x[1], x[2]);
  pz_module_free(m);
  pz_context_free(context);
  return 0;
}
