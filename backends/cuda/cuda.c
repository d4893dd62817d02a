/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The CUDA backend: probing, queues, and its table. */

#include "cuda_backend.h"

#include <parametrize/descriptor.h>

#include <stdio.h>
#include <stdlib.h>

/* No library but the driver is opened here, and no context. */
static pz_status
cuda_probe(const pz_backend_host* const host, const uint32_t index, pz_device_info* const info)
{
  const int n = cuda_count(info->reason);
  info->device = (pz_device){PZ_DEVICE_CUDA, (int32_t)index};
  info->memory = PZ_MEMORY_DEVICE;
  info->usable = 0;
  if (n == 0 && index == 0) {
    return PZ_OK;
  }
  if (index >= (uint32_t)n) {
    return host->fail(PZ_NOT_FOUND, "cuda has no device %u", (unsigned)index);
  }
  CUdevice device = 0;
  size_t bytes = 0;
  int capability[2] = {0, 0};
  int version = 0;
  CUresult code = cu.cuDeviceGet(&device, (int)index);
  code =
      code == CUDA_SUCCESS ? cu.cuDeviceGetName(info->name, (int)sizeof(info->name), device) : code;
  code = code == CUDA_SUCCESS ? cu.cuDeviceTotalMem(&bytes, device) : code;
  code = code == CUDA_SUCCESS
             ? cu.cuDeviceGetAttribute(&capability[0], CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                                       device)
             : code;
  code = code == CUDA_SUCCESS
             ? cu.cuDeviceGetAttribute(&capability[1], CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                                       device)
             : code;
  if (code != CUDA_SUCCESS) {
    const char* text = NULL;
    (void)cu.cuGetErrorString(code, &text);
    snprintf(info->reason, sizeof(info->reason), "the driver does not describe it: %s",
             text ? text : "unknown error");
    return PZ_OK;
  }
  (void)cu.cuDriverGetVersion(&version);
  snprintf(info->detail, sizeof(info->detail),
           "compute capability %d.%d, %.1f GiB, driver for CUDA %d.%d", capability[0],
           capability[1], (double)bytes / 1073741824.0, version / 1000, version % 1000 / 10);
  int integrated = 0;
  (void)cu.cuDeviceGetAttribute(&integrated, CU_DEVICE_ATTRIBUTE_INTEGRATED, device);
  info->usable = 1;
  info->f64 = 1;
  info->priority = integrated ? PZ_PRIORITY_INTEGRATED : PZ_PRIORITY_DISCRETE;
  return PZ_OK;
}

static void
cuda_close(pz_backend_queue* const base)
{
  cuda_queue* const q = cuda_of(base);
  const bool entered = cuda_enter(q->shared->handle);
  if (q->open) {
    (void)cu.cuStreamSynchronize(q->stream);
    gpu_queue_cleanup(base);
    cuda_vendor_close(q);
  }
  if (q->open && q->own) {
    (void)cu.cuStreamSynchronize(q->stream); /* frees have been done with */
    (void)cu.cuStreamDestroy(q->stream);
  }
  cuda_leave(entered);
  cuda_context_close(q->shared);
  free(q);
}

static pz_status cuda_open(const pz_backend_host* host, uint32_t index, const void* native,
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
    .syrk = cuda_syrk,
    .trsm = gpu_trsm,
    .shifted_inverse = gpu_shifted_inverse,
    .solve = gpu_solve,
    .potrf = gpu_potrf,
    .qr = cuda_qr,
    .eigh = cuda_eigh,
    .svd = cuda_svd,
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

static const pz_backend cuda = {
    .size = sizeof(cuda),
    .flags = PZ_BACKEND_ASYNC,
    .id = "cuda",
    .summary = "NVIDIA GPUs, by cuBLAS and cuSOLVER",
    .probe = cuda_probe,
    .open = cuda_open,
    .close = cuda_close,
    .alloc = cuda_alloc,
    .free = cuda_free,
    .copy = cuda_copy,
    .fill = cuda_fill,
    .sync = cuda_sync,
    .operations = operations_of,
    .accept = cuda_accept,
    .record = cuda_record,
    .release_event = cuda_release_event,
    .wait = cuda_wait,
};

/* The caller's stream, if it belongs to the primary context; a new one for NULL. */
static pz_status
take_stream(cuda_queue* const q, const void* const native)
{
  const pz_backend_host* const host = q->base.host;
  CUcontext context = NULL;
  CUresult code;
  if (!native) {
    code = cu.cuStreamCreate(&q->stream, CU_STREAM_NON_BLOCKING);
    q->own = q->open = code == CUDA_SUCCESS;
    return code == CUDA_SUCCESS ? PZ_OK : cuda_failed(host, code, "opening a stream");
  }
  void* handle = NULL;
  PZ_TRY(gpu_native_handle(host, native, &handle));
  code = cu.cuStreamGetCtx((CUstream)handle, &context);
  if (code != CUDA_SUCCESS) {
    return host->fail(PZ_INVALID, "found no stream of CUDA");
  }
  if (context != q->shared->handle) {
    return host->fail(PZ_MISMATCH,
                      "the stream belongs to another context than the primary one of the device");
  }
  q->stream = (CUstream)handle;
  q->open = true;
  return PZ_OK;
}

static pz_status
cuda_open(const pz_backend_host* const host, const uint32_t index, const void* const native,
          pz_backend_queue** const out)
{
  char reason[256];
  const int n = cuda_count(reason);
  if (index >= (uint32_t)n) {
    return host->fail(PZ_NOT_FOUND, "%s", n == 0 ? reason : "no such device");
  }
  if (!cuda_nvrtc_open(reason)) {
    return host->fail(PZ_DEVICE, "no compiler of kernels: %s", reason);
  }
  cuda_queue* const q = (cuda_queue*)calloc(1, sizeof(*q));
  if (!q) {
    return host->fail(PZ_NO_MEMORY, "out of memory for a queue");
  }
  pz_status status = cuda_context_open(host, index, &q->shared);
  if (status != PZ_OK) {
    free(q);
    return status;
  }
  q->base = (struct pz_backend_queue){
      .driver = &cuda_driver,
      .host = host,
      .backend = &cuda,
      .programs = q->shared->programs,
      .f64 = true,
  };
  const bool entered = cuda_enter(q->shared->handle);
  status = take_stream(q, native);
  cuda_leave(entered);
  if (status == PZ_OK) {
    status = gpu_queue_init(&q->base);
  }
  if (status != PZ_OK) {
    cuda_close(&q->base);
    return status;
  }
  *out = &q->base;
  return PZ_OK;
}

PZ_PLUGIN(cuda, "1.0.0", PZ_BACKEND(&cuda));
