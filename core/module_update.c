/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One step of the maps' own state, of one value or of all. */

#include "module.h"

#include "status.h"

/* The lists in a list go first: it steps on their values. */
static pz_status
step(pz_slot* const slot)
{
  pzi_list* const list = slot->list;
  char path[PZI_PATH_TEXT];
  const uint64_t before = pz_state_version(list->state);
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    if (list->tensors[k]->list) {
      PZ_TRY(step(list->tensors[k]));
    }
  }
  PZ_TRY(pzi_list_settle(slot));
  pzi_list_changed(list, false);
  const pz_status status = pz_eval_update(list->eval, list->state);
  if (pz_state_version(list->state) != before) {
    pzi_slot_changed(slot->owner, true);
  }
  return pzi_fail_prefix(status, "\"%s\"", pzi_path_text(slot, path));
}

static pz_status
update(pz_slot* const slot)
{
  pzi_pasts pasts = {0};
  pz_status status = PZ_OK;
  PZ_TRY(pzi_check_closed(slot));
  if (pzi_is_nested(slot) || !slot->module->queue->host_memory) { /* where copies can fail */
    status = pzi_pasts_add(&pasts, slot, true);
  }
  if (status == PZ_OK) {
    status = step(slot);
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
  return slot->list ? step(slot) : PZ_OK;
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
  PZ_TRY(pzi_exclusive_begin(module));
  pz_status status;
  if (name) {
    pz_slot* slot = NULL;
    status = pzi_find_list(module, name, &slot);
    status = status == PZ_OK ? update(slot) : status;
  } else {
    status = update_all(module);
  }
  pzi_exclusive_end(module);
  return status;
}
