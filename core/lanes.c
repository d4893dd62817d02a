/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Lanes of a queue. A queue does one operation at a time; in host memory nothing but its
   scratch asks for that, so every further thread gets a queue of its own on the same device.
   Lanes come and never go while the queue is there: whoever finds one may use it. */

#include "queue.h"
#include "workers.h"

#include "status.h"

#include <stdlib.h>

struct pzi_lanes {
  pz_queue* _Atomic queue[PZI_MOST_THREADS - 1];
};

static _Thread_local uint32_t chosen;

pz_queue*
pzi_lane_at(const pz_queue* const queue, const uint32_t k)
{
  const struct pzi_lanes* const lanes = atomic_load_explicit(&queue->lanes, memory_order_acquire);
  return lanes && k < PZI_MOST_THREADS - 1
             ? atomic_load_explicit(&lanes->queue[k], memory_order_acquire)
             : NULL;
}

/* Lanes of one queue are opened by one thread at a time. */
static pz_status
open_held(pz_queue* const queue, const uint32_t n)
{
  struct pzi_lanes* lanes = atomic_load_explicit(&queue->lanes, memory_order_relaxed);
  if (!lanes) {
    lanes = calloc(1, sizeof(*lanes));
    if (!lanes) {
      return pzi_no_memory(sizeof(*lanes));
    }
    atomic_store_explicit(&queue->lanes, lanes, memory_order_release);
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (!pzi_lane_at(queue, k)) {
      pz_queue* lane = NULL;
      PZ_TRY(pz_queue_open(queue->context, queue->name, &lane));
      lane->forbid_host = queue->forbid_host;
      atomic_store_explicit(&lanes->queue[k], lane, memory_order_release);
    }
  }
  return PZ_OK;
}

pz_status
pzi_lanes_open(pz_queue* const queue, const uint32_t threads)
{
  const uint32_t n = threads < PZI_MOST_THREADS ? threads : PZI_MOST_THREADS;
  if (!queue->host_memory || queue->async || n < 2 || pzi_lane_at(queue, n - 2)) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = open_held(queue, n - 1);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

void
pzi_lanes_close(pz_queue* const queue)
{
  for (uint32_t k = 0; k < PZI_MOST_THREADS - 1; ++k) {
    pzi_queue_release(pzi_lane_at(queue, k));
  }
  free(atomic_load_explicit(&queue->lanes, memory_order_relaxed));
}

void
pzi_lane_choose(const uint32_t thread)
{
  chosen = thread;
}

pz_queue*
pzi_lane(pz_queue* const queue)
{
  pz_queue* const lane = chosen > 0 ? pzi_lane_at(queue, chosen - 1) : NULL;
  return lane ? lane : queue;
}
