/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modules and states as safetensors files: tensors under their paths, and under the key
   "parametrize" of the metadata, as JSON text, which lists made the values:

     {"lists": {"weight": [{"map": "pruning(p_drop=0.2)", "id": "pruning",
                            "version": "1.0.0"}]}}                                       */

#include "module.h"
#include "safetensors.h"
#include "status.h"

#include <cjson/cJSON.h>
#include <parametrize/file.h>
#include <stdlib.h>
#include <string.h>

#define METADATA_KEY "parametrize"

/* ---- the lists ------------------------------------------------------------- */

static bool
add_list(cJSON* const lists, const char* const path, const pz_chain* const chain)
{
  cJSON* const list = cJSON_AddArrayToObject(lists, path);
  bool good = list != NULL;
  for (uint32_t i = 0; good && i < chain->n_links; ++i) {
    const pzi_entry* const entry = chain->links[i].entry;
    cJSON* const item = cJSON_CreateObject();
    good = item && cJSON_AddItemToArray(list, item);
    if (!good) {
      cJSON_Delete(item);
    }
    good = good && cJSON_AddStringToObject(item, "map", entry->text) &&
           cJSON_AddStringToObject(item, "id", entry->map->table.id) &&
           cJSON_AddStringToObject(item, "version", entry->map->version);
  }
  return good;
}

/* The lists of a module and its children; `prefix` is empty or ends in a dot. */
static bool
add_lists(cJSON* const lists, const pz_module* const module, const char* const prefix)
{
  bool good = true;
  for (uint32_t k = 0; good && k < module->n_slots + module->n_children; ++k) {
    const bool is_slot = k < module->n_slots;
    const pz_slot* const slot = is_slot ? module->slots[k] : NULL;
    const pz_module* const child = is_slot ? NULL : module->children[k - module->n_slots];
    if (is_slot && !slot->list) {
      continue;
    }
    const char* const name = is_slot ? slot->name : child->name;
    char* const path = calloc(1, strlen(prefix) + strlen(name) + 2);
    if (path) {
      strcat(strcat(strcat(path, prefix), name), is_slot ? "" : ".");
    }
    good = path &&
           (is_slot ? add_list(lists, path, slot->list->chain) : add_lists(lists, child, path));
    free(path);
  }
  return good;
}

/* {"lists": ...} of a module, or of a chain alone under the empty name; NULL without
   memory, else for cJSON_free. */
static char*
describe(const pz_module* const module, const pz_chain* const chain)
{
  cJSON* const document = cJSON_CreateObject();
  cJSON* const lists = document ? cJSON_AddObjectToObject(document, "lists") : NULL;
  const bool good = lists && (module ? add_lists(lists, module, "") : add_list(lists, "", chain));
  char* const text = good ? cJSON_PrintUnformatted(document) : NULL;
  cJSON_Delete(document);
  return text;
}

static pz_status
save(const char* const path, const bool keep_existing, const pzi_target* const targets,
     const size_t n, char* const description)
{
  const pzi_metadata metadata = {.key = METADATA_KEY, .text = description};
  pz_status status;
  if (description) {
    status = pzi_safetensors_save(path, keep_existing, targets, n, &metadata, 1);
  } else {
    status = pzi_no_memory(sizeof(cJSON));
  }
  cJSON_free(description);
  return status;
}

/* ---- modules --------------------------------------------------------------- */

/* Every stored tensor of a module; refused while one is open for writing. */
static pz_status
module_targets(const pz_module* const module, pzi_target** const out, size_t* const n)
{
  const pzi_path* paths = NULL;
  PZ_TRY(pzi_paths(module, &paths, n));
  pzi_target* const targets = calloc(*n + 1, sizeof(*targets));
  if (!targets) {
    return pzi_no_memory((*n + 1) * sizeof(*targets));
  }
  for (size_t k = 0; k < *n; ++k) {
    const pz_slot* const slot = paths[k].slot;
    const pz_status status = pzi_check_closed(slot);
    if (status != PZ_OK) {
      free(targets);
      return status;
    }
    targets[k] = (pzi_target){paths[k].text, &slot->storage->tensor, slot->module->queue};
  }
  *out = targets;
  return PZ_OK;
}

pz_status
pz_module_save(pz_module* const module, const char* const path)
{
  if (!path) {
    return pzi_fail(PZ_INVALID, "expected a path");
  }
  PZ_TRY(pzi_read_begin(module));
  pzi_target* targets = NULL;
  size_t n = 0;
  pz_status status = module_targets(module, &targets, &n);
  if (status == PZ_OK) {
    status = save(path, false, targets, n, describe(module, NULL));
  }
  free(targets);
  pzi_read_end(module);
  return status;
}

static pz_status
changed(pz_slot* const slot, void* const user)
{
  (void)user;
  if (slot->list) {
    pzi_list_changed(slot->list, true);
  }
  return PZ_OK;
}

pz_status
pz_module_load(pz_module* const module, const char* const path)
{
  if (!path) {
    return pzi_fail(PZ_INVALID, "expected a path");
  }
  PZ_TRY(pzi_exclusive_begin(module));
  pzi_target* targets = NULL;
  size_t n = 0;
  pz_status status = module_targets(module, &targets, &n);
  if (status == PZ_OK) {
    status = pzi_safetensors_load(path, targets, n);
  }
  if (status == PZ_OK) {
    (void)pzi_each_slot(module, changed, NULL);
  }
  free(targets);
  pzi_exclusive_end(module);
  return status;
}

/* ---- states ---------------------------------------------------------------- */

/* Own parameters and buffers, as the chain names them. */
static pz_status
state_targets(const pz_state* const state, pzi_target** const out, size_t* const n)
{
  const pz_chain* const chain = state->chain;
  const uint32_t first = chain->n_role[PZ_ORIGINAL];
  *n = chain->n_tensors - first;
  pzi_target* const targets = calloc(*n + 1, sizeof(*targets));
  if (!targets) {
    return pzi_no_memory((*n + 1) * sizeof(*targets));
  }
  for (size_t k = 0; k < *n; ++k) {
    targets[k] = (pzi_target){chain->tensors[first + k].name, &state->storages[first + k]->tensor,
                              state->queue};
  }
  *out = targets;
  return PZ_OK;
}

pz_status
pz_state_save(const pz_state* const state, const char* const path, const uint32_t flags)
{
  if (!state || !path || (flags & ~(uint32_t)PZ_KEEP_EXISTING) != 0) {
    return pzi_fail(PZ_INVALID, "expected a state, a path and no flag but PZ_KEEP_EXISTING");
  }
  pzi_target* targets = NULL;
  size_t n = 0;
  PZ_TRY(state_targets(state, &targets, &n));
  const pz_status status =
      save(path, (flags & PZ_KEEP_EXISTING) != 0, targets, n, describe(NULL, state->chain));
  free(targets);
  return status;
}

pz_status
pz_state_load(pz_state* const state, const char* const path)
{
  if (!state || !path) {
    return pzi_fail(PZ_INVALID, "expected a state and a path");
  }
  pzi_target* targets = NULL;
  size_t n = 0;
  PZ_TRY(state_targets(state, &targets, &n));
  const pz_status status = pzi_safetensors_load(path, targets, n);
  if (status == PZ_OK) {
    pz_state_touch(state);
  }
  free(targets);
  return status;
}
