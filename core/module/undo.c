/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Undo log over several chains and tensors: contents are saved before a change and restored on
   failure. */

#include "undo.h"

#include "array.h"
#include "queue_copy.h"
#include "shape.h"
#include "slot.h"
#include "state.h"
#include "status.h"
#include "storage_copy.h"

#include <stdlib.h>
#include <string.h>

void
pzi_undo_cleanup(pzi_undo* const undo)
{
  for (size_t k = 0; k < undo->n_chains; ++k) {
    const pzi_undo_chain* const saved = &undo->chains[k];
    for (uint32_t i = 0; saved->storages && i < saved->slot->parametrized->n_tensors; ++i) {
      pzi_storage_release(saved->storages[i]);
    }
    free(saved->storages);
    free(saved->draws);
  }
  for (size_t k = 0; k < undo->n_tensors; ++k) {
    pzi_storage_release(undo->tensors[k].saved);
  }
  free(undo->chains);
  free(undo->tensors);
  *undo = (pzi_undo){0};
}

/* May an update write the tensor: a buffer of a stage with an update, an original of the first, or
   the copy of an inner value? */
static bool
update_writes(const pzi_parametrized* const parametrized, const uint32_t place)
{
  const pzi_chain_tensor* const tensor = &parametrized->engine.chain->tensors[place];
  return parametrized->tensors[place]->parametrized ||
         (tensor->role != PZ_OWN_PARAMETER && parametrized->engine.chain->stages[tensor->stage]
                                                  .instance->parametrization->table.update);
}

static pz_status
fill(pzi_undo_chain* const saved, const bool update)
{
  const pzi_parametrized* const parametrized = saved->slot->parametrized;
  const size_t draws = parametrized->engine.chain->n_stages * sizeof(*saved->draws);
  saved->draws = malloc(draws);
  saved->storages = calloc((size_t)parametrized->n_tensors + 1, sizeof(pzi_storage*));
  if (!saved->draws || !saved->storages) {
    return pzi_no_memory(draws);
  }
  memcpy(saved->draws, parametrized->engine.state->draws, draws);
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    if (!update || update_writes(parametrized, k)) {
      PZ_TRY(pzi_storage_copy(parametrized->engine.state->queue,
                              &parametrized->engine.state->storages[k]->tensor,
                              &saved->storages[k]));
    }
  }
  return PZ_OK;
}

pz_status
pzi_undo_add_chain(pzi_undo* const undo, pz_slot* const slot, const bool update)
{
  if (!slot->parametrized) {
    return PZ_OK;
  }
  PZ_TRY(pzi_slot_check_closed(slot));
  PZ_TRY(pzi_array_reserve(&undo->chains, undo->n_chains, 1, sizeof(*undo->chains)));
  pzi_undo_chain* const saved = &undo->chains[undo->n_chains++];
  *saved = (pzi_undo_chain){
      .slot = slot,
      .version = pz_state_version(slot->parametrized->engine.state),
      .copied_version = slot->parametrized->copied_version,
      .read_version = slot->parametrized->read_version,
  };
  PZ_TRY(fill(saved, update));
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    PZ_TRY(pzi_undo_add_chain(undo, slot->parametrized->tensors[k], update));
  }
  return PZ_OK;
}

pz_status
pzi_undo_add_tensor(pzi_undo* const undo, const pzi_storage* const storage)
{
  if (storage->queue->host_memory && pzi_shape_is_contiguous(&storage->tensor)) {
    return PZ_OK;
  }
  PZ_TRY(pzi_array_reserve(&undo->tensors, undo->n_tensors, 1, sizeof(*undo->tensors)));
  pzi_undo_tensor* const tensor = &undo->tensors[undo->n_tensors];
  *tensor = (pzi_undo_tensor){.storage = storage};
  PZ_TRY(pzi_storage_copy(storage->queue, &storage->tensor, &tensor->saved));
  ++undo->n_tensors;
  return PZ_OK;
}

/* Restores draws and tensors of a chain, without the version. */
static pz_status
restore_chain(const pzi_undo_chain* const saved)
{
  const pzi_parametrized* const parametrized = saved->slot->parametrized;
  const pz_state* const state = parametrized->engine.state;
  memcpy(state->draws, saved->draws, parametrized->engine.chain->n_stages * sizeof(*saved->draws));
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    if (saved->storages[k]) {
      PZ_TRY(
          pzi_queue_copy(state->queue, &saved->storages[k]->tensor, &state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

static void
restore(const pzi_undo* const undo)
{
  pz_status status = PZ_OK;
  pzi_message message; /* of the failure that is being undone */
  pzi_message_save(&message);
  for (size_t k = 0; k < undo->n_tensors; ++k) {
    const pzi_undo_tensor* const tensor = &undo->tensors[k];
    (void)pzi_queue_copy(tensor->storage->queue, &tensor->saved->tensor, &tensor->storage->tensor);
  }
  for (size_t k = 0; k < undo->n_chains && status == PZ_OK; ++k) {
    const pzi_undo_chain* const saved = &undo->chains[k];
    if (pz_state_version(saved->slot->parametrized->engine.state) != saved->version) {
      status = restore_chain(saved);
    }
  }
  for (size_t k = 0; k < undo->n_chains; ++k) {
    const pzi_undo_chain* const saved = &undo->chains[k];
    pzi_parametrized* const parametrized = saved->slot->parametrized;
    if (status == PZ_OK) {
      pzi_state_restore_version(parametrized->engine.state, saved->version);
    } else { /* the device failed again: no value computed before may pass as current */
      pz_state_touch(parametrized->engine.state);
    }
    parametrized->copied_version = status == PZ_OK ? saved->copied_version : 0;
    parametrized->read_version = status == PZ_OK ? saved->read_version : 0;
    pzi_parametrized_changed(parametrized, false); /* a read during the change may have cached it */
  }
  pzi_message_restore(&message);
}

pz_status
pzi_undo_end(pzi_undo* const undo, const pz_status status)
{
  if (status != PZ_OK) {
    restore(undo);
  }
  pzi_undo_cleanup(undo);
  return status;
}

const pzi_storage*
pzi_undo_find(const pzi_undo* const undo, const pz_slot* const tensor)
{
  for (size_t k = 0; k < undo->n_chains; ++k) {
    if (undo->chains[k].slot == tensor->owner) {
      return undo->chains[k].storages[tensor->index];
    }
  }
  return NULL;
}
