/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The recurrent network and its gradient by backpropagation through time.

     h_0 = 0    z_t = W h_{t-1} + U x_t    h_t = modrelu(z_t)    y_t = V h_t + c
     modrelu(z) = sign(z) max(|z| + b, 0)

   The network does not depend on parametrizations: W and its gradient are plain matrices. */

#ifndef COPYING_MEMORY_NETWORK_H
#define COPYING_MEMORY_NETWORK_H

#include "problem.h"
#include "real.h"

/* Weights or gradients, row by row without gaps, in memory of the caller. */
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

/* Allocates a network of `hidden` units for batches of `p`, computed by `threads` threads. NULL if
   there is not enough memory. */
network* network_new(const problem* p, int hidden, int threads);

void network_free(network* net);

/* Computes the loss of a batch, and its gradients unless `gradients` is NULL. The result does not
   depend on the number of threads, to the last bit. */
network_result network_run(network* net, const network_weights* weights, const problem_batch* batch,
                           const network_gradients* gradients);

#endif /* COPYING_MEMORY_NETWORK_H */
