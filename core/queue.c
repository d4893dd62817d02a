/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Queues: an open device shared by reference, its memory, its host queue, fault words.

   Locks: everything that reaches the backend holds the queue's mutex; what runs on the
   host takes the host queue's mutex inside it. The host of an accelerator is "cpu" where
   it can be opened, that of "cpu" is "reference", which has none: a chain without
   cycles, so the order is total. */

#include "queue.h"

#include "route.h"
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a backend said ---------------------------------------------------- */

pz_status
pzi_queue_judge(const pz_queue* const queue, const pz_status status, const uint64_t before,
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
  void* data = NULL;
  const uint64_t before = pzi_fail_count();
  const pz_status status = queue->backend->alloc(queue->handle, bytes, &data);
  PZ_TRY(pzi_queue_judge(queue, status, before, "alloc"));
  if (!data) {
    return pzi_fail(PZ_PLUGIN, "backend %s allocated NULL", queue->backend->id);
  }
  *out = data;
  return PZ_OK;
}

void
pzi_queue_free_held(pz_queue* const queue, void* const data)
{
  if (data) {
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
  const uint64_t before = pzi_fail_count();
  return pzi_queue_judge(
      queue, queue->backend->copy(queue->handle, kind, to, to_offset, from, from_offset, bytes),
      before, "copy");
}

static pz_status
zero_held(pz_queue* const queue, void* const data, const uint64_t offset, const size_t bytes)
{
  static const uint32_t zero = 0;
  const uint64_t before = pzi_fail_count();
  return pzi_queue_judge(
      queue, queue->backend->fill(queue->handle, data, offset, bytes, &zero, sizeof(zero)), before,
      "fill");
}

pz_status
pzi_queue_zero(pz_queue* const queue, const pz_tensor* const tensor)
{
  const size_t bytes = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  if (bytes == 0) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = zero_held(queue, tensor->data, tensor->byte_offset, bytes);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

pz_status
pzi_queue_settle_held(pz_queue* const queue)
{
  if (!queue->async) {
    return PZ_OK;
  }
  const uint64_t before = pzi_fail_count();
  return pzi_queue_judge(queue, queue->backend->sync(queue->handle), before, "sync");
}

pz_status
pz_queue_synchronize(pz_queue* const queue)
{
  if (!queue) {
    return pzi_fail(PZ_INVALID, "found no queue");
  }
  pthread_mutex_lock(&queue->mutex);
  const uint64_t before = pzi_fail_count();
  const pz_status status =
      pzi_queue_judge(queue, queue->backend->sync(queue->handle), before, "sync");
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

/* ---- fault words ------------------------------------------------------------ */

enum { FAULT_BYTES = 2 * sizeof(int64_t) };

static pz_status
fault_new_held(pz_queue* const queue, pz_fault* const out)
{
  void* data = NULL;
  PZ_TRY(pzi_queue_alloc_held(queue, FAULT_BYTES, &data));
  const pz_status status = zero_held(queue, data, 0, FAULT_BYTES);
  if (status != PZ_OK) {
    pzi_queue_free_held(queue, data);
    return status;
  }
  *out = (pz_fault){.data = data};
  return PZ_OK;
}

pz_status
pzi_fault_new(pz_queue* const queue, pz_fault* const out)
{
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = fault_new_held(queue, out);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

void
pzi_fault_free(pz_queue* const queue, pz_fault* const fault)
{
  pzi_queue_free(queue, fault->data);
  *fault = (pz_fault){0};
}

pz_status
pzi_fault_check(pz_queue* const queue, const pz_fault* const fault)
{
  if (!queue->async) {
    return PZ_OK;
  }
  int64_t word[2] = {0, 0};
  pthread_mutex_lock(&queue->mutex);
  pz_status status = pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, word, 0, fault->data,
                                         fault->byte_offset, sizeof(word));
  if (status == PZ_OK && word[0] != 0) {
    status = zero_held(queue, fault->data, fault->byte_offset, sizeof(word));
  }
  pthread_mutex_unlock(&queue->mutex);
  PZ_TRY(status);

  if (word[0] == 0) {
    return PZ_OK;
  }
  if (word[0] == PZ_SINGULAR) {
    return pzi_fail(PZ_SINGULAR, "matrix %" PRId64 " of the batch is singular", word[1]);
  }
  if (word[0] == PZ_INVALID) {
    return pzi_fail(PZ_INVALID, "index %" PRId64 " is out of range", word[1]);
  }
  if (word[0] > 0 && word[0] <= PZ_DEVICE) {
    return pzi_fail((pz_status)word[0], "%s at place %" PRId64 " of the batch",
                    pz_status_text((pz_status)word[0]), word[1]);
  }
  return pzi_fail(PZ_PLUGIN, "backend %s reported the unknown status %" PRId64, queue->backend->id,
                  word[0]);
}

/* ---- opening and closing ---------------------------------------------------- */

/* The queue that runs what this one lacks; none is no error, operations then say so. */
static pz_queue*
open_host(pz_context* const context, const char* const id)
{
  static const char* const hosts[] = {"cpu", "reference"};
  if (strcmp(id, "reference") == 0) {
    return NULL;
  }
  for (size_t k = strcmp(id, "cpu") == 0 ? 1 : 0; k < sizeof(hosts) / sizeof(hosts[0]); ++k) {
    const pzi_backend* backend = NULL;
    pz_queue* queue = NULL;
    if (pzi_context_backend(context, hosts[k], &backend) == PZ_OK &&
        (backend->table.flags & PZ_BACKEND_HOST_MEMORY) != 0 &&
        pzi_queue_new(context, backend, 0, hosts[k], NULL, &queue) == PZ_OK) {
      return queue;
    }
  }
  return NULL;
}

static pz_status
probe_usable(const pzi_backend* const backend, const uint32_t index, pz_device_info* const info)
{
  *info = (pz_device_info){.size = sizeof(*info)};
  if (backend->table.probe(pzi_backend_host(), index, info) != PZ_OK) {
    return pzi_fail(PZ_NOT_FOUND, "backend %s has no device %" PRIu32, backend->table.id, index);
  }
  if (!info->usable) {
    info->reason[sizeof(info->reason) - 1] = '\0';
    return pzi_fail(PZ_DEVICE, "device %" PRIu32 " of %s cannot be used: %s", index,
                    backend->table.id,
                    info->reason[0] != '\0' ? info->reason : "its backend does not say why");
  }
  return PZ_OK;
}

pz_status
pzi_queue_new(pz_context* const context, const pzi_backend* const backend, const uint32_t index,
              const char* const name, const void* const native, pz_queue** const out)
{
  pz_device_info info;
  PZ_TRY(probe_usable(backend, index, &info));

  pz_queue* const queue = (pz_queue*)calloc(1, sizeof(*queue));
  if (!queue) {
    return pzi_no_memory(sizeof(*queue));
  }
  atomic_init(&queue->references, 1);
  (void)pthread_mutex_init(&queue->mutex, NULL);
  queue->backend = &backend->table;
  queue->ops = backend->table.ops;
  queue->device = info.device;
  queue->f64 = info.f64 != 0;
  queue->host_memory = (backend->table.flags & PZ_BACKEND_HOST_MEMORY) != 0;
  queue->async = (backend->table.flags & PZ_BACKEND_ASYNC) != 0;
  strncpy(queue->name, name, sizeof(queue->name) - 1);
  pzi_arena_init(&queue->scratch, queue);
  pzi_arena_init(&queue->staging, NULL);

  const uint64_t before = pzi_fail_count();
  pz_status status =
      pzi_queue_judge(queue, backend->table.open(pzi_backend_host(), index, native, &queue->handle),
                      before, "open");
  if (status != PZ_OK) {
    queue->handle = NULL;
    goto failed;
  }
  status = fault_new_held(queue, &queue->fault);
  if (status != PZ_OK) {
    goto failed;
  }
  status = pzi_op_counts_new(queue);
  if (status != PZ_OK) {
    goto failed;
  }
  queue->context = pzi_context_retain(context);
  queue->host = open_host(context, backend->table.id);
  *out = queue;
  return PZ_OK;

failed:
  pzi_queue_release(queue);
  return status;
}

pz_queue*
pzi_queue_retain(pz_queue* const queue)
{
  if (queue) {
    atomic_fetch_add_explicit(&queue->references, 1, memory_order_relaxed);
  }
  return queue;
}

void
pzi_queue_release(pz_queue* const queue)
{
  if (!queue || atomic_fetch_sub_explicit(&queue->references, 1, memory_order_acq_rel) != 1) {
    return;
  }
  if (queue->handle) {
    pzi_queue_free_held(queue, queue->fault.data);
    pzi_arena_cleanup(&queue->scratch);
    queue->backend->close(queue->handle);
  }
  pzi_arena_cleanup(&queue->staging);
  pzi_op_counts_free(queue);
  pzi_queue_release(queue->host);
  pzi_lanes_close(queue);
  (void)pthread_mutex_destroy(&queue->mutex);
  if (queue->context) {
    pzi_context_release(queue->context);
  }
  free(queue);
}

void
pz_queue_close(pz_queue* const queue)
{
  pzi_queue_release(queue);
}

const char*
pz_queue_device(const pz_queue* const queue, pz_device* const device)
{
  if (device) {
    *device = queue->device;
  }
  return queue->name;
}

void
pz_queue_forbid_host_fallback(pz_queue* const queue, const bool forbid)
{
  queue->forbid_host = forbid;
  for (uint32_t k = 0; pzi_lane_at(queue, k); ++k) {
    pzi_lane_at(queue, k)->forbid_host = forbid;
  }
}
