/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Compositions: operations that the backend lacks, made of others on the device. */

#ifndef PZI_COMPOSE_H
#define PZI_COMPOSE_H

#include "queue.h"
#include "request.h"

/* Is there a composition that the backend's entries suffice for? */
bool pzi_compose_possible(const pz_queue* queue, pzi_op op, uint32_t dtype);

/* Runs the first such composition that takes the operands. PZ_UNSUPPORTED is returned before any
   operand has changed. */
pz_status pzi_compose(pz_queue* queue, const pzi_request* request);

/* Runs an inverse, or its adjoint, whose matrices are stored by one triangle, on whole matrices in
   scratch, which the caller releases. */
pz_status pzi_compose_whole(pz_queue* queue, const pzi_request* request);

#endif /* PZI_COMPOSE_H */
