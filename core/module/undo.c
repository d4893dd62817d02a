/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Undo log over several chains: state is saved before the change and restored on failure. */

#include "undo.h"

#include "array.h"
#include "queue_copy.h"
#include "slot.h"
#include "state.h"
#include "status.h"
#include "storage_copy.h"

#include <stdlib.h>
#include <string.h>

void
pzi_undo_cleanup(pzi_undo* const pasts)
{
  for (size_t k = 0; k < pasts->n; ++k) {
    const pzi_undo_chain* const one = &pasts->lists[k];
    for (uint32_t i = 0; one->storages && i < one->slot->list->n_tensors; ++i) {
      pzi_storage_release(one->storages[i]);
    }
    free(one->storages);
    free(one->draws);
  }
  free(pasts->lists);
  *pasts = (pzi_undo){0};
}

/* Does a step of the maps' own state write the tensor: a buffer of its map, an original of the
   first, or the copy of an inner value? */
static bool
a_step_writes(const pzi_parametrized* const list, const uint32_t place)
{
  const pzi_chain_tensor* const tensor = &list->engine.chain->tensors[place];
  return list->tensors[place]->list ||
         (tensor->role != PZ_OWN_PARAMETER &&
          list->engine.chain->stages[tensor->stage].instance->parametrization->table.update);
}

static pz_status
fill(pzi_undo_chain* const one, const bool steps)
{
  const pzi_parametrized* const list = one->slot->list;
  const size_t draws = list->engine.chain->n_stages * sizeof(*one->draws);
  one->draws = malloc(draws);
  one->storages = calloc((size_t)list->n_tensors + 1, sizeof(pzi_storage*));
  if (!one->draws || !one->storages) {
    return pzi_no_memory(draws);
  }
  memcpy(one->draws, list->engine.state->draws, draws);
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    if (!steps || a_step_writes(list, k)) {
      PZ_TRY(pzi_copy_of(list->engine.state->queue, &list->engine.state->storages[k]->tensor,
                         &one->storages[k]));
    }
  }
  return PZ_OK;
}

pz_status
pzi_undo_add(pzi_undo* const pasts, pz_slot* const slot, const bool steps)
{
  if (!slot->list) {
    return PZ_OK;
  }
  PZ_TRY(pzi_check_closed(slot));
  PZ_TRY(pzi_array_reserve(&pasts->lists, pasts->n, 1, sizeof(*pasts->lists)));
  pzi_undo_chain* const one = &pasts->lists[pasts->n++];
  *one = (pzi_undo_chain){
      .slot = slot,
      .version = pz_state_version(slot->list->engine.state),
      .copied_version = slot->list->copied_version,
      .read_version = slot->list->read_version,
  };
  PZ_TRY(fill(one, steps));
  for (uint32_t k = 0; k < slot->list->n_tensors; ++k) {
    PZ_TRY(pzi_undo_add(pasts, slot->list->tensors[k], steps));
  }
  return PZ_OK;
}

/* What the list holds, but for the version. */
static pz_status
put_back(const pzi_undo_chain* const one)
{
  const pzi_parametrized* const list = one->slot->list;
  const pz_state* const state = list->engine.state;
  memcpy(state->draws, one->draws, list->engine.chain->n_stages * sizeof(*one->draws));
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    if (one->storages[k]) {
      PZ_TRY(pzi_queue_copy(state->queue, &one->storages[k]->tensor, &state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

static void
restore(const pzi_undo* const pasts)
{
  pz_status status = PZ_OK;
  pzi_message message; /* the reason why */
  pzi_message_save(&message);
  for (size_t k = 0; k < pasts->n && status == PZ_OK; ++k) {
    if (pz_state_version(pasts->lists[k].slot->list->engine.state) != pasts->lists[k].version) {
      status = put_back(&pasts->lists[k]);
    }
  }
  for (size_t k = 0; k < pasts->n; ++k) {
    pzi_parametrized* const list = pasts->lists[k].slot->list;
    if (status == PZ_OK) {
      pzi_state_restore_version(list->engine.state, pasts->lists[k].version);
    } else {
      pz_state_touch(
          list->engine.state); /* the device fails twice: at least nothing is taken for old */
    }
    list->copied_version = status == PZ_OK ? pasts->lists[k].copied_version : 0;
    list->read_version = status == PZ_OK ? pasts->lists[k].read_version : 0;
    pzi_parametrized_changed(list, false); /* it may have been read in between */
  }
  pzi_message_restore(&message);
}

pz_status
pzi_undo_end(pzi_undo* const pasts, const pz_status status)
{
  if (status != PZ_OK) {
    restore(pasts);
  }
  pzi_undo_cleanup(pasts);
  return status;
}

const pzi_storage*
pzi_undo_find(const pzi_undo* const pasts, const pz_slot* const tensor)
{
  for (size_t k = 0; k < pasts->n; ++k) {
    if (pasts->lists[k].slot == tensor->owner) {
      return pasts->lists[k].storages[tensor->index];
    }
  }
  return NULL;
}
