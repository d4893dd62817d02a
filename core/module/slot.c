/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Slots with the chains on them: created, freed, changed. */

#include "slot.h"

#include "array.h"
#include "engine.h"
#include "name_index.h"
#include "path.h"
#include "state.h"
#include "status.h"
#include "stored.h"

#include <stdlib.h>
#include <string.h>

pz_status
pzi_slot_new(pz_module* const module, char* const path, const size_t name_offset,
             pz_slot** const out)
{
  pz_slot* const slot = calloc(1, sizeof(*slot));
  if (!slot) {
    return pzi_no_memory(sizeof(*slot));
  }
  slot->module = module;
  atomic_init(&slot->published.call, PZI_NO_CALL);
  slot->path = path;
  slot->name = path + name_offset;
  slot->hash = pzi_word_of(slot->name).hash;
  *out = slot;
  return PZ_OK;
}

pz_status
pzi_slot_add(pz_module* const module, const char* const name, pzi_storage* const storage,
             pz_slot** const out)
{
  PZ_TRY(pzi_array_reserve(&module->slots, module->n_slots, 1, sizeof(pz_slot*)));
  char* const path = strdup(name);
  pz_slot* slot = NULL;
  const pz_status status =
      path ? pzi_slot_new(module, path, 0, &slot) : pzi_no_memory(strlen(name) + 1);
  if (status != PZ_OK) {
    free(path);
    return status;
  }
  slot->storage = storage;
  module->slots[module->n_slots++] = slot;
  pzi_index_update(module);
  pzi_paths_changed(module);
  *out = slot;
  return PZ_OK;
}

void
pzi_parametrized_free_shell(pzi_parametrized* const list)
{
  pzi_engine_cleanup(&list->engine);
  pthread_mutex_destroy(&list->mutex);
  free(list->failure_text);
  free(list->tensors);
  free(list);
}

void
pzi_parametrized_free(pzi_parametrized* const list)
{
  if (!list) {
    return;
  }
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    pzi_slot_free(list->tensors[k]);
  }
  pzi_parametrized_free_shell(list);
}

void
pzi_slot_free(pz_slot* const slot)
{
  if (!slot) {
    return;
  }
  pzi_parametrized_free(slot->list);
  pzi_parametrized_free(slot->aside);
  pzi_storage_release(slot->storage);
  pzi_storage_release(slot->gradient);
  pzi_storage_release(slot->pending);
  if (slot->handed) {
    slot->list = NULL;
    slot->aside = NULL;
    slot->storage = NULL;
    slot->gradient = NULL;
    slot->pending = NULL;
    slot->owner = NULL;
    slot->editing = false;
    slot->next_retired = slot->module->retired;
    slot->module->retired = slot;
    return;
  }
  free(slot->path);
  free(slot);
}

void
pzi_slot_put(pz_slot* const slot, pzi_storage* const storage)
{
  if (slot->owner) {
    const pzi_parametrized* const around = slot->owner->list;
    const uint32_t first = pzi_chain_place(around->engine.chain, slot->role, 0);
    pzi_state_replace(around->engine.state, slot->role, slot->index - first, storage);
  }
  pzi_storage_release(slot->storage);
  slot->storage = storage;
}

void
pzi_parametrized_changed(pzi_parametrized* const list, const bool touch)
{
  atomic_store_explicit(&list->ready, false, memory_order_relaxed);
  if (touch) {
    pz_state_touch(list->engine.state);
  }
}

void
pzi_slot_changed(pz_slot* slot, const bool touch)
{
  for (; slot; slot = slot->owner) {
    if (slot->list) {
      pzi_parametrized_changed(slot->list, touch);
    }
  }
}

pz_spec
pzi_slot_spec(const pz_slot* const slot)
{
  return slot->list ? *pz_chain_value(slot->list->engine.chain) : slot->storage->spec;
}

/* The tensor that is open for writing: the slot's own, or one that its value depends on. */
static const pz_slot*
find_open(const pz_slot* const slot)
{
  const pz_slot* open = slot->editing ? slot : NULL;
  const uint32_t n = slot->list && slot->list->n_editing > 0 ? slot->list->n_tensors : 0;
  for (uint32_t k = 0; k < n && !open; ++k) {
    open = find_open(slot->list->tensors[k]);
  }
  return open;
}

pz_status
pzi_check_closed(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pz_slot* const open = find_open(slot);
  return open ? pzi_fail(PZ_INVALID, "\"%s\" is open for writing until pz_module_commit",
                         pzi_path_text(open, path))
              : PZ_OK;
}
