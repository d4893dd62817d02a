/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The OpenCL backend: probing, queues, memory, and its table. */

#include "opencl.h"

#include <parametrize/descriptor.h>

#include <stdio.h>
#include <stdlib.h>

static pz_status
opencl_probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  opencl_place place;
  const pz_status status = opencl_find(index, &place, info->reason);
  if (status == PZ_NO_MEMORY) {
    return host->fail(status, "%s", info->reason);
  }
  if (status != PZ_OK) {
    if (index == 0 && info->reason[0] != '\0') {
      info->usable = 0;
      info->device = (pz_device){PZ_DEVICE_OPENCL, 0};
      return PZ_OK;
    }
    return host->fail(PZ_NOT_FOUND, "opencl has no device %u", (unsigned)index);
  }
  const char* const unusable = opencl_unusable(place.device);
  char version[64];
  char driver[64];
  char platform[64] = "";
  cl_device_type type = 0;
  cl_bool unified = CL_FALSE;
  opencl_text(place.device, CL_DEVICE_NAME, info->name, sizeof(info->name));
  opencl_text(place.device, CL_DEVICE_VERSION, version, sizeof(version));
  opencl_text(place.device, CL_DRIVER_VERSION, driver, sizeof(driver));
  (void)clGetPlatformInfo(place.platform, CL_PLATFORM_NAME, sizeof(platform), platform, NULL);
  (void)clGetDeviceInfo(place.device, CL_DEVICE_TYPE, sizeof(type), &type, NULL);
  platform[sizeof(platform) - 1] = '\0';
  snprintf(info->detail, sizeof(info->detail), "%s, %s, driver %s", platform, version, driver);
  snprintf(info->reason, sizeof(info->reason), "%s", unusable ? unusable : "");
  info->usable = unusable == NULL;
  info->device = (pz_device){PZ_DEVICE_OPENCL, (int32_t)index};
  info->f64 = opencl_has_f64(place.device);
  (void)clGetDeviceInfo(place.device, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof(unified), &unified,
                        NULL);
  info->priority = (type & CL_DEVICE_TYPE_CPU) != 0 ? PZ_PRIORITY_HOST
                   : unified                        ? PZ_PRIORITY_INTEGRATED
                                                    : PZ_PRIORITY_DISCRETE;
  snprintf(info->alias, sizeof(info->alias), "%u:%u", (unsigned)place.platform_index,
           (unsigned)place.device_index);
  return PZ_OK;
}

/* ---- memory -------------------------------------------------------------------- */

static pz_status
opencl_alloc(pz_backend_queue* const q, const size_t bytes, void** const out)
{
  cl_int code = CL_SUCCESS;
  if (bytes > opencl_of(q)->most_bytes) {
    return q->host->fail(PZ_NO_MEMORY, "found %zu bytes to allocate, the device takes %llu at most",
                         bytes, (unsigned long long)opencl_of(q)->most_bytes);
  }
  const cl_mem buffer =
      clCreateBuffer(opencl_of(q)->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
  if (code != CL_SUCCESS) {
    return opencl_failed(q->host, code, "allocating device memory");
  }
  *out = buffer;
  return PZ_OK;
}

static void
opencl_free(pz_backend_queue* const q, void* const data)
{
  (void)q;
  if (data) {
    /* commands that use it keep it */
    (void)clReleaseMemObject((cl_mem)data);
  }
}

static pz_status
opencl_copy(pz_backend_queue* const q, const pz_copy_kind kind, void* const dst,
            const uint64_t dst_offset, const void* const src, const uint64_t src_offset,
            const size_t bytes)
{
  const cl_command_queue queue = opencl_of(q)->queue;
  cl_int code = CL_SUCCESS;
  switch (kind) {
  case PZ_HOST_TO_DEVICE:
    code = clEnqueueWriteBuffer(queue, (cl_mem)dst, CL_TRUE, dst_offset, bytes,
                                (const char*)src + src_offset, 0, NULL, NULL);
    break;
  case PZ_DEVICE_TO_HOST:
    code = clEnqueueReadBuffer(queue, (cl_mem)(uintptr_t)src, CL_TRUE, src_offset, bytes,
                               (char*)dst + dst_offset, 0, NULL, NULL);
    break;
  case PZ_DEVICE_TO_DEVICE:
    code = clEnqueueCopyBuffer(queue, (cl_mem)(uintptr_t)src, (cl_mem)dst, src_offset, dst_offset,
                               bytes, 0, NULL, NULL);
    break;
  }
  return code == CL_SUCCESS ? PZ_OK : opencl_failed(q->host, code, "copying");
}

static pz_status
opencl_fill(pz_backend_queue* const q, void* const dst, const uint64_t offset, const size_t bytes,
            const void* const pattern, const size_t pattern_bytes)
{
  const cl_int code = clEnqueueFillBuffer(opencl_of(q)->queue, (cl_mem)dst, pattern, pattern_bytes,
                                          offset, bytes, 0, NULL, NULL);
  return code == CL_SUCCESS ? PZ_OK : opencl_failed(q->host, code, "filling");
}

static pz_status
opencl_sync(pz_backend_queue* const q)
{
  const cl_int code = clFinish(opencl_of(q)->queue);
  return code == CL_SUCCESS ? PZ_OK : opencl_failed(q->host, code, "waiting for the device");
}

/* Memory of the caller's own: of this context, and large enough. */
static pz_status
opencl_accept(pz_backend_queue* const q, const void* const data, const uint64_t bytes)
{
  const cl_mem buffer = (cl_mem)(uintptr_t)data;
  cl_context context = NULL;
  size_t size = 0;
  if (clGetMemObjectInfo(buffer, CL_MEM_CONTEXT, sizeof(context), &context, NULL) != CL_SUCCESS ||
      clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof(size), &size, NULL) != CL_SUCCESS) {
    return q->host->fail(PZ_INVALID, "data is no cl_mem");
  }
  if (context != opencl_of(q)->context) {
    return q->host->fail(PZ_MISMATCH, "the cl_mem belongs to another context than the queue");
  }
  if (bytes > size) {
    return q->host->fail(PZ_INVALID, "found a cl_mem of size %zu, expected %llu or more", size,
                         (unsigned long long)bytes);
  }
  return PZ_OK;
}

