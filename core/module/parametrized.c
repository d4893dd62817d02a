/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Lists of maps on slots: prepared beside what is there, then installed in steps that
   cannot fail. Which slots of the present list belong to the prepared is told by their
   storages, which the states of both share. */

#include "parametrized.h"

#include "eval.h"
#include "path.h"
#include "rename.h"
#include "slot.h"
#include "state.h"
#include "status.h"
#include "stored.h"

#include <stdlib.h>
#include <string.h>

static pz_slot*
slot_with(const pzi_parametrized* const list, const pzi_storage* const storage)
{
  for (uint32_t k = 0; list && k < list->n_tensors; ++k) {
    if (list->tensors[k]->storage == storage) {
      return list->tensors[k];
    }
  }
  return NULL;
}

static pz_status
prepare_tensor(pz_slot* const slot, const uint32_t place, pzi_prepared* const prepared)
{
  pzi_parametrized* const list = prepared->list;
  const pzi_chain_tensor* const tensor = &list->engine.chain->tensors[place];
  pzi_storage* const storage = list->engine.state->storages[place];
  list->tensors[place] = slot_with(slot->list, storage);
  if (list->tensors[place]) {
    return PZ_OK;
  }
  char* const path = pzi_tensor_path(slot->path, tensor->name);
  if (!path) {
    return pzi_no_memory(strlen(slot->path) + strlen(tensor->name));
  }
  pz_slot* made = NULL;
  const pz_status status =
      pzi_slot_new(slot->module, path, strlen(path) - strlen(tensor->name), &made);
  if (status != PZ_OK) {
    free(path);
    return status;
  }
  made->kind = tensor->role == PZ_ORIGINAL        ? slot->kind
               : tensor->role == PZ_OWN_PARAMETER ? PZ_PARAMETER
                                                  : PZ_BUFFER;
  made->requires_grad =
      tensor->role == PZ_ORIGINAL ? slot->requires_grad : tensor->role == PZ_OWN_PARAMETER;
  made->owner = slot;
  made->role = tensor->role;
  made->storage = pzi_storage_retain(storage);
  list->tensors[place] = made;
  prepared->fresh[place] = true;
  return PZ_OK;
}

pz_status
pzi_parametrized_prepare(pz_slot* const slot, pzi_engine* const engine, pzi_prepared* const out)
{
  const size_t n = engine->chain->n_tensors + (size_t)1;
  pzi_prepared prepared = {
      .list = calloc(1, sizeof(*prepared.list)),
      .fresh = calloc(n, sizeof(*prepared.fresh)),
  };
  pz_slot** const tensors = calloc(n, sizeof(*tensors));
  if (!prepared.list || !prepared.fresh || !tensors) {
    free(prepared.list);
    free(prepared.fresh);
    free(tensors);
    return pzi_no_memory(n * sizeof(*tensors));
  }
  pzi_parametrized* const list = prepared.list;
  list->engine = *engine;
  pzi_eval_set_check_writes(engine->eval, slot->module->check_writes);
  list->tensors = tensors;
  list->n_tensors = engine->chain->n_tensors;
  atomic_init(&list->ready, false);
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK); /* a map may read its own value */
  pthread_mutex_init(&list->mutex, &kind);
  pthread_mutexattr_destroy(&kind);
  pz_status status = PZ_OK;
  for (uint32_t k = 0; k < list->n_tensors && status == PZ_OK; ++k) {
    status = prepare_tensor(slot, k, &prepared);
  }
  if (status == PZ_OK) {
    status = pzi_names_plan(slot, list, &prepared.names);
  }
  if (status != PZ_OK) {
    list->engine = (pzi_engine){0}; /* still the caller's */
    pzi_parametrized_discard(&prepared);
    return status;
  }
  *engine = (pzi_engine){0};
  *out = prepared;
  return PZ_OK;
}

void
pzi_parametrized_discard(pzi_prepared* const prepared)
{
  if (!prepared->list) {
    return;
  }
  for (uint32_t k = 0; k < prepared->list->n_tensors; ++k) {
    if (prepared->fresh[k]) {
      pzi_slot_free(prepared->list->tensors[k]);
    }
  }
  pzi_parametrized_free_shell(prepared->list);
  pzi_names_discard(&prepared->names);
  free(prepared->fresh);
  *prepared = (pzi_prepared){0};
}

void
pzi_parametrized_keep_memory(pzi_parametrized* const list, pzi_storage* const storage)
{
  pz_slot* const original = list->tensors[0];
  pzi_state_replace(list->engine.state, PZ_ORIGINAL, 0, storage);
  pzi_storage_release(original->storage);
  original->storage = pzi_storage_retain(storage);
}

void
pzi_parametrized_install(pz_slot* const slot, pzi_prepared* const prepared)
{
  pzi_parametrized* const before = slot->list;
  pzi_parametrized* const list = prepared->list;
  for (uint32_t k = 0; before && k < before->n_tensors; ++k) {
    if (!slot_with(list, before->tensors[k]->storage)) {
      pzi_slot_free(before->tensors[k]);
    }
  }
  if (before) {
    pzi_parametrized_free_shell(before);
  }
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    list->tensors[k]->index = k;
  }
  pzi_names_apply(&prepared->names);
  free(prepared->fresh);
  *prepared = (pzi_prepared){0};

  slot->list = list;
  if (!slot->owner) {
    pzi_storage_release(slot->storage);
    slot->storage = NULL;
  }
  pzi_storage_release(slot->gradient);
  slot->gradient = NULL;
  pzi_slot_changed(slot->owner, true);
  pzi_paths_changed(slot->module);
}
