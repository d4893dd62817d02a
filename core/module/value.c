/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Values of slots. A value is current while the state has the version that it was computed
   from; a change of mode touches the state, so the version covers the mode. Readers that find
   `ready` take the value without a lock. The others lock the chain's mutex: the first computes,
   the rest find the value, or the failure that it left. */

#include "value.h"

#include "digest.h"
#include "eval.h"
#include "path.h"
#include "queue_copy.h"
#include "slot.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* ---- digests ------------------------------------------------------------ */

static uint64_t
digest(const pz_tensor* const tensor)
{
  return pzi_digest((const char*)tensor->data + tensor->byte_offset,
                    (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype));
}

static bool
is_checked(const pz_slot* const slot)
{
  return slot->module->check_writes && slot->module->queue->host_memory;
}

pz_status
pzi_value_check_digests(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pzi_parametrized* const parametrized = slot->parametrized;
  for (uint32_t k = 0; is_checked(slot) && k < parametrized->n_tensors; ++k) {
    const pz_slot* const tensor = parametrized->tensors[k];
    if (pz_count(&tensor->storage->tensor) > 0 &&
        digest(&tensor->storage->tensor) != tensor->digest) {
      return pzi_fail(PZ_STALE, "\"%s\" was written without pz_module_touch since it was read",
                      pzi_path_text(tensor, path));
    }
  }
  return PZ_OK;
}

static void
take_digests(const pz_slot* const slot)
{
  for (uint32_t k = 0; is_checked(slot) && k < slot->parametrized->n_tensors; ++k) {
    pz_slot* const tensor = slot->parametrized->tensors[k];
    if (pz_count(&tensor->storage->tensor) > 0) {
      tensor->digest = digest(&tensor->storage->tensor);
    }
  }
}

/* ---- when to compute -------------------------------------------------------- */

bool
pzi_value_has_own_update(const pzi_parametrized* const parametrized)
{
  bool any = false;
  for (uint32_t i = 0; i < parametrized->engine.chain->n_stages; ++i) {
    any = any || parametrized->engine.chain->stages[i].instance->parametrization->table.update;
  }
  return any;
}

/* Does a stage of the slot's chain, or of an inner chain, have an update? */
static bool
has_update(const pz_slot* const slot)
{
  bool any = slot->parametrized && pzi_value_has_own_update(slot->parametrized);
  for (uint32_t k = 0; slot->parametrized && k < slot->parametrized->n_tensors; ++k) {
    any = any || has_update(slot->parametrized->tensors[k]);
  }
  return any;
}

static uint32_t
forward_flags(const pz_slot* const slot)
{
  if (!slot->module->training) {
    return 0;
  }
  return PZ_CALL_TRAINING | (pzi_slot_wants_gradient(slot) ? (uint32_t)PZ_CALL_SAVING : 0);
}

/* Outside a scope each read computes, as in PyTorch. */
bool
pzi_value_read_computes(const pz_slot* const slot)
{
  const pz_module* const module = slot->module;
  return slot->parametrized && module->policy == PZ_CACHE_SCOPED && module->scopes == 0;
}

bool
pzi_value_in_scope(const pz_module* const module)
{
  return module->policy == PZ_CACHE_SCOPED && module->scopes > 0;
}

/* A read outside the cache updates first, as in PyTorch. */
bool
pzi_value_read_updates(const pz_slot* const slot)
{
  const pz_module* const module = slot->module;
  return module->update_policy == PZ_UPDATE_ON_READ && module->training && has_update(slot);
}

bool
pzi_value_read_caches(const pz_slot* const slot)
{
  return pzi_value_in_scope(slot->module) ||
         (!pzi_value_read_computes(slot) && !pzi_value_read_updates(slot));
}

bool
pzi_value_is_current(const pzi_parametrized* const parametrized)
{
  return !parametrized->dropped && pzi_eval_version(parametrized->engine.eval, NULL) ==
                                       pz_state_version(parametrized->engine.state);
}

/* ---- values ---------------------------------------------------------------- */

