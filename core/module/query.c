/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Queries: children, parametrized tensors, chains. */

#include "gate.h"
#include "path.h"
#include "status.h"

pz_status
pz_module_child(pz_module* const module, const char* const path, pz_module** const out)
{
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the module");
  }
  PZ_TRY(pzi_gate_read_begin(module));
  pz_module* const found = pzi_path_module(module, path ? path : "");
  const pz_status status =
      found ? PZ_OK : pzi_fail(PZ_NOT_FOUND, "no child \"%s\" in %s", path, module->type);
  pzi_gate_read_end(module);
  if (status == PZ_OK) {
    *out = found;
  }
  return status;
}

bool
pz_is_parametrized(const pz_module* const module, const char* const name)
{
  if (pzi_gate_read_begin(module) != PZ_OK) {
    return false;
  }
  bool any = false;
  if (name) {
    const pz_slot* const slot = pzi_path_slot(module, name);
    any = slot && slot->parametrized;
  }
  for (uint32_t k = 0; !name && k < module->n_slots; ++k) {
    any = any || module->slots[k]->parametrized;
  }
  pzi_gate_read_end(module);
  return any;
}

pz_status
pz_module_chain(const pz_module* const module, const char* const name, const pz_chain** const out)
{
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the chain");
  }
  PZ_TRY(pzi_gate_read_begin(module));
  pz_slot* slot = NULL;
  const pz_status status = pzi_path_find_parametrized(module, name, &slot);
  if (status == PZ_OK) {
    *out = slot->parametrized->engine.chain;
  }
  pzi_gate_read_end(module);
  return status;
}
