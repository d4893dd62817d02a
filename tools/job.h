/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One run of a chain on arrays in files. Functions that return bool print an error before they
   return false. */

#ifndef TOOLS_JOB_H
#define TOOLS_JOB_H

#include "arguments.h"
#include "npy.h"

#include <parametrize/parametrize.h>

/* One run of the command. All zero bytes: nothing is open. */
typedef struct job {
  const arguments* a;
  pz_context* context;
  pz_queue* queue;
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
  npy_array* inputs; /* one for each operand */
  npy_array gradient;
  npy_array* results; /* one for each output */
} job;

/* Did a library call succeed? Prints its error after the chain. */
bool job_good(const job* j, pz_status status);

void job_close(job* j);

/* Checks the output files, then reads the arrays of the operands and --grad. */
bool job_read(job* j, const arguments* a, const char* written_state);

/* Opens everything from the context to the evaluation. */
bool job_open(job* j, pz_direction direction, const pz_spec* given, size_t n_given);

/* The same for operands that are the originals. */
bool job_open_originals(job* j);

/* Fills in the originals from the files; buffers and own parameters from --state, or
   initialized; then updates them --updates times. */
bool job_fill_state(job* j);

/* Result k <- a tensor on the device. */
bool job_fetch(job* j, size_t k, const pz_tensor* tensor);

bool job_write(job* j, const char* state_path);

/* Ends a command: `done`, or a failure that was printed. */
int job_finish(job* j, bool done);

/* Is there one output for each original? Otherwise prints an error and returns false. */
bool job_outputs_match(const job* j);

#endif /* TOOLS_JOB_H */
