/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writing: by copy, in place by the host, through right inverses, by drawing. Everything
   is checked before the first byte changes. */

#include "module_impl.h"

#include "check_tensor.h"
#include "overlap.h"
#include "queue_copy.h"
#include "shape.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

pz_spec
pzi_slot_spec(const pz_slot* const slot)
{
  return slot->list ? *pz_chain_value(slot->list->chain) : slot->storage->spec;
}

pz_status
pzi_copy_of(pz_queue* const queue, const pz_tensor* const tensor, pzi_storage** const out)
{
  const pz_spec spec = pz_spec_of(tensor);
  pzi_storage* copy = NULL;
  PZ_TRY(pzi_storage_new(queue, &spec, &copy));
  const pz_status status = pzi_queue_copy(queue, tensor, &copy->tensor);
  if (status != PZ_OK) {
    pzi_storage_release(copy);
    return status;
  }
  *out = copy;
  return PZ_OK;
}

/* A call on one slot by name, alone in the tree; messages begin with the name. */
typedef pz_status slot_call(pz_slot* slot, void* user);

static pz_status
call_alone(pz_module* const module, const char* const name, slot_call* const call, void* const user)
{
  PZ_TRY(pzi_alone_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_find_live(module, name, &slot);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(call(slot, user), "\"%s\"", name);
  }
  pzi_exclusive_end(module);
  return status;
}

/* ---- through right inverses ------------------------------------------------------ */

pz_status
pzi_differ(pz_queue* const queue, const pzi_storage* const now, const pzi_storage* const before,
           bool* const out)
{
  size_t bytes = 0;
  (void)pzi_shape_spec_bytes(&now->spec, &bytes); /* it has them */
  unsigned char* const room = malloc(2 * bytes + 1);
  if (!room) {
    return pzi_no_memory(2 * bytes);
  }
  const pzi_storage* const both[2] = {now, before};
  pz_status status = PZ_OK;
  for (size_t k = 0; k < 2 && status == PZ_OK; ++k) {
    const pz_tensor host =
        pz_host_tensor(now->spec.dtype, room + k * bytes, now->spec.ndim, now->spec.shape);
    status = pzi_queue_copy(queue, &both[k]->tensor, &host);
  }
  *out = memcmp(room, room + bytes, bytes) != 0;
  free(room);
  return status;
}

pz_status
pzi_hand_down(const pz_slot* const slot, const pzi_pasts* const pasts, const bool originals)
{
  char path[PZI_PATH_TEXT];
  for (uint32_t k = 0; k < slot->list->n_tensors; ++k) {
    pz_slot* const tensor = slot->list->tensors[k];
    pzi_list* const inner = tensor->list;
    bool moved = originals && tensor->role == PZ_ORIGINAL;
    if (inner && !moved) {
      PZ_TRY(
          pzi_differ(slot->module->queue, tensor->storage, pzi_pasts_find(pasts, tensor), &moved));
    }
    if (inner && moved) {
      inner->copied_version = 0;
      pzi_list_changed(inner, false);
      PZ_TRY(pzi_fail_prefix(
          pz_eval_assign(inner->eval, inner->state, PZ_CHAIN, &tensor->storage->tensor), "\"%s\"",
          pzi_path_text(tensor, path)));
      PZ_TRY(pzi_hand_down(tensor, pasts, true));
    }
  }
  return PZ_OK;
}

/* Changes the originals of a list by `change`, and those of the lists in it along. */
static pz_status
all_or_nothing(pz_slot* const slot,
               pz_status (*const change)(const pzi_list* list, const pz_tensor* value),
               const pz_tensor* const value)
{
  const pzi_list* const list = slot->list;
  const uint64_t before = pz_state_version(list->state);
  pzi_pasts pasts = {0};
  pz_status status = PZ_OK;
  if (pzi_is_nested(slot)) {
    PZ_TRY(pzi_list_settle(slot));
  }
  if (pzi_is_nested(slot) || !slot->module->queue->host_memory) { /* where copies can fail */
    status = pzi_pasts_add(&pasts, slot, false);
  }
  if (status == PZ_OK) {
    pzi_slot_changed(slot, false); /* the state tells itself, once all went well */
    status = change(list, value);
    status = status == PZ_OK ? pzi_hand_down(slot, &pasts, true) : status;
    if (status != PZ_OK) {
      pzi_pasts_put_back(&pasts);
    }
  }
  pzi_pasts_cleanup(&pasts);
  if (pz_state_version(list->state) != before) {
    pzi_slot_changed(slot->owner, true);
  }
  return status;
}

