/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Deep copies. The source is only read, like by any reader: readers do not change stored tensors,
   and cached values are not copied. */

#include "array.h"
#include "clone.h"
#include "gate.h"
#include "name_index.h"
#include "path.h"
#include "prepared.h"
#include "slot.h"
#include "status.h"
#include "walk.h"

#include <stdlib.h>
#include <string.h>

static pz_status
fill_slot(const pz_slot* const from, pz_slot* const slot)
{
  char path[PZI_PATH_TEXT];
  slot->kind = from->kind;
  slot->requires_grad = from->requires_grad;
  if (from->storage) {
    PZ_TRY(pzi_fail_prefix(pzi_clone_storage(from->storage, slot->module->queue, 0, &slot->storage),
                           "\"%s\"", pzi_path_text(from, path)));
  }
  if (from->parametrized) {
    pzi_prepared prepared = {0};
    PZ_TRY(pzi_clone_parametrized(from, slot, &prepared));
    pzi_prepared_install(slot, &prepared);
  }
  return PZ_OK;
}

static pz_status
copy_slots(const pz_module* const from, pz_module* const to)
{
  PZ_TRY(pzi_array_reserve(&to->slots, 0, from->n_slots, sizeof(pz_slot*)));
  for (uint32_t k = 0; k < from->n_slots; ++k) {
    char* const path = strdup(from->slots[k]->path);
    pz_slot** const slot = &to->slots[k];
    if (!path) {
      return pzi_no_memory(strlen(from->slots[k]->path) + 1);
    }
    const pz_status status =
        pzi_slot_new(to, path, (size_t)(from->slots[k]->name - from->slots[k]->path), slot);
    if (status != PZ_OK) {
      free(path);
      return status;
    }
    ++to->n_slots;
    PZ_TRY(fill_slot(from->slots[k], *slot));
  }
  return PZ_OK;
}

static pz_status copy_tree(const pz_module* from, pz_module** out);

/* Like after pz_module_add_child, the gates of the children stay exclusive. */
static pz_status
copy_children(const pz_module* const from, pz_module* const to)
{
  PZ_TRY(pzi_array_reserve(&to->children, 0, from->n_children, sizeof(pz_module*)));
  for (uint32_t k = 0; k < from->n_children; ++k) {
    pz_module* child = NULL;
    PZ_TRY(copy_tree(from->children[k], &child));
    child->name = strdup(from->children[k]->name);
    pz_status status = child->name ? PZ_OK : pzi_no_memory(strlen(from->children[k]->name) + 1);
    if (status == PZ_OK) {
      status = pzi_gate_exclusive_begin_live(child);
    }
    if (status != PZ_OK) {
      pz_module_free(child);
      return status;
    }
    child->parent = to;
    to->children[to->n_children++] = child;
  }
  return PZ_OK;
}

static pz_status
copy_tree(const pz_module* const from, pz_module** const out)
{
  pz_module* module = NULL;
  PZ_TRY(pz_module_new(from->context, from->queue, from->type, &module));
  module->training = from->training;
  module->check_writes = from->check_writes;
  module->policy = from->policy;
  module->update_policy = from->update_policy;
  pz_status status = copy_slots(from, module);
  if (status == PZ_OK) {
    status = copy_children(from, module);
    pzi_name_index_update(module);
  }
  if (status != PZ_OK) {
    pz_module_free(module);
    return status;
  }
  *out = module;
  return PZ_OK;
}

static pz_status
check_slot(pz_slot* const slot, void* const user)
{
  (void)user;
  return pzi_slot_check_closed(slot);
}

pz_status
pz_module_copy(pz_module* const module, pz_module** const out)
{
  if (!out) {
    return pzi_fail(PZ_INVALID, "found no place for the module");
  }
  PZ_TRY(pzi_gate_read_begin(module));
  pz_status status = pzi_walk_slots(module, check_slot, NULL);
  if (status == PZ_OK) {
    status = copy_tree(module, out);
  }
  pzi_gate_read_end(module);
  return status;
}
