/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Names of a module's own tensors and children, found without looking at all of them: tables
   of open addressing, at most half full, of places in the module's arrays. Arrays only grow;
   what has come since a table was made is looked at one by one. */

#include "module.h"

#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 16 }; /* looked at one by one, without a table */

static const char*
slot_name(const pz_module* const module, const uint32_t k)
{
  return module->slots[k]->name;
}

static const char*
child_name(const pz_module* const module, const uint32_t k)
{
  return module->children[k]->name;
}

typedef const char* name_at(const pz_module* module, uint32_t k);

static void
put(pzi_index* const index, const char* const name, const uint32_t k)
{
  uint32_t at = pzi_name_hash(name, strlen(name)) & (index->size - 1);
  while (index->places[at] != 0) {
    at = (at + 1) & (index->size - 1);
  }
  index->places[at] = k + 1;
  index->n = k + 1;
}

/* Brings a table up to date; without memory it stays as it is, which is only slower. */
static void
update(const pz_module* const module, pzi_index* const index, const uint32_t n, name_at* const name)
{
  if (n <= FEW) {
    return;
  }
  if (2 * (uint64_t)n > index->size) {
    const uint64_t size = index->size > 0 ? 2 * (uint64_t)index->size : 4 * FEW;
    const uint64_t enough =
        size < 2 * (uint64_t)n ? UINT64_C(1) << (64 - __builtin_clzll(2 * n)) : size;
    uint32_t* const places = enough <= UINT32_MAX ? calloc(enough, sizeof(*places)) : NULL;
    if (!places) {
      return;
    }
    free(index->places);
    *index = (pzi_index){.places = places, .size = (uint32_t)enough};
  }
  for (uint32_t k = index->n; k < n; ++k) {
    put(index, name(module, k), k);
  }
}

void
pzi_index_update(pz_module* const module)
{
  update(module, &module->slot_index, module->n_slots, slot_name);
  update(module, &module->child_index, module->n_children, child_name);
}

/* The place of a name, or `n`. */
static uint32_t
look_up(const pz_module* const module, const pzi_index* const index, const uint32_t n,
        name_at* const name_of, const char* const name, const size_t length)
{
  if (index->n > 0) {
    uint32_t at = pzi_name_hash(name, length) & (index->size - 1);
    for (; index->places[at] != 0; at = (at + 1) & (index->size - 1)) {
      const char* const found = name_of(module, index->places[at] - 1);
      if (strncmp(found, name, length) == 0 && found[length] == '\0') {
        return index->places[at] - 1;
      }
    }
  }
  for (uint32_t k = index->n; k < n; ++k) {
    const char* const found = name_of(module, k);
    if (strncmp(found, name, length) == 0 && found[length] == '\0') {
      return k;
    }
  }
  return n;
}

pz_slot*
pzi_own_slot(const pz_module* const module, const char* const name, const size_t length)
{
  const uint32_t k = look_up(module, &module->slot_index, module->n_slots, slot_name, name, length);
  return k < module->n_slots ? module->slots[k] : NULL;
}

pz_module*
pzi_own_child(const pz_module* const module, const char* const name, const size_t length)
{
  const uint32_t k =
      look_up(module, &module->child_index, module->n_children, child_name, name, length);
  return k < module->n_children ? module->children[k] : NULL;
}
