/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modes of a module and its children: training, cache and update policies, gradients, and the check
   for writes without pz_module_touch. */

#include "gate.h"

#include "eval.h"
#include "path.h"
#include "slot.h"
#include "status.h"
#include "value.h"
#include "walk.h"

/* Calls `each` on a module and its children. */
static void
each_module(pz_module* const module, void (*const each)(pz_module* module, int argument),
            const int argument)
{
  each(module, argument);
  for (uint32_t k = 0; k < module->n_children; ++k) {
    each_module(module->children[k], each, argument);
  }
}

static pz_status
each_module_exclusively(pz_module* const module,
                        void (*const each)(pz_module* module, int argument), const int argument)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  each_module(module, each, argument);
  pzi_gate_exclusive_end(module);
  return PZ_OK;
}

/* Calls `visit`, which does not fail, on the chains of one module, without its children. */
static void
each_parametrized(const pz_module* const module, pzi_visit* const visit, void* const user)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    (void)pzi_walk_parametrized_of(module->slots[k], visit, user);
  }
}

/* Computes or checks the value again at the next read. */
static pz_status
drop_value(pz_slot* const slot, void* const user)
{
  (void)user;
  slot->parametrized->dropped = true;
  pzi_parametrized_changed(slot->parametrized, false);
  return PZ_OK;
}

static pz_status
change(pz_slot* const slot, void* const touch)
{
  pzi_parametrized_changed(slot->parametrized, *(const bool*)touch);
  return PZ_OK;
}

static void
set_training(pz_module* const module, const int training)
{
  if (module->training != (training != 0)) {
    bool touch = true;
    module->training = training != 0;
    each_parametrized(module, change, &touch);
  }
}

pz_status
pz_module_train(pz_module* const module, const bool training)
{
  return each_module_exclusively(module, set_training, training);
}

static void
set_policy(pz_module* const module, const int policy)
{
  bool touch = false;
  module->policy = (pz_cache_policy)policy;
  each_parametrized(module, change, &touch);
}

pz_status
pz_module_cache_policy(pz_module* const module, const pz_cache_policy policy)
{
  if (policy != PZ_CACHE_AUTOMATIC && policy != PZ_CACHE_SCOPED) {
    return pzi_fail(PZ_INVALID, "found cache policy %d", (int)policy);
  }
  return each_module_exclusively(module, set_policy, (int)policy);
}

static void
set_update_policy(pz_module* const module, const int policy)
{
  bool touch = false;
  module->update_policy = (pz_update_policy)policy;
  each_parametrized(module, change, &touch);
}

pz_status
pz_module_update_policy(pz_module* const module, const pz_update_policy policy)
{
  if (policy != PZ_UPDATE_EXPLICIT && policy != PZ_UPDATE_ON_READ) {
    return pzi_fail(PZ_INVALID, "found update policy %d", (int)policy);
  }
  return each_module_exclusively(module, set_update_policy, (int)policy);
}

/* Enters (+1) or leaves (-1) a scope. Values live from the outermost begin to its end. */
static void
count_scope(pz_module* const module, const int difference)
{
  const uint32_t before = module->scopes;
  module->scopes += (uint32_t)difference;
  if (module->policy == PZ_CACHE_SCOPED && (before == 0 || module->scopes == 0)) {
    each_parametrized(module, drop_value, NULL);
  }
}

pz_status
pz_cached_begin(pz_module* const module)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  ++module->scopes_begun;
  each_module(module, count_scope, 1);
  pzi_gate_exclusive_end(module);
  return PZ_OK;
}

pz_status
pz_cached_end(pz_module* const module)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  const bool begun = module->scopes_begun > 0;
  if (begun) {
    --module->scopes_begun;
    each_module(module, count_scope, -1);
  }
  pzi_gate_exclusive_end(module);
  return begun ? PZ_OK : pzi_fail(PZ_INVALID, "pz_cached_end without pz_cached_begin");
}

static pz_status
check_chain(pz_slot* const slot, void* const user)
{
  pzi_eval_set_check_writes(slot->parametrized->engine.eval, slot->module->check_writes);
  return drop_value(slot, user); /* the next forward takes the digests */
}

static void
set_check_writes(pz_module* const module, const int check)
{
  module->check_writes = check != 0;
  each_parametrized(module, check_chain, NULL);
}

pz_status
pz_module_check_writes(pz_module* const module, const bool check)
{
  PZ_TRY(pzi_gate_exclusive_begin_live(module));
  each_module(module, set_check_writes, check);
  pzi_gate_exclusive_end(module);
  return PZ_OK;
}

/* ---- requires_grad ------------------------------------------------------ */

/* Sets the flag of the tensor and of its originals. */
static void
set_requires_grad(pz_slot* const slot, const bool require)
{
  slot->requires_grad = require;
  for (uint32_t k = 0; slot->parametrized && k < slot->parametrized->n_tensors; ++k) {
    if (slot->parametrized->tensors[k]->role == PZ_ORIGINAL) {
      set_requires_grad(slot->parametrized->tensors[k], require);
    }
  }
}

static pz_status
require_grad(pz_module* const module, const char* const name, const bool require)
{
  pz_slot* slot = NULL;
  PZ_TRY(pzi_path_find_live(module, name, &slot));
  if (slot->kind != PZ_PARAMETER) {
    return require ? pzi_fail(PZ_INVALID, "\"%s\" is a buffer", name) : PZ_OK;
  }
  set_requires_grad(slot, require);
  return PZ_OK;
}

pz_status
pz_module_require_grad(pz_module* const module, const char* const name, const bool require)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  const pz_status status = require_grad(module, name, require);
  pzi_gate_exclusive_end(module);
  return status;
}

/* ---- device faults ------------------------------------------------------ */

static pz_status
check_slot(pz_slot* const slot, void* const user)
{
  (void)user;
  return slot->parametrized ? pzi_value_check_device(slot) : PZ_OK;
}

static pz_status
synchronize(pz_module* const module)
{
  PZ_TRY(pz_queue_synchronize(module->queue));
  for (uint32_t k = 0; k < module->n_children; ++k) {
    PZ_TRY(synchronize(module->children[k]));
  }
  return PZ_OK;
}

pz_status
pz_module_check(pz_module* const module)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  pz_status status = synchronize(module);
  if (status == PZ_OK) {
    status = pzi_walk_slots(module, check_slot, NULL);
  }
  pzi_gate_exclusive_end(module);
  return status;
}
