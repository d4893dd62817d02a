/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory, copies and events, in the order of the queue's stream. Addresses stand as void*. */

#include "cuda_backend.h"

#include <string.h>

static CUdeviceptr
place(const void* const data, const uint64_t offset)
{
  return (CUdeviceptr)(uintptr_t)data + offset;
}

pz_status
cuda_alloc(pz_backend_queue* const base, const size_t bytes, void** const out)
{
  cuda_queue* const q = cuda_of(base);
  CUdeviceptr data = 0;
  if (bytes > q->shared->bytes) {
    return base->host->fail(PZ_NO_MEMORY, "found %zu bytes to allocate, the device has %zu", bytes,
                            q->shared->bytes);
  }
  const bool entered = cuda_enter(q->shared->handle);
  const CUresult code =
      q->shared->pools ? cu.cuMemAllocAsync(&data, bytes, q->stream) : cu.cuMemAlloc(&data, bytes);
  cuda_leave(entered);
  if (code != CUDA_SUCCESS) {
    return cuda_failed(base->host, code, "allocating device memory");
  }
  *out = (void*)(uintptr_t)data;
  return PZ_OK;
}

void
cuda_free(pz_backend_queue* const base, void* const data)
{
  cuda_queue* const q = cuda_of(base);
  if (data) {
    const bool entered = cuda_enter(q->shared->handle);
    /* cuMemFree waits for all that the device does, this stream too */
    (void)(q->shared->pools ? cu.cuMemFreeAsync(place(data, 0), q->stream)
                            : cu.cuMemFree(place(data, 0)));
    cuda_leave(entered);
  }
}

pz_status
cuda_copy(pz_backend_queue* const base, const pz_copy_kind kind, void* const dst,
          const uint64_t dst_offset, const void* const src, const uint64_t src_offset,
          const size_t bytes)
{
  const CUstream stream = cuda_of(base)->stream;
  CUresult code = CUDA_ERROR_INVALID_VALUE;
  const bool entered = cuda_enter(cuda_of(base)->shared->handle);
  switch (kind) {
  case PZ_HOST_TO_DEVICE:
    code =
        cu.cuMemcpyHtoDAsync(place(dst, dst_offset), (const char*)src + src_offset, bytes, stream);
    break;
  case PZ_DEVICE_TO_HOST:
    code = cu.cuMemcpyDtoHAsync((char*)dst + dst_offset, place(src, src_offset), bytes, stream);
    break;
  case PZ_DEVICE_TO_DEVICE:
    code = cu.cuMemcpyDtoDAsync(place(dst, dst_offset), place(src, src_offset), bytes, stream);
    break;
  }
  if (code == CUDA_SUCCESS && kind != PZ_DEVICE_TO_DEVICE) {
    code = cu.cuStreamSynchronize(stream); /* the host's side is done with, pinned or not */
  }
  cuda_leave(entered);
  return code == CUDA_SUCCESS ? PZ_OK : cuda_failed(base->host, code, "copying");
}

pz_status
cuda_fill(pz_backend_queue* const base, void* const dst, const uint64_t offset, const size_t bytes,
          const void* const pattern, const size_t pattern_bytes)
{
  const CUstream stream = cuda_of(base)->stream;
  const CUdeviceptr to = place(dst, offset);
  unsigned word[2] = {0, 0};
  CUresult code;
  memcpy(word, pattern, pattern_bytes);
  const bool entered = cuda_enter(cuda_of(base)->shared->handle);
  if (pattern_bytes == 1) {
    code = cu.cuMemsetD8Async(to, *(const unsigned char*)pattern, bytes, stream);
  } else if (pattern_bytes == 4 || word[0] == word[1]) {
    code = cu.cuMemsetD32Async(to, word[0], bytes / 4, stream);
  } else {
    // the words of even and of odd places, each a column of a matrix two words wide
    code = cu.cuMemsetD2D32Async(to, 8, word[0], 1, bytes / 8, stream);
    code = code == CUDA_SUCCESS ? cu.cuMemsetD2D32Async(to + 4, 8, word[1], 1, bytes / 8, stream)
                                : code;
  }
  cuda_leave(entered);
  return code == CUDA_SUCCESS ? PZ_OK : cuda_failed(base->host, code, "filling");
}

pz_status
cuda_sync(pz_backend_queue* const base)
{
  const bool entered = cuda_enter(cuda_of(base)->shared->handle);
  const CUresult code = cu.cuStreamSynchronize(cuda_of(base)->stream);
  cuda_leave(entered);
  return code == CUDA_SUCCESS ? PZ_OK : cuda_failed(base->host, code, "waiting for the device");
}

/* What is known of an address: host memory, pinned too, and that of other devices do not
   serve. Of sizes nothing is known where the host maps memory of its own piece by piece, so
   both ends are looked at. */
pz_status
cuda_accept(pz_backend_queue* const base, const void* const data, const uint64_t bytes)
{
  const uint64_t ends[2] = {0, bytes > 0 ? bytes - 1 : 0};
  pz_status status = PZ_OK;
  const bool entered = cuda_enter(cuda_of(base)->shared->handle);
  for (int k = 0; k < 2 && status == PZ_OK; ++k) {
    const CUdeviceptr at = place(data, ends[k]);
    unsigned type = 0;
    int ordinal = -1;
    if (cu.cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, at) != CUDA_SUCCESS ||
        type == CU_MEMORYTYPE_HOST) {
      status = base->host->fail(PZ_INVALID, k == 0 ? "data is no address in device memory"
                                                   : "data reaches beyond device memory");
    } else if (cu.cuPointerGetAttribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, at) ==
                   CUDA_SUCCESS &&
               ordinal >= 0 && (uint32_t)ordinal != cuda_of(base)->shared->index) {
      status = base->host->fail(PZ_MISMATCH, "the memory belongs to device %d, the queue to %u",
                                ordinal, (unsigned)cuda_of(base)->shared->index);
    }
  }
  cuda_leave(entered);
  return status;
}

/* ---- order ------------------------------------------------------------------------------ */

pz_status
cuda_record(pz_backend_queue* const base, void** const out)
{
  CUevent event = NULL;
  const bool entered = cuda_enter(cuda_of(base)->shared->handle);
  CUresult code = cu.cuEventCreate(&event, CU_EVENT_DISABLE_TIMING);
  if (code == CUDA_SUCCESS) {
    code = cu.cuEventRecord(event, cuda_of(base)->stream);
    if (code != CUDA_SUCCESS) {
      (void)cu.cuEventDestroy(event);
    }
  }
  cuda_leave(entered);
  if (code != CUDA_SUCCESS) {
    return cuda_failed(base->host, code, "recording an event");
  }
  *out = event;
  return PZ_OK;
}

void
cuda_release_event(void* const event)
{
  const CUcontext context = cuda_any_context();
  const bool entered = context && cuda_enter(context);
  (void)cu.cuEventDestroy((CUevent)event);
  cuda_leave(entered);
}

pz_status
cuda_wait(pz_backend_queue* const base, void* const event)
{
  const bool entered = cuda_enter(cuda_of(base)->shared->handle);
  const CUresult code = cu.cuStreamWaitEvent(cuda_of(base)->stream, (CUevent)event, 0);
  cuda_leave(entered);
  return code == CUDA_SUCCESS ? PZ_OK : cuda_failed(base->host, code, "waiting for an event");
}
