/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What is known of an operation before it runs. */

#ifndef PZI_OP_TABLE_H
#define PZI_OP_TABLE_H

#include "queue.h"

/* "gemm" */
const char* pzi_op_name(pzi_op op);

/* Does the operation run by the backend's entry or not at all? */
bool pzi_op_native_only(pzi_op op);

/* Does the backend have an entry for this operation and dtype? */
bool pzi_op_native(const pz_queue* queue, pzi_op op, uint32_t dtype);

/* Counts a call. Mutex held. */
void pzi_op_count(pz_queue* queue, pzi_op op, pz_route route);

#endif /* PZI_OP_TABLE_H */
