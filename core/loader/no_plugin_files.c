/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The static profile: a context has the plugins inside the library and those that the host gives. It has
   no folders and opens no files. */

#include "plugin_files.h"

#include "context_impl.h"
#include "folders.h"
#include "status.h"

#include <parametrize/context.h>

#include <stdlib.h>
#include <string.h>

static pz_status
no_files(void)
{
  return pzi_fail(PZ_UNSUPPORTED, "the library was built without files (profile=static)");
}

pz_status
pzi_plugin_files_begin(pz_context* const context, const pz_context_settings* const settings)
{
  (void)context;
  return settings->n_folders > 0 ? no_files() : PZ_OK;
}

pz_status
pzi_plugin_files_open(pz_context* const context, pzi_source* const source)
{
  (void)context;
  (void)source;
  return no_files();
}

pz_status
pzi_folders_search(pz_context* const context)
{
  if (context->ordered) {
    return PZ_OK;
  }
  pzi_source** const order = calloc(context->n_given + 1, sizeof(*order));
  if (!order) {
    return pzi_no_memory((context->n_given + 1) * sizeof(*order));
  }
  memcpy(order, context->given, context->n_given * sizeof(*order));
  free(context->order);
  context->order = order;
  context->n_order = context->n_given;
  context->ordered = true;
  return PZ_OK;
}

bool
pzi_folders_is_repeated(const pz_context* const context, const size_t i)
{
  (void)context;
  (void)i;
  return false;
}

pz_status
pz_context_add_file(pz_context* const context, const char* const path)
{
  (void)path;
  return context ? no_files() : pzi_fail(PZ_INVALID, "found no context");
}

pz_status
pz_context_add_folder(pz_context* const context, const char* const path)
{
  return pz_context_add_file(context, path);
}

pz_status
pz_context_rescan(pz_context* const context)
{
  return context ? PZ_OK : pzi_fail(PZ_INVALID, "found no context");
}
