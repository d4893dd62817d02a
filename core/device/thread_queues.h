/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Further queues on the device of one in host memory, one for each thread, so that evaluations
   that share a queue run side by side, each with scratch of its own. Tensors stay the queue's. */

#ifndef PZI_THREAD_QUEUES_H
#define PZI_THREAD_QUEUES_H

#include "queue.h"

/* Opens the queues of `threads` threads, of which the first needs none. Opens none where
   operations may return before they are done. [any thread] */
pz_status pzi_thread_queues_open(pz_queue* queue, uint32_t threads);

/* Sets the caller's index among the threads of a loop, 0 outside of loops: its evaluations use
   that thread's queue. */
void pzi_thread_queue_choose(uint32_t thread);

/* The queue for the calling thread: its own one, or `queue` where it has none. */
pz_queue* pzi_thread_queue(pz_queue* queue);

#endif /* PZI_THREAD_QUEUES_H */
