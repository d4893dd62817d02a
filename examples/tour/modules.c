/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A network of two layers: parametrized, inspected, sampled, folded, and made plain again. */

#include "tour.h"

#include <stdio.h>

static pz_status
add_layer(pz_context* const context, pz_module* const network, const char* const name)
{
  const int64_t shape[] = {3, 3};
  const int64_t flat[] = {3};
  double numbers[9] = {0.0, 0.5, -1.0, 0.25, 0.0, 2.0, -0.5, 1.0, 0.0};
  const pz_tensor weight = pz_host_tensor(PZ_F64, numbers, 2, shape);
  const pz_tensor bias = pz_host_tensor(PZ_F64, numbers, 1, flat);
  pz_module* layer = NULL;
  PZ_TRY(pz_module_new(context, NULL, "Linear", &layer));
  pz_status status = pz_module_add(layer, "weight", PZ_PARAMETER, &weight);
  if (status == PZ_OK) {
    status = pz_module_add(layer, "bias", PZ_PARAMETER, &bias);
  }
  if (status == PZ_OK) {
    status = pz_module_add_child(network, name, layer); /* owned by the network from here on */
  }
  if (status != PZ_OK) {
    pz_module_free(layer);
  }
  return status;
}

static pz_status
show(pz_module* const network)
{
  char text[1024];
  (void)pz_module_print(network, text, sizeof(text));
  printf("%s\n", text);
  for (uint32_t k = 0;; ++k) {
    pz_tensor_info info = {.size = sizeof(info)};
    if (pz_module_tensor(network, k, &info) != PZ_OK) {
      return PZ_OK; /* PZ_NOT_FOUND after the last */
    }
    printf("  %s%s\n", info.name, info.requires_grad ? "" : " (frozen)");
  }
}

static pz_status
change(pz_module* const network)
{
  pz_module* first = NULL;
  double distance = 0.0;
  PZ_TRY(pz_register_parametrization(network, "first.weight", "skew,cayley", NULL));
  PZ_TRY(pz_register_parametrization(network, "second.weight", "skew,cayley,pruning", NULL));
  PZ_TRY(pz_module_require_grad(network, "first.bias", false));
  PZ_TRY(show(network));

  /* A uniform rotation as the value; then how far from orthogonal it is. */
  PZ_TRY(pz_module_sample(network, "first.weight"));
  PZ_TRY(pz_module_residual(network, "first.weight", &distance));
  PZ_TRY(pz_module_check(network));
  printf("a sampled rotation is orthogonal: %s\n", distance < 1e-12 ? "yes" : "no");

  /* PyTorch's rule: compute at every read, but once within a scope. */
  pz_tensor once;
  pz_tensor again;
  PZ_TRY(pz_module_cache_policy(network, PZ_CACHE_SCOPED));
  PZ_TRY(pz_cached_begin(network));
  PZ_TRY(pz_module_get(network, "first.weight", &once));
  PZ_TRY(pz_module_get(network, "first.weight", &again));
  printf("a scope computes once: %s\n", once.data == again.data ? "yes" : "no");
  PZ_TRY(pz_cached_end(network));

  /* Folded for inference and restored. */
  PZ_TRY(pz_module_bake(network));
  printf("folded: %s\n", pz_module_is_baked(network) ? "yes" : "no");
  PZ_TRY(pz_module_unbake(network));

  /* One stage less; then no chain at all. */
  PZ_TRY(pz_remove_stage(network, "second.weight", 2));
  PZ_TRY(pz_remove_parametrizations(network, "first.weight", PZ_LEAVE_PARAMETRIZED));
  PZ_TRY(pz_module_child(network, "first", &first));
  printf("the first layer is %s\n", pz_is_parametrized(first, NULL) ? "parametrized" : "plain");
  return PZ_OK;
}

pz_status
tour_modules(pz_context* const context)
{
  pz_module* network = NULL;
  PZ_TRY(pz_module_new(context, NULL, "Network", &network));
  pz_status status = add_layer(context, network, "first");
  if (status == PZ_OK) {
    status = add_layer(context, network, "second");
  }
  if (status == PZ_OK) {
    status = change(network);
  }
  pz_module_free(network);
  return status;
}
