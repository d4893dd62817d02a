/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reads one module on several threads: reads run side by side, a change runs alone. */

#include "must.h"

#include <parametrize/parametrize.h>

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, N = 64 };

typedef struct reader {
  pthread_t thread;
  pz_slot* slot;
  double trace; /* of Q^T Q */
} reader;

static void*
read_slot(void* data)
{
  reader* const r = data;
  pz_tensor value;
  if (pz_slot_get(r->slot, &value) == PZ_OK) {
    for (int k = 0; k < N * N; ++k) {
      const double q = ((const double*)value.data)[k];
      r->trace += q * q;
    }
  }
  return NULL;
}

int
main(void)
{
  static double x[N * N];
  const int64_t shape[] = {N, N};
  const pz_tensor weight = pz_host_tensor(PZ_F64, x, 2, shape);
  reader readers[THREADS];
  pz_context* context = NULL;
  pz_module* layer = NULL;
  pz_slot* slot = NULL;
  MUST(pz_context_new(NULL, &context));
  MUST(pz_module_new(context, NULL, "Linear", &layer));
  MUST(pz_module_add(layer, "weight", PZ_PARAMETER, &weight));
  MUST(pz_register_parametrization(layer, "weight", "skew,cayley", NULL));
  MUST(pz_module_slot(layer, "weight", &slot));
  for (int round = 0; round < 2; ++round) {
    MUST(pz_module_sample(layer, "weight")); /* alone: no reader runs now */
    MUST(pz_module_refresh(layer, THREADS)); /* computes on threads of the library */
    for (int k = 0; k < THREADS; ++k) {
      readers[k] = (reader){.slot = slot};
      (void)pthread_create(&readers[k].thread, NULL, read_slot, &readers[k]);
    }
    for (int k = 0; k < THREADS; ++k) {
      (void)pthread_join(readers[k].thread, NULL);
      printf("%.6f\n", readers[k].trace);
    }
  }
  pz_module_free(layer);
  pz_context_free(context);
  return 0;
}
