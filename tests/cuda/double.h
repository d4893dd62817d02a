/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A double of an NVIDIA GPU: the entry points of libcuda, NVRTC, cuBLAS and cuSOLVER that the
   CUDA backend uses, on the host. One shared object answers to all four names. Kernels run:
   the double's NVRTC keeps their text and its driver hands it to an OpenCL device whose
   shared virtual memory is plain memory (PoCL), so streams are asynchronous queues and
   addresses are addresses. cuBLAS and cuSOLVER are BLAS and LAPACK. What the documentation
   of the real ones excludes is refused: calls without the context, foreign addresses, leading
   dimensions that are too small.

   It says nothing of a real GPU: of its arithmetic, its limits, its speed, of what cuBLAS and
   cuSOLVER do beyond their documentation.

   CUDA_DOUBLE_INIT=N makes cuInit answer N; CUDA_DOUBLE_CAPABILITY=NN another generation. */

#ifndef TEST_CUDA_DOUBLE_H
#define TEST_CUDA_DOUBLE_H

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <cublas_v2.h>
#include <cuda.h>
#include <cusolverDn.h>
#include <nvrtc.h>

#include <stdbool.h>

#define DOUBLE_API __attribute__((visibility("default")))

enum { DOUBLE_BYTES = 1 << 30 }; /* of device memory */

struct CUctx_st {
  unsigned references;
  cl_platform_id platform;
  cl_device_id device;
  cl_context cl;
};

struct CUstream_st {
  cl_command_queue queue;
};

struct cublasContext {
  CUstream stream;
  cublasMath_t mode;
};

struct cusolverDnContext {
  CUstream stream;
};

/* ---- for tests, through dlsym ------------------------------------------------------ */

/* The n-th call from now on that can fail does, once (1: the next; 0: none). */
DOUBLE_API void cuda_double_fail_at(long n);
/* Calls that could fail since then. */
DOUBLE_API long cuda_double_calls(void);
/* Allocations, streams, events, modules, handles and contexts that are alive. */
DOUBLE_API long cuda_double_alive(void);

/* ---- inside ---------------------------------------------------------------------------- */

/* Counts a call; true: it is the one to fail. */
bool double_fails(void);
void double_born(int n); /* -1: one is gone */
/* The context is current in this thread. */
bool double_current(void);
/* The queue of a stream, NULL the default one; and waiting for it. */
cl_command_queue double_queue(CUstream stream);
void double_finish(CUstream stream);
void double_finish_all(void);
/* [data, data + bytes) lies in one allocation that is alive. */
bool double_owns(const void* data, size_t bytes);

#endif /* TEST_CUDA_DOUBLE_H */
