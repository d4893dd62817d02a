/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The dialect: what OpenCL C 1.2, CUDA C and C have in common, and names for what they
   spell differently. Stands before every kernel file and every portable kernel;
   docs/kernels.md is its manual. GPU_REAL_BITS is 32 or 64. */

#if defined(__OPENCL_VERSION__)

#if GPU_REAL_BITS == 64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
typedef long pz_int;
typedef uint gpu_word32;
typedef ulong gpu_word64;
#define GPU_KERNEL __kernel
#define GPU_FUNCTION static
#define GPU_GLOBAL __global
#define GPU_LOCAL __local
#define GPU_LOCAL_POINTER __local
#define GPU_BARRIER() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define GPU_LOCAL_ID(dimension) ((int)get_local_id(dimension))
#define GPU_LOCAL_SIZE(dimension) ((int)get_local_size(dimension))
#define GPU_GROUP(dimension) ((pz_int)get_group_id(dimension))
#define GPU_GROUPS(dimension) ((pz_int)get_num_groups(dimension))
#define GPU_CLAIM(word) (atomic_cmpxchg((volatile __global int*)(word), 0, 1) == 0)
#define GPU_NAN ((real)NAN)
#define GPU_INFINITY ((real)INFINITY)

#elif defined(__CUDACC__)

typedef long long pz_int;
typedef unsigned int gpu_word32;
typedef unsigned long long gpu_word64;
#define GPU_KERNEL extern "C" __global__
#define GPU_FUNCTION static __device__
#define GPU_GLOBAL
#define GPU_LOCAL __shared__
#define GPU_LOCAL_POINTER
#define GPU_BARRIER() __syncthreads()
#define GPU_INDEX_(dimension, v) (int)((dimension) == 0 ? (v).x : (dimension) == 1 ? (v).y : (v).z)
#define GPU_LOCAL_ID(dimension) GPU_INDEX_(dimension, threadIdx)
#define GPU_LOCAL_SIZE(dimension) GPU_INDEX_(dimension, blockDim)
#define GPU_GROUP(dimension) ((pz_int)GPU_INDEX_(dimension, blockIdx))
#define GPU_GROUPS(dimension) ((pz_int)GPU_INDEX_(dimension, gridDim))
#define GPU_CLAIM(word) (atomicCAS((int*)(word), 0, 1) == 0)
#define GPU_NAN ((real)__int_as_float(0x7fffffff))
#define GPU_INFINITY ((real)__int_as_float(0x7f800000))

#else /* C, to be compiled and looked at, not run */

#include <math.h>
#include <stdint.h>
#include <tgmath.h>
typedef int64_t pz_int;
typedef uint32_t gpu_word32;
typedef uint64_t gpu_word64;
int gpu_place(int what, int dimension);
int gpu_claim(volatile void* word);
#define GPU_KERNEL
#define GPU_FUNCTION static inline
#define GPU_GLOBAL
#define GPU_LOCAL
#define GPU_LOCAL_POINTER
#define GPU_BARRIER() ((void)0)
#define GPU_LOCAL_ID(dimension) gpu_place(0, dimension)
#define GPU_LOCAL_SIZE(dimension) gpu_place(1, dimension)
#define GPU_GROUP(dimension) ((pz_int)gpu_place(2, dimension))
#define GPU_GROUPS(dimension) ((pz_int)gpu_place(3, dimension))
#define GPU_CLAIM(word) gpu_claim(word)
#define GPU_NAN ((real)NAN)
#define GPU_INFINITY ((real)INFINITY)

#endif

#if GPU_REAL_BITS == 64
typedef double real;
#else
typedef float real;
#endif

/* A matrix operand: pointer, offset of its first element, strides of rows, columns and
   batch, all in elements. GPU_AT is entry (i, j) of matrix k. */
#define GPU_VIEW_(x) pz_int x##_offset, pz_int x##_rows, pz_int x##_cols, pz_int x##_batch
#define GPU_IN(x) GPU_GLOBAL const real *x, GPU_VIEW_(x)
#define GPU_OUT(x) GPU_GLOBAL real *x, GPU_VIEW_(x)
#define GPU_PLACE(x, k, i, j) (x##_offset + (k)*x##_batch + (i)*x##_rows + (j)*x##_cols)
#define GPU_AT(x, k, i, j) x[GPU_PLACE(x, k, i, j)]

/* This item's share of 0 .. n-1 along a dimension, whatever the number of groups. */
#define GPU_EACH(i, dimension, n)                                                       \
  for (pz_int i = GPU_GROUP(dimension) * GPU_LOCAL_SIZE(dimension) +                    \
                  GPU_LOCAL_ID(dimension);                                              \
       i < (n); i += GPU_GROUPS(dimension) * GPU_LOCAL_SIZE(dimension))

/* This group's share of 0 .. n-1. */
#define GPU_EACH_GROUP(k, dimension, n) \
  for (pz_int k = GPU_GROUP(dimension); k < (n); k += GPU_GROUPS(dimension))

/* The fault word {status, place}: the first to come writes it. */
#define GPU_FAULT GPU_GLOBAL pz_int *fault, pz_int fault_offset
#define GPU_FAIL(status, place)               \
  if (GPU_CLAIM(fault + fault_offset)) {      \
    fault[fault_offset] = (status);           \
    fault[fault_offset + 1] = (place);        \
  }
