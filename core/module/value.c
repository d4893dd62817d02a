/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Values of slots. A value is current while the state has the version that it was computed
   from; a change of mode touches the state, so the version covers the mode. Readers that find
   `ready` take the value without a lock. The others lock the chain's mutex: the first computes,
   the rest find the value, or the failure that it left. */

#include "value.h"

#include "eval.h"
#include "path.h"
#include "queue_copy.h"
#include "slot.h"
#include "status.h"
#include "walk.h"

#include <stdlib.h>
#include <string.h>

/* ---- contents -------------------------------------------------------------- */

/* Mixes every word into 64 bits (multiply and rotate, as xxHash does). */
static uint64_t
digest(const pz_tensor* const tensor)
{
  const unsigned char* bytes = (const unsigned char*)tensor->data + tensor->byte_offset;
  size_t left = (size_t)pz_count(tensor) * pz_dtype_size(tensor->dtype);
  uint64_t hash = 0x9e3779b97f4a7c15U ^ left;
  for (; left >= 8; left -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    word *= 0xc2b2ae3d27d4eb4fU;
    word = (word << 31 | word >> 33) * 0x9e3779b185ebca87U;
    hash = ((hash ^ word) << 27 | (hash ^ word) >> 37) * 0x9e3779b185ebca87U + 0x85ebca77c2b2ae63U;
  }
  for (; left > 0; --left, ++bytes) {
    hash = (hash ^ *bytes) * 0x9e3779b185ebca87U;
    hash ^= hash >> 29;
  }
  return hash ^ hash >> 32;
}

static bool
is_checked(const pz_slot* const slot)
{
  return slot->module->check_writes && slot->module->queue->host_memory;
}

pz_status
pzi_check_digests(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pzi_parametrized* const list = slot->list;
  for (uint32_t k = 0; is_checked(slot) && k < list->n_tensors; ++k) {
    const pz_slot* const tensor = list->tensors[k];
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
  for (uint32_t k = 0; is_checked(slot) && k < slot->list->n_tensors; ++k) {
    pz_slot* const tensor = slot->list->tensors[k];
    if (pz_count(&tensor->storage->tensor) > 0) {
      tensor->digest = digest(&tensor->storage->tensor);
    }
  }
}

/* ---- when to compute -------------------------------------------------------- */

bool
pzi_has_own_steps(const pzi_parametrized* const list)
{
  bool any = false;
  for (uint32_t i = 0; i < list->engine.chain->n_stages; ++i) {
    any = any || list->engine.chain->stages[i].instance->parametrization->table.update;
  }
  return any;
}

bool
pzi_has_steps(const pz_slot* const slot)
{
  bool any = slot->list && pzi_has_own_steps(slot->list);
  for (uint32_t k = 0; slot->list && k < slot->list->n_tensors; ++k) {
    any = any || pzi_has_steps(slot->list->tensors[k]);
  }
  return any;
}

static uint32_t
forward_flags(const pz_slot* const slot)
{
  if (!slot->module->training) {
    return 0;
  }
  return PZ_CALL_TRAINING | (pzi_wants_gradient(slot) ? (uint32_t)PZ_CALL_SAVING : 0);
}

/* Every read counts: PyTorch's rule outside a scope. */
bool
pzi_reads_alone(const pz_slot* const slot)
{
  const pz_module* const module = slot->module;
  return slot->list && module->policy == PZ_CACHE_SCOPED && module->scopes == 0;
}

bool
pzi_in_scope(const pz_module* const module)
{
  return module->policy == PZ_CACHE_SCOPED && module->scopes > 0;
}

/* A read that nothing keeps takes a step before: PyTorch's rule again. */
bool
pzi_steps_on_read(const pz_slot* const slot)
{
  const pz_module* const module = slot->module;
  return module->update_policy == PZ_UPDATE_ON_READ && module->training && pzi_has_steps(slot);
}

bool
pzi_keeps_value(const pz_slot* const slot)
{
  return pzi_in_scope(slot->module) || (!pzi_reads_alone(slot) && !pzi_steps_on_read(slot));
}

bool
pzi_value_is_current(const pzi_parametrized* const list)
{
  return !list->dropped &&
         pzi_eval_version(list->engine.eval, NULL) == pz_state_version(list->engine.state);
}

/* ---- values ---------------------------------------------------------------- */

static void
remember_failure(pzi_parametrized* const list, const pz_status status, const uint64_t version)
{
  free(list->failure_text);
  list->failure_text = strdup(pz_error_message());
  list->failure = status;
  list->failed_version = version;
}

/* With the list's mutex held. */
pz_status
pzi_value_refresh_inner(const pz_slot* const slot)
{
  for (uint32_t k = 0; k < slot->list->n_tensors; ++k) {
    pz_slot* const tensor = slot->list->tensors[k];
    pzi_parametrized* const inner = tensor->list;
    pz_tensor value;
    if (!inner) {
      continue;
    }
    PZ_TRY(pzi_slot_value(tensor, &value));
    const uint64_t version = pz_state_version(inner->engine.state);
    if (inner->copied_version != version) {
      inner->copied_version = 0;
      PZ_TRY(pzi_queue_copy(slot->module->queue, &value, &tensor->storage->tensor));
      inner->copied_version = version;
    }
  }
  return PZ_OK;
}

/* With the mutex held. */
static pz_status
refresh(pz_slot* const slot)
{
  pzi_parametrized* const list = slot->list;
  const uint64_t version = pz_state_version(list->engine.state);
  char path[PZI_PATH_TEXT];
  PZ_TRY(pzi_check_closed(slot));
  PZ_TRY(pzi_value_refresh_inner(slot));
  if (pzi_reads_alone(slot) || !pzi_value_is_current(list)) {
    if (!pzi_reads_alone(slot) && list->failed_version == version) {
      return pzi_fail(list->failure, "%s",
                      list->failure_text ? list->failure_text : pz_status_text(list->failure));
    }
    take_digests(slot);
    const pz_status status =
        pz_eval_forward(list->engine.eval, list->engine.state, forward_flags(slot), &list->value);
    if (status != PZ_OK) {
      (void)pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path));
      if (status != PZ_NO_MEMORY) { /* memory may be there next time */
        remember_failure(list, status, version);
      }
      return status;
    }
    list->dropped = false;
  } else {
    PZ_TRY(pzi_check_digests(slot));
  }
  list->read_version = version;
  const bool ready = pzi_keeps_value(slot) && !is_checked(slot);
  atomic_store_explicit(&list->ready, ready, memory_order_release);
  return PZ_OK;
}

