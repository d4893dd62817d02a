/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reports on operations: where each would run, and where its calls have run. */

#include "compose.h"
#include "op_table.h"
#include "sized_struct.h"
#include "status.h"
#include "thread_queues.h"

#include <inttypes.h>
#include <string.h>

static pz_route
start_route(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  if (pzi_op_native(queue, op, dtype)) {
    return PZ_ROUTE_NATIVE;
  }
  return pzi_compose_possible(queue, op, dtype) ? PZ_ROUTE_COMPOSED : PZ_ROUTE_HOST;
}

/* The route of a call, given what the host queue can do and whether it may be used. */
static uint32_t
reported_route(const pz_queue* const queue, const pzi_op op, const uint32_t dtype)
{
  const pz_route start = start_route(queue, op, dtype);
  if (start != PZ_ROUTE_HOST) {
    return start;
  }
  if (queue->forbid_host || !queue->host || pzi_op_native_only(op)) {
    return PZ_ROUTE_UNSUPPORTED;
  }
  return reported_route(queue->host, op, dtype) == PZ_ROUTE_UNSUPPORTED ? PZ_ROUTE_UNSUPPORTED
                                                                        : PZ_ROUTE_HOST;
}

static void
add_counts(pz_queue* const queue, const uint32_t index, uint64_t count[3])
{
  pthread_mutex_lock(&queue->mutex);
  for (int route = 0; route < 3; ++route) {
    count[route] += queue->counts[index][route];
  }
  pthread_mutex_unlock(&queue->mutex);
}

pz_status
pz_queue_op(pz_queue* const queue, const uint32_t index, pz_op_report* const out)
{
  if (!queue) {
    return pzi_fail(PZ_INVALID, "found no queue");
  }
  PZ_TRY(pzi_struct_check(out, "output"));
  if (index >= PZI_N_OPS) {
    return pzi_fail(PZ_NOT_FOUND, "found operation %" PRIu32 ", expected less than %d", index,
                    (int)PZI_N_OPS);
  }
  pz_op_report report = {
      .name = pzi_op_name((pzi_op)index),
      .f32 = reported_route(queue, (pzi_op)index, PZ_F32),
      .f64 = reported_route(queue, (pzi_op)index, PZ_F64),
  };
  add_counts(queue, index, report.count);
  for (uint32_t k = 0; pzi_thread_queue_at(queue, k); ++k) {
    add_counts(pzi_thread_queue_at(queue, k), index, report.count);
  }
  pzi_struct_write(out, &report, sizeof(report));
  return PZ_OK;
}
