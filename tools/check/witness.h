/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Stands between the library and one parametrization: a table of the same id, whose callbacks call
   those of the file with tensors, services and operations that can be watched. Works on every device.
   For rules that run on one thread. */

#ifndef TOOLS_CHECK_WITNESS_H
#define TOOLS_CHECK_WITNESS_H

#include <parametrize/parametrize.h>

typedef struct witness {
  /* set by a rule */
  bool guards; /* every tensor that a callback sees lies between guards; writing one is a breach */
  double filler;   /* in guards, and in outputs and scratch before they are written */
  unsigned refuse; /* the request that is answered with PZ_NO_MEMORY; 0: none */
  /* counted since a rule set them to 0 */
  unsigned requests; /* services that give memory, and operations */
  unsigned waits;    /* reads, writes and Schur forms */
  int64_t most;      /* numbers read or written at once */
} witness;

extern witness witness_now;

/* Opens a file and adds its tables to the context, with a witness before parametrization `id`. */
void witness_add(pz_context* context, const char* file, const char* id);

#endif /* TOOLS_CHECK_WITNESS_H */
