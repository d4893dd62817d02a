/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "queue_order.h"

#include "memory_owners.h"

/* Lets later work of `after` wait for the work of `before` so far. */
static pz_status
put_in_order(pz_queue* const before, pz_queue* const after)
{
  pz_event* event = NULL;
  PZ_TRY(pz_queue_record(before, &event));
  const pz_status status = pz_queue_wait(after, event);
  pz_event_free(event);
  return status;
}

/* Adds a retained queue, which may be NULL. */
static void
add(pzi_queue_order* const order, pz_queue* const other)
{
  for (uint32_t k = 0; k < order->n && other; ++k) {
    if (order->others[k] == other) {
      pzi_queue_release(other);
      return;
    }
  }
  if (other) {
    order->others[order->n++] = other;
  }
}

pz_status
pzi_queue_order_begin(pzi_queue_order* const order, pz_queue* const queue, const uint32_t n,
                      const pz_tensor* const* const tensors)
{
  *order = (pzi_queue_order){.queue = queue};
  for (uint32_t k = 0; k < n; ++k) {
    if (tensors[k]) {
      add(order, pzi_memory_owners_other(queue, tensors[k]));
    }
  }
  for (uint32_t k = 0; k < order->n; ++k) {
    PZ_TRY(put_in_order(order->others[k], queue));
  }
  return PZ_OK;
}

pz_status
pzi_queue_order_end(pzi_queue_order* const order, pz_status status)
{
  for (uint32_t k = 0; k < order->n; ++k) {
    if (status == PZ_OK) {
      status = put_in_order(order->queue, order->others[k]);
    }
    pzi_queue_release(order->others[k]);
  }
  return status;
}