static void
remember_failure(pzi_parametrized* const parametrized, const pz_status status,
                 const uint64_t version)
{
  free(parametrized->failure_text);
  parametrized->failure_text = strdup(pz_error_message());
  parametrized->failure = status;
  parametrized->failed_version = version;
}

/* With the mutex of the chain locked. */
pz_status
pzi_value_refresh_inner(const pz_slot* const slot)
{
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    pz_slot* const tensor = slot->parametrized->tensors[k];
    pzi_parametrized* const inner = tensor->parametrized;
    pz_tensor value;
    if (!inner) {
      continue;
    }
    PZ_TRY(pzi_value_get(tensor, &value));
    const uint64_t version = pz_state_version(inner->engine.state);
    if (inner->copied_version != version) {
      inner->copied_version = 0;
      PZ_TRY(pzi_queue_copy(slot->module->queue, &value, &tensor->storage->tensor));
      inner->copied_version = version;
    }
  }
  return PZ_OK;
}

/* With the mutex of the chain locked. */
static pz_status
refresh(pz_slot* const slot)
{
  pzi_parametrized* const parametrized = slot->parametrized;
  const uint64_t version = pz_state_version(parametrized->engine.state);
  char path[PZI_PATH_TEXT];
  PZ_TRY(pzi_slot_check_closed(slot));
  PZ_TRY(pzi_value_refresh_inner(slot));
  if (pzi_value_read_computes(slot) || !pzi_value_is_current(parametrized)) {
    if (!pzi_value_read_computes(slot) && parametrized->failed_version == version) {
      return pzi_fail(parametrized->failure, "%s",
                      parametrized->failure_text ? parametrized->failure_text
                                                 : pz_status_text(parametrized->failure));
    }
    take_digests(slot);
    const pz_status status =
        pzi_engine_forward(&parametrized->engine, forward_flags(slot), &parametrized->value);
    if (status != PZ_OK) {
      (void)pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path));
      if (status != PZ_NO_MEMORY) { /* the next read may find memory */
        remember_failure(parametrized, status, version);
      }
      return status;
    }
    parametrized->dropped = false;
  } else {
    PZ_TRY(pzi_value_check_digests(slot));
  }
  parametrized->read_version = version;
  const bool ready = pzi_value_read_caches(slot) && !is_checked(slot);
  atomic_store_explicit(&parametrized->ready, ready, memory_order_release);
  return PZ_OK;
}

pz_status
pzi_value_get(pz_slot* const slot, pz_tensor* const out)
{
  pzi_parametrized* const parametrized = slot->parametrized;
  char path[PZI_PATH_TEXT];
  if (slot->owner && slot->module->baked) {
    return pzi_fail(PZ_INVALID, "\"%s\" belongs to a baked chain until pz_module_unbake",
                    pzi_path_text(slot, path));
  }
  if (!parametrized) {
    PZ_TRY(pzi_slot_check_closed(slot));
    if (!slot->storage) {
      return pzi_fail(PZ_NOT_FOUND, "\"%s\" was removed after pz_module_slot",
                      pzi_path_text(slot, path));
    }
    *out = slot->storage->tensor;
    return PZ_OK;
  }
  if (atomic_load_explicit(&parametrized->ready, memory_order_acquire)) {
    *out = parametrized->value;
    return PZ_OK;
  }
  if (pthread_mutex_lock(&parametrized->mutex) != 0) {
    return pzi_fail(PZ_INVALID, "\"%s\": its own forward reads it", pzi_path_text(slot, path));
  }
  const pz_status status = refresh(slot);
  if (status == PZ_OK) {
    *out = parametrized->value;
  }
  pthread_mutex_unlock(&parametrized->mutex);
  return status;
}

pz_status
pzi_value_check_device(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pzi_parametrized* const parametrized = slot->parametrized;
  pthread_mutex_lock((pthread_mutex_t*)&parametrized->mutex);
  const pz_status status = pz_eval_check(parametrized->engine.eval);
  pthread_mutex_unlock((pthread_mutex_t*)&parametrized->mutex);
  PZ_TRY(pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path)));
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    PZ_TRY(parametrized->tensors[k]->parametrized ? pzi_value_check_device(parametrized->tensors[k])
                                                  : PZ_OK);
  }
  return PZ_OK;
}
