/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Updates of the state that parametrizations own. Residuals: the distance of a value from the
   set of the last stage. */

#include "update.h"

#include "exclusive.h"
#include "gate.h"
#include "hand_down.h"
#include "path.h"
#include "slot.h"
#include "status.h"
#include "undo.h"
#include "value.h"
#include "walk.h"

/* ---- update ------------------------------------------------------------------ */

/* Updates one chain. The update of stage 0 may change originals; inner chains on them follow. */
static pz_status
update_chain(pz_slot* const slot)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  pzi_undo undo = {0};
  PZ_TRY(pzi_value_refresh_inner(slot));
  pz_status status = pzi_slot_is_nested(slot) ? pzi_undo_add_chain(&undo, slot, true) : PZ_OK;
  if (status == PZ_OK) {
    status = pz_eval_update(parametrized->engine.eval, parametrized->engine.state);
  }
  if (status == PZ_OK) {
    status = pzi_hand_down(slot, &undo, false);
  }
  pzi_undo_cleanup(&undo);
  return status;
}

/* Inner chains first: the outer chain uses their values. */
static pz_status
update(pz_slot* const slot, const bool reading)
{
  pzi_parametrized* const parametrized = slot->parametrized;
  char path[PZI_PATH_TEXT];
  const uint64_t before = pz_state_version(parametrized->engine.state);
  if (reading && pzi_value_in_scope(slot->module) && pzi_value_is_current(parametrized)) {
    return PZ_OK;
  }
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    if (parametrized->tensors[k]->parametrized) {
      PZ_TRY(update(parametrized->tensors[k], reading));
    }
  }
  if (reading && !pzi_value_has_own_update(parametrized)) {
    return PZ_OK;
  }
  pzi_parametrized_changed(parametrized, false);
  const pz_status status = update_chain(slot);
  if (pz_state_version(parametrized->engine.state) != before) {
    pzi_slot_changed(slot->owner, true);
  }
  return pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path));
}

pz_status
pzi_update_slot(pz_slot* const slot, const bool reading)
{
  pzi_undo undo = {0};
  pz_status status = PZ_OK;
  PZ_TRY(pzi_slot_check_closed(slot));
  if (pzi_slot_is_nested(slot) || !slot->module->queue->host_memory) { /* copies can fail */
    status = pzi_undo_add_chain(&undo, slot, true);
  }
  if (status == PZ_OK) {
    status = update(slot, reading);
  }
  return pzi_undo_end(&undo, status);
}

static pz_status
remember(pz_slot* const slot, void* const undo)
{
  return pzi_undo_add_chain(undo, slot, true);
}

static pz_status
update_value(pz_slot* const slot, void* const user)
{
  (void)user;
  return slot->parametrized ? update(slot, false) : PZ_OK;
}

static pz_status
update_all(pz_module* const module)
{
  pzi_undo undo = {0};
  pz_status status = pzi_walk_slots(module, remember, &undo);
  if (status == PZ_OK) {
    status = pzi_walk_slots(module, update_value, NULL);
  }
  return pzi_undo_end(&undo, status);
}

pz_status
pz_module_update(pz_module* const module, const char* const name)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_gate_check_live(module);
  if (status == PZ_OK && name) {
    status = pzi_path_find_parametrized(module, name, &slot);
  }
  if (status == PZ_OK) {
    status = name ? pzi_update_slot(slot, false) : update_all(module);
  }
  pzi_gate_exclusive_end(module);
  return status;
}

/* ---- residual ---------------------------------------------------------------- */

static pz_status
residual(pz_slot* const slot, void* const distance)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  pz_tensor value;
  PZ_TRY(pzi_value_get(slot, &value));
  return pz_eval_residual(parametrized->engine.eval, parametrized->engine.state,
                          parametrized->engine.chain->n_stages - 1, &value, distance);
}

pz_status
pz_module_residual(pz_module* const module, const char* const name, double* const distance)
{
  if (!distance) {
    return pzi_fail(PZ_INVALID, "found no place for the distance");
  }
  return pzi_exclusive_call(module, name, pzi_path_find_live_parametrized, residual, distance);
}
