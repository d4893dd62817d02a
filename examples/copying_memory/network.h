/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The recurrent network and its gradient by backpropagation through time.

     h_0 = 0    z_t = W h_{t-1} + U x_t    h_t = modrelu(z_t)    y_t = V h_t + c
     modrelu(z) = sign(z) max(|z| + b, 0)

   The network knows nothing of parametrizations: W is a matrix, and so is its gradient. */

#ifndef COPYING_MEMORY_NETWORK_H
#define COPYING_MEMORY_NETWORK_H

#include "problem.h"
#include "real.h"

/* Weights or gradients, row by row without gaps, in memory of the caller's. */
typedef struct network_weights {
  const real* kernel;   /* W, hidden x hidden */
  const real* input;    /* U, hidden x inputs */
  const real* bias;     /* b, hidden */
  const real* out;      /* V, outputs x hidden */
  const real* out_bias; /* c, outputs */
} network_weights;

typedef struct network_gradients {
  real* kernel;
  real* input;
  real* bias;
  real* out;
  real* out_bias;
} network_gradients;

typedef struct network_result {
  double loss;
  double correct; /* copying: share of the K last symbols that were right */
} network_result;

typedef struct network network;

/* Memory for batches of `p` with `hidden` units, worked on by `threads` threads. NULL where
   memory ran out. */
network* network_new(const problem* p, int hidden, int threads);

void network_free(network* net);

/* The loss of a batch, and its gradient where `gradients` is not NULL. The same numbers to
   the last bit whatever the number of threads. */
network_result network_run(network* net, const network_weights* weights, const problem_batch* batch,
                           const network_gradients* gradients);

#endif /* COPYING_MEMORY_NETWORK_H */
