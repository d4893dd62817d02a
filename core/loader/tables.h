/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A context's tables by id. Every function is called with the context's mutex held. */

#ifndef PZI_TABLES_H
#define PZI_TABLES_H

#include "lookup.h"
#include "source.h"

/* A table that has its id in this context, and its source. */
typedef struct pzi_table {
  const char* id;
  const pzi_source* source;
  pzi_parametrization parametrization; /* of a parametrization */
  pzi_backend backend;                 /* of a backend */
} pzi_table;

typedef struct pzi_table_list {
  pzi_table** data; /* parametrizations by id, backends by preference */
  size_t n;
} pzi_table_list;

/* The table of an id, or NULL. Opens no file. */
const pzi_table* pzi_tables_find(const pz_context* context, uint32_t kind, const char* id);

/* Adds table `index` of a source under its id, which no other table of the context has. */
pz_status pzi_tables_assign_id(pz_context* context, uint32_t kind, const pzi_source* source,
                               uint32_t index);

/* Assigns the free ids of a source to its descriptor, all or none, and appends a copy of the source
   to those given. PZ_EXISTS where no id is free or, with `strict`, where one is not. */
pz_status pzi_tables_add(pz_context* context, const pzi_source* source, bool strict);

#endif /* PZI_TABLES_H */
