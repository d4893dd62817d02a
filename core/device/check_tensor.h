/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Checks of specs and tensors that hosts and plugins pass. */

#ifndef PZI_CHECK_TENSOR_H
#define PZI_CHECK_TENSOR_H

#include "queue.h"

/* Checks that tensors of this spec can exist: float32, float64 or, with `integers`, int64;
   extents >= 0; and a size in bytes that fits a size_t (else PZ_UNSUPPORTED). `what` begins the
   message. */
pz_status pzi_check_spec(const pz_spec* spec, bool integers, const char* what);

/* Can the queue's operations work on this tensor's memory? */
bool pzi_check_owned(const pz_queue* queue, const pz_tensor* tensor);

/* PZ_MISMATCH for a tensor on a device. */
pz_status pzi_check_on_host(const pz_tensor* tensor, const char* what);

/* PZ_UNSUPPORTED if the host might take `data` of the queue's tensors for a host pointer. */
pz_status pzi_check_may_show(const pz_queue* queue);

/* PZ_UNSUPPORTED for float64 on a device without it. */
pz_status pzi_check_dtype(const pz_queue* queue, uint32_t dtype);

/* Checks a tensor: dtype known, 0 <= ndim <= PZ_MAX_DIMS, extents
   >= 0, count and byte range in 63 bits, data where there are elements, spec as expected
   (`expected` may be NULL), on the host or on the queue's device. Messages begin with
   `what`. */
pz_status pzi_check_tensor(const pz_queue* queue, const pz_tensor* tensor, const pz_spec* expected,
                           const char* what);

#endif /* PZI_CHECK_TENSOR_H */
