/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The stored tensors of a module and its children under their paths, in the order in which
   they were added: the tensors a list works on stand where the parametrized tensor stood,
   children after the module's own. The table is made when first asked for, by whichever
   reader comes first, and kept until a name comes or goes. */

#include "module.h"

#include "status.h"

#include <stdlib.h>
#include <string.h>

void
pzi_paths_free(pz_module* const module)
{
  for (size_t k = 0; k < module->n_paths; ++k) {
    free(module->paths[k].text);
  }
  free(module->paths);
  module->paths = NULL;
  module->n_paths = 0;
}

void
pzi_paths_changed(pz_module* module)
{
  for (; module; module = module->parent) {
    pzi_paths_free(module);
  }
}

static size_t
count_stored(const pz_module* const module)
{
  size_t n = 0;
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    n += module->slots[k]->list ? module->slots[k]->list->n_tensors : 1;
  }
  for (uint32_t k = 0; k < module->n_children; ++k) {
    n += count_stored(module->children[k]);
  }
  return n;
}

static char*
join(const char* const prefix, const char* const name)
{
  const size_t length = strlen(prefix);
  char* const text = malloc(length + strlen(name) + 2);
  if (text) {
    memcpy(text, prefix, length);
    strcpy(text + length, name);
  }
  return text;
}

/* Appends the stored tensors under `prefix`, which is empty or ends in a dot. */
static bool
collect(const pz_module* const module, const char* const prefix, pzi_path* const paths,
        size_t* const n)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    pz_slot** const one = &module->slots[k];
    const pzi_list* const list = (*one)->list;
    for (uint32_t i = 0; i < (list ? list->n_tensors : 1); ++i) {
      pz_slot* const slot = list ? list->tensors[i] : *one;
      paths[*n] = (pzi_path){join(prefix, slot->path), slot};
      if (!paths[(*n)++].text) {
        return false;
      }
    }
  }
  for (uint32_t k = 0; k < module->n_children; ++k) {
    char* const own = join(prefix, module->children[k]->name);
    if (own) {
      strcat(own, "."); /* join leaves room for it */
    }
    const bool good = own && collect(module->children[k], own, paths, n);
    free(own);
    if (!good) {
      return false;
    }
  }
  return true;
}

pz_status
pzi_paths(const pz_module* const module, const pzi_path** const out, size_t* const n)
{
  pz_module* const cache = (pz_module*)module; /* `paths` has its own mutex */
  pz_status status = PZ_OK;
  pthread_mutex_lock(&cache->paths_mutex);
  if (!cache->paths) {
    const size_t count = count_stored(module);
    cache->paths = calloc(count + 1, sizeof(*cache->paths));
    if (!cache->paths || !collect(module, "", cache->paths, &cache->n_paths)) {
      pzi_paths_free(cache);
      status = pzi_no_memory((count + 1) * sizeof(*cache->paths));
    }
  }
  *out = cache->paths;
  *n = cache->n_paths;
  pthread_mutex_unlock(&cache->paths_mutex);
  return status;
}

pz_status
pz_module_tensor(const pz_module* const module, const uint32_t index, pz_tensor_entry* const out)
{
  if (!out || out->size < sizeof(*out)) {
    return pzi_fail(PZ_INVALID, "tensor entry: found size %u, expected %zu",
                    out ? (unsigned)out->size : 0U, sizeof(*out));
  }
  PZ_TRY(pzi_read_begin(module));
  const pzi_path* paths = NULL;
  size_t n = 0;
  pz_status status = pzi_paths(module, &paths, &n);
  if (status == PZ_OK && index >= n) {
    status = pzi_fail(PZ_NOT_FOUND, "tensor %u of %zu", (unsigned)index, n);
  }
  if (status == PZ_OK) {
    const pz_slot* const slot = paths[index].slot;
    out->kind = slot->kind;
    out->requires_grad = slot->requires_grad;
    out->reserved = 0;
    out->name = paths[index].text;
    out->spec = slot->storage->spec;
  }
  pzi_read_end(module);
  return status;
}
