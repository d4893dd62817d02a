/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Samples proportions y from a Dirichlet density, prod y_k^(a_k - 1), by random steps of their
   unconstrained originals x: the density of x is that of y times |det dy/dx|. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINAL "parametrizations.p.original"

enum { K = 3, DRAWS = 60000 };

int
main(void)
{
  const double a[K] = {2, 3, 5};
  double y[K] = {1.0 / 3, 1.0 / 3, 1.0 / 3}, kept[K] = {0}, mean[K] = {0};
  double x[K - 1], tried[K - 1], log_det, before = -HUGE_VAL;
  const int64_t shape[] = {K}, free_shape[] = {K - 1};
  const pz_tensor value = pz_host_tensor(PZ_F64, y, 1, shape);
  const pz_tensor original = pz_host_tensor(PZ_F64, tried, 1, free_shape);
  const pz_tensor density = pz_host_tensor(PZ_F64, &log_det, 0, NULL);
  pz_context* context = NULL;
  pz_module* m = NULL;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_module_new(context, NULL, "Model", &m));
  MUST(pz_module_add(m, "p", PZ_PARAMETER, &value));
  MUST(pz_register_parametrization(m, "p", "simplex", NULL));
  MUST(pz_module_read(m, ORIGINAL, &original));
  for (int t = 0; t < DRAWS; ++t) {
    MUST(pz_module_set(m, ORIGINAL, &original));
    MUST(pz_module_read(m, "p", &value));
    MUST(pz_module_log_abs_det(m, "p", &density));
    for (int k = 0; k < K; ++k) {
      log_det += (a[k] - 1) * log(y[k]);
    }
    if (log(drand48()) < log_det - before) {
      before = log_det;
      memcpy(x, tried, sizeof(x));
      memcpy(kept, y, sizeof(kept));
    }
    for (int k = 0; k < K; ++k) {
      mean[k] += kept[k] / DRAWS;
    }
    for (int k = 0; k < K - 1; ++k) {
      tried[k] = x[k] + 2.0 * drand48() - 1.0;
    }
  }
  printf("%.4f %.4f %.4f\n", mean[0], mean[1], mean[2]);
  pz_module_free(m);
  pz_context_free(context);
  return 0;
}
