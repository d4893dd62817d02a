/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which table answers to which id: a sorted list each for parametrizations and backends.
   An offer, once made, stands. */

#include "tables.h"

#include "context_impl.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

const pzi_offer*
pzi_registry_offer(const pz_context* const context, const uint32_t kind, const char* const id)
{
  const pzi_offers* const offers = kind == PZ_ITEM_BACKEND ? &context->backends : &context->maps;
  for (size_t i = 0; i < offers->n; ++i) {
    if (strcmp(offers->data[i]->id, id) == 0) {
      return offers->data[i];
    }
  }
  return NULL;
}

/* Backends by preference: cuda, opencl, other, cpu, reference. */
static int
rank(const uint32_t kind, const char* const id)
{
  static const char* const first[] = {"cuda", "opencl"};
  static const char* const last[] = {"cpu", "reference"};
  if (kind != PZ_ITEM_BACKEND) {
    return 0;
  }
  for (int i = 0; i < 2; ++i) {
    if (strcmp(id, first[i]) == 0) {
      return i;
    }
    if (strcmp(id, last[i]) == 0) {
      return 3 + i;
    }
  }
  return 2;
}

/* Makes room for `extra` offers more. */
static pz_status
reserve(pzi_offers* const offers, const size_t extra)
{
  if (offers->n + extra <= offers->capacity) {
    return PZ_OK;
  }
  const size_t capacity = 2 * offers->n + extra;
  pzi_offer** const data = realloc(offers->data, capacity * sizeof(*data));
  if (!data) {
    return pzi_no_memory(capacity * sizeof(*data));
  }
  offers->data = data;
  offers->capacity = capacity;
  return PZ_OK;
}

static pzi_offer*
offer_new(pz_context* const context, const uint32_t kind, const pzi_source* const source,
          const uint32_t index)
{
  pzi_offer* const offer = pzi_alloc_list_take(&context->pool, sizeof(*offer));
  if (!offer) {
    return NULL;
  }
  const pzi_tables* const tables = source->tables;
  offer->id = pzi_table_id(tables, kind, index);
  offer->source = source;
  if (kind == PZ_ITEM_BACKEND) {
    offer->backend = (pzi_backend){.table = tables->backends[index], .path = source->path};
  } else {
    offer->map = (pzi_parametrization){
        .table = tables->maps[index], .version = tables->version, .path = source->path};
  }
  return offer;
}

/* Puts an offer into its place; room is reserved. */
static void
insert(pz_context* const context, const uint32_t kind, pzi_offer* const offer)
{
  pzi_offers* const offers = kind == PZ_ITEM_BACKEND ? &context->backends : &context->maps;
  const int r = rank(kind, offer->id);
  size_t i = offers->n++;
  for (; i > 0; --i) {
    pzi_offer* const before = offers->data[i - 1];
    const int other = rank(kind, before->id);
    if (other < r || (other == r && strcmp(before->id, offer->id) < 0)) {
      break;
    }
    offers->data[i] = before;
  }
  offers->data[i] = offer;
}

pz_status
pzi_settle(pz_context* const context, const uint32_t kind, const pzi_source* const source,
           const uint32_t index)
{
  PZ_TRY(reserve(kind == PZ_ITEM_BACKEND ? &context->backends : &context->maps, 1));
  pzi_offer* const offer = offer_new(context, kind, source, index);
  if (!offer) {
    return pzi_no_memory(sizeof(*offer));
  }
  insert(context, kind, offer);
  return PZ_OK;
}

/* Makes offers for the ids of `source` that are free, n[0] of parametrizations, then n[1]
   of backends. PZ_EXISTS where one is taken (`strict`), or all are. */
static pz_status
offers_of(pz_context* const context, const pzi_source* const source, const bool strict,
          pzi_offer** const fresh, uint32_t n[2])
{
  pz_status taken_status = PZ_OK;
  for (size_t k = 0; k < 2; ++k) {
    const uint32_t kind = pzi_item_kinds[k];
    for (uint32_t i = 0; i < pzi_table_count(source->tables, kind); ++i) {
      const char* const id = pzi_table_id(source->tables, kind, i);
      const pzi_offer* const taken = pzi_registry_offer(context, kind, id);
      if (!taken) {
        pzi_offer* const offer = offer_new(context, kind, source, i);
        if (!offer) {
          return pzi_no_memory(sizeof(*offer));
        }
        fresh[n[0] + n[1]] = offer;
        ++n[k];
      } else if (taken->source->tables != source->tables) {
        taken_status = pzi_fail(PZ_EXISTS, "\"%s\" comes from %s, not from %s", id,
                                taken->source->path, source->path);
        if (strict) {
          return taken_status;
        }
      }
    }
  }
  return n[0] + n[1] > 0 ? PZ_OK : taken_status;
}

pz_status
pzi_registry_give(pz_context* const context, const pzi_source* const source, const bool strict)
{
  const uint32_t most = source->tables->n_maps + source->tables->n_backends;
  uint32_t n[2] = {0, 0};
  pzi_source* const kept = pzi_alloc_list_take(&context->pool, sizeof(*kept));
  pzi_source** const given =
      realloc(context->given, (context->n_given + 1) * sizeof(*context->given));
  pzi_offer** const fresh = calloc(most, sizeof(*fresh));
  context->given = given ? given : context->given;
  pz_status status = PZ_OK;
  if (!kept || !given || !fresh) {
    status = pzi_no_memory(most * sizeof(*fresh));
    goto done;
  }
  *kept = *source;
  status = offers_of(context, kept, strict, fresh, n);
  if (status != PZ_OK || n[0] + n[1] == 0) {
    goto done; /* nothing new: the same file is there already */
  }
  status = reserve(&context->maps, n[0]);
  if (status != PZ_OK) {
    goto done;
  }
  status = reserve(&context->backends, n[1]);
  if (status != PZ_OK) {
    goto done;
  }
  for (uint32_t i = 0; i < n[0] + n[1]; ++i) {
    insert(context, pzi_item_kinds[i >= n[0]], fresh[i]);
  }
  context->given[context->n_given++] = kept;
  context->ordered = false;
  context->complete = false;

done:
  free(fresh);
  return status;
}
