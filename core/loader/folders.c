/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A folder is read without judging its files: a file is judged when it is opened. A rescan keeps
   loaded files, tries refused ones again and adds new ones. */

#include "folders.h"

#include "array.h"
#include "context_impl.h"
#include "kept_text.h"
#include "search_path.h"
#include "status.h"

#include <parametrize/context.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pz_status
pzi_folders_add(pz_context* const context, const char* const path, const char* const origin,
                const bool given, const char* const refusal, const bool by_host)
{
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') {
    --length;
  }
  const char* const kept = pzi_alloc_list_text(&context->allocs, path, length);
  if (!kept) {
    return pzi_no_memory(length + 1);
  }
  PZ_TRY(pzi_array_reserve(&context->folders, context->n_folders, 1, sizeof(*context->folders)));
  const size_t at = by_host ? context->n_host_folders : context->n_folders;
  pzi_folder* const folder = &context->folders[at];
  memmove(folder + 1, folder, (context->n_folders - at) * sizeof(*folder));
  *folder = (pzi_folder){.path = kept, .origin = origin, .refusal = refusal, .given = given};
  ++context->n_folders;
  context->n_host_folders += by_host;
  context->ordered = false;
  context->complete = false;
  return PZ_OK;
}

/* Records a report on the folder itself, which then has no files. */
static pz_status
report_folder(pz_context* const context, pzi_folder* const folder, const char* const reason)
{
  pzi_source* const self =
      folder->report ? folder->report : pzi_alloc_list_take(&context->allocs, sizeof(*self));
  const char* const kept = pzi_kept_text_add(context, reason);
  if (!self || !kept) {
    return pzi_no_memory(sizeof(*self));
  }
  *self = (pzi_source){.path = folder->path,
                       .origin = folder->origin,
                       .reason = kept,
                       .stem = "",
                       .state = PZI_FOLDER,
                       .given = folder->given};
  folder->report = self;
  folder->self = self;
  return PZ_OK;
}

static pz_status
source_new(pz_context* const context, const pzi_folder* const folder, const char* const name,
           pzi_source** const out)
{
  const size_t n = strlen(folder->path) + strlen(name) + 2;
  pzi_source* const source = pzi_alloc_list_take(&context->allocs, sizeof(*source));
  char* const path = pzi_alloc_list_take(&context->allocs, n);
  const char* const stem =
      pzi_alloc_list_text(&context->allocs, name, strlen(name) - strlen(".so"));
  if (!source || !path || !stem) {
    return pzi_no_memory(n);
  }
  const bool root = strcmp(folder->path, "/") == 0;
  (void)snprintf(path, n, "%s/%s", root ? "" : folder->path, name);
  *source = (pzi_source){.path = path,
                         .origin = folder->origin,
                         .reason = "",
                         .stem = stem,
                         .state = PZI_FOUND,
                         .given = folder->given};
  *out = source;
  return PZ_OK;
}

/* Updates a file that is known already: a loaded one stays, a refused one is tried again. */
static void
update_source(pzi_source* const source)
{
  struct stat now;
  if (source->state != PZI_LOADED) {
    source->state = PZI_FOUND;
    source->reason = "";
    return;
  }
  source->gone = stat(source->path, &now) != 0;
  source->replaced = !source->gone && (now.st_dev != source->device || now.st_ino != source->inode);
}

static int
by_path(const void* const a, const void* const b)
{
  return strcmp((*(pzi_source* const*)a)->path, (*(pzi_source* const*)b)->path);
}

static pzi_source*
source_of(const pzi_folder* const folder, const char* const name)
{
  const size_t n = strlen(name) - strlen(".so");
  for (size_t k = 0; k < folder->n_sources; ++k) {
    const char* const stem = folder->sources[k]->stem;
    if (strlen(stem) == n && strncmp(stem, name, n) == 0) {
      return folder->sources[k];
    }
  }
  return NULL;
}

static bool
is_among(pzi_source* const* const sources, const size_t n, const pzi_source* const source)
{
  size_t i = 0;
  while (i < n && sources[i] != source) {
    ++i;
  }
  return i < n;
}

