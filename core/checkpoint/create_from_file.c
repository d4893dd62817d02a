/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modules made from files: first a tree of modules whose plain tensors are zero and whose
   values have nothing at all, as the description says or the names do; then that is loaded
   like any other module. */

#include "load.h"

#include "path.h"
#include "slot.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

typedef struct builder {
  pzi_loading* l;
  pz_module* root;
  char* path; /* room for the longest path */
} builder;

/* ---- modules ---------------------------------------------------------------------- */

/* The module around the last component of a path, made with those around it. */
static pz_status
module_around(const builder* const b, const char* const path, pz_module** const out)
{
  pz_module* at = b->root;
  const char* name = path;
  for (const char* dot = strchr(name, '.'); dot; dot = strchr(name, '.')) {
    const pzi_word word = pzi_word_of(name);
    pz_module* child = pzi_own_child(at, &word);
    if (!child) {
      char* const text = strndup(name, (size_t)(dot - name));
      if (!text) {
        return pzi_no_memory((size_t)(dot - name) + 1);
      }
      pz_status status = pz_module_new_on(at->context, at->queue, NULL, &child);
      if (status == PZ_OK) {
        status = pz_module_add_child(at, text, child);
        if (status != PZ_OK) {
          pz_module_free(child);
        }
      }
      free(text);
      PZ_TRY(pzi_fail_prefix(status, "\"%.200s\"", path));
    }
    at = child;
    name = dot + 1;
  }
  *out = at;
  return PZ_OK;
}

static pz_status
set_type(pz_module* const module, const char* const type)
{
  char* const copy = strdup(type);
  if (!copy) {
    return pzi_no_memory(strlen(type) + 1);
  }
  free(module->type);
  module->type = copy;
  return PZ_OK;
}

/* ---- tensors ------------------------------------------------------------------------ */

/* Room for a plain tensor; none, and a remark, for an entry that no module can hold. */
static pz_status
make_storage(const builder* const b, const pzi_file_tensor* const entry, pzi_storage** const out)
{
  pzi_loading* const l = b->l;
  pz_queue* const queue = b->root->queue;
  pz_spec spec = entry->spec;
  spec.dtype = pzi_load_dtype(l, entry->dtype, 0);
  if (spec.dtype != PZ_F32 && spec.dtype != PZ_F64) {
    if (!pzi_load_lenient(l)) {
      return pzi_fail(PZ_MISMATCH, "\"%.200s\": found dtype %s, a module holds F32 and F64",
                      entry->name, entry->dtype);
    }
    (void)pzi_load_use(l, entry->name);
    return pzi_load_remark(l, PZ_LOAD_DTYPE, entry->name);
  }
  return pzi_fail_prefix(pzi_storage_new(queue, &spec, out), "\"%.200s\"", entry->name);
}

/* A slot for the value or plain tensor under a path. */
static pz_status
add_slot(const builder* const b, const char* const path, const pzi_file_tensor* const entry)
{
  const pzi_saved_file* const saved = &b->l->file->saved;
  pz_module* module = NULL;
  pzi_storage* storage = NULL;
  const char* const dot = strrchr(path, '.');
  PZ_TRY(module_around(b, path, &module));
  PZ_TRY(pzi_check_name(module, dot ? dot + 1 : path));
  if (entry) {
    PZ_TRY(make_storage(b, entry, &storage));
    if (!storage) {
      return PZ_OK;
    }
  }
  pz_slot* slot = NULL;
  const pz_status status = pzi_slot_add(module, dot ? dot + 1 : path, storage, &slot);
  if (status != PZ_OK) {
    pzi_storage_release(storage);
    return status;
  }
  slot->kind = pzi_saved_is(saved->buffers, saved->n_buffers, path) ? PZ_BUFFER : PZ_PARAMETER;
  slot->requires_grad =
      slot->kind == PZ_PARAMETER && !(entry && pzi_saved_is(saved->frozen, saved->n_frozen, path));
  return PZ_OK;
}

/* The value or plain tensor of the file under a path; `*found` false where it has none. */
static pz_status
add_named(const builder* const b, const char* const path, bool* const found)
{
  pzi_load_list* const list = pzi_load_find_list(b->l, path);
  const pzi_file_tensor* const entry = list ? NULL : pzi_header_find(&b->l->file->header, path);
  *found = list || entry;
  if (!*found) {
    return PZ_OK;
  }
  if (list) {
    PZ_TRY(pzi_load_plan(b->l, list, 0));
  }
  if (list && !list->chain) {
    return pzi_load_lenient(b->l)
               ? PZ_OK
               : pzi_fail(PZ_MISMATCH,
                          "\"%.200s\": parametrized in the file, and no rule says "
                          "which maps make it",
                          path);
  }
  return add_slot(b, path, entry);
}

/* ---- as the file says ------------------------------------------------------------------ */

