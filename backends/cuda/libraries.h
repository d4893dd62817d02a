/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Functions of NVIDIA's libraries, by the names under which we use them: a header may turn a
   name into that of another version, which then is the symbol too. Nothing is linked; a
   library is opened when something needs it. */

#ifndef CUDA_LIBRARIES_H
#define CUDA_LIBRARIES_H

#include <cublas_v2.h>
#include <cuda.h>
#include <cusolverDn.h>
#include <nvrtc.h>

#include <stdbool.h>

#define CUDA_DRIVER_LIST(X)    \
  X(cuCtxGetCurrent)           \
  X(cuCtxPopCurrent)           \
  X(cuCtxPushCurrent)          \
  X(cuDeviceGet)               \
  X(cuDeviceGetAttribute)      \
  X(cuDeviceGetCount)          \
  X(cuDeviceGetName)           \
  X(cuDevicePrimaryCtxRelease) \
  X(cuDevicePrimaryCtxRetain)  \
  X(cuDeviceTotalMem)          \
  X(cuDriverGetVersion)        \
  X(cuEventCreate)             \
  X(cuEventDestroy)            \
  X(cuEventRecord)             \
  X(cuGetErrorName)            \
  X(cuGetErrorString)          \
  X(cuInit)                    \
  X(cuLaunchKernel)            \
  X(cuMemAlloc)                \
  X(cuMemFree)                 \
  X(cuMemcpyDtoDAsync)         \
  X(cuMemcpyDtoHAsync)         \
  X(cuMemcpyHtoDAsync)         \
  X(cuMemsetD2D32Async)        \
  X(cuMemsetD32Async)          \
  X(cuMemsetD8Async)           \
  X(cuModuleGetFunction)       \
  X(cuModuleLoadData)          \
  X(cuModuleUnload)            \
  X(cuPointerGetAttribute)     \
  X(cuStreamCreate)            \
  X(cuStreamDestroy)           \
  X(cuStreamGetCtx)            \
  X(cuStreamSynchronize)       \
  X(cuStreamWaitEvent)

/* Of drivers since 11.2. */
#define CUDA_DRIVER_OPTIONAL_LIST(X) \
  X(cuMemAllocAsync)                 \
  X(cuMemFreeAsync)

#define CUDA_NVRTC_LIST(X)     \
  X(nvrtcCompileProgram)       \
  X(nvrtcCreateProgram)        \
  X(nvrtcDestroyProgram)       \
  X(nvrtcGetCUBIN)             \
  X(nvrtcGetCUBINSize)         \
  X(nvrtcGetErrorString)       \
  X(nvrtcGetNumSupportedArchs) \
  X(nvrtcGetPTX)               \
  X(nvrtcGetPTXSize)           \
  X(nvrtcGetProgramLog)        \
  X(nvrtcGetProgramLogSize)    \
  X(nvrtcGetSupportedArchs)

#define CUDA_BLAS_LIST(X)      \
  X(cublasCreate)              \
  X(cublasDestroy)             \
  X(cublasDgemmStridedBatched) \
  X(cublasDgetrfBatched)       \
  X(cublasDsyrk)               \
  X(cublasDtrsm)               \
  X(cublasDtrsmBatched)        \
  X(cublasSetMathMode)         \
  X(cublasSetStream)           \
  X(cublasSgemmStridedBatched) \
  X(cublasSgetrfBatched)       \
  X(cublasSsyrk)               \
  X(cublasStrsm)               \
  X(cublasStrsmBatched)

#define CUDA_SOLVER_LIST(X)             \
  X(cusolverDnCreate)                   \
  X(cusolverDnCreateSyevjInfo)          \
  X(cusolverDnDestroy)                  \
  X(cusolverDnDestroySyevjInfo)         \
  X(cusolverDnDgeqrf)                   \
  X(cusolverDnDgeqrf_bufferSize)        \
  X(cusolverDnDgesvd)                   \
  X(cusolverDnDgesvd_bufferSize)        \
  X(cusolverDnDgetrf)                   \
  X(cusolverDnDgetrf_bufferSize)        \
  X(cusolverDnDorgqr)                   \
  X(cusolverDnDorgqr_bufferSize)        \
  X(cusolverDnDpotrf)                   \
  X(cusolverDnDpotrfBatched)            \
  X(cusolverDnDpotrf_bufferSize)        \
  X(cusolverDnDsyevd)                   \
  X(cusolverDnDsyevd_bufferSize)        \
  X(cusolverDnDsyevjBatched)            \
  X(cusolverDnDsyevjBatched_bufferSize) \
  X(cusolverDnSetStream)                \
  X(cusolverDnSgeqrf)                   \
  X(cusolverDnSgeqrf_bufferSize)        \
  X(cusolverDnSgesvd)                   \
  X(cusolverDnSgesvd_bufferSize)        \
  X(cusolverDnSgetrf)                   \
  X(cusolverDnSgetrf_bufferSize)        \
  X(cusolverDnSorgqr)                   \
  X(cusolverDnSorgqr_bufferSize)        \
  X(cusolverDnSpotrf)                   \
  X(cusolverDnSpotrfBatched)            \
  X(cusolverDnSpotrf_bufferSize)        \
  X(cusolverDnSsyevd)                   \
  X(cusolverDnSsyevd_bufferSize)        \
  X(cusolverDnSsyevjBatched)            \
  X(cusolverDnSsyevjBatched_bufferSize)

#define CUDA_MEMBER_(function) __typeof__(&(function)) function;

/* Each is complete once its cuda_..._open said true; entries of the optional list may be
   NULL. */
typedef struct cuda_driver_api {
  CUDA_DRIVER_LIST(CUDA_MEMBER_)
  CUDA_DRIVER_OPTIONAL_LIST(CUDA_MEMBER_)
} cuda_driver_api;

typedef struct cuda_nvrtc_api {
  CUDA_NVRTC_LIST(CUDA_MEMBER_)
} cuda_nvrtc_api;

typedef struct cuda_blas_api {
  CUDA_BLAS_LIST(CUDA_MEMBER_)
} cuda_blas_api;

typedef struct cuda_solver_api {
  CUDA_SOLVER_LIST(CUDA_MEMBER_)
} cuda_solver_api;

extern cuda_driver_api cu;
extern cuda_nvrtc_api nvrtc;
extern cuda_blas_api blas;
extern cuda_solver_api solver;

/* Opens the library at the first call; what came of it holds for the process. Why it failed
   goes to `reason`, of 256 bytes or more, where that is given. [any thread] */
bool cuda_driver_open(char* reason);
bool cuda_nvrtc_open(char* reason);
bool cuda_blas_open(char* reason);
bool cuda_solver_open(char* reason);

#endif /* CUDA_LIBRARIES_H */
