/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A search tree of all allocations of asynchronous queues, by device and address. An allocation is
   the addresses from `first` to `last`; two handles never share memory, so a handle is one
   address. Ranges in the tree are disjoint, and a search with one address finds its range. */

#include "memory_owners.h"

#include "status.h"

#include <search.h>
#include <stdlib.h>

typedef struct range {
  pz_device device;
  uintptr_t first;
  uintptr_t last;
  pz_queue* owner; /* borrowed: it frees its memory before it ends */
} range;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void* ranges;

static int
compare(const void* const a, const void* const b)
{
  const range* const x = a;
  const range* const y = b;
  if (x->device.type != y->device.type) {
    return x->device.type < y->device.type ? -1 : 1;
  }
  if (x->device.id != y->device.id) {
    return x->device.id < y->device.id ? -1 : 1;
  }
  return x->last < y->first ? -1 : x->first > y->last ? 1 : 0;
}

pz_status
pzi_memory_owners_add(pz_queue* const queue, void* const data, const size_t bytes)
{
  if (!queue->async) {
    return PZ_OK;
  }
  range* const r = malloc(sizeof(*r));
  if (!r) {
    return pzi_no_memory(sizeof(*r));
  }
  const uintptr_t first = (uintptr_t)data;
  *r = (range){queue->device, first, first + (queue->addresses ? bytes - 1 : 0), queue};
  pthread_mutex_lock(&mutex);
  const bool added = tsearch(r, &ranges, compare) != NULL;
  pthread_mutex_unlock(&mutex);
  if (!added) {
    free(r);
    return pzi_no_memory(sizeof(*r));
  }
  return PZ_OK;
}

/* The range that contains an address, or NULL. Mutex held. */
static range*
find(const pz_device device, void* const data)
{
  const range key = {device, (uintptr_t)data, (uintptr_t)data, NULL};
  range* const* const node = tfind(&key, &ranges, compare);
  return node ? *node : NULL;
}

void
pzi_memory_owners_remove(const pz_queue* const queue, void* const data)
{
  if (!queue->async) {
    return;
  }
  pthread_mutex_lock(&mutex);
  range* const r = find(queue->device, data);
  if (r && r->owner == queue) {
    (void)tdelete(r, &ranges, compare);
    free(r);
  }
  pthread_mutex_unlock(&mutex);
}

/* A reference to a queue, or NULL if its last one has been released. */
static pz_queue*
retain_open(pz_queue* const queue)
{
  unsigned n = atomic_load_explicit(&queue->references, memory_order_relaxed);
  while (n > 0 && !atomic_compare_exchange_weak_explicit(
                      &queue->references, &n, n + 1, memory_order_relaxed, memory_order_relaxed)) {
  }
  return n > 0 ? queue : NULL;
}

/* Finds the other queue, retained if `retain`. */
static pz_queue*
other_queue(const pz_queue* const queue, const pz_tensor* const tensor, const bool retain)
{
  pz_queue* other = NULL;
  if (!queue->async || tensor->device.type == PZ_DEVICE_CPU || !tensor->data) {
    return NULL;
  }
  pthread_mutex_lock(&mutex);
  const range* const r = find(tensor->device, tensor->data);
  if (r && r->owner != queue) {
    other = retain ? retain_open(r->owner) : r->owner;
  }
  pthread_mutex_unlock(&mutex);
  return other;
}

pz_queue*
pzi_memory_owners_other(const pz_queue* const queue, const pz_tensor* const tensor)
{
  return other_queue(queue, tensor, true);
}

bool
pzi_memory_owners_is_other(const pz_queue* const queue, const pz_tensor* const tensor)
{
  return other_queue(queue, tensor, false) != NULL;
}
