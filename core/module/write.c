/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writes: by copy, in place by the host, through right inverses, by sampling. All arguments are
   checked before the first write. */

#include "check_tensor.h"
#include "exclusive.h"
#include "hand_down.h"
#include "overlap.h"
#include "path.h"
#include "queue_copy.h"
#include "shape.h"
#include "slot.h"
#include "status.h"
#include "storage_copy.h"
#include "undo.h"
#include "value.h"

/* ---- through right inverses ------------------------------------------------------ */

/* Changes the originals of a chain by `change`, and those of its inner chains with them. */
static pz_status
all_or_nothing(pz_slot* const slot,
               pz_status (*const change)(const pzi_parametrized* parametrized,
                                         const pz_tensor* value),
               const pz_tensor* const value)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  const uint64_t before = pz_state_version(parametrized->engine.state);
  pzi_undo undo = {0};
  pz_status status = PZ_OK;
  if (pzi_slot_is_nested(slot)) {
    PZ_TRY(pzi_value_refresh_inner(slot));
  }
  if (pzi_slot_is_nested(slot) || !slot->module->queue->host_memory) { /* copies can fail */
    status = pzi_undo_add_chain(&undo, slot, false);
  }
  if (status == PZ_OK) {
    pzi_slot_changed(slot, false); /* `change` touches the state itself on success */
    status = change(parametrized, value);
    status = status == PZ_OK ? pzi_hand_down(slot, &undo, true) : status;
  }
  (void)pzi_undo_end(&undo, status);
  if (pz_state_version(parametrized->engine.state) != before) {
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
  if (pzi_check_owned(queue, value) && pzi_overlap(queue->addresses, value, to)) {
    PZ_TRY(pzi_storage_copy(queue, value, &copy));
  }
  const pz_status status = pzi_queue_copy(queue, copy ? &copy->tensor : value, to);
  pzi_storage_release(copy);
  return status;
}

static pz_status
assign(const pzi_parametrized* const parametrized, const pz_tensor* const value)
{
  return pz_eval_assign(parametrized->engine.eval, parametrized->engine.state, PZ_ASSIGN, value);
}

static pz_status
set(pz_slot* const slot, void* const user)
{
  const pz_tensor* const value = user;
  PZ_TRY(pzi_slot_check_closed(slot));
  if (slot->parametrized) {
    return all_or_nothing(slot, assign, value);
  }
  PZ_TRY(set_stored(slot, value));
  pzi_slot_changed(slot, true);
  return PZ_OK;
}

pz_status
pz_module_set(pz_module* const module, const char* const name, const pz_tensor* const value)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live, set, (void*)value);
}

/* ---- in place -------------------------------------------------------------- */

static pz_status
edit(pz_slot* const slot, void* const user)
{
  if (slot->parametrized) {
    return pzi_fail(PZ_INVALID, "a value, which is computed; open its original");
  }
  if (slot->editing) {
    return pzi_fail(PZ_INVALID, "open for writing already");
  }
  PZ_TRY(pzi_check_may_show(slot->module->queue));
  slot->editing = true;
  for (const pz_slot* around = slot->owner; around; around = around->owner) {
    ++around->parametrized->n_editing;
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
  return pzi_exclusive_call(module, name, pzi_path_find_live, edit, out);
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
    --around->parametrized->n_editing;
  }
  pzi_slot_changed(slot, true);
  return PZ_OK;
}

pz_status
pz_module_commit(pz_module* const module, const char* const name)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live, commit, NULL);
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
  return pzi_exclusive_call(module, name, pzi_path_find_live, touch, NULL);
}

/* ---- by sampling -------------------------------------------------------- */

static pz_status
draw(const pzi_parametrized* const parametrized, const pz_tensor* const none)
{
  (void)none;
  return pz_eval_sample(parametrized->engine.eval, parametrized->engine.state);
}

static pz_status
sample(pz_slot* const slot, void* const user)
{
  (void)user;
  if (!slot->parametrized) {
    return pzi_fail(PZ_NOT_FOUND, "not parametrized");
  }
  PZ_TRY(pzi_slot_check_closed(slot));
  return all_or_nothing(slot, draw, NULL);
}

pz_status
pz_module_sample(pz_module* const module, const char* const name)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live, sample, NULL);
}
