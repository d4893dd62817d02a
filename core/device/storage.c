/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Storages: the memory of tensors, shared by reference. */

#include "storage.h"

#include "check_tensor.h"
#include "device_text.h"
#include "shape.h"
#include "spec_text.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static pzi_storage*
storage_make(pz_queue* const queue, const pz_spec* const spec)
{
  pzi_storage* const storage = (pzi_storage*)calloc(1, sizeof(*storage));
  if (!storage) {
    (void)pzi_no_memory(sizeof(*storage));
    return NULL;
  }
  atomic_init(&storage->references, 1);
  storage->spec = *spec;
  storage->tensor = pz_host_tensor(spec->dtype, NULL, spec->ndim, storage->spec.shape);
  storage->tensor.device = queue->device;
  storage->queue = pzi_queue_retain(queue);
  return storage;
}

pz_status
pzi_storage_new(pz_queue* const queue, const pz_spec* const spec, pzi_storage** const out)
{
  size_t bytes = 0;
  PZ_TRY(pzi_check_dtype(queue, spec->dtype));
  if (!pzi_shape_spec_bytes(spec, &bytes)) {
    char text[PZI_SPEC_TEXT];
    return pzi_fail(PZ_INVALID, "%s is beyond any memory", pzi_spec_text(spec, text));
  }
  pzi_storage* const storage = storage_make(queue, spec);
  if (!storage) {
    return PZ_NO_MEMORY;
  }
  pz_status status = pzi_queue_alloc(queue, bytes, &storage->tensor.data);
  if (status == PZ_OK) {
    status = pzi_queue_zero(queue, &storage->tensor);
  }
  if (status != PZ_OK) {
    pzi_storage_release(storage);
    return status;
  }
  *out = storage;
  return PZ_OK;
}

pz_status
pzi_storage_bound(pz_queue* const queue, const pz_tensor* const tensor, pzi_storage** const out)
{
  PZ_TRY(pzi_check_tensor(queue, tensor, NULL, "bound tensor"));
  if (!pzi_check_owned(queue, tensor)) {
    char found[PZI_DEVICE_NAME];
    return pzi_fail(PZ_MISMATCH, "bound tensor: found on %s, expected on %s",
                    pzi_device_text(tensor->device, found), queue->name);
  }
  const pz_spec spec = pz_spec_of(tensor);
  pzi_storage* const storage = storage_make(queue, &spec);
  if (!storage) {
    return PZ_NO_MEMORY;
  }
  storage->bound = true;
  storage->tensor.data = tensor->data;
  storage->tensor.byte_offset = tensor->byte_offset;
  if (tensor->strides) {
    memcpy(storage->strides, tensor->strides, (size_t)tensor->ndim * sizeof(int64_t));
    storage->tensor.strides = storage->strides;
  }
  *out = storage;
  return PZ_OK;
}

pzi_storage*
pzi_storage_retain(pzi_storage* const storage)
{
  if (storage) {
    atomic_fetch_add_explicit(&storage->references, 1, memory_order_relaxed);
  }
  return storage;
}

void
pzi_storage_release(pzi_storage* const storage)
{
  if (!storage || atomic_fetch_sub_explicit(&storage->references, 1, memory_order_acq_rel) != 1) {
    return;
  }
  if (!storage->bound) {
    pzi_queue_free(storage->queue, storage->tensor.data);
  }
  pzi_queue_release(storage->queue);
  free(storage);
}
