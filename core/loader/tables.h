/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A context's tables by id. Every function is called with the context's mutex held. */

#ifndef PZI_TABLES_H
#define PZI_TABLES_H

#include "lookup.h"
#include "source.h"

/* A table that answers to an id in this context, and where it came from. */
typedef struct pzi_offer {
  const char* id;
  const pzi_source* source;
  pzi_parametrization map; /* of a parametrization */
  pzi_backend backend;     /* of a backend */
} pzi_offer;

typedef struct pzi_offers {
  pzi_offer** data; /* parametrizations by id, backends by preference */
  size_t n;
  size_t capacity;
} pzi_offers;

/* Who offers the id, or NULL. Opens nothing. */
const pzi_offer* pzi_registry_offer(const pz_context* context, uint32_t kind, const char* id);

/* Offers table `index` of a source under its id, which is free. */
pz_status pzi_settle(pz_context* context, uint32_t kind, const pzi_source* source, uint32_t index);

/* Offers what `source` has under every id that is still free. PZ_EXISTS where none is, or,
   with `strict`, where one is not. All or nothing; the source, copied, becomes the last
   given. */
pz_status pzi_registry_give(pz_context* context, const pzi_source* source, bool strict);

#endif /* PZI_TABLES_H */
