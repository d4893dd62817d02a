/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A queue runs one operation at a time. In host memory only the shared scratch requires that, so
   every further thread gets its own queue on the same device. It stays open as long as the queue
   that it was opened for. */

#include "thread_queues.h"

static _Thread_local uint32_t chosen;

/* Mutex held. */
static pz_status
open_held(pz_queue* const queue, const uint32_t n)
{
  for (uint32_t k = 0; k < n; ++k) {
    if (!pzi_thread_queue_at(queue, k)) {
      pz_queue* opened = NULL;
      PZ_TRY(
          pzi_queue_new(queue->context, queue->loaded, queue->index, queue->name, NULL, &opened));
      opened->forbid_host = queue->forbid_host;
      atomic_store_explicit(&queue->thread_queue[k], opened, memory_order_release);
    }
  }
  return PZ_OK;
}

pz_status
pzi_thread_queues_open(pz_queue* const queue, const uint32_t threads)
{
  const uint32_t n = threads < PZI_THREAD_POOL_MAX ? threads : PZI_THREAD_POOL_MAX;
  if (!queue->host_memory || queue->async || n < 2 || pzi_thread_queue_at(queue, n - 2)) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = open_held(queue, n - 1);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

void
pzi_thread_queue_choose(const uint32_t thread)
{
  chosen = thread;
}

pz_queue*
pzi_thread_queue(pz_queue* const queue)
{
  pz_queue* const own = chosen > 0 ? pzi_thread_queue_at(queue, chosen - 1) : NULL;
  return own ? own : queue;
}
