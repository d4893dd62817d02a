/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The memory of a device: allocation, copies, zeroing and waiting, by the backend's functions. */

#include "queue.h"

#include "memory_owners.h"
#include "status.h"

pz_status
pzi_queue_refuse_inherited(const pz_queue* const queue)
{
  return pzi_fail(PZ_DEVICE,
                  "found %s opened before fork, expected it to be used by the parent only",
                  queue->name);
}

pz_status
pzi_queue_check_status(const pz_queue* const queue, const pz_status status, const uint64_t before,
                       const char* const what)
{
  const unsigned value = (unsigned)status;
  if (value > (unsigned)PZ_DEVICE) {
    return pzi_fail(PZ_PLUGIN, "backend %s returned the unknown status %d from %s",
                    queue->backend->id, (int)status, what);
  }
  if (status != PZ_OK && pzi_fail_count() == before) {
    return pzi_fail(status, "%s on %s: %s", what, queue->name, pz_status_text(status));
  }
  return status;
}

/* ---- memory ----------------------------------------------------------------- */

pz_status
pzi_queue_alloc_held(pz_queue* const queue, const size_t bytes, void** const out)
{
  if (bytes == 0) {
    *out = NULL;
    return PZ_OK;
  }
  PZ_TRY(pzi_queue_check_process(queue));
  void* data = NULL;
  const uint64_t before = pzi_fail_count();
  const pz_status status = queue->backend->alloc(queue->handle, bytes, &data);
  PZ_TRY(pzi_queue_check_status(queue, status, before, "alloc"));
  if (!data) {
    return pzi_fail(PZ_PLUGIN, "backend %s allocated NULL", queue->backend->id);
  }
  const pz_status owned = pzi_memory_owners_add(queue, data, bytes);
  if (owned != PZ_OK) {
    queue->backend->free(queue->handle, data);
    return owned;
  }
  *out = data;
  return PZ_OK;
}

void
pzi_queue_free_held(pz_queue* const queue, void* const data)
{
  if (data && !pzi_queue_is_inherited(queue)) {
    pzi_memory_owners_remove(queue, data);
    queue->backend->free(queue->handle, data);
  }
}

pz_status
pzi_queue_alloc(pz_queue* const queue, const size_t bytes, void** const out)
{
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_queue_alloc_held(queue, bytes, out);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

void
pzi_queue_free(pz_queue* const queue, void* const data)
{
  pthread_mutex_lock(&queue->mutex);
  pzi_queue_free_held(queue, data);
  pthread_mutex_unlock(&queue->mutex);
}

pz_status
pzi_queue_move_held(pz_queue* const queue, const pz_copy_kind kind, void* const to,
                    const uint64_t to_offset, const void* const from, const uint64_t from_offset,
                    const size_t bytes)
{
  if (bytes == 0) {
    return PZ_OK;
  }
  PZ_TRY(pzi_queue_check_process(queue));
  const uint64_t before = pzi_fail_count();
  return pzi_queue_check_status(
      queue, queue->backend->copy(queue->handle, kind, to, to_offset, from, from_offset, bytes),
      before, "copy");
}

pz_status
pzi_queue_fill_held(pz_queue* const queue, void* const data, const uint64_t offset,
                    const size_t bytes, const uint32_t word)
{
  PZ_TRY(pzi_queue_check_process(queue));
  const uint64_t before = pzi_fail_count();
  return pzi_queue_check_status(
      queue, queue->backend->fill(queue->handle, data, offset, bytes, &word, sizeof(word)), before,
      "fill");
}

pz_status
pzi_queue_fill(pz_queue* const queue, void* const data, const uint64_t offset, const size_t bytes,
               const uint32_t word)
{
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_queue_fill_held(queue, data, offset, bytes, word);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

pz_status
pzi_queue_zero(pz_queue* const queue, const pz_tensor* const tensor)
{
  const size_t bytes = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  return bytes == 0 ? PZ_OK : pzi_queue_fill(queue, tensor->data, tensor->byte_offset, bytes, 0);
}

/* Waits also on a synchronous queue. */
static pz_status
wait_held(pz_queue* const queue)
{
  PZ_TRY(pzi_queue_check_process(queue));
  const uint64_t before = pzi_fail_count();
  return pzi_queue_check_status(queue, queue->backend->sync(queue->handle), before, "sync");
}

pz_status
pzi_queue_wait_held(pz_queue* const queue)
{
  return queue->async ? wait_held(queue) : PZ_OK;
}

pz_status
pz_queue_synchronize(pz_queue* const queue)
{
  if (!queue) {
    return pzi_fail(PZ_INVALID, "found no queue");
  }
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = wait_held(queue);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}
