/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies between tensors on one device. */

#ifndef PZI_DEVICE_COPY_H
#define PZI_DEVICE_COPY_H

#include "queue.h"

/* Copies between two tensors of one non-empty shape on the device, whatever their strides:
   natively, in as few pieces as these allow. Mutex held. */
pz_status pzi_device_copy(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

/* A C-contiguous tensor of the shape of `like` in the queue's scratch. Mutex held; `out`
   borrows the shape of `like`. */
pz_status pzi_device_copy_scratch(pz_queue* queue, const pz_tensor* like, pz_tensor* out);

#endif /* PZI_DEVICE_COPY_H */
