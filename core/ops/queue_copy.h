/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies between the host and a queue's device. */

#ifndef PZI_QUEUE_COPY_H
#define PZI_QUEUE_COPY_H

#include "queue.h"

/* Copies between tensors of one spec, each a host tensor or on the queue's device, strides
   honoured on both sides; a device-to-host copy is complete on return. PZ_MISMATCH names
   both devices where one is neither. */
pz_status pzi_queue_copy(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

/* As above for checked, non-empty operands and a caller that holds the mutex and gives the
   scratch and staging arenas back afterwards. */
pz_status pzi_queue_copy_held(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

#endif /* PZI_QUEUE_COPY_H */
