/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Assigns values of the file. Right inverses run on copies of the states, from the outer chain
   to the inner ones; the resulting tensors are copied to the module with all others. */

#include "load.h"

#include "array.h"
#include "clone.h"
#include "path.h"
#include "queue_copy.h"
#include "slot.h"
#include "state.h"
#include "status.h"
#include "storage_copy.h"
#include "tensor_io.h"
#include "tensor_names.h"
#include "value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int
by_address(const void* const a, const void* const b)
{
  const uintptr_t s = (uintptr_t) * (pz_slot* const*)a;
  const uintptr_t t = (uintptr_t) * (pz_slot* const*)b;
  return s < t ? -1 : s > t;
}

bool
pzi_load_assign_has(const pzi_loading* const l, const pz_slot* slot)
{
  for (slot = slot->owner; slot && l->n_assigned > 0; slot = slot->owner) {
    if (bsearch(&slot, l->assigned, l->n_assigned, sizeof(pz_slot*), by_address)) {
      return true;
    }
  }
  return false;
}

/* ---- staging -------------------------------------------------------------------- */

/* Reads the chain's parameters and buffers from the file into the copy of its state. */
static pz_status
fill(pzi_loading* const l, const pzi_parametrized* const parametrized, const char* const prefix,
     const pz_state* const state)
{
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    const char* const name = parametrized->engine.chain->tensors[k].name;
    const char* const full = pzi_tensor_names_join(&l->names, prefix, name);
    if (!full) {
      return pzi_no_memory(strlen(prefix));
    }
    const pzi_file_tensor* const file_tensor = pzi_loading_use(l, full);
    if (file_tensor && parametrized->tensors[k]->role == PZ_ORIGINAL) {
      return pzi_fail(PZ_MISMATCH, "the file has both the value and its original \"%.200s\"", full);
    }
    if (file_tensor) {
      PZ_TRY(pzi_tensor_io_check(file_tensor, pzi_loading_widens(l),
                                 &parametrized->tensors[k]->storage->spec));
      PZ_TRY(pzi_tensor_io_read(l->file, file_tensor, pzi_loading_widens(l), state->queue,
                                &state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

/* Copies the values of inner chains into the copy of a state. */
static pz_status
fill_values(const pz_slot* const slot, const pz_state* const state)
{
  if (!pzi_slot_is_nested(slot)) {
    return PZ_OK;
  }
  PZ_TRY(pzi_value_refresh_inner(slot));
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    const pz_slot* const tensor = slot->parametrized->tensors[k];
    if (tensor->parametrized) {
      PZ_TRY(pzi_queue_copy(state->queue, &tensor->storage->tensor, &state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

static pz_status stage(pzi_loading* l, const pz_slot* slot, const char* path, pz_intent intent,
                       const pz_tensor* value);

/* Appends the copy of tensor `k`, or assigns it to the chain on it. Parameters and buffers that
   the assignment did not change are not assigned. */
static pz_status
stage_tensor(pzi_loading* const l, const pz_slot* const slot, const uint32_t k,
             const char* const prefix, const pzi_storage* const made)
{
  pz_slot* const tensor = slot->parametrized->tensors[k];
  bool moved = tensor->role == PZ_ORIGINAL;
  if (!tensor->parametrized) {
    return pzi_loading_push(l, &(pzi_load_copy){.made = &made->tensor, .slot = tensor});
  }
  if (!moved) {
    PZ_TRY(pzi_storage_copy_differs(made->queue, made, tensor->storage, &moved));
  }
  if (!moved) {
    return PZ_OK;
  }
  const char* const name = slot->parametrized->engine.chain->tensors[k].name;
  const char* const path = pzi_tensor_names_join(&l->names, prefix, name);
  if (!path) {
    return pzi_no_memory(strlen(prefix));
  }
  return stage(l, tensor, path, PZ_CHAIN, &made->tensor);
}

/* Assigns to a copy of the slot's chain, then handles each tensor of the chain. */
static pz_status
stage(pzi_loading* const l, const pz_slot* const slot, const char* const path,
      const pz_intent intent, const pz_tensor* const value)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  PZ_TRY(pzi_array_reserve(&l->staged, l->n_staged, 1, sizeof(*l->staged)));
  pzi_engine engine = {0};
  PZ_TRY(pzi_clone_engine(slot, slot->module->queue, 0, &engine));
  l->staged[l->n_staged++] = engine;
  char* const prefix = pzi_tensor_names_prefix(&l->names, path);
  if (!prefix) {
    return pzi_no_memory(strlen(path));
  }
  PZ_TRY(fill_values(slot, engine.state));
  PZ_TRY(fill(l, parametrized, prefix, engine.state));
  PZ_TRY(pz_eval_assign(engine.eval, engine.state, intent, value));
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    PZ_TRY(stage_tensor(l, slot, k, prefix, engine.state->storages[k]));
  }
  return PZ_OK;
}

/* Reads the value into aligned memory and assigns it. */
static pz_status
assign(pzi_loading* const l, pz_slot* const slot, const pzi_file_tensor* const file_tensor)
{
  pz_spec spec = *pz_chain_value(slot->parametrized->engine.chain);
  pzi_storage* value = NULL;
  PZ_TRY(pzi_slot_check_closed(slot));
  PZ_TRY(pzi_tensor_io_check(file_tensor, pzi_loading_widens(l), &spec));
  PZ_TRY(pzi_storage_new(slot->module->queue, &spec, &value));
  pz_status status = pzi_tensor_io_read(l->file, file_tensor, pzi_loading_widens(l),
                                        slot->module->queue, &value->tensor);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(stage(l, slot, file_tensor->name, PZ_ASSIGN, &value->tensor),
                             "\"%.150s\"", file_tensor->name);
  }
  pzi_storage_release(value);
  return status;
}

pz_status
pzi_load_assign(pzi_loading* const l)
{
  if ((l->settings.flags & PZ_LOAD_ASSIGN) == 0) {
    return PZ_OK;
  }
  l->assigned = calloc(l->n_selected + 1, sizeof(pz_slot*));
  if (!l->assigned) {
    return pzi_no_memory((l->n_selected + 1) * sizeof(pz_slot*));
  }
  for (size_t k = 0; k < l->n_selected; ++k) {
    const pzi_file_tensor* const file_tensor = &l->file->header.tensors[l->selected[k]];
    pz_slot* const slot = pzi_path_slot(l->module, file_tensor->name);
    if (slot && slot->parametrized) {
      l->used[l->selected[k]] = true;
      l->assigned[l->n_assigned++] = slot;
      PZ_TRY(assign(l, slot, file_tensor));
    }
  }
  qsort(l->assigned, l->n_assigned, sizeof(pz_slot*), by_address);
  return PZ_OK;
}
