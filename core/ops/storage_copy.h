/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies of tensors in storages of their own, and their comparison. */

#ifndef PZI_STORAGE_COPY_H
#define PZI_STORAGE_COPY_H

#include "storage.h"

/* A copy of a tensor of the queue's device or the host's, to be released. */
pz_status pzi_storage_copy(pz_queue* queue, const pz_tensor* tensor, pzi_storage** out);

/* Do the contents of two tensors of one spec differ in any bit? */
pz_status pzi_storage_copy_differs(pz_queue* queue, const pzi_storage* now,
                                   const pzi_storage* before, bool* out);

#endif /* PZI_STORAGE_COPY_H */
