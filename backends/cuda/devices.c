/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Devices and contexts. All queues on a device share its primary context; the list of those
   in use is the only state of this backend outside its queues and libraries. */

#include "cuda_backend.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static cuda_context* contexts;

int
cuda_count(char* const reason)
{
  static atomic_int owner; /* the process that uses CUDA; its children cannot */
  const int self = (int)getpid();
  int expected = 0;
  char why[256];
  int n = 0;
  const char* const refusal = gpu_refusal();
  if (refusal) {
    snprintf(reason, 256, "%s", refusal);
    return 0;
  }
  if (!atomic_compare_exchange_strong(&owner, &expected, self) && expected != self) {
    snprintf(reason, 256, "CUDA was opened before fork, and works in the parent only");
    return 0;
  }
  if (!cuda_driver_open(why)) {
    snprintf(reason, 256, "no device: no NVIDIA driver: %.200s", why);
    return 0;
  }
  CUresult code = cu.cuInit(0);
  code = code == CUDA_SUCCESS ? cu.cuDeviceGetCount(&n) : code;
  if (code != CUDA_SUCCESS) {
    const char* name = NULL;
    const char* text = NULL;
    (void)cu.cuGetErrorName(code, &name);
    (void)cu.cuGetErrorString(code, &text);
    snprintf(reason, 256, "no device: the driver answers %s: %s", name ? name : "an error",
             text ? text : "unknown");
    return 0;
  }
  if (n == 0) {
    snprintf(reason, 256, "no device: the driver found none");
  }
  return n;
}

/* ---- being current ---------------------------------------------------------------- */

bool
cuda_enter(const CUcontext context)
{
  CUcontext now = NULL;
  if (cu.cuCtxGetCurrent(&now) == CUDA_SUCCESS && now == context) {
    return false;
  }
  return cu.cuCtxPushCurrent(context) == CUDA_SUCCESS;
}

void
cuda_leave(const bool entered)
{
  CUcontext ours = NULL;
  if (entered) {
    (void)cu.cuCtxPopCurrent(&ours);
  }
}

/* ---- contexts ---------------------------------------------------------------------- */

static int
attribute(const CUdevice device, const CUdevice_attribute what)
{
  int value = 0;
  (void)cu.cuDeviceGetAttribute(&value, what, device);
  return value;
}

static pz_status
make(const pz_backend_host* const host, const uint32_t index, cuda_context** const out)
{
  cuda_context* const c = (cuda_context*)calloc(1, sizeof(*c));
  gpu_programs* const programs = gpu_programs_new();
  if (!c || !programs) {
    gpu_programs_free(programs, &cuda_driver);
    free(c);
    return host->fail(PZ_NO_MEMORY, "out of memory for a context");
  }
  c->index = index;
  CUresult code = cu.cuDeviceGet(&c->device, (int)index);
  code = code == CUDA_SUCCESS ? cu.cuDeviceTotalMem(&c->bytes, c->device) : code;
  code = code == CUDA_SUCCESS ? cu.cuDevicePrimaryCtxRetain(&c->handle, c->device) : code;
  if (code != CUDA_SUCCESS) {
    gpu_programs_free(programs, &cuda_driver);
    free(c);
    return cuda_failed(host, code, "opening a device");
  }
  c->capability = 10 * attribute(c->device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
                  attribute(c->device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  c->pools = cu.cuMemAllocAsync && cu.cuMemFreeAsync &&
             attribute(c->device, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED) != 0;
  c->programs = programs;
  (void)pthread_mutex_init(&c->mutex, NULL);
  c->references = 1;
  c->next = contexts;
  contexts = c;
  *out = c;
  return PZ_OK;
}

pz_status
cuda_context_open(const pz_backend_host* const host, const uint32_t index, cuda_context** const out)
{
  pz_status status = PZ_OK;
  pthread_mutex_lock(&mutex);
  cuda_context* c = contexts;
  while (c && c->index != index) {
    c = c->next;
  }
  if (c) {
    c->references += 1;
    *out = c;
  } else {
    status = make(host, index, out);
  }
  pthread_mutex_unlock(&mutex);
  return status;
}

void
cuda_context_close(cuda_context* const context)
{
  pthread_mutex_lock(&mutex);
  if (--context->references == 0) {
    cuda_context** at = &contexts;
    while (*at != context) {
      at = &(*at)->next;
    }
    *at = context->next;
    const bool entered = cuda_enter(context->handle);
    for (int k = 0; k < 2; ++k) {
      if (context->vendor[k]) {
        cuda_driver.release_program(context->vendor[k]);
      }
    }
    gpu_programs_free(context->programs, &cuda_driver);
    cuda_leave(entered);
    (void)cu.cuDevicePrimaryCtxRelease(context->device);
    (void)pthread_mutex_destroy(&context->mutex);
    free(context);
  }
  pthread_mutex_unlock(&mutex);
}

CUcontext
cuda_any_context(void)
{
  pthread_mutex_lock(&mutex);
  const CUcontext any = contexts ? contexts->handle : NULL;
  pthread_mutex_unlock(&mutex);
  return any;
}
