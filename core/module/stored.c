/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The stored tensors of a module and its children, in the order in which they were added. The
   tensors of a chain come at the position of its slot, children after the module's own tensors. The
   first reader builds the table, which is kept until a name is added or removed. */

#include "stored.h"

#include "gate.h"
#include "sized_struct.h"
#include "status.h"
#include "walk.h"

#include <stdlib.h>
#include <string.h>

void
pzi_stored_free(pz_module* const module)
{
  for (size_t k = 0; k < module->n_paths; ++k) {
    free(module->paths[k].text);
  }
  free(module->paths);
  module->paths = NULL;
  module->n_paths = 0;
}

void
pzi_stored_changed(pz_module* module)
{
  for (; module; module = module->parent) {
    pzi_stored_free(module);
  }
}

static pz_status
count(pz_slot* const slot, void* const user)
{
  (void)slot;
  ++*(size_t*)user;
  return PZ_OK;
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

/* The table being filled; `prefix` is empty or ends in a dot. */
typedef struct collection {
  pzi_stored_path* paths;
  size_t n;
  const char* prefix;
} collection;

static pz_status
add_path(pz_slot* const slot, void* const user)
{
  collection* const to = user;
  char* const text = join(to->prefix, slot->path);
  if (!text) {
    return pzi_no_memory(strlen(to->prefix) + strlen(slot->path));
  }
  to->paths[to->n++] = (pzi_stored_path){text, slot};
  return PZ_OK;
}

static pz_status
collect(const pz_module* const module, const char* const prefix, collection* const to)
{
  to->prefix = prefix;
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    PZ_TRY(pzi_walk_stored_of(module->slots[k], add_path, to));
  }
  for (uint32_t k = 0; k < module->n_children; ++k) {
    char* const own = join(prefix, module->children[k]->name);
    if (!own) {
      return pzi_no_memory(strlen(prefix));
    }
    strcat(own, "."); /* join leaves space for it */
    const pz_status status = collect(module->children[k], own, to);
    free(own);
    PZ_TRY(status);
  }
  return PZ_OK;
}

pz_status
pzi_stored_paths(const pz_module* const module, const pzi_stored_path** const out, size_t* const n)
{
  pz_module* const cache = (pz_module*)module; /* `paths` has its own mutex */
  pz_status status = PZ_OK;
  pthread_mutex_lock(&cache->paths_mutex);
  if (!cache->paths) {
    size_t n_stored = 0;
    (void)pzi_walk_stored(cache, count, &n_stored);
    collection all = {.paths = calloc(n_stored + 1, sizeof(*all.paths))};
    status = all.paths ? collect(module, "", &all) : pzi_no_memory(n_stored * sizeof(*all.paths));
    cache->paths = all.paths;
    cache->n_paths = all.n;
    if (status != PZ_OK) {
      pzi_stored_free(cache);
    }
  }
  *out = cache->paths;
  *n = cache->n_paths;
  pthread_mutex_unlock(&cache->paths_mutex);
  return status;
}

pz_status
pz_module_tensor(const pz_module* const module, const uint32_t index, pz_tensor_info* const out)
{
  PZ_TRY(pzi_struct_check(out, "output"));
  PZ_TRY(pzi_gate_read_begin(module));
  const pzi_stored_path* paths = NULL;
  size_t n = 0;
  pz_status status = pzi_stored_paths(module, &paths, &n);
  if (status == PZ_OK && index >= n) {
    status = pzi_fail(PZ_NOT_FOUND, "tensor %u of %zu", (unsigned)index, n);
  }
  if (status == PZ_OK) {
    const pz_slot* const slot = paths[index].slot;
    const pz_tensor_info info = {
        .kind = slot->kind,
        .requires_grad = slot->requires_grad,
        .name = paths[index].text,
        .spec = slot->storage->spec,
    };
    pzi_struct_write(out, &info, sizeof(info));
  }
  pzi_gate_read_end(module);
  return status;
}
