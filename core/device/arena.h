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
typedef struct pzi_chunk {
  void* data;
  size_t size;
  size_t used;
} pzi_chunk;

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

/* A mark is (chunk << 48 | bytes used in it); 0 is the empty arena. Inline: every operation and
   every callback sets one and goes back to it. */
enum { PZI_ARENA_MARK_BITS = 48 };

static inline uint64_t
pzi_arena_mark(const pzi_arena* const arena)
{
  return arena->n_chunks == 0
             ? 0
             : (uint64_t)arena->current << PZI_ARENA_MARK_BITS | arena->chunks[arena->current].used;
}

static inline void
pzi_arena_release(pzi_arena* const arena, const uint64_t mark)
{
  if (arena->n_chunks == 0) {
    return;
  }
  const size_t chunk = (size_t)(mark >> PZI_ARENA_MARK_BITS);
  for (size_t k = chunk + 1; k <= arena->current; ++k) {
    arena->chunks[k].used = 0;
  }
  arena->current = chunk;
  arena->chunks[chunk].used = (size_t)(mark & (((uint64_t)1 << PZI_ARENA_MARK_BITS) - 1));
}

#endif /* PZI_ARENA_H */
