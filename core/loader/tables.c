/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The tables of a context by id: a sorted list of parametrizations and one of backends. An id,
   once assigned, keeps its table. */

#include "tables.h"

#include "array.h"
#include "context_impl.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

const pzi_table*
pzi_tables_find(const pz_context* const context, const uint32_t kind, const char* const id)
{
  const pzi_table_list* const list = &context->tables[kind == PZ_ITEM_BACKEND];
  for (size_t i = 0; i < list->n; ++i) {
    if (strcmp(list->data[i]->id, id) == 0) {
      return list->data[i];
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

/* Makes room for `extra` more tables. */
static pz_status
reserve(pzi_table_list* const list, const size_t extra)
{
  return pzi_array_reserve(&list->data, list->n, extra, sizeof(*list->data));
}

static pzi_table*
table_new(pz_context* const context, const uint32_t kind, const pzi_source* const source,
          const uint32_t index)
{
  pzi_table* const table = pzi_alloc_list_take(&context->allocs, sizeof(*table));
  if (!table) {
    return NULL;
  }
  const pzi_descriptor* const descriptor = source->descriptor;
  table->id = pzi_descriptor_id(descriptor, kind, index);
  table->source = source;
  if (kind == PZ_ITEM_BACKEND) {
    table->backend = (pzi_backend){.table = descriptor->backends[index], .path = source->path};
  } else {
    table->parametrization = (pzi_parametrization){.table = descriptor->parametrizations[index],
                                                   .version = descriptor->version,
                                                   .path = source->path};
  }
  return table;
}

/* Inserts a table in order; room is reserved. */
static void
insert(pz_context* const context, const uint32_t kind, pzi_table* const table)
{
  pzi_table_list* const list = &context->tables[kind == PZ_ITEM_BACKEND];
  const int r = rank(kind, table->id);
  size_t i = list->n++;
  for (; i > 0; --i) {
    pzi_table* const before = list->data[i - 1];
    const int other = rank(kind, before->id);
    if (other < r || (other == r && strcmp(before->id, table->id) < 0)) {
      break;
    }
    list->data[i] = before;
  }
  list->data[i] = table;
}

pz_status
pzi_tables_assign_id(pz_context* const context, const uint32_t kind, const pzi_source* const source,
                     const uint32_t index)
{
  PZ_TRY(reserve(&context->tables[kind == PZ_ITEM_BACKEND], 1));
  pzi_table* const table = table_new(context, kind, source, index);
  if (!table) {
    return pzi_no_memory(sizeof(*table));
  }
  insert(context, kind, table);
  return PZ_OK;
}

/* Makes tables for the free ids of `source`: n[0] parametrizations, then n[1] backends.
   PZ_EXISTS where all ids are taken or, with `strict`, where one is. */
static pz_status
tables_of(pz_context* const context, const pzi_source* const source, const bool strict,
          pzi_table** const fresh, uint32_t n[2])
{
  pz_status taken_status = PZ_OK;
  for (size_t k = 0; k < 2; ++k) {
    const uint32_t kind = pzi_descriptor_kinds[k];
    for (uint32_t i = 0; i < pzi_descriptor_count(source->descriptor, kind); ++i) {
      const char* const id = pzi_descriptor_id(source->descriptor, kind, i);
      const pzi_table* const taken = pzi_tables_find(context, kind, id);
      if (!taken) {
        pzi_table* const table = table_new(context, kind, source, i);
        if (!table) {
          return pzi_no_memory(sizeof(*table));
        }
        fresh[n[0] + n[1]] = table;
        ++n[k];
      } else if (taken->source->descriptor != source->descriptor) {
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
pzi_tables_add(pz_context* const context, const pzi_source* const source, const bool strict)
{
  const uint32_t most = source->descriptor->n_parametrizations + source->descriptor->n_backends;
  uint32_t n[2] = {0, 0};
  pzi_source* const kept = pzi_alloc_list_take(&context->allocs, sizeof(*kept));
  pzi_table** const fresh = calloc(most, sizeof(*fresh));
  pz_status status =
      pzi_array_reserve(&context->given, context->n_given, 1, sizeof(*context->given));
  if (status != PZ_OK) {
    goto done;
  }
  if (!kept || !fresh) {
    status = pzi_no_memory(most * sizeof(*fresh));
    goto done;
  }
  *kept = *source;
  status = tables_of(context, kept, strict, fresh, n);
  if (status != PZ_OK || n[0] + n[1] == 0) {
    goto done; /* nothing new: the same file is loaded already */
  }
  for (size_t k = 0; k < 2 && status == PZ_OK; ++k) {
    status = reserve(&context->tables[k], n[k]);
  }
  if (status != PZ_OK) {
    goto done;
  }
  for (uint32_t i = 0; i < n[0] + n[1]; ++i) {
    insert(context, pzi_descriptor_kinds[i >= n[0]], fresh[i]);
  }
  context->given[context->n_given++] = kept;
  context->ordered = false;
  context->complete = false;

done:
  free(fresh);
  return status;
}
