/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "guards.h"

#include "array.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes between two guards. */
typedef struct pzi_guarded {
  void* data; /* as of a tensor */
  uint64_t offset;
  size_t bytes;
  bool record;         /* in the host arena */
  pzi_tensor_mark end; /* the arena's mark once it was taken */
} pzi_guarded;

typedef struct pzi_guards {
  pz_queue* queue; /* borrowed */
  const char* what;
  pzi_guarded* list; /* in the order of taking */
  uint32_t n;
  uint32_t capacity;
} pzi_guards;

pz_status
pzi_guards_add(pzi_tensor_arena* const arena, pz_queue* const queue, const char* const what)
{
  arena->guards = calloc(1, sizeof(*arena->guards));
  if (!arena->guards) {
    return pzi_no_memory(sizeof(*arena->guards));
  }
  arena->guards->queue = queue;
  arena->guards->what = what;
  return PZ_OK;
}

void
pzi_guards_remove(pzi_tensor_arena* const arena)
{
  if (arena->guards) {
    free(arena->guards->list);
    free(arena->guards);
    arena->guards = NULL;
  }
}

/* Forgets what was released, and makes room for one more. */
static pz_status
prepare(pzi_tensor_arena* const arena)
{
  pzi_guards* const guards = arena->guards;
  const pzi_tensor_mark now = pzi_tensor_arena_mark(arena);
  while (guards->n > 0 && (guards->list[guards->n - 1].end.device > now.device ||
                           guards->list[guards->n - 1].end.host > now.host)) {
    --guards->n;
  }
  if (guards->n == guards->capacity) {
    PZ_TRY(pzi_array_reserve(&guards->list, guards->n, guards->n + 8, sizeof(*guards->list)));
    guards->capacity = 2 * guards->n + 8;
  }
  return PZ_OK;
}

/* Four bytes of a guard: 3.004 as a float32, 32.502 as half of a float64. */
static const uint32_t guard_word = 0x40404040;
static const unsigned char guard_byte = 0x40;

/* Fills `bytes` from `at` bytes behind the beginning of `one`, which may be before it, with a word that
   repeats a byte. */
static pz_status
fill(const pzi_guards* const guards, const pzi_guarded* const one, const int64_t at,
     const size_t bytes, const uint32_t word)
{
  char* const data = (char*)one->data + at;
  if (one->record) {
    memset(data, (int)(word & 0xffU), bytes);
    return PZ_OK;
  }
  if (bytes == 0) {
    return PZ_OK;
  }
  return guards->queue->host_memory
             ? pzi_queue_fill(guards->queue, data, 0, bytes, word)
             : pzi_queue_fill(guards->queue, one->data, one->offset + (uint64_t)at, bytes, word);
}

static pz_status
add(pzi_tensor_arena* const arena, const pzi_guarded* const one)
{
  pzi_guards* const guards = arena->guards;
  guards->list[guards->n] = *one;
  guards->list[guards->n++].end = pzi_tensor_arena_mark(arena);
  PZ_TRY(fill(guards, one, -PZI_GUARD, PZI_GUARD, guard_word));
  PZ_TRY(fill(guards, one, 0, one->bytes, PZI_BLANK));
  return fill(guards, one, (int64_t)one->bytes, PZI_GUARD, guard_word);
}

pz_status
pzi_guards_take(pzi_tensor_arena* const arena, const pz_spec* const spec, pz_tensor* const out)
{
  const size_t size = pz_dtype_size(spec->dtype);
  const int64_t n = pz_spec_count(spec);
  const int64_t extent = n + 2 * PZI_GUARD / (int64_t)size;
  const pz_spec longer = pz_spec_make(spec->dtype, 1, &extent);
  PZ_TRY(prepare(arena));
  PZ_TRY(pzi_arena_tensor(&arena->device, &arena->host, &longer, out));
  memcpy((int64_t*)out->shape, spec->shape, sizeof(spec->shape)); /* the arena's memory */
  out->ndim = spec->ndim;
  if (arena->guards->queue->host_memory) {
    out->data = (char*)out->data + PZI_GUARD;
  } else {
    out->byte_offset += PZI_GUARD;
  }
  return add(arena, &(pzi_guarded){
                        .data = out->data, .offset = out->byte_offset, .bytes = (size_t)n * size});
}

pz_status
pzi_guards_record(pzi_tensor_arena* const arena, const size_t bytes, void** const out)
{
  uint64_t offset = 0; /* stays 0 for host memory */
  void* whole = NULL;
  if (bytes > SIZE_MAX - 2 * (size_t)PZI_GUARD) {
    return pzi_no_memory(bytes);
  }
  PZ_TRY(prepare(arena));
  PZ_TRY(pzi_arena_take(&arena->host, bytes + 2 * (size_t)PZI_GUARD, &whole, &offset));
  *out = (char*)whole + PZI_GUARD;
  return add(arena, &(pzi_guarded){.data = *out, .bytes = bytes, .record = true});
}

/* ---- looking ---------------------------------------------------------------------------- */

/* Reads the guard at `at`, as in fill. */
static pz_status
look(const pzi_guards* const guards, const pzi_guarded* const one, const int64_t at,
     unsigned char bytes[PZI_GUARD])
{
  if (one->record || guards->queue->host_memory) {
    memcpy(bytes, (const char*)one->data + at, PZI_GUARD);
    return PZ_OK;
  }
  pthread_mutex_lock(&guards->queue->mutex);
  const pz_status status = pzi_queue_move_held(guards->queue, PZ_DEVICE_TO_HOST, bytes, 0,
                                               one->data, one->offset + (uint64_t)at, PZI_GUARD);
  pthread_mutex_unlock(&guards->queue->mutex);
  return status;
}

static bool
is_whole(const unsigned char bytes[PZI_GUARD])
{
  for (int k = 0; k < PZI_GUARD; ++k) {
    if (bytes[k] != guard_byte) {
      return false;
    }
  }
  return true;
}

pz_status
pzi_guards_check(pzi_tensor_arena* const arena, char text[PZI_GUARD_TEXT])
{
  unsigned char bytes[PZI_GUARD];
  pzi_guards* const guards = arena->guards;
  PZ_TRY(prepare(arena));
  text[0] = '\0';
  for (uint32_t k = 0; k < guards->n; ++k) {
    const pzi_guarded* const one = &guards->list[k];
    for (int side = 0; side < 2; ++side) {
      const int64_t at = side == 0 ? -PZI_GUARD : (int64_t)one->bytes;
      PZ_TRY(look(guards, one, at, bytes));
      if (!is_whole(bytes)) {
        if (text[0] == '\0') {
          (void)snprintf(text, PZI_GUARD_TEXT, "wrote %s %s of %zu bytes",
                         side == 0 ? "before" : "behind", guards->what, one->bytes);
        }
        PZ_TRY(fill(guards, one, at, PZI_GUARD, guard_word));
      }
    }
  }
  return PZ_OK;
}
