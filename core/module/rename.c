/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* New paths for the tensors of a chain, planned before the chain moves to a slot and assigned when
   it does. As in PyTorch, the tensors of a chain on "a.b.weight" are under
   "a.b.parametrizations.weight". */

#include "rename.h"

#include "name_index.h"
#include "path.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static size_t
count_tensors(const pzi_parametrized* const parametrized)
{
  size_t n = parametrized ? parametrized->n_tensors : 0;
  for (uint32_t k = 0; parametrized && k < parametrized->n_tensors; ++k) {
    n += count_tensors(parametrized->tensors[k]->parametrized);
  }
  return n;
}

/* Appends the new paths for a chain on a slot whose path is, or will be, `path`. */
static pz_status
plan(const char* const path, const pzi_parametrized* const parametrized, pzi_rename* const names)
{
  for (uint32_t k = 0; parametrized && k < parametrized->n_tensors; ++k) {
    pz_slot* const slot = parametrized->tensors[k];
    const char* const name = parametrized->engine.chain->tensors[k].name;
    char* const text = pzi_path_of_tensor(path, name);
    if (!text) {
      return pzi_no_memory(strlen(path) + strlen(name));
    }
    if (strcmp(text, slot->path) == 0) {
      free(text);
      continue;
    }
    names->all[names->n++] = (pzi_rename_path){slot, text, strlen(name)};
    PZ_TRY(plan(text, slot->parametrized, names));
  }
  return PZ_OK;
}

pz_status
pzi_rename_plan(const pz_slot* const slot, const pzi_parametrized* const parametrized,
                pzi_rename* const out)
{
  const size_t n = count_tensors(parametrized) + 1;
  pzi_rename names = {.all = calloc(n, sizeof(*names.all))};
  const pz_status status =
      names.all ? plan(slot->path, parametrized, &names) : pzi_no_memory(n * sizeof(*names.all));
  if (status != PZ_OK) {
    pzi_rename_discard(&names);
    return status;
  }
  *out = names;
  return PZ_OK;
}

void
pzi_rename_discard(pzi_rename* const names)
{
  for (size_t k = 0; k < names->n; ++k) {
    free(names->all[k].path);
  }
  free(names->all);
  *names = (pzi_rename){0};
}

void
pzi_rename_apply(pzi_rename* const names)
{
  for (size_t k = 0; k < names->n; ++k) {
    pz_slot* const slot = names->all[k].slot;
    char* const before = slot->path;
    slot->path = names->all[k].path;
    slot->name = slot->path + strlen(slot->path) - names->all[k].length;
    slot->hash = pzi_name_index_word(slot->name).hash;
    names->all[k].path = before;
  }
  pzi_rename_discard(names);
}
