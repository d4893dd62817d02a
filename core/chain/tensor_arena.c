/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A device arena and a host arena that are marked and released together. */

#include "tensor_arena.h"

#include "guards.h"

void
pzi_tensor_arena_init(pzi_tensor_arena* const arena, const pz_queue* const queue)
{
  pzi_arena_init(&arena->device, &queue->allocator);
  pzi_arena_init(&arena->host, NULL);
  arena->guards = NULL;
}

void
pzi_tensor_arena_cleanup(pzi_tensor_arena* const arena)
{
  pzi_arena_cleanup(&arena->device);
  pzi_arena_cleanup(&arena->host);
  pzi_guards_remove(arena);
}

pz_status
pzi_tensor_arena_take(pzi_tensor_arena* const arena, const pz_spec* const spec,
                      pz_tensor* const out)
{
  return arena->guards ? pzi_guards_take(arena, spec, out)
                       : pzi_arena_tensor(&arena->device, &arena->host, spec, out);
}

pz_status
pzi_tensor_arena_record(pzi_tensor_arena* const arena, const size_t bytes, void** const out)
{
  uint64_t offset = 0; /* stays 0 for host memory */
  return arena->guards ? pzi_guards_record(arena, bytes, out)
                       : pzi_arena_take(&arena->host, bytes, out, &offset);
}
