/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chunk: some sequences of the batch, from the first step to the last and back, by one
   thread. */

#ifndef COPYING_MEMORY_CHUNK_H
#define COPYING_MEMORY_CHUNK_H

#include "problem.h"
#include "real.h"

#include <stddef.h>

enum {
  CHUNK_WIDTH = 64, /* sequences; a product of 192 x 192 x 64 keeps W in the cache and runs
                       at the rate of large ones, where width 32 loses a tenth */
  CHUNK_BLOCK = 16, /* steps that share one product for outputs and for the gradient of W */
  CHUNK_PAD = 16,   /* rows of every array are filled up with zeros to a multiple of this */
};

/* Weights as the products want them: `ld` hidden units and `ld_out` outputs with padding. */
typedef struct chunk_weights {
  real* kernel;   /* W, ld x ld */
  real* kernel_t; /* W^T */
  real* input_t;  /* U^T, inputs x ld */
  real* bias;     /* ld */
  real* out;      /* V, ld_out x ld */
  real* out_t;    /* V^T, ld x ld_out */
  real* out_bias; /* ld_out */
} chunk_weights;

/* Gradients in the same shapes; input_t has one row more, for what belongs to no input. */
typedef struct chunk_gradients {
  real* kernel;
  real* input_t;
  real* bias;
  real* out;
  real* out_bias;
} chunk_gradients;

typedef struct chunk {
  const problem* p;
  const problem_batch* batch;
  const chunk_weights* weights;
  chunk_gradients gradients; /* summed over this chunk's sequences */
  int first;                 /* sequences first .. first + width - 1 */
  int width;
  int ld;
  int ld_out;
  real* states;  /* h_0 .. h_steps, each width x ld; h_0 = 0 */
  real* outputs; /* y, then dloss/dy: (steps - first_output) x width x ld_out */
  real* deltas;  /* dloss/dz of two blocks: 2 x CHUNK_BLOCK x width x ld */
  double loss;   /* this chunk's part of the mean */
  double correct;
} chunk;

/* Fills states, outputs (with dloss/dy), loss and correct. */
void chunk_forward(chunk* c);

/* Fills the gradients after chunk_forward. */
void chunk_backward(chunk* c);

#endif /* COPYING_MEMORY_CHUNK_H */
