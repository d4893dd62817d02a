/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which asynchronous queue allocated which memory, so that work on another queue's memory can be
   ordered with the work of that queue. */

#ifndef PZI_MEMORY_OWNERS_H
#define PZI_MEMORY_OWNERS_H

#include "queue.h"

/* Remember and forget memory of an asynchronous queue. Do nothing for other queues. */
pz_status pzi_memory_owners_add(pz_queue* queue, void* data, size_t bytes);
void pzi_memory_owners_remove(const pz_queue* queue, void* data);

/* The other queue that allocated the tensor's memory, retained; NULL for memory of `queue` itself,
   of the host and of programs. */
pz_queue* pzi_memory_owners_other(const pz_queue* queue, const pz_tensor* tensor);
bool pzi_memory_owners_is_other(const pz_queue* queue, const pz_tensor* tensor);

#endif /* PZI_MEMORY_OWNERS_H */
