/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chunk is a part of the sequences of a batch; one thread computes all its steps, forward and
   backward. */

#ifndef COPYING_MEMORY_CHUNK_H
#define COPYING_MEMORY_CHUNK_H

#include "problem.h"
#include "real.h"

#include <stddef.h>

enum {
  CHUNK_WIDTH = 64, /* sequences; every product packs W again: 73, 86 and 88 GFLOP/s
                       with 32, 64 and 128 of them, on one core with AVX-512 */
  CHUNK_PAD = 16,   /* alignment of every array, in elements */
};

/* The matrix by which one step multiplies [h; x], or its gradient:

     matrix = [ V 0 ]   bias = b   out_bias = c
              [ 0 0 ]
              [ W U ]

   It is chunk_rows() x chunk_columns(), row by row. The rows between V and W round the number of
   rows up to one for which products are fast. */
typedef struct chunk_weights {
  real* matrix;
  real* bias;
  real* out_bias;
} chunk_weights;

typedef struct chunk {
  const problem* p;
  const problem_batch* batch;
  const chunk_weights* weights;
  chunk_weights gradients; /* summed over this chunk's sequences */
  int first;               /* sequences first .. first + width - 1 */
  int width;
  int hidden;
  real* records; /* steps + 2 records of chunk_record() */
  real* deltas;  /* 2 of chunk_delta() */
  double loss;   /* this chunk's part of the mean */
  double correct;
} chunk;

/* Rows of the matrix above W, and all of them; its columns. */
int chunk_top(const problem* p);
int chunk_rows(const problem* p, int hidden);
int chunk_columns(const problem* p, int hidden);

/* Elements of the record of a step, and of its gradient. */
size_t chunk_record(const chunk* c);
size_t chunk_delta(const chunk* c);

/* Fills the records (with dloss/dy in place of y), loss and correct. */
void chunk_forward(chunk* c);

/* Fills the gradients after chunk_forward. */
void chunk_backward(chunk* c);

#endif /* COPYING_MEMORY_CHUNK_H */