pz_status
pzi_slot_value(pz_slot* const slot, pz_tensor* const out)
{
  pzi_parametrized* const list = slot->list;
  char path[PZI_PATH_TEXT];
  if (slot->owner && slot->module->baked) {
    return pzi_fail(PZ_INVALID, "\"%s\" is put aside until pz_module_unbake",
                    pzi_path_text(slot, path));
  }
  if (!list) {
    PZ_TRY(pzi_check_closed(slot));
    if (!slot->storage) {
      return pzi_fail(PZ_NOT_FOUND, "\"%s\" is gone since its slot was asked for",
                      pzi_path_text(slot, path));
    }
    *out = slot->storage->tensor;
    return PZ_OK;
  }
  if (atomic_load_explicit(&list->ready, memory_order_acquire)) {
    *out = list->value;
    return PZ_OK;
  }
  if (pthread_mutex_lock(&list->mutex) != 0) {
    return pzi_fail(PZ_INVALID, "\"%s\": its own maps read it", pzi_path_text(slot, path));
  }
  const pz_status status = refresh(slot);
  if (status == PZ_OK) {
    *out = list->value;
  }
  pthread_mutex_unlock(&list->mutex);
  return status;
}

pz_status
pzi_check_device(const pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  const pzi_parametrized* const list = slot->list;
  pthread_mutex_lock((pthread_mutex_t*)&list->mutex);
  const pz_status status = pz_eval_check(list->engine.eval);
  pthread_mutex_unlock((pthread_mutex_t*)&list->mutex);
  PZ_TRY(pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path)));
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    PZ_TRY(list->tensors[k]->list ? pzi_check_device(list->tensors[k]) : PZ_OK);
  }
  return PZ_OK;
}
