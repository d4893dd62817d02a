/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writing: by copy, in place by the host, through right inverses, by drawing. Everything
   is checked before the first byte changes. */

#include "module.h"

#include "status.h"
#include "tensor.h"

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
  PZ_TRY(pzi_exclusive_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_find(module, name, &slot);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(call(slot, user), "\"%s\"", name);
  }
  pzi_exclusive_end(module);
  return status;
}

/* The contents of a stored tensor changed: what is computed from it did too. */
static void
written(const pz_slot* const slot)
{
  if (slot->list) {
    pzi_list_changed(slot->list, true);
  }
  if (slot->owner) {
    pzi_list_changed(slot->owner->list, true);
  }
}

/* ---- by copy --------------------------------------------------------------- */

static pz_status
set_stored(pz_slot* const slot, const pz_tensor* const value)
{
  pz_queue* const queue = slot->module->queue;
  const pz_tensor* const to = &slot->storage->tensor;
  PZ_TRY(pzi_check_tensor(queue, value, &slot->storage->spec, "value"));
  if (pzi_same_tensor(value, to)) {
    return PZ_OK;
  }
  pzi_storage* copy = NULL;
  const bool pointers = to->device.type != PZ_DEVICE_OPENCL;
  if (pzi_queue_owns(queue, value) && pzi_overlap(pointers, value, to)) {
    PZ_TRY(pzi_copy_of(queue, value, &copy));
  }
  const pz_status status = pzi_queue_copy(queue, copy ? &copy->tensor : value, to);
  pzi_storage_release(copy);
  return status;
}

static pz_status
set(pz_slot* const slot, void* const user)
{
  const pz_tensor* const value = user;
  PZ_TRY(pzi_check_closed(slot));
  if (slot->list) {
    pzi_list_changed(slot->list, false); /* the state tells itself, once all went well */
    return pz_eval_assign(slot->list->eval, slot->list->state, PZ_ASSIGN, value);
  }
  PZ_TRY(set_stored(slot, value));
  written(slot);
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
  if (slot->owner) {
    ++slot->owner->list->n_editing;
  }
  written(slot);
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
  if (slot->owner) {
    --slot->owner->list->n_editing;
  }
  written(slot);
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
  written(slot);
  return PZ_OK;
}

pz_status
pz_module_touch(pz_module* const module, const char* const name)
{
  return call_alone(module, name, touch, NULL);
}

/* ---- by drawing ------------------------------------------------------------ */

static pz_status
sample(pz_slot* const slot, void* const user)
{
  (void)user;
  if (!slot->list) {
    return pzi_fail(PZ_NOT_FOUND, "not parametrized");
  }
  PZ_TRY(pzi_check_closed(slot));
  pzi_list_changed(slot->list, false);
  return pz_eval_sample(slot->list->eval, slot->list->state);
}

pz_status
pz_module_sample(pz_module* const module, const char* const name)
{
  return call_alone(module, name, sample, NULL);
}
