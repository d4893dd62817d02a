/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Work of one queue on memory of others: after the work that those have, before the work that they
   get. */

#ifndef PZI_QUEUE_ORDER_H
#define PZI_QUEUE_ORDER_H

#include "queue.h"

enum { PZI_ORDER_MAX = PZ_KERNEL_MAX_ARGS };

/* The other queues that allocated the memory of some tensors. */
typedef struct pzi_queue_order {
  pz_queue* queue;
  uint32_t n;
  pz_queue* others[PZI_ORDER_MAX]; /* retained, each once */
} pzi_queue_order;

/* Lets the work that `queue` gets next wait for the other queues. Entries of the n <= PZI_ORDER_MAX
   tensors may be NULL. pzi_queue_order_end must follow, also on failure. */
pz_status pzi_queue_order_begin(pzi_queue_order* order, pz_queue* queue, uint32_t n,
                                const pz_tensor* const* tensors);

/* Lets the other queues wait for `queue` if `status` is PZ_OK; the status of it all. */
pz_status pzi_queue_order_end(pzi_queue_order* order, pz_status status);

#endif /* PZI_QUEUE_ORDER_H */
