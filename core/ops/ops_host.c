/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Reading tensors into arrays of double on the host, and writing them from such arrays. */

#include "ops_table.h"

#include "check_tensor.h"
#include "op_entries.h"
#include "op_table.h"
#include "overlap.h"
#include "queue_copy.h"
#include "shape.h"
#include "status.h"

#include <parametrize/plugin.h>

static void
to_double(const pz_tensor* const from, double* const to, const int64_t n)
{
  const void* const data = (const char*)from->data + from->byte_offset;
  for (int64_t k = 0; k < n; ++k) {
    to[k] = from->dtype == PZ_F32   ? (double)((const float*)data)[k]
            : from->dtype == PZ_F64 ? ((const double*)data)[k]
                                    : (double)((const int64_t*)data)[k];
  }
}

static void
from_double(const double* const from, const pz_tensor* const to, const int64_t n)
{
  for (int64_t k = 0; k < n; ++k) {
    if (to->dtype == PZ_F32) {
      ((float*)to->data)[k] = (float)from[k];
    } else if (to->dtype == PZ_F64) {
      ((double*)to->data)[k] = from[k];
    } else {
      ((int64_t*)to->data)[k] = (int64_t)from[k];
    }
  }
}

/* Copies through a C-contiguous host tensor: from `in` to t, or from t to `out`. */
static pz_status
cross_held(pz_queue* const queue, const pz_tensor* const t, const double* const in,
           double* const out)
{
  const int64_t n = pz_count(t);
  pz_tensor host = *t;
  uint64_t offset = 0;
  PZ_TRY(pzi_queue_wait_held(queue));
  if (out && queue->host_memory && pzi_shape_is_contiguous(t)) {
    to_double(t, out, n);
    return PZ_OK;
  }
  PZ_TRY(pzi_arena_take(&queue->staging, (size_t)n * pz_dtype_size(t->dtype), &host.data, &offset));
  host = pz_host_tensor(t->dtype, host.data, t->ndim, t->shape);
  if (in) {
    from_double(in, &host, n);
    PZ_TRY(pzi_queue_copy_held(queue, &host, t));
    return pzi_queue_wait_held(queue);
  }
  PZ_TRY(pzi_queue_copy_held(queue, t, &host));
  to_double(&host, out, n);
  return PZ_OK;
}

static pz_status
cross(pz_call* const c, const pzi_op op, const pz_tensor* const t, const double* const in,
      double* const out)
{
  pz_queue* const queue = ((const pzi_frame*)c->reserved)->queue;
  if (!queue) {
    return pzi_fail(PZ_INVALID, "%s: found in plan, which has no data", pzi_op_name(op));
  }
  PZ_TRY(pzi_check_tensor(queue, t, NULL, pzi_op_name(op)));
  if (!pzi_check_owned(queue, t)) {
    return pzi_fail(PZ_MISMATCH, "%s: found on the host, expected on %s", pzi_op_name(op),
                    queue->name);
  }
  if (in && pzi_overlap_self(t)) {
    return pzi_fail(PZ_INVALID, "write: y names an element twice");
  }
  if (pz_count(t) == 0) {
    return PZ_OK;
  }
  pthread_mutex_lock(&queue->mutex);
  const uint64_t scratch = pzi_arena_mark(&queue->scratch);
  const uint64_t staging = pzi_arena_mark(&queue->staging);
  const pz_status status = cross_held(queue, t, in, out);
  pzi_op_count(queue, op, PZ_ROUTE_NATIVE);
  pzi_arena_release(&queue->scratch, scratch);
  pzi_arena_release(&queue->staging, staging);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

pz_status
pzi_ops_read(pz_call* const c, const pz_tensor* const x, double* const out)
{
  return cross(c, PZI_READ_OUT, x, NULL, out);
}

pz_status
pzi_ops_write(pz_call* const c, const double* const in, pz_tensor* const y)
{
  return cross(c, PZI_WRITE_IN, y, in, NULL);
}
