/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Folding. Values are computed in evaluation mode, with states and evaluations of their own, so
   that cached values and residuals stay. The chains are then kept in `slot->baked`. */

#include "array.h"
#include "engine.h"
#include "eval.h"
#include "gate.h"
#include "path.h"
#include "slot.h"
#include "state.h"
#include "status.h"
#include "storage_copy.h"
#include "stored.h"
#include "walk.h"

#include <stdlib.h>

/* The new value of a slot. */
typedef struct folded {
  pz_slot* slot;
  pzi_storage* value;
} folded;

typedef struct folded_values {
  folded* all;
  size_t n;
} folded_values;

static void
cleanup(folded_values* const b)
{
  for (size_t k = 0; k < b->n; ++k) {
    pzi_storage_release(b->all[k].value);
  }
  free(b->all);
}

/* ---- values ------------------------------------------------------------------ */

static pz_status fold(const pz_slot* slot, pzi_storage** out);

/* Puts the values of inner chains into a state that shares its other tensors with the slot's. */
static pz_status
fold_inner(const pz_slot* const slot, pz_state* const state)
{
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    const pz_slot* const tensor = slot->parametrized->tensors[k];
    pzi_storage* value = NULL;
    if (tensor->parametrized) {
      PZ_TRY(fold(tensor, &value));
      pzi_state_replace(state, tensor->role, k - pzi_chain_place(state->chain, tensor->role, 0),
                        value);
      pzi_storage_release(value);
    }
  }
  return PZ_OK;
}

static pz_status
run(const pz_slot* const slot, const pzi_engine* const engine, pzi_storage** const out)
{
  pz_tensor value;
  PZ_TRY(pzi_eval_forward(engine->eval, engine->state, 0, NULL, &value));
  PZ_TRY(pz_eval_check(engine->eval));
  return pzi_storage_copy(slot->module->queue, &value, out);
}

/* The value of the slot's chain in evaluation mode. */
static pz_status
fold(const pz_slot* const slot, pzi_storage** const out)
{
  char path[PZI_PATH_TEXT];
  const pzi_engine* const own = &slot->parametrized->engine;
  pzi_engine engine = {.chain = pzi_chain_retain(own->chain)};
  pz_status status =
      pzi_engine_adopt(&engine, slot->module->queue, own->state, slot->module->check_writes);
  if (status == PZ_OK) {
    status = fold_inner(slot, engine.state);
  }
  if (status == PZ_OK) {
    status = pzi_fail_prefix(run(slot, &engine, out), "\"%s\"", pzi_path_text(slot, path));
  }
  pzi_engine_cleanup(&engine);
  return status;
}

static pz_status
fold_slot(pz_slot* const slot, void* const user)
{
  folded_values* const b = user;
  PZ_TRY(pzi_slot_check_closed(slot));
  if (!slot->parametrized) {
    return PZ_OK;
  }
  PZ_TRY(pzi_array_reserve(&b->all, b->n, 1, sizeof(*b->all)));
  folded* const one = &b->all[b->n++];
  *one = (folded){.slot = slot};
  return fold(slot, &one->value);
}

/* ---- chains kept and restored ------------------------------------------- */

/* Marks a module and its children as baked, or as not baked; returns their number. */
static uint32_t
mark(pz_module* const module, const bool baked)
{
  uint32_t n = 1;
  for (uint32_t k = 0; k < module->n_children; ++k) {
    n += mark(module->children[k], baked);
  }
  module->baked = baked;
  module->baked_mode = module->training;
  module->n_baked = baked ? n : 0;
  pzi_stored_changed(module);
  return n;
}

static void
mark_all(pz_module* const module, const bool baked)
{
  const uint32_t n = mark(module, baked);
  for (pz_module* around = module->parent; around; around = around->parent) {
    around->n_baked = baked ? around->n_baked + n : around->n_baked - n;
  }
}

/* Slots of this chain's tensors return PZ_INVALID until pz_module_unbake. */
static pz_status
close_chain(pz_slot* const slot, void* const user)
{
  (void)user;
  pzi_parametrized_changed(slot->parametrized, false);
  return PZ_OK;
}

static void
keep_chain(folded* const one)
{
  pz_slot* const slot = one->slot;
  (void)pzi_walk_parametrized_of(slot, close_chain, NULL);
  slot->baked = slot->parametrized;
  slot->parametrized = NULL;
  slot->storage = one->value;
  one->value = NULL;
}

/* A cached value is still current, unless the mode has changed or a scope may have ended. */
static pz_status
open_chain(pz_slot* const slot, void* const user)
{
  const pz_module* const module = slot->module;
  (void)user;
  slot->parametrized->dropped = slot->parametrized->dropped || module->policy == PZ_CACHE_SCOPED;
  pzi_parametrized_changed(slot->parametrized, module->training != module->baked_mode);
  return PZ_OK;
}

static pz_status
restore_chain(pz_slot* const slot, void* const user)
{
  (void)user;
  if (slot->baked) {
    pzi_storage_release(slot->storage);
    slot->storage = NULL;
    slot->parametrized = slot->baked;
    slot->baked = NULL;
    (void)pzi_walk_parametrized_of(slot, open_chain, NULL);
  }
  return PZ_OK;
}

/* ---- the public calls ------------------------------------------------------------ */

static pz_status
bake(pz_module* const module)
{
  folded_values b = {0};
  const pz_status status = pzi_walk_slots(module, fold_slot, &b);
  if (status == PZ_OK) {
    for (size_t k = 0; k < b.n; ++k) {
      keep_chain(&b.all[k]);
    }
    mark_all(module, true);
  }
  cleanup(&b);
  return status;
}

pz_status
pz_module_bake(pz_module* const module)
{
  PZ_TRY(pzi_gate_exclusive_begin_live(module));
  const pz_status status = bake(module);
  pzi_gate_exclusive_end(module);
  return status;
}

static pz_status
unbake(pz_module* const module)
{
  if (!module->baked) {
    return pzi_fail(PZ_INVALID, "not baked");
  }
  if (module->parent && module->parent->baked) {
    return pzi_fail(PZ_INVALID, "baked with the module around it; pz_module_unbake that one");
  }
  (void)pzi_walk_slots(module, restore_chain, NULL);
  mark_all(module, false);
  return PZ_OK;
}

pz_status
pz_module_unbake(pz_module* const module)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  const pz_status status = unbake(module);
  pzi_gate_exclusive_end(module);
  return status;
}

bool
pz_module_is_baked(const pz_module* const module)
{
  if (pzi_gate_read_begin(module) != PZ_OK) {
    return false;
  }
  const bool baked = module->baked;
  pzi_gate_read_end(module);
  return baked;
}
