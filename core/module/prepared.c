/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain for a slot is prepared beside the present chain, then installed in steps that cannot
   fail. The states of both share storages: a slot of the present chain is kept if its storage is in
   the prepared state. */

#include "prepared.h"

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
slot_with(const pzi_parametrized* const parametrized, const pzi_storage* const storage)
{
  for (uint32_t k = 0; parametrized && k < parametrized->n_tensors; ++k) {
    if (parametrized->tensors[k]->storage == storage) {
      return parametrized->tensors[k];
    }
  }
  return NULL;
}

static pz_status
prepare_tensor(pz_slot* const slot, const uint32_t place, pzi_prepared* const prepared)
{
  pzi_parametrized* const parametrized = prepared->parametrized;
  const pzi_chain_tensor* const tensor = &parametrized->engine.chain->tensors[place];
  pzi_storage* const storage = parametrized->engine.state->storages[place];
  parametrized->tensors[place] = slot_with(slot->parametrized, storage);
  if (parametrized->tensors[place]) {
    return PZ_OK;
  }
  char* const path = pzi_path_of_tensor(slot->path, tensor->name);
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
  parametrized->tensors[place] = made;
  prepared->fresh[place] = true;
  return PZ_OK;
}

pz_status
pzi_prepared_init(pz_slot* const slot, pzi_engine* const engine, pzi_prepared* const out)
{
  const size_t n = engine->chain->n_tensors + (size_t)1;
  pzi_prepared prepared = {
      .parametrized = calloc(1, sizeof(*prepared.parametrized)),
      .fresh = calloc(n, sizeof(*prepared.fresh)),
  };
  pz_slot** const tensors = calloc(n, sizeof(*tensors));
  if (!prepared.parametrized || !prepared.fresh || !tensors) {
    free(prepared.parametrized);
    free(prepared.fresh);
    free(tensors);
    return pzi_no_memory(n * sizeof(*tensors));
  }
  pzi_parametrized* const parametrized = prepared.parametrized;
  parametrized->engine = *engine;
  pzi_eval_set_check_writes(engine->eval, slot->module->check_writes);
  parametrized->tensors = tensors;
  parametrized->n_tensors = engine->chain->n_tensors;
  atomic_init(&parametrized->ready, false);
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK); /* a forward that reads its own value
                                                                 gets an error, not a deadlock */
  pthread_mutex_init(&parametrized->mutex, &kind);
  pthread_mutexattr_destroy(&kind);
  pz_status status = PZ_OK;
  for (uint32_t k = 0; k < parametrized->n_tensors && status == PZ_OK; ++k) {
    status = prepare_tensor(slot, k, &prepared);
  }
  if (status == PZ_OK) {
    status = pzi_rename_plan(slot, parametrized, &prepared.names);
  }
  if (status != PZ_OK) {
    parametrized->engine = (pzi_engine){0}; /* the caller keeps it */
    pzi_prepared_cleanup(&prepared);
    return status;
  }
  *engine = (pzi_engine){0};
  *out = prepared;
  return PZ_OK;
}

void
pzi_prepared_cleanup(pzi_prepared* const prepared)
{
  if (!prepared->parametrized) {
    return;
  }
  for (uint32_t k = 0; k < prepared->parametrized->n_tensors; ++k) {
    if (prepared->fresh[k]) {
      pzi_slot_free(prepared->parametrized->tensors[k]);
    }
  }
  pzi_parametrized_free_shell(prepared->parametrized);
  pzi_rename_discard(&prepared->names);
  free(prepared->fresh);
  *prepared = (pzi_prepared){0};
}

void
pzi_prepared_keep_memory(pzi_parametrized* const parametrized, pzi_storage* const storage)
{
  pz_slot* const original = parametrized->tensors[0];
  pzi_state_replace(parametrized->engine.state, PZ_ORIGINAL, 0, storage);
  pzi_storage_release(original->storage);
  original->storage = pzi_storage_retain(storage);
}

void
pzi_prepared_install(pz_slot* const slot, pzi_prepared* const prepared)
{
  pzi_parametrized* const before = slot->parametrized;
  pzi_parametrized* const parametrized = prepared->parametrized;
  for (uint32_t k = 0; before && k < before->n_tensors; ++k) {
    if (!slot_with(parametrized, before->tensors[k]->storage)) {
      pzi_slot_free(before->tensors[k]);
    }
  }
  if (before) {
    pzi_parametrized_free_shell(before);
  }
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    parametrized->tensors[k]->index = k;
  }
  pzi_rename_apply(&prepared->names);
  free(prepared->fresh);
  *prepared = (pzi_prepared){0};

  slot->parametrized = parametrized;
  if (!slot->owner) {
    pzi_storage_release(slot->storage);
    slot->storage = NULL;
  }
  pzi_storage_release(slot->gradient);
  slot->gradient = NULL;
  pzi_slot_changed(slot->owner, true);
  pzi_stored_changed(slot->module);
}
