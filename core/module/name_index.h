/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Names of a module's own tensors and children, found by hash. */

#ifndef PZI_NAME_INDEX_H
#define PZI_NAME_INDEX_H

#include <parametrize/module.h>

/* The beginning of a path up to a dot or the end. */
typedef struct pzi_name_word {
  const char* text;
  size_t length;
  uint32_t hash;
} pzi_name_word;
pzi_name_word pzi_name_index_word(const char* path);

/* A hash table from names to positions in an array of the module. */
typedef struct pzi_name_index {
  uint32_t* places; /* position plus one; 0: free */
  uint32_t size;    /* a power of two, or 0 */
  uint32_t n;       /* the first n of the array are in the table */
} pzi_name_index;

/* Adds slots and children that were appended to the module. [exclusive] */
void pzi_name_index_update(pz_module* module);

/* A module's own tensor or child under a name, or NULL. */
pz_slot* pzi_name_index_slot(const pz_module* module, const pzi_name_word* name);
pz_module* pzi_name_index_child(const pz_module* module, const pzi_name_word* name);

#endif /* PZI_NAME_INDEX_H */
