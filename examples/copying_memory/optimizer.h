/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* RMSprop for the parameters of a module. Originals are parameters like any others, so the
   optimizer does not depend on parametrizations. */

#ifndef COPYING_MEMORY_OPTIMIZER_H
#define COPYING_MEMORY_OPTIMIZER_H

#include "model.h"

#include <stdint.h>

typedef struct optimizer {
  pz_module* squares; /* the child "optimizer" of the tree: a buffer for each parameter */
  uint32_t n;
  char** names;   /* of the parameters, in the model */
  char** buffers; /* of their buffers, in `squares` */
} optimizer;

/* Adds a buffer of zeros for every parameter of m->module to the tree. On failure the reason is in
   pz_error_message(). Call optimizer_cleanup in any case. */
pz_status optimizer_init(const model* m, optimizer* opt);

void optimizer_cleanup(optimizer* opt);

/* One step with the gradients of the module. */
pz_status optimizer_step(const optimizer* opt, const model* m, double rate, double kernel_rate);

#endif /* COPYING_MEMORY_OPTIMIZER_H */
