/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Walks over the slots of a module, its children, and inner chains. */

#include "walk.h"

typedef pz_status walk(pz_slot* slot, pzi_visit* visit, void* user);

/* Walks from each slot of the module, then of its children. */
static pz_status
walk_module(pz_module* const module, walk* const from, pzi_visit* const visit, void* const user)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    PZ_TRY(from(module->slots[k], visit, user));
  }
  for (uint32_t k = 0; k < module->n_children; ++k) {
    PZ_TRY(walk_module(module->children[k], from, visit, user));
  }
  return PZ_OK;
}

static pz_status
visit_slot(pz_slot* const slot, pzi_visit* const visit, void* const user)
{
  return visit(slot, user);
}

pz_status
pzi_walk_slots(pz_module* const module, pzi_visit* const visit, void* const user)
{
  return walk_module(module, visit_slot, visit, user);
}

pz_status
pzi_walk_parametrized_of(pz_slot* const slot, pzi_visit* const visit, void* const user)
{
  if (!slot->parametrized) {
    return PZ_OK;
  }
  PZ_TRY(visit(slot, user));
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    PZ_TRY(pzi_walk_parametrized_of(slot->parametrized->tensors[k], visit, user));
  }
  return PZ_OK;
}

pz_status
pzi_walk_parametrized(pz_module* const module, pzi_visit* const visit, void* const user)
{
  return walk_module(module, pzi_walk_parametrized_of, visit, user);
}

pz_status
pzi_walk_stored_of(pz_slot* const slot, pzi_visit* const visit, void* const user)
{
  if (!slot->parametrized) {
    return visit(slot, user);
  }
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    PZ_TRY(pzi_walk_stored_of(slot->parametrized->tensors[k], visit, user));
  }
  return PZ_OK;
}

pz_status
pzi_walk_stored(pz_module* const module, pzi_visit* const visit, void* const user)
{
  return walk_module(module, pzi_walk_stored_of, visit, user);
}
