/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Condition numbers of matrices, through the library's own singular values. */

#ifndef TOOLS_CONDITION_H
#define TOOLS_CONDITION_H

#include <parametrize/parametrize.h>

/* A context that knows nothing but this, and its queue; NULL for both: not open. */
typedef struct condition {
  pz_context* context;
  pz_queue* queue;
} condition;

/* Opens a queue on a device (as in pz_queue_open); close in either case. */
pz_status condition_open(condition* c, const char* device);
void condition_close(condition* c);

/* The greatest over all matrices of a host tensor of sigma_max / sigma_min, infinite where a
   matrix is singular. PZ_UNSUPPORTED where there are no matrices or no finite numbers. */
pz_status condition_of(condition* c, const pz_tensor* matrices, double* out);

#endif /* TOOLS_CONDITION_H */
