/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The network's weights as a module of the library: kernel (parametrized), input, bias,
   out.weight, out.bias. It is the child "model" of a tree that also holds what the
   optimizer and the loop have to remember, so that one call saves everything. */

#ifndef COPYING_MEMORY_MODEL_H
#define COPYING_MEMORY_MODEL_H

#include "network.h"
#include "options.h"

#include <parametrize/parametrize.h>

typedef struct model {
  pz_context* context;
  pz_module* root;
  pz_module* module;           /* the child "model" */
  network_weights weights;     /* borrowed from the module, until its next exclusive call */
  network_gradients gradients; /* of the loss by the values */
  real* memory;                /* behind gradients and scratch */
  real* scratch;               /* hidden x hidden */
  int hidden;
  int n_inputs;
  int n_outputs;
} model;

/* Makes the tree with fresh weights for the seed of `o`. On failure the detail is in
   pz_error_message(); model_cleanup is to be called in any case. */
pz_status model_init(const options* o, const problem* p, model* m);

void model_cleanup(model* m);

/* Points `weights` at the present values: the kernel's maps run here, once for a step. */
pz_status model_read(model* m);

/* Sets the gradients of everything trained from `gradients`. The kernel's goes back through
   its maps here, again once for a step. Ends what `weights` borrow. */
pz_status model_backward_others(model* m);
pz_status model_backward_kernel(model* m);

/* |W^T W - I|, the largest entry, of the kernel that was read last. */
double model_orthogonality(model* m);

#endif /* COPYING_MEMORY_MODEL_H */
