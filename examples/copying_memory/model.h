/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The network's weights as a module of the library: kernel (parametrized), input, bias,
   out.weight, out.bias. The module is the child "model" of a tree that also holds the state of the
   optimizer, so that one call saves everything. */

#ifndef COPYING_MEMORY_MODEL_H
#define COPYING_MEMORY_MODEL_H

#include "network.h"
#include "options.h"

#include <parametrize/parametrize.h>

typedef struct model {
  pz_context* context;
  pz_queue* queue; /* of all modules */
  pz_module* root;
  pz_module* module;           /* the child "model" */
  network_weights weights;     /* borrowed from the module, until its next exclusive call */
  network_gradients gradients; /* of the loss with respect to the values */
  real* memory;                /* of gradients and scratch */
  real* scratch;               /* hidden x hidden */
  int hidden;
  int n_inputs;
  int n_outputs;
} model;

/* Creates the tree with initial weights for the seed of `o`. On failure the reason is in
   pz_error_message(). Call model_cleanup in any case. */
pz_status model_init(const options* o, const problem* p, model* m);

void model_cleanup(model* m);

/* Points `weights` to the current values. This evaluates the kernel's chain, once per step. */
pz_status model_read(model* m);

/* Set the gradients of all parameters from `gradients`. For the kernel this is one vjp of its chain
   per step. Afterwards `weights` is not valid. */
pz_status model_backward_others(model* m);
pz_status model_backward_kernel(model* m);

/* The largest entry of |W^T W - I| for the kernel W that was read last. */
double model_orthogonality(model* m);

#endif /* COPYING_MEMORY_MODEL_H */