/* ---- by copy --------------------------------------------------------------- */

static pz_status
set_stored(pz_slot* const slot, const pz_tensor* const value)
{
  pz_queue* const queue = slot->module->queue;
  const pz_tensor* const to = &slot->storage->tensor;
  PZ_TRY(pzi_check_tensor(queue, value, &slot->storage->spec, "value"));
  if (pzi_shape_same_tensor(value, to)) {
    return PZ_OK;
  }
  pzi_storage* copy = NULL;
  const bool pointers = to->device.type != PZ_DEVICE_OPENCL;
  if (pzi_check_owned(queue, value) && pzi_overlap(pointers, value, to)) {
    PZ_TRY(pzi_copy_of(queue, value, &copy));
  }
  const pz_status status = pzi_queue_copy(queue, copy ? &copy->tensor : value, to);
  pzi_storage_release(copy);
  return status;
}

static pz_status
assign(const pzi_list* const list, const pz_tensor* const value)
{
  return pz_eval_assign(list->eval, list->state, PZ_ASSIGN, value);
}

static pz_status
set(pz_slot* const slot, void* const user)
{
  const pz_tensor* const value = user;
  PZ_TRY(pzi_check_closed(slot));
  if (slot->list) {
    return all_or_nothing(slot, assign, value);
  }
  PZ_TRY(set_stored(slot, value));
  pzi_slot_changed(slot, true);
  return PZ_OK;
}

pz_status
pz_module_set(pz_module* const module, const char* const name, const pz_tensor* const value)
{
  return call_alone(module, name, set, (void*)value);
}

/* ---- in place -------------------------------------------------------------- */

static pz_status
edit(pz_slot* const slot, void* const user)
{
  if (slot->list) {
    return pzi_fail(PZ_INVALID, "a value, which is computed; open its original");
  }
  if (slot->editing) {
    return pzi_fail(PZ_INVALID, "open for writing already");
  }
  slot->editing = true;
  for (const pz_slot* around = slot->owner; around; around = around->owner) {
    ++around->list->n_editing;
  }
  pzi_slot_changed(slot, true);
  *(pz_tensor*)user = slot->storage->tensor;
  return PZ_OK;
}

pz_status
pz_module_edit(pz_module* const module, const char* const name, pz_tensor* const out)
{
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the tensor");
  }
  return call_alone(module, name, edit, out);
}

static pz_status
commit(pz_slot* const slot, void* const user)
{
  (void)user;
  if (!slot->editing) {
    return pzi_fail(PZ_INVALID, "not open for writing");
  }
  slot->editing = false;
  for (const pz_slot* around = slot->owner; around; around = around->owner) {
    --around->list->n_editing;
  }
  pzi_slot_changed(slot, true);
  return PZ_OK;
}

pz_status
pz_module_commit(pz_module* const module, const char* const name)
{
  return call_alone(module, name, commit, NULL);
}

static pz_status
touch(pz_slot* const slot, void* const user)
{
  (void)user;
  pzi_slot_changed(slot, true);
  return PZ_OK;
}

pz_status
pz_module_touch(pz_module* const module, const char* const name)
{
  return call_alone(module, name, touch, NULL);
}

/* ---- by drawing ------------------------------------------------------------ */

static pz_status
draw(const pzi_list* const list, const pz_tensor* const none)
{
  (void)none;
  return pz_eval_sample(list->eval, list->state);
}

static pz_status
sample(pz_slot* const slot, void* const user)
{
  (void)user;
  if (!slot->list) {
    return pzi_fail(PZ_NOT_FOUND, "not parametrized");
  }
  PZ_TRY(pzi_check_closed(slot));
  return all_or_nothing(slot, draw, NULL);
}

pz_status
pz_module_sample(pz_module* const module, const char* const name)
{
  return call_alone(module, name, sample, NULL);
}
