/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Queues: open devices, and their memory (queue_memory.c). */

#ifndef PZI_QUEUE_H
#define PZI_QUEUE_H

#include "arena.h"
#include "context.h"
#include "forks.h"
#include "lookup.h"
#include "op.h"
#include "thread_pool.h"

#include <pthread.h>
#include <stdatomic.h>

/* A backend's queue, shared by reference. Every operation takes the mutex; one that runs on the
   host takes the mutex of `host` inside it, never the other way round. */
struct pz_queue {
  atomic_uint references;
  pz_context* context;
  const pzi_backend* loaded; /* the backend and its file */
  const pz_backend* backend; /* its table */
  pz_backend_queue* handle;
  uint32_t index; /* of the device in the backend */
  pz_queue* host; /* runs the operations that the backend lacks; may be NULL */
  pz_device device;
  bool f64;
  bool host_memory;
  bool addresses; /* `data` of its tensors are addresses, of the host or the device */
  bool native;    /* runs on the caller's own queue */
  bool may_show;  /* the host knows what its tensors are, see pzi_check_may_show */
  bool forbid_host;
  pthread_mutex_t mutex;
  bool async;
  uint32_t forks;                /* pzi_forks_count when it was opened */
  pz_fault fault;                /* of calls without a fault word of their own */
  pzi_arena scratch;             /* device memory for packing and compositions, under the mutex */
  pzi_arena staging;             /* host memory for copies, under the mutex */
  pzi_allocator allocator;       /* of device memory, takes the mutex */
  pzi_allocator allocator_held;  /* the same for a caller that holds the mutex */
  uint64_t counts[PZI_N_OPS][3]; /* calls by pz_route, under the mutex */
  pz_queue* _Atomic thread_queue[PZI_THREAD_POOL_MAX - 1]; /* thread_queues.h; NULL: not opened */
  char name[64];                                           /* "opencl:0" */
  pz_backend_ops ops[3];                                   /* full size, see pzi_queue_ops */
};

/* The operations of the backend on tensors of a dtype, all NULL if it has none. */
static inline const pz_backend_ops*
pzi_queue_ops(const pz_queue* const queue, const uint32_t dtype)
{
  return &queue->ops[dtype == PZ_F32 ? 0 : dtype == PZ_F64 ? 1 : 2];
}

/* Opens device `index` of a backend, on the caller's own queue if `native` is not NULL. `name` is
   what pz_queue_device returns. Unless it is "reference", the queue opens its own host queue. */
pz_status pzi_queue_new(pz_context* context, const pzi_backend* backend, uint32_t index,
                        const char* name, const void* native, pz_queue** out);

pz_queue* pzi_queue_retain(pz_queue* queue);
void pzi_queue_release(pz_queue* queue);

/* queue_memory.c, to the end of this header. Functions whose names do not end in `_held` take the
   mutex. 0 bytes give NULL. */
pz_status pzi_queue_alloc(pz_queue* queue, size_t bytes, void** out);
void pzi_queue_free(pz_queue* queue, void* data);

/* `_held`: for callers that hold the mutex. */
pz_status pzi_queue_alloc_held(pz_queue* queue, size_t bytes, void** out);
void pzi_queue_free_held(pz_queue* queue, void* data);

/* Copies bytes between device and host or on the device; `bytes` may be 0. */
pz_status pzi_queue_move_held(pz_queue* queue, pz_copy_kind kind, void* to, uint64_t to_offset,
                              const void* from, uint64_t from_offset, size_t bytes);

/* Waits for the device; returns at once on a synchronous one. */
pz_status pzi_queue_wait_held(pz_queue* queue);

/* PZ_DEVICE for an asynchronous queue that the parent of this process opened: drivers and their
   threads do not survive fork. Before every call of the backend, which may not return otherwise. */
pz_status pzi_queue_refuse_inherited(const pz_queue* queue);
static inline bool
pzi_queue_is_inherited(const pz_queue* const queue)
{
  return queue->async && queue->forks != pzi_forks_count();
}
static inline pz_status
pzi_queue_check_process(const pz_queue* const queue)
{
  return pzi_queue_is_inherited(queue) ? pzi_queue_refuse_inherited(queue) : PZ_OK;
}

/* Checks what a backend's entry returned: an unknown status becomes PZ_PLUGIN, and a failure
   without a message since pzi_fail_count() was `before` gets one. */
pz_status pzi_queue_check_status(const pz_queue* queue, pz_status status, uint64_t before,
                                 const char* what);

/* Fills bytes, a multiple of 4, with a word; and a C-contiguous tensor with zeros. */
pz_status pzi_queue_fill_held(pz_queue* queue, void* data, uint64_t offset, size_t bytes,
                              uint32_t word);
pz_status pzi_queue_fill(pz_queue* queue, void* data, uint64_t offset, size_t bytes, uint32_t word);
pz_status pzi_queue_zero(pz_queue* queue, const pz_tensor* tensor);

#endif /* PZI_QUEUE_H */
