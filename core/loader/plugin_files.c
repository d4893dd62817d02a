/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Takes folders, and opens files. no_plugin_files.c stands in its place in the static profile. */

#include "plugin_files.h"

#include "context_impl.h"
#include "folders.h"
#include "kept_text.h"
#include "loaded_objects.h"
#include "search_path.h"
#include "status.h"

#include <parametrize/context.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- folders ---------------------------------------------------------------- */

static pz_status
take_default(void* const data, const char* const path, const char* const origin, const bool given,
             const char* const refusal)
{
  return pzi_folders_add(data, path, origin, given, refusal, false);
}

static pz_status
take_from_host(pz_context* const context, const char* const path)
{
  if (!path || path[0] != '/') {
    return pzi_fail(PZ_INVALID, "folder \"%s\", expected an absolute path", path ? path : "");
  }
  return pzi_folders_add(
      context, path, "given by the host", true,
      pzi_file_trust_is_elevated() ? "not searched with elevated privileges" : "", true);
}

pz_status
pzi_plugin_files_begin(pz_context* const context, const pz_context_settings* const settings)
{
  PZ_TRY(pzi_search_path_find_trust(&context->trust));
  for (uint32_t i = 0; i < settings->n_folders; ++i) {
    PZ_TRY(take_from_host(context, settings->folders[i]));
  }
  return settings->flags & PZ_ONLY_GIVEN_FOLDERS
             ? PZ_OK
             : pzi_search_path_default_folders(take_default, context);
}

/* ---- files ------------------------------------------------------------------ */

/* Judges and maps a file that the host does not refuse. Runs constructors: the context's mutex is not
   held. PZ_OK also where the handshake failed. `remark` gets a phrase or "". */
static pz_status
open_file(const pz_context* const context, const char* const path, const bool given,
          const pzi_loaded_object** const object, const char** const remark)
{
  pzi_trusted_file file;
  const char* const refusal = context->refuse ? context->refuse(context->refuse_data, path) : NULL;
  if (refusal) {
    (void)pzi_fail(PZ_INVALID, "%s", refusal);
    return PZ_INVALID;
  }
  PZ_TRY(pzi_file_trust_judge(&context->trust, path, given, &file));
  *remark = file.remark;
  const pz_status status = pzi_loaded_object_open(path, &file, object);
  (void)close(file.fd);
  return status;
}

pz_status
pzi_plugin_files_open(pz_context* const context, pzi_source* const source)
{
  const pzi_loaded_object* object = NULL;
  const char* remark = "";
  pthread_mutex_unlock(&context->mutex);
  const pz_status status = open_file(context, source->path, source->given, &object, &remark);
  pthread_mutex_lock(&context->mutex);
  if (status == PZ_NO_MEMORY) {
    return status;
  }
  if (source->state != PZI_FOUND) {
    return PZ_OK; /* another thread was faster */
  }
  const bool refused = status != PZ_OK || !object->descriptor;
  if (refused) {
    remark = pzi_kept_text_add(context, status != PZ_OK ? pz_error_message() : object->refusal);
    if (!remark) {
      return pzi_no_memory(1);
    }
  } else {
    source->descriptor = object->descriptor;
    source->device = object->device;
    source->inode = object->inode;
  }
  source->reason = remark;
  source->state = refused ? PZI_REFUSED : PZI_LOADED;
  return PZ_OK;
}

/* ---- additions by the host --------------------------------------------------- */

/* Adds the tables of an opened file as given by the host. */
static pz_status
add_object(pz_context* const context, const pzi_loaded_object* const object, const char* const path,
           const char* const remark)
{
  if (!object->descriptor) {
    return pzi_fail(PZ_PLUGIN, "%s", object->refusal);
  }
  const char* const kept = pzi_kept_text_add(context, path);
  if (!kept) {
    return pzi_no_memory(strlen(path));
  }
  const pzi_source source = {.path = kept,
                             .origin = "given by the host",
                             .reason = remark,
                             .stem = "",
                             .descriptor = object->descriptor,
                             .device = object->device,
                             .inode = object->inode,
                             .state = PZI_LOADED,
                             .given = true};
  pthread_mutex_lock(&context->mutex);
  const pz_status status = pzi_tables_add(context, &source, false);
  pthread_mutex_unlock(&context->mutex);
  return status;
}

pz_status
pz_context_add_file(pz_context* const context, const char* const path)
{
  const pzi_loaded_object* object = NULL;
  const char* remark = "";
  const size_t n = path ? strlen(path) : 0;
  if (!context || n < 4 || path[0] != '/' || strcmp(path + n - 3, ".so") != 0) {
    return pzi_fail(PZ_INVALID, "%s\"%s\", expected an absolute path that ends in .so",
                    context ? "file " : "found no context for file ", path ? path : "");
  }
  if (pzi_file_trust_is_elevated()) {
    return pzi_fail(PZ_INVALID, "\"%s\": not opened with elevated privileges", path);
  }
  pzi_message before;
  pzi_message_save(&before);
  pz_status status = open_file(context, path, true, &object, &remark);
  if (status == PZ_OK) {
    status = add_object(context, object, path, remark);
  }
  if (status == PZ_OK) {
    pzi_message_restore(&before); /* drops the message of a skipped item */
  }
  return status == PZ_EXISTS || status == PZ_NO_MEMORY ? status
                                                       : pzi_fail_prefix(status, "\"%s\"", path);
}

pz_status
pz_context_add_folder(pz_context* const context, const char* const path)
{
  struct stat s;
  if (!context) {
    return pzi_fail(PZ_INVALID, "found no context");
  }
  if (path && path[0] == '/') {
    if (stat(path, &s) != 0) {
      return pzi_fail_prefix(pzi_fail_system(errno), "folder \"%s\"", path);
    }
    if (!S_ISDIR(s.st_mode)) {
      return pzi_fail(PZ_INVALID, "\"%s\" is a file, expected a folder", path);
    }
  }
  pthread_mutex_lock(&context->mutex);
  const pz_status status = take_from_host(context, path);
  pthread_mutex_unlock(&context->mutex);
  return status;
}

pz_status
pz_context_rescan(pz_context* const context)
{
  pzi_message before;
  if (!context) {
    return pzi_fail(PZ_INVALID, "found no context");
  }
  pzi_message_save(&before);
  pthread_mutex_lock(&context->mutex);
  for (size_t i = 0; i < context->n_folders; ++i) {
    context->folders[i].searched = false;
  }
  context->ordered = false;
  context->complete = false;
  const pz_status status = pzi_folders_search(context);
  pthread_mutex_unlock(&context->mutex);
  if (status == PZ_OK) {
    pzi_message_restore(&before); /* drops the message of an unreadable folder */
  }
  return status;
}
