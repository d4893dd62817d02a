/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A plugin's descriptor, checked and copied. */

#ifndef PZI_DESCRIPTOR_H
#define PZI_DESCRIPTOR_H

#include "alloc_list.h"

#include <parametrize/backend.h>
#include <parametrize/plugin.h>

/* The tables of a descriptor, checked and copied: full-size tables, options and texts in
   `allocs`. Only functions and kernel sources stay in the plugin's memory. */
typedef struct pzi_descriptor {
  pzi_alloc_list allocs; /* holds everything below */
  const char* name;
  const char* version;
  pz_parametrization* parametrizations;
  uint32_t n_parametrizations;
  uint32_t n_backends;
  pz_backend* backends; /* `ops` full size, never NULL */
  const char* remark;   /* items that were skipped and why, one line; "" */
} pzi_descriptor;

/* Checks and copies a descriptor. `bytes` is the size of its symbol, 0 where unknown. Invalid
   items are skipped. PZ_PLUGIN where no item is left or the handshake fails. [any thread] */
pz_status pzi_descriptor_new(const pz_plugin* plugin, size_t bytes, pzi_descriptor** out);
void pzi_descriptor_free(pzi_descriptor* descriptor);

/* The kinds of tables: parametrizations, then backends. */
extern const uint32_t pzi_descriptor_kinds[2];

/* The tables of a kind: how many there are, the id of one, and the index of an id (the count
   where no table has it). */
uint32_t pzi_descriptor_count(const pzi_descriptor* descriptor, uint32_t kind);
const char* pzi_descriptor_id(const pzi_descriptor* descriptor, uint32_t kind, uint32_t index);
uint32_t pzi_descriptor_index(const pzi_descriptor* descriptor, uint32_t kind, const char* id);

/* Replaces the options of `table`, as the plugin gave them, by checked copies in `allocs`
   (descriptor_options.c). PZ_PLUGIN: an option is not valid. [any thread, under the lock of
   `allocs`] */
pz_status pzi_descriptor_options_copy(pzi_alloc_list* allocs, pz_parametrization* table);

/* The most bytes of a table or of an element of an array. */
enum { PZI_LARGEST_TABLE = 65536 };

#endif /* PZI_DESCRIPTOR_H */
