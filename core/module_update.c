/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One step of the maps' own state. A step of one list is all or nothing by itself; over
   several lists what those before a failing one had is put back. */

#include "module.h"

#include "status.h"

#include <stdlib.h>
#include <string.h>

/* What a list had: its version, its draws and the buffers that a step may write. */
typedef struct past {
  pz_slot* slot;
  uint64_t version;
  uint64_t* draws;
  pzi_storage** buffers; /* copies, in the chain's order */
} past;

typedef struct pasts {
  past* lists;
  size_t n;
} pasts;

static uint32_t
first_buffer(const pz_chain* const chain)
{
  return chain->n_role[PZ_ORIGINAL] + chain->n_role[PZ_OWN_PARAMETER];
}

static void
pasts_cleanup(pasts* const all)
{
  for (size_t k = 0; k < all->n; ++k) {
    const uint32_t n = all->lists[k].slot->list->chain->n_role[PZ_STATE_BUFFER];
    for (uint32_t i = 0; all->lists[k].buffers && i < n; ++i) {
      pzi_storage_release(all->lists[k].buffers[i]);
    }
    free(all->lists[k].buffers);
    free(all->lists[k].draws);
  }
  free(all->lists);
}

static pz_status
remember(pz_slot* const slot, void* const user)
{
  pasts* const all = user;
  if (!slot->list) {
    return PZ_OK;
  }
  PZ_TRY(pzi_check_closed(slot));
  const pz_state* const state = slot->list->state;
  const pz_chain* const chain = slot->list->chain;
  const uint32_t n = chain->n_role[PZ_STATE_BUFFER];
  past* const lists = realloc(all->lists, (all->n + 1) * sizeof(*lists));
  if (!lists) {
    return pzi_no_memory((all->n + 1) * sizeof(*lists));
  }
  all->lists = lists;
  past* const one = &lists[all->n++];
  *one = (past){
      .slot = slot,
      .version = pz_state_version(state),
      .draws = malloc(chain->n_links * sizeof(*one->draws)),
      .buffers = calloc((size_t)n + 1, sizeof(pzi_storage*)),
  };
  if (!one->draws || !one->buffers) {
    return pzi_no_memory(chain->n_links * sizeof(*one->draws));
  }
  memcpy(one->draws, state->draws, chain->n_links * sizeof(*one->draws));
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t place = first_buffer(chain) + i;
    if (chain->links[chain->tensors[place].map].entry->map->table.update) {
      PZ_TRY(pzi_copy_of(state->queue, &state->storages[place]->tensor, &one->buffers[i]));
    }
  }
  return PZ_OK;
}

/* With what it had a list has its version too: what was read of it is the value still. */
static void
put_back(const past* const one)
{
  pz_state* const state = one->slot->list->state;
  const pz_chain* const chain = one->slot->list->chain;
  if (pz_state_version(state) == one->version) {
    return;
  }
  pz_status status = PZ_OK;
  memcpy(state->draws, one->draws, chain->n_links * sizeof(*one->draws));
  for (uint32_t i = 0; i < chain->n_role[PZ_STATE_BUFFER] && status == PZ_OK; ++i) {
    if (one->buffers[i]) {
      status = pzi_queue_copy(state->queue, &one->buffers[i]->tensor,
                              &state->storages[first_buffer(chain) + i]->tensor);
    }
  }
  if (status == PZ_OK) {
    pzi_state_is_again(state, one->version);
  } else {
    pz_state_touch(state);
  }
}

static pz_status
step(pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  PZ_TRY(pzi_check_closed(slot));
  pzi_list_changed(slot->list, false);
  return pzi_fail_prefix(pz_eval_update(slot->list->eval, slot->list->state), "\"%s\"",
                         pzi_path_text(slot, path));
}

static pz_status
update_all(pz_module* const module)
{
  pasts all = {0};
  pz_status status = pzi_each_slot(module, remember, &all);
  for (size_t k = 0; k < all.n && status == PZ_OK; ++k) {
    status = step(all.lists[k].slot);
    for (size_t i = 0; status != PZ_OK && i <= k; ++i) {
      put_back(&all.lists[i]);
    }
  }
  pasts_cleanup(&all);
  return status;
}

pz_status
pz_module_update(pz_module* const module, const char* const name)
{
  PZ_TRY(pzi_exclusive_begin(module));
  pz_status status;
  if (name) {
    pz_slot* slot = NULL;
    status = pzi_find_list(module, name, &slot);
    status = status == PZ_OK ? step(slot) : status;
  } else {
    status = update_all(module);
  }
  pzi_exclusive_end(module);
  return status;
}
