/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modes of a module and its children: training, when values are computed, what has
   gradients, and the check for writers that say nothing. Calls without a result leave all
   as it is where they may not run, and say so in pz_error_message. */

#include "module.h"

#include "status.h"

/* Calls `each` on a module and all below it, then on every slot. */
static void
each_module(pz_module* const module, void (*const each)(pz_module* module, int argument),
            const int argument)
{
  each(module, argument);
  for (uint32_t k = 0; k < module->n_children; ++k) {
    each_module(module->children[k], each, argument);
  }
}

static void
each_module_alone(pz_module* const module, void (*const each)(pz_module* module, int argument),
                  const int argument)
{
  if (pzi_exclusive_begin(module) == PZ_OK) {
    each_module(module, each, argument);
    pzi_exclusive_end(module);
  }
}

/* The values of a module: to be computed at the next read, or at least looked at again. */
static void
drop_values(const pz_module* const module)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (module->slots[k]->list) {
      module->slots[k]->list->dropped = true;
      pzi_list_changed(module->slots[k]->list, false);
    }
  }
}

static void
set_training(pz_module* const module, const int training)
{
  if (module->training != (training != 0)) {
    module->training = training != 0;
    for (uint32_t k = 0; k < module->n_slots; ++k) {
      if (module->slots[k]->list) {
        pzi_list_changed(module->slots[k]->list, true);
      }
    }
  }
}

void
pz_module_train(pz_module* const module, const bool training)
{
  each_module_alone(module, set_training, training);
}

static void
set_policy(pz_module* const module, const int policy)
{
  module->policy = (pz_cache_policy)policy;
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (module->slots[k]->list) {
      pzi_list_changed(module->slots[k]->list, false);
    }
  }
}

void
pz_module_cache_policy(pz_module* const module, const pz_cache_policy policy)
{
  if (policy != PZ_CACHE_AUTOMATIC && policy != PZ_CACHE_SCOPED) {
    (void)pzi_fail(PZ_INVALID, "found cache policy %d", (int)policy);
    return;
  }
  each_module_alone(module, set_policy, (int)policy);
}

/* One scope more (+1) or less (-1); values live from the outermost begin to its end. */
static void
count_scope(pz_module* const module, const int step)
{
  const uint32_t before = module->scopes;
  module->scopes += (uint32_t)step;
  if (module->policy == PZ_CACHE_SCOPED && (before == 0 || module->scopes == 0)) {
    drop_values(module);
  }
}

void
pz_cached_begin(pz_module* const module)
{
  if (pzi_exclusive_begin(module) == PZ_OK) {
    ++module->scopes_begun;
    each_module(module, count_scope, 1);
    pzi_exclusive_end(module);
  }
}

void
pz_cached_end(pz_module* const module)
{
  if (pzi_exclusive_begin(module) != PZ_OK) {
    return;
  }
  if (module->scopes_begun == 0) {
    (void)pzi_fail(PZ_INVALID, "pz_cached_end without pz_cached_begin");
  } else {
    --module->scopes_begun;
    each_module(module, count_scope, -1);
  }
  pzi_exclusive_end(module);
}

static void
set_check_writes(pz_module* const module, const int check)
{
  module->check_writes = check != 0;
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (module->slots[k]->list) {
      pzi_eval_marks(module->slots[k]->list->eval, check != 0);
    }
  }
  drop_values(module); /* what they were made from is to be remembered */
}

void
pz_module_check_writes(pz_module* const module, const bool check)
{
  each_module_alone(module, set_check_writes, check);
}

/* ---- gradients or not ------------------------------------------------------ */

static pz_status
require_grad(pz_module* const module, const char* const name, const bool require)
{
  pz_slot* slot = NULL;
  PZ_TRY(pzi_find(module, name, &slot));
  if (slot->kind != PZ_PARAMETER) {
    return require ? pzi_fail(PZ_INVALID, "\"%s\" is a buffer", name) : PZ_OK;
  }
  slot->requires_grad = require;
  for (uint32_t k = 0; slot->list && k < slot->list->n_tensors; ++k) {
    pz_slot* const tensor = slot->list->tensors[k];
    if (tensor->role == PZ_ORIGINAL) {
      tensor->requires_grad = require;
    }
  }
  return PZ_OK;
}

pz_status
pz_module_require_grad(pz_module* const module, const char* const name, const bool require)
{
  PZ_TRY(pzi_exclusive_begin(module));
  const pz_status status = require_grad(module, name, require);
  pzi_exclusive_end(module);
  return status;
}

/* ---- what the device found ------------------------------------------------- */

static pz_status
check_slot(pz_slot* const slot, void* const user)
{
  char path[PZI_PATH_TEXT];
  (void)user;
  return slot->list ? pzi_fail_prefix(pzi_eval_check(slot->list->eval), "\"%s\"",
                                      pzi_path_text(slot, path))
                    : PZ_OK;
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
  PZ_TRY(pzi_exclusive_begin(module));
  pz_status status = synchronize(module);
  if (status == PZ_OK) {
    status = pzi_each_slot(module, check_slot, NULL);
  }
  pzi_exclusive_end(module);
  return status;
}
