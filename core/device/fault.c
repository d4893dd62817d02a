/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Fault words: a status and an index in the batch, in device memory. An operation that fails after
   its call has returned writes them; the host reads them where it waits for the device anyway. */

#include "fault.h"

#include "status.h"

#include <inttypes.h>

enum { FAULT_BYTES = 2 * sizeof(int64_t) };

pz_status
pzi_fault_new_held(pz_queue* const queue, pz_fault* const out)
{
  void* data = NULL;
  PZ_TRY(pzi_queue_alloc_held(queue, FAULT_BYTES, &data));
  const pz_status status = pzi_queue_zero_held(queue, data, 0, FAULT_BYTES);
  if (status != PZ_OK) {
    pzi_queue_free_held(queue, data);
    return status;
  }
  *out = (pz_fault){.data = data};
  return PZ_OK;
}

pz_status
pzi_fault_new(pz_queue* const queue, pz_fault* const out)
{
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_fault_new_held(queue, out);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

void
pzi_fault_free(pz_queue* const queue, pz_fault* const fault)
{
  pzi_queue_free(queue, fault->data);
  *fault = (pz_fault){0};
}

pz_status
pzi_fault_check(pz_queue* const queue, const pz_fault* const fault)
{
  if (!queue->async) {
    return PZ_OK;
  }
  int64_t word[2] = {0, 0};
  pthread_mutex_lock(&queue->mutex);
  pz_status status = pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, word, 0, fault->data,
                                         fault->byte_offset, sizeof(word));
  if (status == PZ_OK && word[0] != 0) {
    status = pzi_queue_zero_held(queue, fault->data, fault->byte_offset, sizeof(word));
  }
  pthread_mutex_unlock(&queue->mutex);
  PZ_TRY(status);

  if (word[0] == 0) {
    return PZ_OK;
  }
  if (word[0] == PZ_SINGULAR) {
    return pzi_fail(PZ_SINGULAR, "matrix %" PRId64 " of the batch is singular", word[1]);
  }
  if (word[0] == PZ_INVALID) {
    return pzi_fail(PZ_INVALID, "index %" PRId64 " is out of range", word[1]);
  }
  if (word[0] > 0 && word[0] <= PZ_DEVICE) {
    return pzi_fail((pz_status)word[0], "%s at place %" PRId64 " of the batch",
                    pz_status_text((pz_status)word[0]), word[1]);
  }
  return pzi_fail(PZ_PLUGIN, "backend %s reported the unknown status %" PRId64, queue->backend->id,
                  word[0]);
}
