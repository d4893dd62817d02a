/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What pz_queue_wrap adopts: the caller's own queue or stream, by backend. Handles stand as
   void*, so that neither OpenCL's nor CUDA's headers are needed here. */

#ifndef PARAMETRIZE_NATIVE_H
#define PARAMETRIZE_NATIVE_H

#include <parametrize/types.h>

PZ_BEGIN_DECLS

/* For "opencl:K". `queue` is a cl_command_queue of that device that runs in order; tensors
   are cl_mem of its context. It must outlive the adopting queue. */
typedef struct pz_opencl_native {
  uint32_t size; /* sizeof(pz_opencl_native) */
  uint32_t reserved;
  void* queue;
} pz_opencl_native;

/* For "cuda:K". `stream` is a cudaStream_t (CUstream) of that device, NULL the default stream;
   tensors are device pointers of its primary context. */
typedef struct pz_cuda_native {
  uint32_t size; /* sizeof(pz_cuda_native) */
  uint32_t reserved;
  void* stream;
} pz_cuda_native;

PZ_END_DECLS

#endif /* PARAMETRIZE_NATIVE_H */