static pz_status
add_described(const builder* const b, const pzi_saved_module* const one)
{
  pz_module* module = b->root;
  if (one != b->l->file->saved.modules) {
    strcpy(stpcpy(b->path, one->path), ".");
    PZ_TRY(module_around(b, b->path, &module));
  }
  PZ_TRY(set_type(module, one->type));
  for (size_t k = 0; k < one->n_tensors; ++k) {
    bool found = false;
    char* const end = stpcpy(stpcpy(b->path, one->path), one->path[0] == '\0' ? "" : ".");
    if (strchr(one->tensors[k], '.')) {
      return pzi_fail(PZ_IO, "__metadata__: \"%.100s\": a tensor's name with a dot",
                      one->tensors[k]);
    }
    strcpy(end, one->tensors[k]);
    PZ_TRY(add_named(b, b->path, &found));
    if (!found) {
      ++b->l->n_expected;
      PZ_TRY(pzi_load_remark(b->l, PZ_LOAD_MISSING, b->path));
    }
  }
  return PZ_OK;
}

/* In the order of bytes; a value where the first of its tensors is. */
static pz_status
add_by_names(const builder* const b)
{
  const pzi_header* const header = &b->l->file->header;
  for (size_t k = 0; k < header->n_tensors; ++k) {
    const pzi_load_list* list = NULL;
    bool found = false;
    const char* name = header->tensors[k].name;
    char* const value = b->path;
    char* const room = b->path + strlen(name) + 1;
    while (pzi_list_of_name(name, value) > 0) { /* outwards */
      strcpy(room, value);
      name = room;
      list = pzi_load_find_list(b->l, value);
    }
    if (!list) {
      PZ_TRY(pzi_file_list_on(b->l->file, name) ? PZ_OK : add_named(b, name, &found));
    } else if (!pzi_slot_at(b->root, value)) {
      PZ_TRY(add_named(b, value, &found));
    }
  }
  return PZ_OK;
}

static pz_status
add_only(const builder* const b, const char* const path)
{
  bool found = false;
  const pzi_saved_file* const saved = &b->l->file->saved;
  PZ_TRY(add_named(b, path, &found));
  if (!found) {
    return pzi_fail(PZ_NOT_FOUND, "no tensor \"%.200s\" in the file", path);
  }
  for (size_t k = 0; k < saved->n_modules; ++k) { /* types of those that there are */
    pz_module* const module = pzi_module_at(b->root, saved->modules[k].path);
    if (module) {
      PZ_TRY(set_type(module, saved->modules[k].type));
    }
  }
  return PZ_OK;
}

/* Room for two paths. */
static size_t
room_for_paths(const pz_file* const file)
{
  size_t longest = 0;
  size_t names = 0;
  for (size_t k = 0; k < file->header.n_tensors; ++k) {
    const size_t length = strlen(file->header.tensors[k].name);
    longest = length > longest ? length : longest;
  }
  for (size_t k = 0; k < file->saved.n_modules; ++k) {
    const pzi_saved_module* const one = &file->saved.modules[k];
    longest = strlen(one->path) > longest ? strlen(one->path) : longest;
    for (size_t i = 0; i < one->n_tensors; ++i) {
      names = strlen(one->tensors[i]) > names ? strlen(one->tensors[i]) : names;
    }
  }
  return 2 * (longest + names + 2);
}

static pz_status
build(builder* const b, const char* const only)
{
  const pzi_saved_file* const saved = &b->l->file->saved;
  if (only) {
    return add_only(b, only);
  }
  const size_t room = room_for_paths(b->l->file);
  b->path = malloc(room);
  if (!b->path) {
    return pzi_no_memory(room);
  }
  if (saved->n_modules == 0) {
    return add_by_names(b);
  }
  for (size_t k = 0; k < saved->n_modules; ++k) {
    PZ_TRY(add_described(b, &saved->modules[k]));
  }
  return PZ_OK;
}

pz_status
pz_module_from_file(pz_context* const context, const char* const device, const pz_file* const file,
                    const char* const only, const pz_load_settings* const settings,
                    pz_module** const out)
{
  if (!file || !out) {
    return pzi_fail(PZ_INVALID, "expected a file, and a place for the module");
  }
  pzi_loading l = {0};
  builder b = {.l = &l};
  PZ_TRY(pz_module_new(context, device, NULL, &b.root));
  pz_status status = pzi_loading_init(&l, b.root, file, settings, only);
  l.as_saved = true;
  const bool started = status == PZ_OK;
  if (started) {
    status = build(&b, only);
  }
  free(b.path);
  if (started && (status == PZ_EXISTS || (status == PZ_INVALID && l.lists))) {
    status = pzi_fail(PZ_IO, "%s", pz_error_message()); /* names that no module can have */
  }
  if (status == PZ_OK) {
    status = pzi_load(&l);
  }
  if (status == PZ_OK) {
    pzi_load_report(&l);
    *out = b.root;
  }
  pzi_loading_cleanup(&l);
  if (status != PZ_OK) {
    pz_module_free(b.root);
  }
  return status;
}
