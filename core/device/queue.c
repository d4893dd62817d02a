/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Queues: open devices, shared by reference, each with its host queue.

   Locks: every call of the backend holds the queue's mutex; an operation that runs on the host
   takes the host queue's mutex inside it. The host of an accelerator is "cpu" where that can be
   opened, the host of "cpu" is "reference", which has none. So locks are always taken in this
   order. */

#include "queue.h"

#include "descriptor.h"
#include "device_list.h"
#include "device_text.h"
#include "fault.h"
#include "status.h"
#include "thread_queues.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Opens the queue for operations that the backend lacks. NULL is no error here: such operations
   then return PZ_UNSUPPORTED. PZ_NO_MEMORY: "cpu" cannot be opened now. */
static pz_status
open_host(pz_context* const context, const char* const id, pz_queue** const out)
{
  static const char* const hosts[] = {"cpu", "reference"};
  *out = NULL;
  if (strcmp(id, "reference") == 0) {
    return PZ_OK;
  }
  for (size_t k = strcmp(id, "cpu") == 0 ? 1 : 0; k < sizeof(hosts) / sizeof(hosts[0]); ++k) {
    const pzi_backend* backend = NULL;
    pz_queue* queue = NULL;
    pz_status status = pzi_lookup_backend(context, hosts[k], &backend);
    if (status == PZ_OK) {
      status = pzi_queue_new(context, backend, 0, hosts[k], NULL, &queue);
    }
    if (status == PZ_NO_MEMORY) {
      return status;
    }
    if (queue && queue->host_memory) {
      *out = queue;
      return PZ_OK;
    }
    pz_queue_close(queue);
  }
  return PZ_OK;
}

static pz_status
probe_usable(const pzi_backend* const backend, const uint32_t index, const char* const name,
             pz_device_info* const info)
{
  const pz_status status = pzi_device_probe(backend, index, info);
  if (status == PZ_NOT_FOUND) {
    return pzi_fail(status, "found no device %s", name);
  }
  PZ_TRY(status);
  if (!info->usable) {
    return pzi_fail(PZ_DEVICE, "device %s cannot be used: %s", name,
                    info->reason[0] != '\0' ? info->reason : "its backend does not say why");
  }
  return PZ_OK;
}

/* ---- allocators of arenas ---------------------------------------------------- */

static pz_status
alloc_device(void* const owner, const size_t bytes, void** const out)
{
  return pzi_queue_alloc((pz_queue*)owner, bytes, out);
}

static void
free_device(void* const owner, void* const data)
{
  pzi_queue_free((pz_queue*)owner, data);
}

static pz_status
alloc_device_held(void* const owner, const size_t bytes, void** const out)
{
  return pzi_queue_alloc_held((pz_queue*)owner, bytes, out);
}

static void
free_device_held(void* const owner, void* const data)
{
  pzi_queue_free_held((pz_queue*)owner, data);
}

/* ---- operations -------------------------------------------------------------- */

/* Copies the backend's tables into full-size ones. */
static pz_status
copy_operations(pz_queue* const queue)
{
  static const uint32_t dtypes[] = {PZ_F32, PZ_F64, PZ_I64};
  for (int k = 0; k < 3 && queue->backend->operations; ++k) {
    const pz_backend_ops* const from = queue->f64 || dtypes[k] != PZ_F64
                                           ? queue->backend->operations(queue->handle, dtypes[k])
                                           : NULL;
    pz_backend_ops* const to = &queue->ops[k];
    if (!from) {
      continue;
    }
    if (from->size < offsetof(pz_backend_ops, copy) || from->size > PZI_LARGEST_TABLE) {
      return pzi_fail(PZ_PLUGIN, "%s: operations of %" PRIu32 " byte%s, expected at least %zu",
                      queue->name, from->size, PZI_S(from->size), offsetof(pz_backend_ops, copy));
    }
    memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
  }
  return PZ_OK;
}

/* ---- opening and closing ---------------------------------------------------- */

pz_status
pzi_queue_new(pz_context* const context, const pzi_backend* const backend, const uint32_t index,
              const char* const name, const void* const native, pz_queue** const out)
{
  pz_device_info info;
  PZ_TRY(probe_usable(backend, index, name, &info));

  pz_queue* const queue = (pz_queue*)calloc(1, sizeof(*queue));
  if (!queue) {
    return pzi_no_memory(sizeof(*queue));
  }
  atomic_init(&queue->references, 1);
  (void)pthread_mutex_init(&queue->mutex, NULL);
  queue->loaded = backend;
  queue->index = index;
  queue->backend = &backend->table;
  queue->device = info.device;
  queue->f64 = info.f64 != 0;
  queue->host_memory = info.memory == PZ_MEMORY_HOST;
  queue->addresses = queue->host_memory || info.memory == PZ_MEMORY_DEVICE;
  queue->native = native != NULL;
  queue->may_show = queue->host_memory || native || pzi_context_device_tensors(context);
  queue->async = (backend->table.flags & PZ_BACKEND_ASYNC) != 0;
  queue->forks = pzi_forks_count();
  strncpy(queue->name, name, sizeof(queue->name) - 1);
  queue->allocator = (pzi_allocator){
      .alloc = alloc_device,
      .free = free_device,
      .owner = queue,
      .device = queue->device,
      .host_memory = queue->host_memory,
  };
  queue->allocator_held = queue->allocator;
  queue->allocator_held.alloc = alloc_device_held;
  queue->allocator_held.free = free_device_held;
  pzi_arena_init(&queue->scratch, &queue->allocator_held);
  pzi_arena_init(&queue->staging, NULL);

  const uint64_t before = pzi_fail_count();
  pz_status status = pzi_queue_check_status(
      queue, backend->table.open(pzi_context_backend_host(), index, native, &queue->handle), before,
      "open");
  if (status != PZ_OK) {
    queue->handle = NULL;
    goto failed;
  }
  status = copy_operations(queue);
  if (status == PZ_OK) {
    status = pzi_fault_word_new_held(queue, &queue->fault);
  }
  if (status != PZ_OK) {
    goto failed;
  }
  queue->context = pzi_context_retain(context);
  status = open_host(context, backend->table.id, &queue->host);
  if (status != PZ_OK) {
    goto failed;
  }
  pzi_device_text_keep(queue->device, queue->name);
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
  if (queue->handle && !pzi_queue_is_inherited(queue)) {
    pzi_queue_free_held(queue, queue->fault.data);
    pzi_arena_cleanup(&queue->scratch);
    queue->backend->close(queue->handle);
  }
  pzi_arena_cleanup(&queue->staging);
  pzi_queue_release(queue->host);
  for (uint32_t k = 0; k < PZI_THREAD_POOL_MAX - 1; ++k) {
    pzi_queue_release(pzi_thread_queue_at(queue, k));
  }
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
  if (!queue) {
    (void)pzi_fail(PZ_INVALID, "found no queue");
    return "";
  }
  if (device) {
    *device = queue->device;
  }
  return queue->name;
}

void
pz_queue_forbid_host_fallback(pz_queue* const queue, const bool forbid)
{
  if (!queue) {
    (void)pzi_fail(PZ_INVALID, "found no queue");
    return;
  }
  queue->forbid_host = forbid;
  for (uint32_t k = 0; pzi_thread_queue_at(queue, k); ++k) {
    pzi_thread_queue_at(queue, k)->forbid_host = forbid;
  }
}
