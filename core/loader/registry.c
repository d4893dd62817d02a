/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The table of an id must not depend on which ids were looked up before. For every id, the first
   that has it wins:

     1. descriptors and files given by the host, at once
     2. files named after the id (skew.so for "skew"), in search order
     3. all other files, in search order

   So a lookup of one id mostly opens one file, and opening all files assigns the same ids. An
   assigned id keeps its table.

   Files are judged and opened without the context's mutex, because constructors run there. Two
   threads may then open the same file: the second finds it mapped (loaded_objects.c), and the
   first to take the mutex again records the result. The search then starts over, since the
   context may have changed. */

#include "registry.h"

#include "context_impl.h"
#include "plugin_files.h"
#include "reports.h"
#include "status.h"

#include <parametrize/context.h>

#include <string.h>

static pzi_source*
first_found(const pz_context* const context)
{
  for (size_t i = 0; i < context->n_order; ++i) {
    if (context->order[i]->state == PZI_FOUND) {
      return context->order[i];
    }
  }
  return NULL;
}

/* The first file that has the id or is not opened yet, among the files named after the id, or,
   with `all`, among all; NULL where there is none. */
static pzi_source*
first_candidate(const pz_context* const context, const uint32_t kind, const char* const id,
                const bool all)
{
  for (size_t i = 0; i < context->n_order; ++i) {
    pzi_source* const s = context->order[i];
    if (!all && strcmp(s->stem, id) != 0) {
      continue;
    }
    if (s->state == PZI_FOUND ||
        (s->state == PZI_LOADED && pzi_descriptor_index(s->descriptor, kind, id) <
                                       pzi_descriptor_count(s->descriptor, kind))) {
      return s;
    }
  }
  return NULL;
}

pz_status
pzi_registry_find(pz_context* const context, const uint32_t kind, const char* const id,
                  const pzi_table** const out)
{
  *out = NULL;
  for (;;) {
    *out = pzi_tables_find(context, kind, id);
    if (*out) {
      return PZ_OK;
    }
    PZ_TRY(pzi_folders_search(context));
    pzi_source* source = first_candidate(context, kind, id, false);
    if (!source) {
      source = first_candidate(context, kind, id, true);
    }
    if (!source) {
      return PZ_OK;
    }
    if (source->state == PZI_FOUND) {
      PZ_TRY(pzi_plugin_files_open(context, source));
    } else {
      PZ_TRY(pzi_tables_assign_id(context, kind, source,
                                  pzi_descriptor_index(source->descriptor, kind, id)));
    }
  }
}

/* Assigns the free ids of files named after them, or, with `all`, of all files. */
static pz_status
assign_ids(pz_context* const context, const uint32_t kind, const bool all)
{
  for (size_t k = 0; k < context->n_order; ++k) {
    const pzi_source* const s = context->order[k];
    const uint32_t n = s->state == PZI_LOADED ? pzi_descriptor_count(s->descriptor, kind) : 0;
    for (uint32_t i = 0; i < n; ++i) {
      const char* const id = pzi_descriptor_id(s->descriptor, kind, i);
      if ((all || strcmp(s->stem, id) == 0) && !pzi_tables_find(context, kind, id)) {
        PZ_TRY(pzi_tables_assign_id(context, kind, s, i));
      }
    }
  }
  return PZ_OK;
}

pz_status
pzi_registry_complete(pz_context* const context)
{
  if (context->complete) {
    return PZ_OK;
  }
  for (;;) {
    PZ_TRY(pzi_folders_search(context));
    pzi_source* const source = first_found(context);
    if (!source) {
      break;
    }
    PZ_TRY(pzi_plugin_files_open(context, source));
  }
  for (size_t k = 0; k < 2; ++k) {
    PZ_TRY(assign_ids(context, pzi_descriptor_kinds[k], false));
    PZ_TRY(assign_ids(context, pzi_descriptor_kinds[k], true));
  }
  PZ_TRY(pzi_reports_build(context));
  context->complete = true;
  return PZ_OK;
}
