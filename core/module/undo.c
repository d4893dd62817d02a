/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A change of one list is all or nothing by itself. Over several, one inside the other or
   side by side, what those before a failing one had is remembered first and put back. */

#include "module_impl.h"

#include "queue_copy.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

void
pzi_pasts_cleanup(pzi_pasts* const pasts)
{
  for (size_t k = 0; k < pasts->n; ++k) {
    const pzi_past* const one = &pasts->lists[k];
    for (uint32_t i = 0; one->storages && i < one->slot->list->n_tensors; ++i) {
      pzi_storage_release(one->storages[i]);
    }
    free(one->storages);
    free(one->draws);
  }
  free(pasts->lists);
  *pasts = (pzi_pasts){0};
}

/* Does a step of the maps' own state write the tensor: a buffer of its map, an original of the
   first, or the copy of an inner value? */
static bool
a_step_writes(const pzi_list* const list, const uint32_t place)
{
  const pzi_chain_tensor* const tensor = &list->chain->tensors[place];
  return list->tensors[place]->list ||
         (tensor->role != PZ_OWN_PARAMETER &&
          list->chain->stages[tensor->stage].instance->parametrization->table.update);
}

static pz_status
fill(pzi_past* const one, const bool steps)
{
  const pzi_list* const list = one->slot->list;
  const size_t draws = list->chain->n_stages * sizeof(*one->draws);
  one->draws = malloc(draws);
  one->storages = calloc((size_t)list->n_tensors + 1, sizeof(pzi_storage*));
  if (!one->draws || !one->storages) {
    return pzi_no_memory(draws);
  }
  memcpy(one->draws, list->state->draws, draws);
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    if (!steps || a_step_writes(list, k)) {
      PZ_TRY(pzi_copy_of(list->state->queue, &list->state->storages[k]->tensor, &one->storages[k]));
    }
  }
  return PZ_OK;
}

pz_status
pzi_pasts_add(pzi_pasts* const pasts, pz_slot* const slot, const bool steps)
{
  if (!slot->list) {
    return PZ_OK;
  }
  PZ_TRY(pzi_check_closed(slot));
  pzi_past* const lists = realloc(pasts->lists, (pasts->n + 1) * sizeof(*lists));
  if (!lists) {
    return pzi_no_memory((pasts->n + 1) * sizeof(*lists));
  }
  pasts->lists = lists;
  pzi_past* const one = &lists[pasts->n++];
  *one = (pzi_past){
      .slot = slot,
      .version = pz_state_version(slot->list->state),
      .copied_version = slot->list->copied_version,
      .read_version = slot->list->read_version,
  };
  PZ_TRY(fill(one, steps));
  for (uint32_t k = 0; k < slot->list->n_tensors; ++k) {
    PZ_TRY(pzi_pasts_add(pasts, slot->list->tensors[k], steps));
  }
  return PZ_OK;
}

/* What the list holds, but for the version. */
static pz_status
put_back(const pzi_past* const one)
{
  const pzi_list* const list = one->slot->list;
  const pz_state* const state = list->state;
  memcpy(state->draws, one->draws, list->chain->n_stages * sizeof(*one->draws));
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    if (one->storages[k]) {
      PZ_TRY(pzi_queue_copy(state->queue, &one->storages[k]->tensor, &state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

void
pzi_pasts_put_back(const pzi_pasts* const pasts)
{
  pz_status status = PZ_OK;
  pzi_message message; /* the reason why */
  pzi_message_save(&message);
  for (size_t k = 0; k < pasts->n && status == PZ_OK; ++k) {
    if (pz_state_version(pasts->lists[k].slot->list->state) != pasts->lists[k].version) {
      status = put_back(&pasts->lists[k]);
    }
  }
  for (size_t k = 0; k < pasts->n; ++k) {
    pzi_list* const list = pasts->lists[k].slot->list;
    if (status == PZ_OK) {
      pzi_state_restore_version(list->state, pasts->lists[k].version);
    } else {
      pz_state_touch(list->state); /* the device fails twice: at least nothing is taken for old */
    }
    list->copied_version = status == PZ_OK ? pasts->lists[k].copied_version : 0;
    list->read_version = status == PZ_OK ? pasts->lists[k].read_version : 0;
    pzi_list_changed(list, false); /* it may have been read in between */
  }
  pzi_message_restore(&message);
}

const pzi_storage*
pzi_pasts_find(const pzi_pasts* const pasts, const pz_slot* const tensor)
{
  for (size_t k = 0; k < pasts->n; ++k) {
    if (pasts->lists[k].slot == tensor->owner) {
      return pasts->lists[k].storages[tensor->index];
    }
  }
  return NULL;
}
