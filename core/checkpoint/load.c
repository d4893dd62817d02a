/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Loads into modules: chains first, then values to assign, then every stored tensor by its
   path. Names without a counterpart are reported. */

#include "load.h"

#include "gate.h"
#include "slot.h"
#include "status.h"
#include "tensor_io.h"

/* Every stored tensor, except those that become values and those of assigned values. */
static pz_status
plan_copies(pzi_loading* const l)
{
  const pzi_stored_path* paths = NULL;
  size_t n = 0;
  PZ_TRY(pzi_stored_paths(l->module, &paths, &n));
  for (size_t k = 0; k < n; ++k) {
    pz_slot* const slot = paths[k].slot;
    const pzi_load_chain* const incoming = pzi_loading_find(l, paths[k].text);
    if ((incoming && incoming->slot == slot) || pzi_load_assign_has(l, slot)) {
      continue;
    }
    PZ_TRY(pzi_slot_check_closed(slot));
    const pzi_file_tensor* const file_tensor =
        slot->storage ? pzi_loading_use(l, paths[k].text) : NULL;
    ++l->n_expected;
    if (file_tensor) {
      PZ_TRY(pzi_tensor_io_check(file_tensor, pzi_loading_widens(l), &slot->storage->spec));
      PZ_TRY(pzi_loading_push(l, &(pzi_load_copy){.file_tensor = file_tensor, .slot = slot}));
    } else {
      PZ_TRY(pzi_loading_remark(l, PZ_LOAD_MISSING, paths[k].text));
    }
  }
  return PZ_OK;
}

/* Reports unused tensors of the file; fails for any remark unless the load is lenient. */
static pz_status
check_names(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_selected; ++k) {
    if (!l->used[l->selected[k]]) {
      PZ_TRY(pzi_loading_remark(l, PZ_LOAD_UNKNOWN, l->file->header.tensors[l->selected[k]].name));
    }
  }
  return pzi_loading_lenient(l) ? PZ_OK
                                : pzi_name_list_check(&l->missing, l->n_expected, &l->unknown);
}

pz_status
pzi_load(pzi_loading* const l)
{
  PZ_TRY(pzi_load_chains(l));
  PZ_TRY(pzi_load_assign(l));
  PZ_TRY(plan_copies(l));
  PZ_TRY(check_names(l));
  return pzi_load_commit(l);
}

pz_status
pz_module_load(pz_module* const module, const pz_file* const file,
               const pz_load_settings* const settings)
{
  if (!file) {
    return pzi_fail(PZ_INVALID, "found no file");
  }
  pzi_loading l = {0};
  PZ_TRY(pzi_gate_exclusive_begin_live(module));
  pz_status status = pzi_loading_init(&l, module, file, settings, NULL);
  if (status == PZ_OK) {
    status = pzi_load(&l);
  }
  pzi_gate_exclusive_end(module);
  if (status == PZ_OK) {
    pzi_loading_report(&l);
  }
  pzi_loading_cleanup(&l);
  return status;
}
