/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The driver of the double: devices, contexts, streams and events. */

#include "double.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long countdown;
static atomic_long calls;
static atomic_long alive;

void
cuda_double_fail_at(const long n)
{
  atomic_store(&countdown, n);
  atomic_store(&calls, 0);
}

long
cuda_double_calls(void)
{
  return atomic_load(&calls);
}

long
cuda_double_alive(void)
{
  return atomic_load(&alive);
}

bool
double_fails(void)
{
  const long call = atomic_fetch_add(&calls, 1) + 1;
  return call == atomic_load(&countdown);
}

void
double_born(const int n)
{
  atomic_fetch_add(&alive, n);
}

/* ---- contexts -------------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct CUctx_st primary;
static struct CUstream_st first_stream; /* that of NULL */
static bool initialized;

static _Thread_local CUcontext stack[16];
static _Thread_local int depth;

bool
double_current(void)
{
  return depth > 0 && stack[depth - 1] == &primary && primary.references > 0;
}

CUresult
cuInit(const unsigned flags)
{
  const char* const asked = getenv("CUDA_DOUBLE_INIT");
  (void)flags;
  initialized = !asked;
  return asked ? (CUresult)atoi(asked) : CUDA_SUCCESS;
}

CUresult
cuGetErrorName(const CUresult code, const char** const out)
{
  *out = code == CUDA_ERROR_NO_DEVICE       ? "CUDA_ERROR_NO_DEVICE"
         : code == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
                                            : "CUDA_ERROR_OF_DOUBLE";
  return CUDA_SUCCESS;
}

CUresult
cuGetErrorString(const CUresult code, const char** const out)
{
  *out = code == CUDA_ERROR_NO_DEVICE       ? "no CUDA-capable device is detected"
         : code == CUDA_ERROR_OUT_OF_MEMORY ? "out of memory"
                                            : "failure made by a test";
  return CUDA_SUCCESS;
}

CUresult
cuDriverGetVersion(int* const out)
{
  *out = CUDA_VERSION;
  return CUDA_SUCCESS;
}

