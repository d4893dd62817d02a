/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory of the double: every address that is alive is known. */

#include "double.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct {
  char* data;
  size_t bytes;
} blocks[MOST];
static size_t in_use;

bool
double_owns(const void* const data, const size_t bytes)
{
  bool found = false;
  pthread_mutex_lock(&mutex);
  for (int k = 0; k < MOST && !found; ++k) {
    const char* const first = blocks[k].data;
    const char* const at = (const char*)data;
    found = first && at >= first && at < first + blocks[k].bytes &&
            bytes <= blocks[k].bytes - (size_t)(at - first);
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

static CUresult
allocate(CUdeviceptr* const out, const size_t bytes)
{
  CUcontext context = NULL;
  CUresult code = CUDA_ERROR_OUT_OF_MEMORY;
  (void)cuCtxGetCurrent(&context);
  if (!double_current()) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  pthread_mutex_lock(&mutex);
  for (int k = 0; k < MOST && bytes > 0 && bytes <= DOUBLE_BYTES - in_use; ++k) {
    if (!blocks[k].data) {
      blocks[k].data =
          clSVMAlloc(context->cl, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0);
      blocks[k].bytes = bytes;
      if (blocks[k].data) {
        memset(blocks[k].data, 0xa5, bytes);
        in_use += bytes;
        *out = (CUdeviceptr)(uintptr_t)blocks[k].data;
        double_born(1);
        code = CUDA_SUCCESS;
      }
      break;
    }
  }
  pthread_mutex_unlock(&mutex);
  return code;
}

static bool
forget(const CUdeviceptr data)
{
  bool found = false;
  pthread_mutex_lock(&mutex);
  for (int k = 0; k < MOST && !found; ++k) {
    if (blocks[k].data && (CUdeviceptr)(uintptr_t)blocks[k].data == data) {
      blocks[k].data = NULL;
      in_use -= blocks[k].bytes;
      double_born(-1);
      found = true;
    }
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

CUresult
cuMemAlloc(CUdeviceptr* const out, const size_t bytes)
{
  return double_fails() ? CUDA_ERROR_OUT_OF_MEMORY : allocate(out, bytes);
}

CUresult
cuMemAllocAsync(CUdeviceptr* const out, const size_t bytes, const CUstream stream)
{
  (void)stream;
  return double_fails() ? CUDA_ERROR_OUT_OF_MEMORY : allocate(out, bytes);
}

CUresult
cuMemFreeAsync(const CUdeviceptr data, const CUstream stream)
{
  void* block = (void*)(uintptr_t)data;
  if (!double_current() || !forget(data)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  (void)clEnqueueSVMFree(double_queue(stream), 1, &block, NULL, NULL, 0, NULL, NULL);
  (void)clFlush(double_queue(stream));
  return CUDA_SUCCESS;
}

CUresult
cuMemFree(const CUdeviceptr data)
{
  CUcontext context = NULL;
  (void)cuCtxGetCurrent(&context);
  if (!double_current() || !forget(data)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  double_finish_all();
  clSVMFree(context->cl, (void*)(uintptr_t)data);
  return CUDA_SUCCESS;
}

/* ---- copies and fills ---------------------------------------------------------------------------- */

/* In the order of the stream, and not waited for. */
static CUresult
move(void* const to, const void* const from, const size_t bytes, const void* const here,
     const CUstream stream)
{
  if (double_fails()) {
    return CUDA_ERROR_UNKNOWN;
  }
  if (!double_current() || !double_owns(here, bytes)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return clEnqueueSVMMemcpy(double_queue(stream), CL_FALSE, to, from, bytes, 0, NULL, NULL) ==
                 CL_SUCCESS
             ? CUDA_SUCCESS
             : CUDA_ERROR_UNKNOWN;
}

CUresult
cuMemcpyHtoDAsync(const CUdeviceptr to, const void* const from, const size_t bytes,
                  const CUstream stream)
{
  return move((void*)(uintptr_t)to, from, bytes, (void*)(uintptr_t)to, stream);
}

CUresult
cuMemcpyDtoHAsync(void* const to, const CUdeviceptr from, const size_t bytes, const CUstream stream)
{
  return move(to, (void*)(uintptr_t)from, bytes, (void*)(uintptr_t)from, stream);
}

CUresult
cuMemcpyDtoDAsync(const CUdeviceptr to, const CUdeviceptr from, const size_t bytes,
                  const CUstream stream)
{
  return double_owns((void*)(uintptr_t)from, bytes)
             ? move((void*)(uintptr_t)to, (void*)(uintptr_t)from, bytes, (void*)(uintptr_t)to,
                    stream)
             : CUDA_ERROR_INVALID_VALUE;
}

static CUresult
fill(const CUdeviceptr to, const void* const pattern, const size_t size, const size_t n,
     const CUstream stream)
{
  if (double_fails()) {
    return CUDA_ERROR_UNKNOWN;
  }
  if (!double_current() || !double_owns((void*)(uintptr_t)to, n * size)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return clEnqueueSVMMemFill(double_queue(stream), (void*)(uintptr_t)to, pattern, size, n * size, 0,
                             NULL, NULL) == CL_SUCCESS
             ? CUDA_SUCCESS
             : CUDA_ERROR_UNKNOWN;
}

CUresult
cuMemsetD8Async(const CUdeviceptr to, const unsigned char value, const size_t n,
                const CUstream stream)
{
  return fill(to, &value, sizeof(value), n, stream);
}

CUresult
cuMemsetD32Async(const CUdeviceptr to, const unsigned value, const size_t n, const CUstream stream)
{
  return fill(to, &value, sizeof(value), n, stream);
}

CUresult
cuMemsetD2D32Async(const CUdeviceptr to, const size_t pitch, const unsigned value,
                   const size_t width, const size_t height, const CUstream stream)
{
  CUresult code = double_fails() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
  double_finish(stream);
  for (size_t i = 0; i < height && code == CUDA_SUCCESS; ++i) {
    unsigned* const row = (unsigned*)(uintptr_t)(to + i * pitch);
    code = double_owns(row, width * sizeof(value)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    for (size_t j = 0; j < width && code == CUDA_SUCCESS; ++j) {
      row[j] = value;
    }
  }
  return code;
}

CUresult
cuPointerGetAttribute(void* const out, const CUpointer_attribute what, const CUdeviceptr at)
{
  if (!double_owns((void*)(uintptr_t)at, 1)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (what == CU_POINTER_ATTRIBUTE_MEMORY_TYPE) {
    *(unsigned*)out = CU_MEMORYTYPE_DEVICE;
  } else {
    *(int*)out = 0;
  }
  return CUDA_SUCCESS;
}
