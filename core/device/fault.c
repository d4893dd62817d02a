/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Fault words: a status and an index in the batch, in device memory. An operation that fails after
   its call has returned writes them; the host reads them where it waits for the device anyway.
   Operations of a synchronous device know at once; where they must not say so (ops_table.h), the
   status is kept beside the word. */

#include "fault.h"

#include "status.h"

#include <parametrize/context.h>

#include <inttypes.h>
#include <stdio.h>

enum { FAULT_BYTES = 2 * sizeof(int64_t) };

pz_status
pzi_fault_word_new_held(pz_queue* const queue, pz_fault* const out)
{
  void* data = NULL;
  PZ_TRY(pzi_queue_alloc_held(queue, FAULT_BYTES, &data));
  const pz_status status = pzi_queue_fill_held(queue, data, 0, FAULT_BYTES, 0);
  if (status != PZ_OK) {
    pzi_queue_free_held(queue, data);
    return status;
  }
  *out = (pz_fault){.data = data};
  return PZ_OK;
}

pz_status
pzi_fault_new(pz_queue* const queue, pzi_fault* const out)
{
  *out = (pzi_fault){.status = PZ_OK};
  pthread_mutex_lock(&queue->mutex);
  const pz_status status = pzi_fault_word_new_held(queue, &out->word);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

void
pzi_fault_free(pz_queue* const queue, pzi_fault* const fault)
{
  pzi_queue_free(queue, fault->word.data);
  *fault = (pzi_fault){.status = PZ_OK};
}

void
pzi_fault_keep(pzi_fault* const fault, const pz_status status)
{
  if (fault->status == PZ_OK) {
    fault->status = status;
    (void)snprintf(fault->text, sizeof(fault->text), "%s", pz_error_message());
  }
}

pz_status
pzi_fault_check(pz_queue* const queue, pzi_fault* const fault)
{
  if (fault->status != PZ_OK) {
    const pz_status kept = fault->status;
    fault->status = PZ_OK;
    return pzi_fail(kept, "%s", fault->text);
  }
  if (!queue->async) {
    return PZ_OK;
  }
  int64_t word[2] = {0, 0};
  pthread_mutex_lock(&queue->mutex);
  pz_status status = pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, word, 0, fault->word.data,
                                         fault->word.byte_offset, sizeof(word));
  if (status == PZ_OK && word[0] != 0) {
    status = pzi_queue_fill_held(queue, fault->word.data, fault->word.byte_offset, sizeof(word), 0);
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
