/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The command line of copying_memory. */

#ifndef COPYING_MEMORY_OPTIONS_H
#define COPYING_MEMORY_OPTIONS_H

#include "problem.h"

#include <stdbool.h>
#include <stdint.h>

enum { OPTIONS_MAX_LENGTH = 100000, OPTIONS_MAX_HIDDEN = 8192 };

typedef struct options {
  /* These change the losses, and must be those of the checkpoint. */
  problem_kind kind;
  int length;
  int hidden;
  int batch;
  uint64_t seed; /* below 2^53 */
  double rate;
  double kernel_rate;
  const char* chain; /* on the kernel; "": none */
  /* These do not. */
  int steps;
  int threads;
  int checkpoint_every;
  int print_every;
  const char* device;
  const char* out;
} options;

/* Reads the arguments. Returns 0 to continue, 1 after --help, 2 after printing an error on
   stderr. */
int options_read(int argc, char** argv, options* out);

const char* options_problem_name(problem_kind kind);

/* The problem of this name; false if there is none. */
bool options_problem(const char* name, problem_kind* out);

#endif /* COPYING_MEMORY_OPTIONS_H */
