/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Taking lists, or single maps, off a tensor. Where one original has the value's spec the
   tensor goes on in the original's memory. */

#include "module.h"

#include "status.h"

/* The tensor that will stand in the slot: retained, for the caller to put there. */
static pz_status
left_storage(pz_slot* const slot, const int leave, pzi_storage** const out)
{
  const pzi_list* const list = slot->list;
  const uint32_t n_original = list->chain->n_role[PZ_ORIGINAL];
  pzi_storage* const original = list->tensors[0]->storage;
  if (leave == PZ_LEAVE_ORIGINAL) {
    if (n_original != 1) {
      return pzi_fail(PZ_INVALID, "%u originals, of which none is the tensor", n_original);
    }
    *out = pzi_storage_retain(original);
    return PZ_OK;
  }
  pz_tensor value;
  PZ_TRY(pzi_slot_value(slot, &value));
  PZ_TRY(pzi_eval_check(list->eval));
  const pz_spec spec = pz_spec_of(&value);
  pzi_storage* storage = NULL;
  if (n_original == 1 && pz_spec_equal(&spec, &original->spec)) {
    storage = pzi_storage_retain(original);
  } else {
    PZ_TRY(pzi_storage_new(slot->module->queue, &spec, &storage));
  }
  const pz_status status = pzi_queue_copy(slot->module->queue, &value, &storage->tensor);
  if (status != PZ_OK) {
    pzi_storage_release(storage);
    return status;
  }
  *out = storage;
  return PZ_OK;
}

static pz_status
remove_list(pz_slot* const slot, const int leave)
{
  if (leave != PZ_LEAVE_ORIGINAL && leave != PZ_LEAVE_PARAMETRIZED) {
    return pzi_fail(PZ_INVALID, "found %d, expected PZ_LEAVE_PARAMETRIZED or PZ_LEAVE_ORIGINAL",
                    leave);
  }
  PZ_TRY(pzi_check_closed(slot));
  pzi_storage* storage = NULL;
  PZ_TRY(left_storage(slot, leave, &storage));

  pzi_list* const list = slot->list;
  bool requires_grad = false;
  for (uint32_t k = 0; k < list->chain->n_role[PZ_ORIGINAL]; ++k) {
    requires_grad = requires_grad || list->tensors[k]->requires_grad;
  }
  slot->requires_grad = requires_grad;
  slot->storage = storage;
  slot->list = NULL;
  pzi_list_free(list);
  pzi_paths_changed(slot->module);
  return PZ_OK;
}

pz_status
pz_remove_parametrizations(pz_module* const module, const char* const name, const int leave)
{
  PZ_TRY(pzi_exclusive_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_find_list(module, name, &slot);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(remove_list(slot, leave), "\"%s\"", name);
  }
  pzi_exclusive_end(module);
  return status;
}

static pz_status
remove_map(pz_slot* const slot, const uint32_t index)
{
  const pzi_list* const list = slot->list;
  if (index >= list->chain->n_links) {
    return pzi_fail(PZ_NOT_FOUND, "map %u of %u", (unsigned)index, (unsigned)list->chain->n_links);
  }
  if (list->chain->n_links == 1) {
    return pzi_fail(PZ_INVALID, "the only map; pz_remove_parametrizations takes off the list");
  }
  PZ_TRY(pzi_check_closed(slot));
  pz_chain* chain = NULL;
  pz_state* state = NULL;
  pz_eval* eval = NULL;
  pzi_prepared prepared = {0};
  pz_status status = pz_chain_without(list->chain, index, &chain);
  if (status == PZ_OK) {
    status = pzi_state_adopt(chain, list->state, &state);
  }
  if (status == PZ_OK) {
    status = pz_eval_new(chain, slot->module->queue, &eval);
  }
  if (status == PZ_OK) {
    status = pzi_list_prepare(slot, chain, state, eval, &prepared);
  }
  if (status != PZ_OK) {
    pz_eval_free(eval);
    pz_state_free(state);
    pz_chain_free(chain);
    return status;
  }
  pzi_list_install(slot, &prepared);
  return PZ_OK;
}

pz_status
pz_remove_parametrization(pz_module* const module, const char* const name, const uint32_t index)
{
  PZ_TRY(pzi_exclusive_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_find_list(module, name, &slot);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(remove_map(slot, index), "\"%s\"", name);
  }
  pzi_exclusive_end(module);
  return status;
}
