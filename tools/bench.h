/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A run of bench, and what it prints. */

#ifndef TOOLS_BENCH_H
#define TOOLS_BENCH_H

#include "arguments.h"

#include <parametrize/parametrize.h>

enum { FORWARD, BOTH, COPY, PRODUCT, MEASURED };
enum { ROUNDS = 15 };

/* A chain with its state and evaluation. All zero bytes: nothing is open. */
typedef struct subject {
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
} subject;

typedef struct run {
  const arguments* a;
  pz_context* context;
  pz_queue* queue;
  pz_spec spec;
  subject chain;
  subject copy;
  subject product;
  void* memory;         /* random numbers of the spec */
  pz_state* room;       /* a second state of the chain; its originals are memory for gradients */
  pz_tensor gradient;   /* of the value; stored in the original of `copy` */
  pz_tensor* gradients; /* of originals; empty for own parameters */
  uint64_t want;
  int64_t elements; /* of all originals */
  int64_t peak;     /* order of the product that shows the peak */
  double times[MEASURED][ROUNDS];
} run;

/* The times of a run are sorted. */
void bench_report(const run* r);
void bench_report_json(const run* r);

#endif /* TOOLS_BENCH_H */
