/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arenas: memory taken in order and released back to a mark.

   A request is served by the first chunk, from the current one on, that has room. Skipped chunks
   stay unused until the arena is released to a mark before them. So a repeated pattern of requests
   uses the same chunks in the same order and allocates nothing. A new chunk doubles the memory of
   the arena, hence the number of chunks grows with the logarithm of the bytes. */

#include "arena.h"

#include "array.h"
#include "shape.h"
#include "spec_text.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum {
  ALIGNMENT = 64,
  FIRST_CHUNK = 16384, /* bytes */
  MAX_CHUNKS = 1 << 15,
};

static pz_status
chunk_alloc(const pzi_arena* const arena, const size_t bytes, void** const out)
{
  const pzi_allocator* const from = arena->allocator;
  if (from) {
    return from->alloc(from->owner, bytes, out);
  }
  *out = aligned_alloc(ALIGNMENT, bytes);
  return *out ? PZ_OK : pzi_no_memory(bytes);
}

static void
chunk_free(const pzi_arena* const arena, void* const data)
{
  if (arena->allocator) {
    arena->allocator->free(arena->allocator->owner, data);
  } else {
    free(data);
  }
}

void
pzi_arena_init(pzi_arena* const arena, const pzi_allocator* const allocator)
{
  *arena = (pzi_arena){.allocator = allocator};
}

void
pzi_arena_cleanup(pzi_arena* const arena)
{
  for (size_t k = 0; k < arena->n_chunks; ++k) {
    chunk_free(arena, arena->chunks[k].data);
  }
  free(arena->chunks);
  pzi_arena_init(arena, arena->allocator);
}

/* Appends a chunk of at least `bytes` and makes it the current one. */
static pz_status
grow(pzi_arena* const arena, const size_t bytes)
{
  if (arena->n_chunks == MAX_CHUNKS) {
    return pzi_no_memory(bytes);
  }
  size_t size = arena->bytes > FIRST_CHUNK ? (size_t)arena->bytes : FIRST_CHUNK;
  size = size > bytes ? size : bytes;

  PZ_TRY(pzi_array_reserve(&arena->chunks, arena->n_chunks, 1, sizeof(*arena->chunks)));
  void* data = NULL;
  PZ_TRY(chunk_alloc(arena, size, &data));
  arena->current = arena->n_chunks++;
  arena->chunks[arena->current] = (pzi_chunk){.data = data, .size = size};
  arena->bytes += size;
  arena->allocations += 1;
  return PZ_OK;
}

pz_status
pzi_arena_take(pzi_arena* const arena, const size_t bytes, void** const data,
               uint64_t* const byte_offset)
{
  if (bytes >= (size_t)1 << (PZI_ARENA_MARK_BITS - 1)) {
    return pzi_no_memory(bytes);
  }
  /* 0 bytes take memory too, so that no two results are the same. */
  const size_t need = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

  size_t k = arena->current;
  while (k < arena->n_chunks && arena->chunks[k].size - arena->chunks[k].used < need) {
    ++k;
  }
  if (k < arena->n_chunks) {
    arena->current = k;
  } else {
    PZ_TRY(grow(arena, need));
  }
  pzi_chunk* const chunk = &arena->chunks[arena->current];
  const size_t offset = chunk->used;
  chunk->used += need;
  if (!arena->allocator || arena->allocator->host_memory) {
    *data = (char*)chunk->data + offset;
    *byte_offset = 0;
  } else {
    *data = chunk->data;
    *byte_offset = offset;
  }
  return PZ_OK;
}

pz_status
pzi_arena_tensor(pzi_arena* const arena, pzi_arena* const shapes, const pz_spec* const spec,
                 pz_tensor* const out)
{
  size_t bytes = 0;
  if (!pzi_shape_spec_bytes(spec, &bytes)) {
    char text[PZI_SPEC_TEXT];
    return pzi_fail(PZ_INVALID, "%s is beyond any memory", pzi_spec_text(spec, text));
  }
  void* shape = NULL;
  void* data = NULL;
  uint64_t offset = 0;
  PZ_TRY(pzi_arena_take(shapes, sizeof(spec->shape), &shape, &offset));
  PZ_TRY(pzi_arena_take(arena, bytes, &data, &offset));
  memcpy(shape, spec->shape, sizeof(spec->shape));

  *out = pz_host_tensor(spec->dtype, data, spec->ndim, (const int64_t*)shape);
  out->byte_offset = offset;
  if (arena->allocator) {
    out->device = arena->allocator->device;
  }
  return PZ_OK;
}