/* ---- order --------------------------------------------------------------------- */

static pz_status
opencl_record(pz_backend_queue* const q, void** const out)
{
  cl_event event = NULL;
  cl_int code = clEnqueueMarkerWithWaitList(opencl_of(q)->queue, 0, NULL, &event);
  if (code == CL_SUCCESS) {
    code = clFlush(opencl_of(q)->queue); /* or others may wait for ever */
    if (code != CL_SUCCESS) {
      (void)clReleaseEvent(event);
    }
  }
  if (code != CL_SUCCESS) {
    return opencl_failed(q->host, code, "recording an event");
  }
  *out = event;
  return PZ_OK;
}

static void
opencl_release_event(void* const event)
{
  (void)clReleaseEvent((cl_event)event);
}

static pz_status
opencl_wait(pz_backend_queue* const q, void* const handle)
{
  const cl_event event = (cl_event)handle;
  cl_context context = NULL;
  if (clGetEventInfo(event, CL_EVENT_CONTEXT, sizeof(context), &context, NULL) != CL_SUCCESS) {
    return q->host->fail(PZ_INVALID, "found no cl_event");
  }
  if (context != opencl_of(q)->context) {
    return PZ_UNSUPPORTED;
  }
  const cl_int code = clEnqueueBarrierWithWaitList(opencl_of(q)->queue, 1, &event, NULL);
  return code == CL_SUCCESS ? PZ_OK : opencl_failed(q->host, code, "waiting for an event");
}

/* ---- queues ---------------------------------------------------------------------- */

static void
opencl_close(pz_backend_queue* const base)
{
  opencl_queue* const q = opencl_of(base);
  if (q->queue) {
    (void)clFinish(q->queue);
    gpu_queue_cleanup(base);
    (void)clReleaseCommandQueue(q->queue);
  }
  if (q->shared) {
    opencl_context_close(q->shared);
  }
  free(q);
}

static pz_status opencl_open(const pz_backend_host* host, uint32_t index, const void* native,
                             pz_backend_queue** out);

static const pz_backend_ops operations = {
    .size = sizeof(operations),
    .copy = gpu_copy,
    .fill = gpu_fill,
    .axpby = gpu_axpby,
    .scale = gpu_scale,
    .hadamard = gpu_hadamard,
    .combine = gpu_combine,
    .add_identity = gpu_add_identity,
    .fold = gpu_fold,
    .fold_adjoint = gpu_fold_adjoint,
    .symmetrize = gpu_symmetrize,
    .triangle = gpu_band,
    .get_diagonal = gpu_get_diagonal,
    .set_diagonal = gpu_set_diagonal,
    .norm = gpu_norm,
    .dot = gpu_dot,
    .scale_by = gpu_scale_by,
    .gemm = gpu_gemm,
    .syrk = gpu_syrk,
    .trsm = gpu_trsm,
    .shifted_inverse = gpu_shifted_inverse,
    .solve = gpu_solve,
    .potrf = gpu_potrf,
    .take = gpu_take,
    .put = gpu_put,
    .random = gpu_random,
    .launch = gpu_launch,
    .launch_rows = gpu_launch_rows,
};

