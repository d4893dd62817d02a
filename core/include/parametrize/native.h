/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The caller's own queue or stream, for pz_queue_open. Handles are void*, so that this header
   needs neither OpenCL nor CUDA. */

#ifndef PARAMETRIZE_NATIVE_H
#define PARAMETRIZE_NATIVE_H

#include <parametrize/types.h>

PZ_BEGIN_DECLS

/* For "opencl:K". `queue` is an in-order cl_command_queue of that device. It must outlive the
   queue that pz_queue_open makes. Tensors are cl_mem of its context. */
typedef struct pz_opencl_native {
  uint32_t size; /* sizeof(pz_opencl_native) */
  uint32_t reserved;
  void* queue;
} pz_opencl_native;

/* For "cuda:K". `stream` is a cudaStream_t (CUstream) of that device, NULL the default stream.
   Tensors are device pointers of the device's primary context. */
typedef struct pz_cuda_native {
  uint32_t size; /* sizeof(pz_cuda_native) */
  uint32_t reserved;
  void* stream;
} pz_cuda_native;

PZ_END_DECLS

#endif /* PARAMETRIZE_NATIVE_H */
