/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Queues: an open device with its memory, and tensors that own theirs. */

#ifndef PZI_QUEUE_H
#define PZI_QUEUE_H

#include "context.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- arenas ---------------------------------------------------------------- */

/* Memory handed out in order and given back to a mark. Chunks never move; they are kept
   across resets, so a repeated pattern of requests allocates nothing. */
typedef struct pzi_chunk pzi_chunk;

typedef struct pzi_arena {
  pz_queue* queue; /* NULL: host memory */
  pzi_chunk* chunks;
  size_t n_chunks;
  size_t current; /* chunk in use */
  uint64_t bytes; /* held */
  uint64_t allocations;
} pzi_arena;

/* Does not retain the queue, allocates nothing. */
void pzi_arena_init(pzi_arena* arena, pz_queue* queue);
void pzi_arena_cleanup(pzi_arena* arena);

/* Takes `bytes` (0 gives a valid place of no extent), aligned to 64. Where handles are
   host pointers `*data` is the place itself and `*byte_offset` 0. */
pz_status pzi_arena_take(pzi_arena* arena, size_t bytes, void** data, uint64_t* byte_offset);

/* A tensor of `spec` in the arena, C-contiguous, its shape held by `shapes`, a host arena
   (may be the same arena). */
pz_status pzi_arena_tensor(pzi_arena* arena, pzi_arena* shapes, const pz_spec* spec,
                           pz_tensor* out);

uint64_t pzi_arena_mark(const pzi_arena* arena);
void pzi_arena_release(pzi_arena* arena, uint64_t mark); /* 0 gives back everything */

/* ---- queues ---------------------------------------------------------------- */

/* One backend queue shared by reference. Every operation takes the mutex. */
struct pz_queue {
  atomic_uint references;
  pz_context* context;
  const pz_backend* backend;
  const pz_backend_ops* ops; /* full size, never NULL */
  pz_backend_queue* handle;
  pz_queue* host; /* where what the backend lacks is done; NULL: this one */
  pz_device device;
  bool f64;
  bool host_memory;
  bool forbid_host;
  pthread_mutex_t mutex;
  pzi_arena scratch;   /* of compositions, under the mutex */
  struct pzi_op_counts* counts; /* ops.c */
  char name[64];       /* "opencl:0" */
};

pz_queue* pzi_queue_retain(pz_queue* queue);
void pzi_queue_release(pz_queue* queue);

/* Device memory; these and all below take the mutex themselves. bytes may be 0. */
pz_status pzi_queue_alloc(pz_queue* queue, size_t bytes, void** out);
void pzi_queue_free(pz_queue* queue, void* data);
pz_status pzi_queue_zero(pz_queue* queue, const pz_tensor* tensor); /* C-contiguous */

/* Is this tensor's memory what the queue's operations can take? */
bool pzi_queue_owns(const pz_queue* queue, const pz_tensor* tensor);

/* Copies between tensors of one spec, each a host tensor or on the queue's device, strides
   honoured on both sides; a device-to-host copy is complete on return. PZ_MISMATCH names
   both devices where one is neither. */
pz_status pzi_queue_copy(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

/* Checks a tensor that a host handed in: dtype known, 0 <= ndim <= PZ_MAX_DIMS, extents
   >= 0, count and byte range in 63 bits, data where there are elements, spec as expected
   (`expected` may be NULL), on the host or on the queue's device. Messages begin with
   `what`. */
pz_status pzi_check_tensor(const pz_queue* queue, const pz_tensor* tensor, const pz_spec* expected,
                           const char* what);

bool pzi_is_contiguous(const pz_tensor* tensor);

/* ---- storages -------------------------------------------------------------- */

/* A tensor that owns its memory, shared by reference: C-contiguous on one device. Or one
   bound to the host's own memory, in any layout. */
typedef struct pzi_storage {
  atomic_uint references;
  pz_queue* queue; /* retained */
  pz_spec spec;
  pz_tensor tensor; /* shape points into spec */
  int64_t strides[PZ_MAX_DIMS];
  bool bound;
} pzi_storage;

pz_status pzi_storage_new(pz_queue* queue, const pz_spec* spec, pzi_storage** out); /* zeroed */
pz_status pzi_storage_bound(pz_queue* queue, const pz_tensor* tensor, pzi_storage** out);
pzi_storage* pzi_storage_retain(pzi_storage* storage);
void pzi_storage_release(pzi_storage* storage);

#endif /* PZI_QUEUE_H */
