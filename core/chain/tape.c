/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Two growing arrays: saved tensors and saved host records. */

#include "tape.h"

#include "array.h"

#include <stdlib.h>

/* Makes room for one more element of `size` bytes. */
static pz_status
grow(pzi_tape* const tape, void* const array, uint32_t* const capacity, const uint32_t n,
     const size_t size)
{
  if (n < *capacity) {
    return PZ_OK;
  }
  PZ_TRY(pzi_array_reserve(array, n, n + 8, size));
  *capacity = 2 * n + 8;
  ++tape->allocations;
  return PZ_OK;
}

pz_status
pzi_tape_tensor(pzi_tape* const tape, pzi_tensor_arena* const arena, const pz_spec* const spec,
                pz_tensor* const out)
{
  PZ_TRY(
      grow(tape, &tape->tensors, &tape->tensor_capacity, tape->n_tensors, sizeof(*tape->tensors)));
  PZ_TRY(pzi_tensor_arena_take(arena, spec, out));
  tape->tensors[tape->n_tensors++] = *out;
  return PZ_OK;
}

pz_status
pzi_tape_record(pzi_tape* const tape, pzi_tensor_arena* const arena, const size_t bytes,
                void** const out)
{
  PZ_TRY(
      grow(tape, &tape->records, &tape->record_capacity, tape->n_records, sizeof(*tape->records)));
  PZ_TRY(pzi_tensor_arena_record(arena, bytes, out));
  tape->records[tape->n_records++] = *out;
  return PZ_OK;
}

void
pzi_tape_cleanup(pzi_tape* const tape)
{
  free(tape->tensors);
  free(tape->records);
}
