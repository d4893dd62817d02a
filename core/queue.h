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

/* One backend queue shared by reference. Every operation takes the mutex; what has to run
   on the host takes that of `host` inside it, never the other way round. */
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
  bool async;
  pz_fault fault;                  /* of calls without a word of their own */
  pzi_arena scratch;               /* device memory of packing and compositions, under the mutex */
  pzi_arena staging;               /* host memory of copies, under the mutex */
  struct pzi_op_counts* counts;    /* route.c */
  struct pzi_lanes* _Atomic lanes; /* lanes.c; NULL before the first use */
  char name[64];                   /* "opencl:0" */
};

/* Opens device `index` of a backend, on the caller's own queue unless `native` is NULL;
   `name` as pz_queue_device gives it. The queue has a host queue of its own unless it is the
   reference. */
pz_status pzi_queue_new(pz_context* context, const pzi_backend* backend, uint32_t index,
                        const char* name, const void* native, pz_queue** out);

/* Lanes (lanes.c): further queues on the device of one in host memory, so that evaluations
   that share it run side by side, each with scratch of its own. Tensors stay the queue's.
   Opens those of `threads` threads, of which the first needs none; none where operations may
   return before they are done. [any thread] */
pz_status pzi_lanes_open(pz_queue* queue, uint32_t threads);
void pzi_lanes_close(pz_queue* queue);

/* Lane k of a queue, or NULL. */
pz_queue* pzi_lane_at(const pz_queue* queue, uint32_t k);

/* Says which thread of a loop the calling one is, 0 being any other; what it runs a queue's
   evaluations on is then that thread's lane, or the queue where there is none. */
void pzi_lane_choose(uint32_t thread);
pz_queue* pzi_lane(pz_queue* queue);

pz_queue* pzi_queue_retain(pz_queue* queue);
void pzi_queue_release(pz_queue* queue);

/* Device memory; these and all below take the mutex themselves. bytes 0 gives NULL. */
pz_status pzi_queue_alloc(pz_queue* queue, size_t bytes, void** out);
void pzi_queue_free(pz_queue* queue, void* data);

/* As above for a caller that holds the mutex. */
pz_status pzi_queue_alloc_held(pz_queue* queue, size_t bytes, void** out);
void pzi_queue_free_held(pz_queue* queue, void* data);

/* Bytes between device and host or on the device, for a caller that holds the mutex;
   bytes may be 0. */
pz_status pzi_queue_move_held(pz_queue* queue, pz_copy_kind kind, void* to, uint64_t to_offset,
                              const void* from, uint64_t from_offset, size_t bytes);

/* Waits for the device; free of cost where nothing is asynchronous. Mutex held. */
pz_status pzi_queue_settle_held(pz_queue* queue);

/* What a backend's entry returned: an unknown status is PZ_PLUGIN, and a failure that
   recorded nothing since pzi_fail_count() was `before` gets a sentence. */
pz_status pzi_queue_judge(const pz_queue* queue, pz_status status, uint64_t before,
                          const char* what);

/* A fault word of one's own: allocated and zero. */
pz_status pzi_fault_new(pz_queue* queue, pz_fault* out);
void pzi_fault_free(pz_queue* queue, pz_fault* fault);

/* Waits for the device, reports what an operation wrote into the word ("matrix 3 of the
   batch is singular") and clears it. Where nothing is asynchronous it returns at once. */
pz_status pzi_fault_check(pz_queue* queue, const pz_fault* fault);
pz_status pzi_queue_zero(pz_queue* queue, const pz_tensor* tensor); /* C-contiguous */

/* Is this tensor's memory what the queue's operations can take? */
bool pzi_queue_owns(const pz_queue* queue, const pz_tensor* tensor);

/* Copies between tensors of one spec, each a host tensor or on the queue's device, strides
   honoured on both sides; a device-to-host copy is complete on return. PZ_MISMATCH names
   both devices where one is neither. */
pz_status pzi_queue_copy(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

/* As above for checked, non-empty operands and a caller that holds the mutex and gives the
   scratch and staging arenas back afterwards. */
pz_status pzi_queue_copy_held(pz_queue* queue, const pz_tensor* from, const pz_tensor* to);

/* Checks a tensor that a host handed in: dtype known, 0 <= ndim <= PZ_MAX_DIMS, extents
   >= 0, count and byte range in 63 bits, data where there are elements, spec as expected
   (`expected` may be NULL), on the host or on the queue's device. Messages begin with
   `what`. */
pz_status pzi_check_tensor(const pz_queue* queue, const pz_tensor* tensor, const pz_spec* expected,
                           const char* what);

bool pzi_is_contiguous(const pz_tensor* tensor);

/* Bytes of a spec whose extents are >= 0; false beyond 62 bits. */
bool pzi_spec_bytes(const pz_spec* spec, size_t* out);

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

/* Can the device hold it? PZ_UNSUPPORTED for float64 where it has none. */
pz_status pzi_queue_check_dtype(const pz_queue* queue, uint32_t dtype);

/* Zeroed; of a dtype that the device has. */
pz_status pzi_storage_new(pz_queue* queue, const pz_spec* spec, pzi_storage** out);
pz_status pzi_storage_bound(pz_queue* queue, const pz_tensor* tensor, pzi_storage** out);
pzi_storage* pzi_storage_retain(pzi_storage* storage);
void pzi_storage_release(pzi_storage* storage);

#endif /* PZI_QUEUE_H */
