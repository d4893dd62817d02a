/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* RMSprop over whatever a module trains. It asks the module for its parameters and sees
   originals among them; it knows nothing of maps. */

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

/* Adds zeroed buffers for every parameter of m->module to the tree. On failure the detail is
   in pz_error_message(); optimizer_cleanup is to be called in any case. */
pz_status optimizer_init(const options* o, const model* m, optimizer* opt);

void optimizer_cleanup(optimizer* opt);

/* One step along the gradients that the module holds. */
pz_status optimizer_step(const optimizer* opt, const model* m, double rate, double kernel_rate);

#endif /* COPYING_MEMORY_OPTIMIZER_H */
