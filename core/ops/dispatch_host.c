/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Runs a request on the host queue: on the same memory where the device uses host memory, else on
   copies.

   A copy takes the whole span of an operand, gaps included, and keeps its strides. Only elements
   are copied back, line by line, so that memory in the gaps is never written. */

#include "dispatch.h"
#include "mat.h"

/* Copies an operand to staging memory; one that is only written gets memory alone. */
static pz_status
stage_in(pz_queue* const queue, const pz_mat* const mat, const uint8_t access, pz_mat* const out)
{
  const size_t bytes = (size_t)pzi_mat_span(mat) * pz_dtype_size(mat->dtype);
  uint64_t offset = 0;
  *out = *mat;
  PZ_TRY(pzi_arena_take(&queue->staging, bytes, &out->data, &offset));
  out->byte_offset = 0;
  return (access & PZI_READ) != 0 ? pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, out->data, 0,
                                                        mat->data, mat->byte_offset, bytes)
                                  : PZ_OK;
}

static pz_status
stage_out(pz_queue* const queue, const pz_mat* const from, const pz_mat* const to)
{
  const size_t size = pz_dtype_size(to->dtype);
  if (pzi_mat_dense(to)) {
    return pzi_queue_move_held(queue, PZ_HOST_TO_DEVICE, to->data, to->byte_offset, from->data, 0,
                               (size_t)pzi_mat_span(to) * size);
  }
  /* lines of unit stride; single elements of a vector without one */
  const bool row_major = pzi_mat_row_major(to);
  const int64_t lines = row_major ? to->rows : to->cols;
  const int64_t length = row_major ? to->cols : to->rows;
  for (int64_t k = 0; k < to->batch; ++k) {
    for (int64_t i = 0; i < lines; ++i) {
      const uint64_t at = (uint64_t)(k * to->batch_stride + i * pzi_mat_ld(to)) * size;
      PZ_TRY(pzi_queue_move_held(queue, PZ_HOST_TO_DEVICE, to->data, to->byte_offset + at,
                                 (const char*)from->data + at, 0, (size_t)length * size));
    }
  }
  return PZ_OK;
}

static pz_status
run_locked(pz_queue* const host, pzi_request* const request)
{
  request->fault = &host->fault;
  pthread_mutex_lock(&host->mutex);
  pz_status status = pzi_dispatch(host, request);
  if (status == PZ_OK) {
    status = pzi_queue_wait_held(host);
  }
  pthread_mutex_unlock(&host->mutex);
  return status;
}

static pz_status
run_on_copies(pz_queue* const queue, const pzi_request* const request)
{
  pzi_request staged = *request;
  for (uint32_t k = 0; k < request->n; ++k) {
    if (request->mat[k].rows > 0 && request->mat[k].data) {
      PZ_TRY(stage_in(queue, &request->mat[k], request->access[k], &staged.mat[k]));
    }
  }
  /* After PZ_SINGULAR the results of the other matrices of the batch are valid: copy them too. */
  const pz_status status = run_locked(queue->host, &staged);
  if (status != PZ_OK && status != PZ_SINGULAR) {
    return status;
  }
  for (uint32_t k = 0; k < request->n; ++k) {
    if ((request->access[k] & PZI_WRITE) != 0 && request->mat[k].rows > 0 && request->mat[k].data) {
      PZ_TRY(stage_out(queue, &staged.mat[k], &request->mat[k]));
    }
  }
  return status;
}

pz_status
pzi_dispatch_host(pz_queue* const queue, const pzi_request* const request)
{
  if (queue->host_memory && queue->host->host_memory) {
    pzi_request same = *request;
    PZ_TRY(pzi_queue_wait_held(queue));
    return run_locked(queue->host, &same);
  }
  const uint64_t mark = pzi_arena_mark(&queue->staging);
  const pz_status status = run_on_copies(queue, request);
  pzi_arena_release(&queue->staging, mark);
  return status;
}
