/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which table answers to an id must not depend on what was asked for before. The rule,
   for each id alike, the first that has it wins:

     1. what the host gave, at once
     2. files named after the id (skew.so for "skew"), in search order
     3. all other files, in search order

   so asking for one map opens one file, and opening everything settles the same. What was
   settled stays settled.

   Files are judged and opened without the context's mutex, because constructors run there.
   Two threads may then open the same file: the second finds it mapped (loaded_objects.c), and
   whoever comes back first writes down what became of it. After the mutex was away the
   search starts over. */

#include "registry.h"

#include "context_impl.h"
#include "kept_text.h"
#include "reports.h"
#include "status.h"

#include <parametrize/context.h>

#include <string.h>

pz_status
pzi_registry_open(const pzi_trust* const trust, const char* const path, const bool given,
                  const pzi_library** const library, struct stat* const file,
                  const char** const remark)
{
  PZ_TRY(pzi_judge_file(trust, path, given, file, remark));
  return pzi_library_open(path, file, library);
}

/* Opens a found file and writes down what became of it. */
static pz_status
open_source(pz_context* const context, pzi_source* const source)
{
  const pzi_library* library = NULL;
  const char* remark = "";
  struct stat file;
  pthread_mutex_unlock(&context->mutex);
  const pz_status status =
      pzi_registry_open(&context->trust, source->path, source->given, &library, &file, &remark);
  pthread_mutex_lock(&context->mutex);
  if (status == PZ_NO_MEMORY) {
    return status;
  }
  if (source->state != PZI_FOUND) {
    return PZ_OK; /* another thread was faster */
  }
  const bool refused = status != PZ_OK || !library->tables;
  if (refused) {
    remark = pzi_context_keep(context, status != PZ_OK ? pz_error_message() : library->refusal);
    if (!remark) {
      return pzi_no_memory(1);
    }
  } else {
    source->tables = library->tables;
    source->device = file.st_dev;
    source->inode = file.st_ino;
  }
  source->reason = remark;
  source->state = refused ? PZI_REFUSED : PZI_LOADED;
  return PZ_OK;
}

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

/* The first file that has the id, or one that must be opened to know. NULL: there is
   none among the files named after it, or, with `all`, among all. */
static pzi_source*
first_candidate(const pz_context* const context, const uint32_t kind, const char* const id,
                const bool all)
{
  for (size_t i = 0; i < context->n_order; ++i) {
    pzi_source* const s = context->order[i];
    if (!all && strcmp(s->stem, id) != 0) {
      continue;
    }
    if (s->state == PZI_FOUND || (s->state == PZI_LOADED && pzi_table_index(s->tables, kind, id) <
                                                                pzi_table_count(s->tables, kind))) {
      return s;
    }
  }
  return NULL;
}

pz_status
pzi_registry_find(pz_context* const context, const uint32_t kind, const char* const id,
                  const pzi_offer** const out)
{
  *out = NULL;
  for (;;) {
    *out = pzi_registry_offer(context, kind, id);
    if (*out) {
      return PZ_OK;
    }
    PZ_TRY(pzi_registry_prepare(context));
    pzi_source* source = first_candidate(context, kind, id, false);
    if (!source) {
      source = first_candidate(context, kind, id, true);
    }
    if (!source) {
      return PZ_OK;
    }
    if (source->state == PZI_FOUND) {
      PZ_TRY(open_source(context, source));
    } else {
      PZ_TRY(pzi_settle(context, kind, source, pzi_table_index(source->tables, kind, id)));
    }
  }
}

/* Settles the ids of all files that are named after them, or of all. */
static pz_status
settle_all(pz_context* const context, const uint32_t kind, const bool all)
{
  for (size_t k = 0; k < context->n_order; ++k) {
    const pzi_source* const s = context->order[k];
    const uint32_t n = s->state == PZI_LOADED ? pzi_table_count(s->tables, kind) : 0;
    for (uint32_t i = 0; i < n; ++i) {
      const char* const id = pzi_table_id(s->tables, kind, i);
      if ((all || strcmp(s->stem, id) == 0) && !pzi_registry_offer(context, kind, id)) {
        PZ_TRY(pzi_settle(context, kind, s, i));
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
    PZ_TRY(pzi_registry_prepare(context));
    pzi_source* const source = first_found(context);
    if (!source) {
      break;
    }
    PZ_TRY(open_source(context, source));
  }
  for (size_t k = 0; k < 2; ++k) {
    PZ_TRY(settle_all(context, pzi_item_kinds[k], false));
    PZ_TRY(settle_all(context, pzi_item_kinds[k], true));
  }
  PZ_TRY(pzi_reports_build(context));
  context->complete = true;
  return PZ_OK;
}