/* Sets the sources of `folder` to those of `names` and those that it had. */
static pz_status
take_names(pz_context* const context, pzi_folder* const folder, char* const* const names,
           const size_t n)
{
  const size_t n_old = folder->n_sources;
  pzi_source** const sources = calloc(n + n_old + 1, sizeof(*sources));
  if (!sources) {
    return pzi_no_memory((n + n_old + 1) * sizeof(*sources));
  }
  size_t n_sources = 0;
  for (; n_sources < n; ++n_sources) {
    const char* const name = names[n_sources];
    sources[n_sources] = source_of(folder, name);
    const pz_status status =
        sources[n_sources] ? PZ_OK : source_new(context, folder, name, &sources[n_sources]);
    if (status != PZ_OK) {
      free(sources);
      return status;
    }
  }
  for (size_t k = 0; k < n_old; ++k) {
    pzi_source* const old = folder->sources[k];
    update_source(old);
    if (!is_among(sources, n, old)) {
      old->state = old->state == PZI_LOADED ? PZI_LOADED : PZI_ABSENT;
      sources[n_sources++] = old;
    }
  }
  qsort(sources, n_sources, sizeof(*sources), by_path);
  free(folder->sources);
  folder->sources = sources;
  folder->n_sources = n_sources;
  return PZ_OK;
}

static pz_status
search_folder(pz_context* const context, pzi_folder* const folder)
{
  struct stat s;
  char** names = NULL;
  size_t n = 0;
  folder->self = NULL;
  folder->exists = false;
  if (*folder->refusal != '\0') {
    return report_folder(context, folder, folder->refusal);
  }
  pz_status status = stat(folder->path, &s) == 0 ? PZ_OK : pzi_fail_system(errno);
  if (status == PZ_OK && !S_ISDIR(s.st_mode)) {
    status = pzi_fail(PZ_INVALID, "a file, expected a folder");
  }
  if (status == PZ_OK) {
    folder->exists = true;
    folder->device = s.st_dev;
    folder->inode = s.st_ino;
    status = pzi_search_path_list_folder(folder->path, &names, &n);
  }
  if (status == PZ_NO_MEMORY) {
    return status; /* says nothing about the folder */
  }
  const char* const reason = status == PZ_NOT_FOUND ? "no such folder"
                             : status != PZ_OK      ? pz_error_message()
                             : n == 0               ? "no file in it ends in .so"
                                                    : NULL;
  status = reason ? report_folder(context, folder, reason) : PZ_OK;
  if (status == PZ_OK) {
    status = take_names(context, folder, names, n);
  }
  pzi_search_path_free_names(names, n);
  return status;
}

bool
pzi_folders_is_repeated(const pz_context* const context, const size_t i)
{
  const pzi_folder* const f = &context->folders[i];
  for (size_t k = 0; f->exists && k < i; ++k) {
    const pzi_folder* const other = &context->folders[k];
    if (other->exists && other->device == f->device && other->inode == f->inode) {
      return true;
    }
  }
  for (size_t k = 0; !f->exists && k < i; ++k) {
    if (strcmp(context->folders[k].path, f->path) == 0) {
      return true; /* reported once as missing */
    }
  }
  return false;
}

pz_status
pzi_folders_search(pz_context* const context)
{
  if (context->ordered) {
    return PZ_OK;
  }
  size_t most = context->n_given;
  for (size_t i = 0; i < context->n_folders; ++i) {
    pzi_folder* const folder = &context->folders[i];
    if (!folder->searched) {
      PZ_TRY(search_folder(context, folder));
      folder->searched = true;
    }
    most += 1 + folder->n_sources;
  }
  pzi_source** const order = calloc(most + 1, sizeof(*order));
  if (!order) {
    return pzi_no_memory((most + 1) * sizeof(*order));
  }
  size_t n = 0;
  for (size_t i = 0; i < context->n_given; ++i) {
    order[n++] = context->given[i];
  }
  for (size_t i = 0; i < context->n_folders; ++i) {
    const pzi_folder* const folder = &context->folders[i];
    const bool repeated = pzi_folders_is_repeated(context, i);
    if (folder->self && !repeated) {
      order[n++] = folder->self;
    }
    for (size_t k = 0; k < folder->n_sources; ++k) {
      const uint32_t state = folder->sources[k]->state;
      if (state == PZI_LOADED || (!repeated && state != PZI_ABSENT)) {
        order[n++] = folder->sources[k];
      }
    }
  }
  free(context->order);
  context->order = order;
  context->n_order = n;
  context->ordered = true;
  return PZ_OK;
}
