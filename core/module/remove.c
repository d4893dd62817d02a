/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Removes chains, or single stages. The tensor keeps the memory of the only original if the specs
   are equal. */

#include "engine.h"
#include "exclusive.h"
#include "path.h"
#include "prepared.h"
#include "queue_copy.h"
#include "rename.h"
#include "slot.h"
#include "spec_text.h"
#include "status.h"
#include "stored.h"
#include "value.h"

/* The memory of the only original, through inner chains, if it has the spec of the value; or NULL.
   */
static pzi_storage*
find_memory(const pz_slot* slot, const pz_spec* const value)
{
  while (slot->parametrized) {
    if (slot->parametrized->engine.chain->n_role[PZ_ORIGINAL] != 1) {
      return NULL;
    }
    slot = slot->parametrized->tensors[0];
  }
  return pz_spec_equal(&slot->storage->spec, value) ? slot->storage : NULL;
}

/* The value in a storage for the slot, retained. */
static pz_status
take_value(pz_slot* const slot, pzi_storage** const out)
{
  pz_tensor value;
  PZ_TRY(pzi_value_get(slot, &value));
  PZ_TRY(pzi_value_check_device(slot));
  const pz_spec spec = pz_spec_of(&value);
  pzi_storage* storage = pzi_storage_retain(find_memory(slot, &spec));
  if (!storage) {
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

/* The outer chain was planned for the tensor's spec. */
static pz_status
check_fits(const pz_slot* const slot, const pz_spec* const spec)
{
  char found[PZI_SPEC_TEXT];
  char expected[PZI_SPEC_TEXT];
  return !slot->owner || pz_spec_equal(spec, &slot->storage->spec)
             ? PZ_OK
             : pzi_fail(PZ_MISMATCH, "leaves %s, expected %s for the chain around it",
                        pzi_spec_text(spec, found), pzi_spec_text(&slot->storage->spec, expected));
}

static bool
trains_originals(const pz_slot* const slot)
{
  bool any = !slot->parametrized && slot->requires_grad;
  for (uint32_t k = 0;
       slot->parametrized && k < slot->parametrized->engine.chain->n_role[PZ_ORIGINAL]; ++k) {
    any = any || trains_originals(slot->parametrized->tensors[k]);
  }
  return any;
}

/* Replaces the slot's chain by the chain of its original, or by none. */
static void
exchange(pz_slot* const slot, pzi_parametrized* const inner)
{
  pzi_parametrized* const parametrized = slot->parametrized;
  slot->requires_grad = trains_originals(slot);
  slot->parametrized = inner;
  for (uint32_t k = 0; inner && k < inner->n_tensors; ++k) {
    inner->tensors[k]->owner = slot;
  }
  if (inner) {
    parametrized->tensors[0]->parametrized = NULL;
    inner->copied_version = 0;
    pzi_parametrized_changed(inner, false);
  }
  pzi_parametrized_free(parametrized);
  pzi_stored_changed(slot->module);
  pzi_slot_changed(slot->owner, true);
}

static pz_status
keep_original(pz_slot* const slot)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  pz_slot* const original = parametrized->tensors[0];
  pzi_rename names = {0};
  const uint32_t n_original = parametrized->engine.chain->n_role[PZ_ORIGINAL];
  if (n_original != 1) {
    return pzi_fail(PZ_INVALID, "%u original%s, of which none is the tensor", (unsigned)n_original,
                    PZI_S(n_original));
  }
  PZ_TRY(check_fits(slot, &original->storage->spec));
  if (original->parametrized) {
    PZ_TRY(pzi_rename_plan(slot, original->parametrized, &names));
  } else {
    pzi_slot_put(slot, pzi_storage_retain(original->storage));
  }
  exchange(slot, original->parametrized);
  pzi_rename_apply(&names);
  return PZ_OK;
}

static pz_status
remove_chain(pz_slot* const slot, void* const user)
{
  const pz_leave leave = *(const pz_leave*)user;
  if (leave != PZ_LEAVE_ORIGINAL && leave != PZ_LEAVE_PARAMETRIZED) {
    return pzi_fail(PZ_INVALID, "found %d, expected PZ_LEAVE_PARAMETRIZED or PZ_LEAVE_ORIGINAL",
                    leave);
  }
  PZ_TRY(pzi_slot_check_closed(slot));
  if (leave == PZ_LEAVE_ORIGINAL) {
    return keep_original(slot);
  }
  pzi_storage* storage = NULL;
  PZ_TRY(take_value(slot, &storage));
  pzi_slot_put(slot, storage);
  exchange(slot, NULL);
  return PZ_OK;
}

pz_status
pz_remove_parametrizations(pz_module* const module, const char* const name, const pz_leave leave)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live_parametrized, remove_chain,
                            (void*)&leave);
}

static pz_status
remove_stage(pz_slot* const slot, void* const user)
{
  const uint32_t index = *(const uint32_t*)user;
  const pzi_parametrized* const parametrized = slot->parametrized;
  if (index >= parametrized->engine.chain->n_stages) {
    return pzi_fail(PZ_NOT_FOUND, "stage %u of %u", (unsigned)index,
                    (unsigned)parametrized->engine.chain->n_stages);
  }
  if (parametrized->engine.chain->n_stages == 1) {
    return pzi_fail(PZ_INVALID, "the only stage; pz_remove_parametrizations removes the chain");
  }
  PZ_TRY(pzi_slot_check_closed(slot));
  pzi_engine engine = {0};
  pzi_prepared prepared = {0};
  pz_status status = pz_chain_without(parametrized->engine.chain, index, &engine.chain);
  if (status == PZ_OK) {
    status = check_fits(slot, pz_chain_value(engine.chain));
  }
  if (status == PZ_OK) {
    status = pzi_engine_adopt(&engine, slot->module->queue, parametrized->engine.state,
                              slot->module->check_writes);
  }
  if (status == PZ_OK) {
    status = pzi_prepared_init(slot, &engine, &prepared);
  }
  if (status == PZ_OK) {
    pzi_prepared_install(slot, &prepared);
  }
  pzi_engine_cleanup(&engine);
  return status;
}

pz_status
pz_remove_stage(pz_module* const module, const char* const name, const uint32_t index)
{
  return pzi_exclusive_call(module, name, pzi_path_find_live_parametrized, remove_stage,
                            (void*)&index);
}
