/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Events order the work of several queues. Where a backend has no events, or the devices cannot
   wait for each other, the calling thread waits instead. No function holds two queues' mutexes. */

#include "queue.h"
#include "status.h"

#include <stdlib.h>

struct pz_event {
  pz_queue* queue; /* retained */
  void* handle;    /* NULL: the work was complete when the event was recorded */
};

pz_status
pz_queue_record(pz_queue* const queue, pz_event** const out)
{
  if (!queue || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", queue ? "place for the event" : "queue");
  }
  PZ_TRY(pzi_queue_check_process(queue));
  pz_event* const event = (pz_event*)calloc(1, sizeof(*event));
  if (!event) {
    return pzi_no_memory(sizeof(*event));
  }
  pthread_mutex_lock(&queue->mutex);
  const uint64_t before = pzi_fail_count();
  const pz_status status =
      queue->backend->record && queue->backend->release_event
          ? pzi_queue_check_status(queue, queue->backend->record(queue->handle, &event->handle),
                                   before, "record")
          : pzi_queue_wait_held(queue);
  pthread_mutex_unlock(&queue->mutex);
  if (status != PZ_OK) {
    free(event);
    return status;
  }
  event->queue = pzi_queue_retain(queue);
  *out = event;
  return PZ_OK;
}

/* Makes the device wait; PZ_UNSUPPORTED where it cannot. */
static pz_status
wait_on_device(pz_queue* const queue, void* const handle)
{
  PZ_TRY(pzi_queue_check_process(queue));
  if (!queue->backend->wait) {
    return PZ_UNSUPPORTED;
  }
  pthread_mutex_lock(&queue->mutex);
  const uint64_t before = pzi_fail_count();
  const pz_status status = queue->backend->wait(queue->handle, handle);
  pthread_mutex_unlock(&queue->mutex);
  return status == PZ_UNSUPPORTED ? status : pzi_queue_check_status(queue, status, before, "wait");
}

pz_status
pz_queue_wait(pz_queue* const queue, const pz_event* const event)
{
  if (!queue || !event) {
    return pzi_fail(PZ_INVALID, "found no %s", queue ? "event" : "queue");
  }
  if (!event->handle || event->queue == queue) {
    return PZ_OK;
  }
  if (event->queue->backend == queue->backend) {
    const pz_status status = wait_on_device(queue, event->handle);
    if (status != PZ_UNSUPPORTED) {
      return status;
    }
  }
  return pz_queue_synchronize(event->queue);
}

pz_status
pz_queue_wait_native(pz_queue* const queue, void* const event)
{
  if (!queue || !event) {
    return pzi_fail(PZ_INVALID, "found no %s", queue ? "event" : "queue");
  }
  const pz_status status = wait_on_device(queue, event);
  return status == PZ_UNSUPPORTED
             ? pzi_fail(status, "%s cannot wait for an event of another context", queue->name)
             : status;
}

void*
pz_event_native(const pz_event* const event)
{
  return event ? event->handle : NULL;
}

void
pz_event_free(pz_event* const event)
{
  if (event) {
    if (event->handle && !pzi_queue_is_inherited(event->queue)) {
      event->queue->backend->release_event(event->handle);
    }
    pzi_queue_release(event->queue);
    free(event);
  }
}
