/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies between the host and a queue's device. */

#ifndef PZI_QUEUE_COPY_H
#define PZI_QUEUE_COPY_H

#include "queue.h"

/* Copies between tensors of one spec, each on the host or on the queue's device, with any strides.
   A copy to the host is complete on return. Memory of another queue is used in the order of that
   queue's work. PZ_MISMATCH for a tensor on another device. */
pz_status pzi_queue_copy(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

/* As above without checks, for non-empty tensors. Mutex held; the caller releases the scratch and
   staging arenas. */
pz_status pzi_queue_copy_held(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

#endif /* PZI_QUEUE_COPY_H */
