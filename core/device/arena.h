/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Memory handed out in order and given back to a mark. */

#ifndef PZI_ARENA_H
#define PZI_ARENA_H

#include <parametrize/types.h>

#include <stdbool.h>

/* Where an arena takes its chunks from. */
typedef struct pzi_allocator {
  pz_status (*alloc)(void* owner, size_t bytes, void** out);
  void (*free)(void* owner, void* data);
  void* owner;
  pz_device device;
  bool host_memory; /* handles are addresses */
} pzi_allocator;

/* Chunks never move and are kept across resets, so a repeated pattern of requests allocates
   nothing. */
typedef struct pzi_chunk pzi_chunk;

typedef struct pzi_arena {
  const pzi_allocator* allocator; /* borrowed; NULL: host memory */
  pzi_chunk* chunks;
  size_t n_chunks;
  size_t current; /* chunk in use */
  uint64_t bytes; /* held */
  uint64_t allocations;
} pzi_arena;

/* Allocates nothing. The allocator must outlive the arena. */
void pzi_arena_init(pzi_arena* arena, const pzi_allocator* allocator);
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

#endif /* PZI_ARENA_H */
