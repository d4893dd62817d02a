/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What maps do besides computing a value: one step of their own state, of one value or of
   all; and the distance of a value from their set. */

#include "module_impl.h"

#include "status.h"

/* ---- steps ------------------------------------------------------------------- */

static bool
has_own_steps(const pzi_list* const list)
{
  bool any = false;
  for (uint32_t i = 0; i < list->chain->n_stages; ++i) {
    any = any || list->chain->stages[i].instance->parametrization->table.update;
  }
  return any;
}

bool
pzi_has_steps(const pz_slot* const slot)
{
  bool any = slot->list && has_own_steps(slot->list);
  for (uint32_t k = 0; slot->list && k < slot->list->n_tensors; ++k) {
    any = any || pzi_has_steps(slot->list->tensors[k]);
  }
  return any;
}

/* The step of one list, whose map 0 may move originals: lists on them take that. */
static pz_status
step_list(pz_slot* const slot)
{
  const pzi_list* const list = slot->list;
  pzi_pasts pasts = {0};
  PZ_TRY(pzi_list_settle(slot));
  pz_status status = pzi_is_nested(slot) ? pzi_pasts_add(&pasts, slot, true) : PZ_OK;
  if (status == PZ_OK) {
    status = pz_eval_update(list->eval, list->state);
  }
  if (status == PZ_OK) {
    status = pzi_hand_down(slot, &pasts, false);
  }
  pzi_pasts_cleanup(&pasts);
  return status;
}

/* The lists in a list go first: it steps on their values. */
static pz_status
step(pz_slot* const slot, const bool reading)
{
  pzi_list* const list = slot->list;
  char path[PZI_PATH_TEXT];
  const uint64_t before = pz_state_version(list->state);
  if (reading && pzi_in_scope(slot->module) && pzi_list_is_current(list)) {
    return PZ_OK;
  }
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    if (list->tensors[k]->list) {
      PZ_TRY(step(list->tensors[k], reading));
    }
  }
  if (reading && !has_own_steps(list)) {
    return PZ_OK;
  }
  pzi_list_changed(list, false);
  const pz_status status = step_list(slot);
  if (pz_state_version(list->state) != before) {
    pzi_slot_changed(slot->owner, true);
  }
  return pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path));
}

pz_status
pzi_slot_step(pz_slot* const slot, const bool reading)
{
  pzi_pasts pasts = {0};
  pz_status status = PZ_OK;
  PZ_TRY(pzi_check_closed(slot));
  if (pzi_is_nested(slot) || !slot->module->queue->host_memory) { /* where copies can fail */
    status = pzi_pasts_add(&pasts, slot, true);
  }
  if (status == PZ_OK) {
    status = step(slot, reading);
    if (status != PZ_OK) {
      pzi_pasts_put_back(&pasts);
    }
  }
  pzi_pasts_cleanup(&pasts);
  return status;
}

static pz_status
remember(pz_slot* const slot, void* const pasts)
{
  return pzi_pasts_add(pasts, slot, true);
}

static pz_status
step_value(pz_slot* const slot, void* const user)
{
  (void)user;
  return slot->list ? step(slot, false) : PZ_OK;
}

static pz_status
update_all(pz_module* const module)
{
  pzi_pasts pasts = {0};
  pz_status status = pzi_each_slot(module, remember, &pasts);
  if (status == PZ_OK) {
    status = pzi_each_slot(module, step_value, NULL);
    if (status != PZ_OK) {
      pzi_pasts_put_back(&pasts);
    }
  }
  pzi_pasts_cleanup(&pasts);
  return status;
}

pz_status
pz_module_update(pz_module* const module, const char* const name)
{
  PZ_TRY(pzi_alone_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_check_live(module);
  if (status == PZ_OK && name) {
    status = pzi_find_list(module, name, &slot);
  }
  if (status == PZ_OK) {
    status = name ? pzi_slot_step(slot, false) : update_all(module);
  }
  pzi_exclusive_end(module);
  return status;
}

/* ---- residual ---------------------------------------------------------------- */

static pz_status
residual(pz_slot* const slot, double* const distance)
{
  const pzi_list* const list = slot->list;
  pz_tensor value;
  PZ_TRY(pzi_slot_value(slot, &value));
  return pz_eval_residual(list->eval, list->state, list->chain->n_stages - 1, &value, distance);
}

pz_status
pz_module_residual(pz_module* const module, const char* const name, double* const distance)
{
  if (!distance) {
    return pzi_fail(PZ_INVALID, "found no place for the distance");
  }
  PZ_TRY(pzi_alone_begin(module));
  pz_slot* slot = NULL;
  pz_status status = pzi_check_live(module);
  if (status == PZ_OK) {
    status = pzi_find_list(module, name, &slot);
  }
  if (status == PZ_OK) {
    status = pzi_fail_prefix(residual(slot, distance), "\"%s\"", name);
  }
  pzi_exclusive_end(module);
  return status;
}
