/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* DLPack: exchange of tensors with NumPy, PyTorch, CuPy and JAX. The structure is that of
   dlpack.h, version 0 (the unversioned one that "dltensor" capsules carry). */

#include "queue.h"

#include "check_tensor.h"
#include "queue_copy.h"
#include "status.h"

#include <stdlib.h>

struct DLManagedTensor {
  pz_tensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensor* self);
};

/* A tensor handed to another library, which calls the deleter: that frees the memory and releases
   the queue. */
typedef struct exported {
  struct DLManagedTensor managed;
  pz_queue* queue; /* retained */
  int64_t shape[PZ_MAX_DIMS];
  int64_t strides[PZ_MAX_DIMS];
} exported;

const pz_tensor*
pz_dlpack_view(const struct DLManagedTensor* const managed)
{
  return managed ? &managed->dl_tensor : NULL;
}

static void
exported_delete(struct DLManagedTensor* const managed)
{
  if (!managed) {
    return;
  }
  exported* const e = (exported*)managed->manager_ctx;
  pzi_queue_free(e->queue, managed->dl_tensor.data);
  pzi_queue_release(e->queue);
  free(e);
}

pz_status
pz_dlpack_export(pz_queue* const queue, const pz_tensor* const tensor,
                 struct DLManagedTensor** const out)
{
  if (!queue || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", queue ? "place for the tensor" : "queue");
  }
  PZ_TRY(pzi_check_tensor(queue, tensor, NULL, "exported tensor"));
  if (!pzi_check_owned(queue, tensor)) {
    return pzi_fail(PZ_MISMATCH, "exported tensor: found on the host, expected on %s", queue->name);
  }
  exported* const e = (exported*)calloc(1, sizeof(*e));
  if (!e) {
    return pzi_no_memory(sizeof(*e));
  }
  e->queue = pzi_queue_retain(queue);
  e->managed.manager_ctx = e;
  e->managed.deleter = exported_delete;
  pz_tensor* const copy = &e->managed.dl_tensor;
  *copy = pz_host_tensor(tensor->dtype, NULL, tensor->ndim, e->shape);
  copy->device = queue->device;
  copy->strides = e->strides;
  int64_t step = 1;
  for (int32_t i = tensor->ndim; i-- > 0;) {
    e->shape[i] = tensor->shape[i];
    e->strides[i] = step;
    step *= tensor->shape[i];
  }
  const size_t bytes = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  pz_status status = pzi_queue_alloc(queue, bytes, &copy->data);
  if (status == PZ_OK) {
    status = pzi_queue_copy(queue, tensor, copy);
  }
  if (status == PZ_OK) { /* the other library does not know the queue, so it cannot wait */
    status = pz_queue_synchronize(queue);
  }
  if (status != PZ_OK) {
    exported_delete(&e->managed);
    return status;
  }
  *out = &e->managed;
  return PZ_OK;
}
