/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Condition numbers of matrices, from singular values that the library computes. */

#ifndef TOOLS_CONDITION_H
#define TOOLS_CONDITION_H

#include <parametrize/parametrize.h>

/* A context with this parametrization alone, and a queue; both NULL: not open. */
typedef struct condition {
  pz_context* context;
  pz_queue* queue;
} condition;

/* Opens a queue on a device (as in pz_queue_open); close in either case. */
pz_status condition_open(condition* c, const char* device);
void condition_close(condition* c);

/* The largest sigma_max / sigma_min of the matrices of a host tensor; infinity if one is singular.
   PZ_UNSUPPORTED if there are no matrices or a number is not finite. */
pz_status condition_of(condition* c, const pz_tensor* matrices, double* out);

#endif /* TOOLS_CONDITION_H */
