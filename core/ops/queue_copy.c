/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies between host and device. A backend moves contiguous bytes only. A tensor with strides is
   packed first, or unpacked afterwards, on its own side: by a loop on the host, by the copy
   operation on the device. */

#include "queue_copy.h"

#include "check_tensor.h"
#include "device_copy.h"
#include "overlap.h"
#include "queue_order.h"
#include "shape.h"
#include "status.h"

static bool
on_host(const pz_queue* const queue, const pz_tensor* const tensor)
{
  return tensor->device.type == PZ_DEVICE_CPU ||
         (queue->host_memory && pzi_check_owned(queue, tensor));
}

static void*
first_byte(const pz_tensor* const tensor)
{
  return (char*)tensor->data + tensor->byte_offset;
}

static void
copy_on_host(const pz_tensor* const from, const pz_tensor* const to)
{
  const pz_tensor* const tensors[2] = {from, to};
  pzi_shape shape;
  pzi_shape_merge(&shape, 2, tensors);
  pzi_shape_copy(&shape, pz_dtype_size(from->dtype), first_byte(from), first_byte(to));
}

/* A C-contiguous host tensor in the staging arena. */
static pz_status
stage(pz_queue* const queue, const pz_tensor* const like, pz_tensor* const out)
{
  void* data = NULL;
  uint64_t offset = 0;
  PZ_TRY(pzi_arena_take(&queue->staging, (size_t)pz_count(like) * pz_dtype_size(like->dtype), &data,
                        &offset));
  *out = pz_host_tensor(like->dtype, data, like->ndim, like->shape);
  return PZ_OK;
}

static pz_status
upload(pz_queue* const queue, const pz_tensor* const from, const pz_tensor* const to)
{
  const size_t bytes = (size_t)pz_count(from) * pz_dtype_size(from->dtype);
  pz_tensor packed = *from;
  if (!pzi_shape_is_contiguous(from)) {
    PZ_TRY(stage(queue, from, &packed));
    copy_on_host(from, &packed);
  }
  if (pzi_shape_is_contiguous(to)) {
    return pzi_queue_move_held(queue, PZ_HOST_TO_DEVICE, to->data, to->byte_offset,
                               first_byte(&packed), 0, bytes);
  }
  pz_tensor landed;
  PZ_TRY(pzi_device_copy_scratch(queue, to, &landed));
  PZ_TRY(pzi_queue_move_held(queue, PZ_HOST_TO_DEVICE, landed.data, landed.byte_offset,
                             first_byte(&packed), 0, bytes));
  return pzi_device_copy(queue, &landed, to);
}

static pz_status
download(pz_queue* const queue, const pz_tensor* const from, const pz_tensor* const to)
{
  const size_t bytes = (size_t)pz_count(from) * pz_dtype_size(from->dtype);
  pz_tensor packed = *from;
  if (!pzi_shape_is_contiguous(from)) {
    PZ_TRY(pzi_device_copy_scratch(queue, from, &packed));
    PZ_TRY(pzi_device_copy(queue, from, &packed));
  }
  if (pzi_shape_is_contiguous(to)) {
    return pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, first_byte(to), 0, packed.data,
                               packed.byte_offset, bytes);
  }
  pz_tensor landed;
  PZ_TRY(stage(queue, to, &landed));
  PZ_TRY(pzi_queue_move_held(queue, PZ_DEVICE_TO_HOST, landed.data, 0, packed.data,
                             packed.byte_offset, bytes));
  copy_on_host(&landed, to);
  return PZ_OK;
}

pz_status
pzi_queue_copy_held(pz_queue* const queue, const pz_tensor* const from, const pz_tensor* const to)
{
  const bool from_host = on_host(queue, from);
  const bool to_host = on_host(queue, to);
  if (from_host && to_host) {
    PZ_TRY(pzi_queue_wait_held(queue));
    copy_on_host(from, to);
    return PZ_OK;
  }
  if (from_host) {
    return upload(queue, from, to);
  }
  return to_host ? download(queue, from, to) : pzi_device_copy(queue, from, to);
}

static pz_status
copy_alone(pz_queue* const queue, const pz_tensor* const from, const pz_tensor* const to)
{
  pthread_mutex_lock(&queue->mutex);
  const uint64_t scratch = pzi_arena_mark(&queue->scratch);
  const uint64_t staging = pzi_arena_mark(&queue->staging);
  const pz_status status = pzi_queue_copy_held(queue, from, to);
  pzi_arena_release(&queue->scratch, scratch);
  pzi_arena_release(&queue->staging, staging);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

pz_status
pzi_queue_copy(pz_queue* const queue, const pz_tensor* const from, const pz_tensor* const to)
{
  PZ_TRY(pzi_check_tensor(queue, from, NULL, "copy: source"));
  const pz_spec spec = pz_spec_of(from);
  PZ_TRY(pzi_check_tensor(queue, to, &spec, "copy: destination"));
  if (pzi_overlap_self(to)) {
    return pzi_fail(PZ_INVALID, "copy: destination names an element twice");
  }
  if (pz_count(from) == 0) {
    return PZ_OK;
  }
  pzi_queue_order order;
  pz_status status = pzi_queue_order_begin(&order, queue, 2, PZ_TENSORS(from, to));
  if (status == PZ_OK) {
    status = copy_alone(queue, from, to);
  }
  return pzi_queue_order_end(&order, status);
}

/* Checks the tensors of pz_queue_upload and pz_queue_download. */
static pz_status
check_sides(const pz_queue* const queue, const pz_tensor* const host, const pz_tensor* const device)
{
  if (!queue) {
    return pzi_fail(PZ_INVALID, "found no queue");
  }
  PZ_TRY(pzi_check_tensor(queue, host, NULL, "host tensor"));
  PZ_TRY(pzi_check_tensor(queue, device, NULL, "device tensor"));
  PZ_TRY(pzi_check_on_host(host, "host tensor"));
  if (!pzi_check_owned(queue, device)) {
    return pzi_fail(PZ_MISMATCH, "device tensor: found on the host, expected on %s", queue->name);
  }
  if (!pzi_shape_is_contiguous(device)) {
    return pzi_fail(PZ_INVALID, "device tensor: found strides, expected it C-contiguous");
  }
  return PZ_OK;
}

pz_status
pz_queue_upload(pz_queue* const queue, const pz_tensor* const host, const pz_tensor* const device)
{
  PZ_TRY(check_sides(queue, host, device));
  PZ_TRY(pzi_queue_copy(queue, host, device));
  return pz_queue_synchronize(queue);
}

pz_status
pz_queue_download(pz_queue* const queue, const pz_tensor* const device, const pz_tensor* const host)
{
  PZ_TRY(check_sides(queue, host, device));
  return pzi_queue_copy(queue, device, host);
}
