/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Scratch of a queue: one block of memory for each use. */

#include "scratch.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

void*
cpu_allocate(const size_t bytes)
{
  const size_t rounded = (bytes + ALIGNMENT - 1U) & ~(size_t)(ALIGNMENT - 1U);
  return rounded < bytes ? NULL : aligned_alloc(ALIGNMENT, rounded);
}

void*
cpu_scratch(pz_backend_queue* const q, const cpu_scratch_use use, const size_t bytes)
{
  if (q->scratch_bytes[use] < bytes) {
    void* const larger = cpu_allocate(bytes);
    if (!larger) {
      return NULL;
    }
    free(q->scratch[use]);
    q->scratch[use] = larger;
    q->scratch_bytes[use] = bytes;
  }
  return q->scratch[use];
}

pz_status
cpu_no_memory(pz_backend_queue* const q)
{
  return q->host->fail(PZ_NO_MEMORY, "out of memory for scratch on the cpu");
}

pz_status
cpu_singular(pz_backend_queue* const q, const char* const what, const int64_t place)
{
  return q->host->fail(PZ_SINGULAR, "matrix %lld of the batch %s", (long long)place, what);
}
