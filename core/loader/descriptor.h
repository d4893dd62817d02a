/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The handshake, and a plugin's tables made our own. */

#ifndef PZI_DESCRIPTOR_H
#define PZI_DESCRIPTOR_H

#include "alloc_list.h"

#include <parametrize/backend.h>
#include <parametrize/plugin.h>

/* What a descriptor offers, checked and copied: full-size tables, options and texts in
   memory of ours. Only the functions, and a kernel's text, stay where they were. */
typedef struct pzi_tables {
  pzi_alloc_list pool; /* holds everything below */
  const char* name;
  const char* version;
  pz_parametrization* maps;
  uint32_t n_maps;
  uint32_t n_backends;
  pz_backend* backends; /* `ops` full size, never NULL */
  const char* remark;   /* items that were skipped and why, one line; "" */
} pzi_tables;

/* Checks and copies a descriptor. `bytes` is what its symbol has, 0 where unknown. An item
   that is not as it should be is skipped; PZ_PLUGIN when none is left, or when the
   handshake fails. [any thread] */
pz_status pzi_tables_new(const pz_plugin* descriptor, size_t bytes, pzi_tables** out);
void pzi_tables_free(pzi_tables* tables);

/* The kinds of tables: parametrizations, then backends. */
extern const uint32_t pzi_item_kinds[2];

/* The tables of a kind: how many there are, the id of one, and the index of an id (the count
   where no table has it). */
uint32_t pzi_table_count(const pzi_tables* tables, uint32_t kind);
const char* pzi_table_id(const pzi_tables* tables, uint32_t kind, uint32_t index);
uint32_t pzi_table_index(const pzi_tables* tables, uint32_t kind, const char* id);

/* Bytes an entry of a table or an element of an array may have. */
enum { PZI_LARGEST_TABLE = 65536 };

#endif /* PZI_DESCRIPTOR_H */
