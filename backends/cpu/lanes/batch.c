/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A batch in parts, which threads share. */

#include "batch.h"

#include "libraries.h"
#include "scratch.h"
#include "view.h"

typedef struct loop {
  lane_group* group;
  const void* context;
  int64_t n_matrices;
  int64_t lanes;
  int64_t part; /* matrices in a part */
  int64_t vectors;
  lane* memory; /* for every thread */
} loop;

static void
run_part(void* const context, const int64_t k, const uint32_t thread)
{
  const loop* const l = context;
  const int64_t end = smaller((k + 1) * l->part, l->n_matrices);
  for (int64_t first = k * l->part; first < end; first += l->lanes) {
    l->group(l->context, first, smaller(l->lanes, end - first),
             l->memory + (int64_t)thread * l->vectors);
  }
}

pz_status
TYPED(lane_loop)(pz_backend_queue* const q, const int64_t n_matrices, const int64_t lanes,
                 const int64_t vectors, const double nanoseconds, lane_group* const group,
                 const void* const context)
{
  const uint32_t threads = cpu_threads(nanoseconds * (double)n_matrices);
  loop l = {
      .group = group,
      .context = context,
      .n_matrices = n_matrices,
      .lanes = lanes,
      .part = larger(1, 1024 / vectors) * lanes,
      .vectors = vectors,
      .memory = cpu_scratch(q, CPU_SCRATCH_LANES, (size_t)threads * (size_t)vectors * sizeof(lane)),
  };
  if (!l.memory) {
    return cpu_no_memory(q);
  }
  q->host->parallel(threads, (n_matrices + l.part - 1) / l.part, run_part, &l);
  return PZ_OK;
}