static const pz_backend_ops*
operations_of(pz_backend_queue* const q, const uint32_t dtype)
{
  (void)q;
  (void)dtype;
  return &operations; // each looks at its operands' dtype
}

static const pz_backend opencl = {
    .size = sizeof(opencl),
    .flags = PZ_BACKEND_ASYNC,
    .id = "opencl",
    .summary = "Any device with OpenCL 1.2",
    .probe = opencl_probe,
    .open = opencl_open,
    .close = opencl_close,
    .alloc = opencl_alloc,
    .free = opencl_free,
    .copy = opencl_copy,
    .fill = opencl_fill,
    .sync = opencl_sync,
    .operations = operations_of,
    .accept = opencl_accept,
    .record = opencl_record,
    .release_event = opencl_release_event,
    .wait = opencl_wait,
};

/* The caller's queue: of this device, and in order. */
static pz_status
adopt(const pz_backend_host* const host, const opencl_place* const place, const void* const native,
      cl_command_queue* const queue, cl_context* const context)
{
  cl_device_id device = NULL;
  cl_command_queue_properties properties = 0;
  void* handle = NULL;
  PZ_TRY(gpu_native_handle(host, native, &handle));
  const cl_command_queue theirs = (cl_command_queue)handle;
  if (!theirs ||
      clGetCommandQueueInfo(theirs, CL_QUEUE_DEVICE, sizeof(device), &device, NULL) != CL_SUCCESS ||
      clGetCommandQueueInfo(theirs, CL_QUEUE_CONTEXT, sizeof(*context), context, NULL) !=
          CL_SUCCESS ||
      clGetCommandQueueInfo(theirs, CL_QUEUE_PROPERTIES, sizeof(properties), &properties, NULL) !=
          CL_SUCCESS) {
    return host->fail(PZ_INVALID, "found no cl_command_queue");
  }
  if (device != place->device) {
    return host->fail(PZ_MISMATCH, "the cl_command_queue belongs to another device");
  }
  if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) {
    return host->fail(PZ_UNSUPPORTED, "the cl_command_queue runs out of order");
  }
  *queue = theirs;
  return PZ_OK;
}

static pz_status
opencl_open(const pz_backend_host* const host, const uint32_t index, const void* const native,
            pz_backend_queue** const out)
{
  opencl_place place;
  char reason[256];
  cl_command_queue theirs = NULL;
  cl_context context = NULL;
  cl_int code = CL_SUCCESS;
  pz_status status = opencl_find(index, &place, reason);
  if (status != PZ_OK) {
    return host->fail(status, "%s", reason[0] != '\0' ? reason : "no such device");
  }
  if (native) {
    PZ_TRY(adopt(host, &place, native, &theirs, &context));
  }
  opencl_queue* const q = (opencl_queue*)calloc(1, sizeof(*q));
  if (!q) {
    return host->fail(PZ_NO_MEMORY, "out of memory for a queue");
  }
  status = opencl_context_open(host, &place, context, &q->shared);
  if (status != PZ_OK) {
    free(q);
    return status;
  }
  q->context = q->shared->context;
  q->device = place.device;
  q->clblast = opencl_wants_clblast(q->device);
  (void)clGetDeviceInfo(q->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(q->most_bytes),
                        &q->most_bytes, NULL);
  q->base = (struct pz_backend_queue){
      .driver = &opencl_driver,
      .host = host,
      .backend = &opencl,
      .programs = q->shared->programs,
      .f64 = opencl_has_f64(q->device),
  };
  if (theirs) {
    q->queue = theirs;
    code = clRetainCommandQueue(theirs);
  } else {
    q->queue = clCreateCommandQueue(q->context, q->device, 0, &code);
  }
  if (code != CL_SUCCESS) {
    q->queue = NULL;
    status = opencl_failed(host, code, "opening a queue");
  } else {
    status = gpu_queue_init(&q->base);
  }
  if (status != PZ_OK) {
    opencl_close(&q->base);
    return status;
  }
  *out = &q->base;
  return PZ_OK;
}

PZ_PLUGIN(opencl, "1.0.0", PZ_BACKEND(&opencl));
