/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory for tensors: elements on a queue's device, shapes and records on the host. */

#ifndef PZI_TENSOR_ARENA_H
#define PZI_TENSOR_ARENA_H

#include "queue.h"

typedef struct pzi_tensor_arena {
  pzi_arena device;
  pzi_arena host;
  struct pzi_guards* guards; /* guards.h; NULL: none */
} pzi_tensor_arena;

typedef struct pzi_tensor_mark {
  uint64_t device;
  uint64_t host;
} pzi_tensor_mark;

/* Allocates nothing. The queue must outlive the arena. */
void pzi_tensor_arena_init(pzi_tensor_arena* arena, const pz_queue* queue);
void pzi_tensor_arena_cleanup(pzi_tensor_arena* arena);

/* An uninitialized, C-contiguous tensor of `spec`. */
pz_status pzi_tensor_arena_take(pzi_tensor_arena* arena, const pz_spec* spec, pz_tensor* out);

/* Host memory of `bytes`. */
pz_status pzi_tensor_arena_record(pzi_tensor_arena* arena, size_t bytes, void** out);

/* Inline: every callback marks and releases scratch. */
static inline pzi_tensor_mark
pzi_tensor_arena_mark(const pzi_tensor_arena* const arena)
{
  return (pzi_tensor_mark){pzi_arena_mark(&arena->device), pzi_arena_mark(&arena->host)};
}

static inline void
pzi_tensor_arena_release(pzi_tensor_arena* const arena, const pzi_tensor_mark mark)
{
  pzi_arena_release(&arena->device, mark.device);
  pzi_arena_release(&arena->host, mark.host);
}

static inline void
pzi_tensor_arena_clear(pzi_tensor_arena* const arena)
{
  pzi_tensor_arena_release(arena, (pzi_tensor_mark){.device = 0, .host = 0});
}

#endif /* PZI_TENSOR_ARENA_H */
