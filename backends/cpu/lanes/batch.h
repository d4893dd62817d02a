/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Batches, as many matrices at a time as there are lanes. */

#ifndef CPU_BATCH_H
#define CPU_BATCH_H

#include "lane.h"

#include <parametrize/backend.h>

#include <stdbool.h>

/* Do so many matrices fill lanes enough? */
static inline bool
lanes_are_filled(const int64_t n_matrices)
{
  return 2 * n_matrices >= LANES;
}

/* `count` matrices, as many as there are lanes at most, from `first` on; `memory` is the thread's own. */
typedef void lane_group(const void* context, int64_t first, int64_t count, lane* memory);

/* Calls `group` for a whole batch, on threads with `vectors` of memory each; one matrix takes
   about so many nanoseconds. */
pz_status TYPED(lane_loop)(pz_backend_queue* q, int64_t n_matrices, int64_t lanes, int64_t vectors,
                           double nanoseconds, lane_group* group, const void* context);

#endif /* CPU_BATCH_H */
