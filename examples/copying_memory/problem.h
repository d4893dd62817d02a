/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The two problems. Their data are generated.

   Copying: K = 10 of the symbols 1..8, `length` blanks (0), the marker 9, K - 1 blanks. The
   target is K + length blanks, then the K symbols; the loss is the mean cross-entropy over
   all steps. The baseline of a network without memory, which guesses: K ln 8 / (length + 2 K).

   Adding: `length` pairs of a value in (0, 1) and a marker, which is 1 once in each half
   and 0 elsewhere. The target, after the last step, is the sum of the two marked values; the
   loss is the mean squared error. The baseline of a network that always answers 1: 1/6.

   A batch is a function of (seed, number), so that a checkpoint needs no state of a random
   generator. */

#ifndef COPYING_MEMORY_PROBLEM_H
#define COPYING_MEMORY_PROBLEM_H

#include "real.h"

#include <stdint.h>

typedef enum problem_kind { PROBLEM_COPYING = 0, PROBLEM_ADDING = 1 } problem_kind;

typedef struct problem {
  problem_kind kind;
  int length;       /* blanks, or pairs */
  int batch;        /* sequences at once */
  int steps;        /* of a sequence */
  int n_inputs;     /* features of one step */
  int n_outputs;    /* classes, or 1 */
  int first_output; /* the first step with a target, counted from 0 */
  double baseline;  /* loss of a network without memory */
} problem;

/* One batch, steps x batch; the sequences of a step are contiguous. */
typedef struct problem_batch {
  uint8_t* symbol; /* copying: the input; adding: the marker */
  uint8_t* target; /* copying: the class */
  real* value;     /* adding */
  real* sum;       /* adding: the target, one for each sequence */
} problem_batch;

enum { PROBLEM_SYMBOLS = 10 /* K; also the number of different inputs */ };

problem problem_make(problem_kind kind, int length, int batch);

/* Returns 0, or -1 if there is not enough memory. */
int problem_batch_init(const problem* p, problem_batch* batch);

void problem_batch_cleanup(problem_batch* batch);

/* Fills batch `number` of the stream `seed`. */
void problem_draw(const problem* p, uint64_t seed, uint64_t number, problem_batch* batch);

/* Number `index` of the stream (seed, number), uniform in (0, 1). */
double problem_uniform(uint64_t seed, uint64_t number, uint64_t index);

#endif /* COPYING_MEMORY_PROBLEM_H */
