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
  slot->hash = pzi_name_index_word(slot->name).hash;
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
  pzi_name_index_update(module);
  pzi_stored_changed(module);
  *out = slot;
  return PZ_OK;
}

void
pzi_parametrized_free_shell(pzi_parametrized* const parametrized)
{
  pzi_engine_cleanup(&parametrized->engine);
  pthread_mutex_destroy(&parametrized->mutex);
  free(parametrized->failure_text);
  free(parametrized->tensors);
  free(parametrized);
}

void
pzi_parametrized_free(pzi_parametrized* const parametrized)
{
  if (!parametrized) {
    return;
  }
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    pzi_slot_free(parametrized->tensors[k]);
  }
  pzi_parametrized_free_shell(parametrized);
}

void
pzi_slot_free(pz_slot* const slot)
{
  if (!slot) {
    return;
  }
  pzi_parametrized_free(slot->parametrized);
  pzi_parametrized_free(slot->baked);
  pzi_storage_release(slot->storage);
  pzi_storage_release(slot->gradient);
  pzi_storage_release(slot->pending);
  if (slot->handed) {
    slot->parametrized = NULL;
    slot->baked = NULL;
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
    const pzi_parametrized* const around = slot->owner->parametrized;
    const uint32_t first = pzi_chain_place(around->engine.chain, slot->role, 0);
    pzi_state_replace(around->engine.state, slot->role, slot->index - first, storage);
  }
  pzi_storage_release(slot->storage);
  slot->storage = storage;
}

void
pzi_parametrized_changed(pzi_parametrized* const parametrized, const bool touch)
{
  atomic_store_explicit(&parametrized->ready, false, memory_order_relaxed);
  if (touch) {
    pz_state_touch(parametrized->engine.state);
  }
}

void
pzi_slot_changed(pz_slot* slot, const bool touch)
{
  for (; slot; slot = slot->owner) {
    if (slot->parametrized) {
      pzi_parametrized_changed(slot->parametrized, touch);
    }
  }
}

pz_spec
pzi_slot_spec(const pz_slot* const slot)
{
  return slot->parametrized ? *pz_chain_value(slot->parametrized->engine.chain)
                            : slot->storage->spec;
}

bool
pzi_slot_is_nested(const pz_slot* const slot)
{
  bool any = false;
  for (uint32_t k = 0; slot->parametrized && k < slot->parametrized->n_tensors; ++k) {
    any = any || slot->parametrized->tensors[k]->parametrized;
  }
  return any;
}

bool
pzi_slot_wants_gradient(const pz_slot* const slot)
{
  bool any = !slot->parametrized && slot->requires_grad;
  for (uint32_t k = 0; slot->parametrized && k < slot->parametrized->n_tensors; ++k) {
    any = any || pzi_slot_wants_gradient(slot->parametrized->tensors[k]);
  }
  return any;
}

/* The tensor that is open for writing: the slot's own, or one that its value depends on. */
static const pz_slot*
find_open(const pz_slot* const slot)
{
  const pz_slot* open = slot->editing ? slot : NULL;
  const uint32_t n =
      slot->parametrized && slot->parametrized->n_editing > 0 ? slot->parametrized->n_tensors : 0;
  for (uint32_t k = 0; k < n && !open; ++k) {
    open = find_open(slot->parametrized->tensors[k]);
  }
  return open;
}

pz_status
pzi_slot_check_closed(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pz_slot* const open = find_open(slot);
  return open ? pzi_fail(PZ_INVALID, "\"%s\" is open for writing until pz_module_commit",
                         pzi_path_text(open, path))
              : PZ_OK;
}
