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
  pzi_pool pool; /* holds everything below */
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

/* A word of pz_parametrization's older_names, in the text itself. */
typedef struct pzi_older_name {
  const char* tensor; /* NULL before the first */
  size_t n_tensor;
  const char* ending;
  size_t n_ending;
  const char* rest; /* what follows */
} pzi_older_name;

/* On to the next word, or to the first, with `rest` all of it. False, and no change, where
   there is none. */
bool pzi_older_next(pzi_older_name* name);

/* ---- between descriptor.c and descriptor_options.c --------------------------- */

/* [a-z][a-z0-9_]*, which is how chains and devices are named. */
bool pzi_is_id(const char* text);

/* Copies and checks the options of `table`, whose fields are as the plugin gave them, and
   puts ours in their place. */
pz_status pzi_copy_options(pzi_pool* pool, pz_parametrization* table);

/* Copies a text of one line, PZ_PLUGIN naming `what` where it has more or is NULL. */
pz_status pzi_copy_line(pzi_pool* pool, const char* from, size_t limit, const char* what,
                        const char** out);

/* Bytes an entry of a table or an element of an array may have. */
enum { PZI_LARGEST_TABLE = 65536 };

#endif /* PZI_DESCRIPTOR_H */