CUresult
cuDeviceGetCount(int* const out)
{
  *out = 1;
  return initialized ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

CUresult
cuDeviceGet(CUdevice* const out, const int index)
{
  *out = index;
  return index == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult
cuDeviceGetName(char* const out, const int size, const CUdevice device)
{
  (void)device;
  strncpy(out, "double of a GPU", (size_t)size);
  return CUDA_SUCCESS;
}

CUresult
cuDeviceTotalMem(size_t* const out, const CUdevice device)
{
  (void)device;
  *out = DOUBLE_BYTES;
  return CUDA_SUCCESS;
}

CUresult
cuDeviceGetAttribute(int* const out, const CUdevice_attribute what, const CUdevice device)
{
  const char* const asked = getenv("CUDA_DOUBLE_CAPABILITY");
  const int capability = asked ? atoi(asked) : 90;
  (void)device;
  *out = what == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? capability / 10
         : what == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? capability % 10
         : what == CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED   ? !getenv("CUDA_DOUBLE_NO_POOLS")
                                                                : 0;
  return CUDA_SUCCESS;
}

static bool
open_primary(void)
{
  cl_int code = CL_SUCCESS;
  cl_device_svm_capabilities svm = 0;
  if (clGetPlatformIDs(1, &primary.platform, NULL) != CL_SUCCESS ||
      clGetDeviceIDs(primary.platform, CL_DEVICE_TYPE_CPU, 1, &primary.device, NULL) !=
          CL_SUCCESS ||
      clGetDeviceInfo(primary.device, CL_DEVICE_SVM_CAPABILITIES, sizeof(svm), &svm, NULL) !=
          CL_SUCCESS ||
      !(svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER)) {
    return false;
  }
  primary.cl = clCreateContext(NULL, 1, &primary.device, NULL, NULL, &code);
  if (code == CL_SUCCESS) {
    first_stream.queue =
        clCreateCommandQueueWithProperties(primary.cl, primary.device, NULL, &code);
  }
  return code == CL_SUCCESS;
}

CUresult
cuDevicePrimaryCtxRetain(CUcontext* const out, const CUdevice device)
{
  CUresult code = CUDA_SUCCESS;
  (void)device;
  if (double_fails()) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  pthread_mutex_lock(&mutex);
  if (!primary.cl && !open_primary()) {
    code = CUDA_ERROR_NOT_SUPPORTED;
  } else {
    primary.references += 1;
    double_born(1);
    *out = &primary;
  }
  pthread_mutex_unlock(&mutex);
  return code;
}

CUresult
cuDevicePrimaryCtxRelease(const CUdevice device)
{
  (void)device;
  pthread_mutex_lock(&mutex);
  primary.references -= 1;
  pthread_mutex_unlock(&mutex);
  double_born(-1);
  return CUDA_SUCCESS;
}

CUresult
cuCtxGetCurrent(CUcontext* const out)
{
  *out = depth > 0 ? stack[depth - 1] : NULL;
  return CUDA_SUCCESS;
}

CUresult
cuCtxPushCurrent(const CUcontext context)
{
  if (depth == (int)(sizeof(stack) / sizeof(stack[0])) || context != &primary) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  stack[depth++] = context;
  return CUDA_SUCCESS;
}

CUresult
cuCtxPopCurrent(CUcontext* const out)
{
  if (depth == 0) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  *out = stack[--depth];
  return CUDA_SUCCESS;
}

/* ---- streams and events --------------------------------------------------------------------- */

static CUstream streams[64];

cl_command_queue
double_queue(const CUstream stream)
{
  return stream ? stream->queue : first_stream.queue;
}

void
double_finish(const CUstream stream)
{
  (void)clFinish(double_queue(stream));
}

void
double_finish_all(void)
{
  pthread_mutex_lock(&mutex);
  for (size_t k = 0; k < sizeof(streams) / sizeof(streams[0]); ++k) {
    if (streams[k]) {
      double_finish(streams[k]);
    }
  }
  pthread_mutex_unlock(&mutex);
  double_finish(NULL);
}

CUresult
cuStreamCreate(CUstream* const out, const unsigned flags)
{
  cl_int code = CL_SUCCESS;
  (void)flags;
  if (double_fails() || !double_current()) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  const CUstream stream = calloc(1, sizeof(*stream));
  stream->queue = clCreateCommandQueueWithProperties(primary.cl, primary.device, NULL, &code);
  pthread_mutex_lock(&mutex);
  for (size_t k = 0; k < sizeof(streams) / sizeof(streams[0]); ++k) {
    if (!streams[k]) {
      streams[k] = stream;
      break;
    }
  }
  pthread_mutex_unlock(&mutex);
  double_born(1);
  *out = stream;
  return CUDA_SUCCESS;
}

CUresult
cuStreamDestroy(const CUstream stream)
{
  pthread_mutex_lock(&mutex);
  for (size_t k = 0; k < sizeof(streams) / sizeof(streams[0]); ++k) {
    streams[k] = streams[k] == stream ? NULL : streams[k];
  }
  pthread_mutex_unlock(&mutex);
  (void)clFinish(stream->queue);
  (void)clReleaseCommandQueue(stream->queue);
  free(stream);
  double_born(-1);
  return CUDA_SUCCESS;
}

CUresult
cuStreamGetCtx(const CUstream stream, CUcontext* const out)
{
  (void)stream;
  *out = &primary;
  return double_current() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult
cuStreamSynchronize(const CUstream stream)
{
  double_finish(stream); /* before it may say that something failed */
  return double_fails() || !double_current() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

CUresult
cuEventCreate(CUevent* const out, const unsigned flags)
{
  (void)flags;
  if (double_fails() || !double_current()) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  *out = calloc(1, sizeof(cl_event));
  double_born(1);
  return CUDA_SUCCESS;
}

CUresult
cuEventRecord(const CUevent event, const CUstream stream)
{
  cl_event* const marker = (cl_event*)(void*)event;
  if (double_fails() || !double_current()) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  (void)clEnqueueMarkerWithWaitList(double_queue(stream), 0, NULL, marker);
  (void)clFlush(double_queue(stream));
  return CUDA_SUCCESS;
}

CUresult
cuEventDestroy(const CUevent event)
{
  cl_event* const marker = (cl_event*)(void*)event;
  if (*marker) {
    (void)clReleaseEvent(*marker);
  }
  free(marker);
  double_born(-1);
  return CUDA_SUCCESS;
}

CUresult
cuStreamWaitEvent(const CUstream stream, const CUevent event, const unsigned flags)
{
  cl_event* const marker = (cl_event*)(void*)event;
  (void)flags;
  if (double_fails() || !double_current()) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  (void)clEnqueueBarrierWithWaitList(double_queue(stream), 1, marker, NULL);
  return CUDA_SUCCESS;
}
