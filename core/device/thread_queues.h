/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Queues of threads: further queues on the device of a queue in host memory, one for each thread,
   so that evaluations that share the queue run in parallel, each with its own scratch. Tensors
   belong to the shared queue. */

#ifndef PZI_THREAD_QUEUES_H
#define PZI_THREAD_QUEUES_H

#include "queue.h"

/* The queue of thread k + 1, or NULL. Once opened it stays until the queue is released. */
static inline pz_queue*
pzi_thread_queue_at(const pz_queue* const queue, const uint32_t k)
{
  return k < PZI_THREAD_POOL_MAX - 1
             ? atomic_load_explicit(&queue->thread_queue[k], memory_order_acquire)
             : NULL;
}

/* Opens the queues of `threads` threads; the first one uses `queue` itself. Opens none on devices
   that are asynchronous or not in host memory. [any thread] */
pz_status pzi_thread_queues_open(pz_queue* queue, uint32_t threads);

/* Sets the caller's index among the threads of a loop, 0 outside of loops: its evaluations use
   that thread's queue. */
void pzi_thread_queue_choose(uint32_t thread);

/* The queue of the calling thread, or `queue` where the thread has none. */
pz_queue* pzi_thread_queue(pz_queue* queue);

#endif /* PZI_THREAD_QUEUES_H */
