/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arenas: memory taken in order and released back to a mark. */

#ifndef PZI_ARENA_H
#define PZI_ARENA_H

#include <parametrize/types.h>

#include <stdbool.h>

/* Allocates the chunks of an arena. */
typedef struct pzi_allocator {
  pz_status (*alloc)(void* owner, size_t bytes, void** out);
  void (*free)(void* owner, void* data);
  void* owner;
  pz_device device;
  bool host_memory; /* handles are addresses */
} pzi_allocator;

/* Chunks never move and stay allocated after a release, so a repeated pattern of requests
   allocates nothing. */
typedef struct pzi_chunk pzi_chunk;

typedef struct pzi_arena {
  const pzi_allocator* allocator; /* borrowed; NULL: host memory */
  pzi_chunk* chunks;
  size_t n_chunks;
  size_t current; /* chunk in use */
  uint64_t bytes; /* of all chunks */
  uint64_t allocations;
} pzi_arena;

/* Allocates nothing. The allocator must outlive the arena. */
void pzi_arena_init(pzi_arena* arena, const pzi_allocator* allocator);
void pzi_arena_cleanup(pzi_arena* arena);

/* Takes `bytes` (0 gives an address of its own), aligned to 64. In host memory `*data` is the
   address and `*byte_offset` 0; elsewhere `*data` is the handle of the chunk. */
pz_status pzi_arena_take(pzi_arena* arena, size_t bytes, void** data, uint64_t* byte_offset);

/* A C-contiguous tensor of `spec` in the arena. Its shape is stored in `shapes`, a host arena that
   may be the same one. */
pz_status pzi_arena_tensor(pzi_arena* arena, pzi_arena* shapes, const pz_spec* spec,
                           pz_tensor* out);

uint64_t pzi_arena_mark(const pzi_arena* arena);
void pzi_arena_release(pzi_arena* arena, uint64_t mark); /* 0: everything */

#endif /* PZI_ARENA_H */
