/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Open-addressing hash tables, at most half full, of positions in the module's arrays. The arrays
   only grow. Names that were appended after the last update are compared one by one. */

#include "name_index.h"

#include "keyed_hash.h"
#include "tree.h"

#include <stdlib.h>
#include <string.h>

pzi_name_word
pzi_name_index_word(const char* const path)
{
  const size_t length = (size_t)(strchrnul(path, '.') - path);
  return (pzi_name_word){path, length, pzi_keyed_hash(path, length)};
}

enum { FEW = 16 }; /* fewer names are compared one by one */

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
put(pzi_name_index* const index, const char* const name, const uint32_t k)
{
  uint32_t at = pzi_name_index_word(name).hash & (index->size - 1);
  while (index->places[at] != 0) {
    at = (at + 1) & (index->size - 1);
  }
  index->places[at] = k + 1;
  index->n = k + 1;
}

/* Updates a table. Without memory it stays as it is; lookups are then slower. */
static void
update(const pz_module* const module, pzi_name_index* const index, const uint32_t n,
       name_at* const name)
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
    *index = (pzi_name_index){.places = places, .size = (uint32_t)enough};
  }
  for (uint32_t k = index->n; k < n; ++k) {
    put(index, name(module, k), k);
  }
}

void
pzi_name_index_update(pz_module* const module)
{
  update(module, &module->slot_index, module->n_slots, slot_name);
  update(module, &module->child_index, module->n_children, child_name);
}

static bool
is_name(const char* const own, const pzi_name_word* const word)
{
  return strncmp(own, word->text, word->length) == 0 && own[word->length] == '\0';
}

pz_slot*
pzi_name_index_slot(const pz_module* const module, const pzi_name_word* const word)
{
  const pzi_name_index* const index = &module->slot_index;
  uint32_t at = word->hash & (index->size - 1);
  for (; index->n > 0 && index->places[at] != 0; at = (at + 1) & (index->size - 1)) {
    pz_slot* const slot = module->slots[index->places[at] - 1];
    if (slot->hash == word->hash && is_name(slot->name, word)) {
      return slot;
    }
  }
  for (uint32_t k = index->n; k < module->n_slots; ++k) {
    pz_slot* const slot = module->slots[k];
    if (slot->hash == word->hash && is_name(slot->name, word)) {
      return slot;
    }
  }
  return NULL;
}

pz_module*
pzi_name_index_child(const pz_module* const module, const pzi_name_word* const word)
{
  const pzi_name_index* const index = &module->child_index;
  uint32_t at = word->hash & (index->size - 1);
  for (; index->n > 0 && index->places[at] != 0; at = (at + 1) & (index->size - 1)) {
    pz_module* const child = module->children[index->places[at] - 1];
    if (is_name(child->name, word)) {
      return child;
    }
  }
  for (uint32_t k = index->n; k < module->n_children; ++k) {
    if (is_name(module->children[k]->name, word)) {
      return module->children[k];
    }
  }
  return NULL;
}
