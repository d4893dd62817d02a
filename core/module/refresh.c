/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Computes many values in one call. Threads take the values in any order. One thread computes each
   value, from operands that no thread changes. */

#include "array.h"
#include "gate.h"
#include "thread_pool.h"
#include "thread_queues.h"
#include "value.h"
#include "walk.h"

#include <stdlib.h>

typedef struct work {
  pz_slot** slots;
  size_t n;
} work;

static pz_status
add_slot(pz_slot* const slot, void* const user)
{
  work* const w = user;
  if (!slot->parametrized || !pzi_value_read_caches(slot) ||
      atomic_load_explicit(&slot->parametrized->ready, memory_order_relaxed)) {
    return PZ_OK;
  }
  PZ_TRY(pzi_array_reserve(&w->slots, w->n, 1, sizeof(pz_slot*)));
  w->slots[w->n++] = slot;
  return PZ_OK;
}

/* Removes a computed value from the work. The slot keeps the reason of a failure. */
static void
compute(void* const context, const int64_t k, const uint32_t thread)
{
  const work* const w = context;
  pz_tensor value;
  pzi_thread_queue_choose(thread);
  if (pzi_value_get(w->slots[k], &value) == PZ_OK) {
    w->slots[k] = NULL;
  }
  pzi_thread_queue_choose(0);
}

static pz_status
compute_all(work* const w, const uint32_t given)
{
  const uint32_t threads = w->n < given ? (uint32_t)w->n : given; /* no thread queue without work */
  for (size_t k = 0; k < w->n && threads > 1; ++k) {
    PZ_TRY(pzi_thread_queues_open(w->slots[k]->module->queue, threads));
  }
  pzi_thread_pool_run(threads, (int64_t)w->n, compute, w);
  for (size_t k = 0; k < w->n; ++k) {
    pz_tensor value;
    PZ_TRY(w->slots[k] ? pzi_value_get(w->slots[k], &value) : PZ_OK);
  }
  return PZ_OK;
}

pz_status
pz_module_refresh(pz_module* const module, const uint32_t threads)
{
  work w = {0};
  PZ_TRY(pzi_gate_exclusive_begin(module));
  const uint32_t given = threads > 0 ? threads : pzi_thread_pool_processors();
  pz_status status = pzi_walk_slots(module, add_slot, &w);
  if (status == PZ_OK) {
    status = compute_all(&w, module->queue->host_memory ? given : 1);
  }
  free(w.slots);
  pzi_gate_exclusive_end(module);
  return status;
}
