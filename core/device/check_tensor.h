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
static inline bool
pzi_check_owned(const pz_queue* const queue, const pz_tensor* const tensor)
{
  return tensor->device.type == queue->device.type &&
         (tensor->device.type == PZ_DEVICE_CPU || tensor->device.id == queue->device.id);
}

/* The number of elements of a tensor as nearly every one is: float32 or float64, in host memory,
   contiguous, aligned, of 1 to 8 dimensions and 1 to 2^31 - 1 elements. It has passed the checks below.
   0 for any other tensor, which needs them. */
static inline int64_t
pzi_check_plain(const pz_tensor* const tensor)
{
  const uint32_t dtype = tensor->dtype;
  const int32_t ndim = tensor->ndim;
  if ((dtype != PZ_F32 && dtype != PZ_F64) || ndim < 1 || ndim > PZ_MAX_DIMS || !tensor->shape ||
      tensor->strides || !tensor->data || tensor->device.type != PZ_DEVICE_CPU) {
    return 0;
  }
  uint64_t count = 1;
  for (int32_t i = 0; i < ndim; ++i) {
    const uint64_t extent = (uint64_t)tensor->shape[i];
    count *= extent;
    if (extent > INT32_MAX || count - 1 >= INT32_MAX) { /* also where one of them is 0 */
      return 0;
    }
  }
  const uint64_t start = tensor->byte_offset + (uint64_t)(uintptr_t)tensor->data;
  const uint64_t within = dtype == PZ_F32 ? 3 : 7;
  return tensor->byte_offset <= (uint64_t)1 << 61 && (start & within) == 0 ? (int64_t)count : 0;
}

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
