/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Creates a module from a file. First the tree of modules is built, as the description lists it
   or the names imply, with plain tensors of zeros and empty slots for values. Then the file is
   loaded like into any other module. */

#include "load.h"

#include "path.h"
#include "slot.h"
#include "sorted_names.h"
#include "status.h"
#include "tensor_names.h"

#include <stdlib.h>
#include <string.h>

typedef struct builder {
  pzi_loading* l;
  pz_module* root;
  char* path; /* buffer for two of the longest paths */
} builder;

/* ---- modules ---------------------------------------------------------------------- */

/* The module that contains the last component of a path; created with its parents. */
static pz_status
parent_of(const builder* const b, const char* const path, pz_module** const out)
{
  pz_module* at = b->root;
  const char* name = path;
  for (const char* dot = strchr(name, '.'); dot; dot = strchr(name, '.')) {
    const pzi_name_word word = pzi_name_index_word(name);
    pz_module* child = pzi_name_index_child(at, &word);
    if (!child) {
      char* const text = strndup(name, (size_t)(dot - name));
      if (!text) {
        return pzi_no_memory((size_t)(dot - name) + 1);
      }
      pz_status status = pz_module_new(at->context, at->queue, NULL, &child);
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

/* Memory for a plain tensor. None, and a remark, if modules do not support the dtype. */
static pz_status
make_storage(const builder* const b, const pzi_file_tensor* const file_tensor,
             pzi_storage** const out)
{
  pzi_loading* const l = b->l;
  pz_queue* const queue = b->root->queue;
  pz_spec spec = file_tensor->spec;
  const pz_status status = pzi_load_plan_dtype(l, file_tensor, 0, &spec.dtype);
  if (status != PZ_OK) {
    if (!pzi_loading_lenient(l)) {
      return status;
    }
    (void)pzi_loading_use(l, file_tensor->name);
    return pzi_loading_remark(l, PZ_LOAD_DTYPE, file_tensor->name);
  }
  return pzi_fail_prefix(pzi_storage_new(queue, &spec, out), "\"%.200s\"", file_tensor->name);
}

/* Adds a slot for a plain tensor, or for a value (file_tensor NULL). */
static pz_status
add_slot(const builder* const b, const char* const path, const pzi_file_tensor* const file_tensor)
{
  const pzi_description* const description = &b->l->file->description;
  pz_module* module = NULL;
  pzi_storage* storage = NULL;
  const char* const dot = strrchr(path, '.');
  PZ_TRY(parent_of(b, path, &module));
  PZ_TRY(pzi_path_check_name(module, dot ? dot + 1 : path));
  if (file_tensor) {
    PZ_TRY(make_storage(b, file_tensor, &storage));
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
  const bool is_buffer = pzi_sorted_names_has(description->buffers, description->n_buffers, path);
  const bool is_frozen =
      file_tensor && pzi_sorted_names_has(description->frozen, description->n_frozen, path);
  slot->kind = is_buffer ? PZ_BUFFER : PZ_PARAMETER;
  slot->requires_grad = !is_buffer && !is_frozen;
  return PZ_OK;
}

/* Adds the value or plain tensor of a path, if the file has it. */
static pz_status
add_named(const builder* const b, const char* const path, bool* const found)
{
  pzi_load_chain* const incoming = pzi_loading_find(b->l, path);
  const pzi_file_tensor* const file_tensor =
      incoming ? NULL : pzi_safetensors_find(&b->l->file->header, path);
  *found = incoming || file_tensor;
  if (!*found) {
    return PZ_OK;
  }
  if (incoming) {
    PZ_TRY(pzi_load_plan(b->l, incoming, 0, NULL));
    if (!incoming->chain) {
      return pzi_loading_lenient(b->l) ? PZ_OK : pzi_load_plan_undefined(path);
    }
  }
  return add_slot(b, path, file_tensor);
}

/* ---- contents of the file -------------------------------------------------------------- */

static pz_status
add_described(const builder* const b, const pzi_saved_module* const one)
{
  pz_module* module = b->root;
  if (one != b->l->file->description.modules) {
    strcpy(stpcpy(b->path, one->path), ".");
    PZ_TRY(parent_of(b, b->path, &module));
  }
  PZ_TRY(set_type(module, one->type));
  for (size_t k = 0; k < one->n_tensors; ++k) {
    bool found = false;
    char* const end = stpcpy(stpcpy(b->path, one->path), one->path[0] == '\0' ? "" : ".");
    if (strchr(one->tensors[k], '.')) {
      return pzi_fail(PZ_IO, "__metadata__: \"%.100s\": the name of a tensor contains a dot",
                      one->tensors[k]);
    }
    strcpy(end, one->tensors[k]);
    PZ_TRY(add_named(b, b->path, &found));
    if (!found) {
      ++b->l->n_expected;
      PZ_TRY(pzi_loading_remark(b->l, PZ_LOAD_MISSING, b->path));
    }
  }
  return PZ_OK;
}

/* In file order; a value takes the place of its first tensor. */
static pz_status
add_by_names(const builder* const b)
{
  const pzi_safetensors* const header = &b->l->file->header;
  for (size_t k = 0; k < header->n_tensors; ++k) {
    const pzi_load_chain* incoming = NULL;
    bool found = false;
    const char* name = header->tensors[k].name;
    char* const value = b->path;
    char* const room = b->path + strlen(name) + 1;
    while (pzi_tensor_names_split(name, value) > 0) { /* from inner to outer chains */
      strcpy(room, value);
      name = room;
      incoming = pzi_loading_find(b->l, value);
    }
    if (!incoming) {
      PZ_TRY(pzi_file_chains_on(b->l->file, name) ? PZ_OK : add_named(b, name, &found));
    } else if (!pzi_path_slot(b->root, value)) {
      PZ_TRY(add_named(b, value, &found));
    }
  }
  return PZ_OK;
}

static pz_status
add_only(const builder* const b, const char* const path)
{
  bool found = false;
  const pzi_description* const description = &b->l->file->description;
  PZ_TRY(add_named(b, path, &found));
  if (!found) {
    return pzi_fail(PZ_NOT_FOUND, "no tensor \"%.200s\" in the file", path);
  }
  for (size_t k = 0; k < description->n_modules; ++k) {
    pz_module* const module = pzi_path_module(b->root, description->modules[k].path);
    if (module) {
      PZ_TRY(set_type(module, description->modules[k].type));
    }
  }
  return PZ_OK;
}

/* Bytes for two of the longest paths. */
static size_t
room_for_paths(const pz_file* const file)
{
  size_t longest = 0;
  size_t names = 0;
  for (size_t k = 0; k < file->header.n_tensors; ++k) {
    const size_t length = strlen(file->header.tensors[k].name);
    longest = length > longest ? length : longest;
  }
  for (size_t k = 0; k < file->description.n_modules; ++k) {
    const pzi_saved_module* const one = &file->description.modules[k];
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
  const pzi_description* const description = &b->l->file->description;
  if (only) {
    return add_only(b, only);
  }
  const size_t room = room_for_paths(b->l->file);
  b->path = malloc(room);
  if (!b->path) {
    return pzi_no_memory(room);
  }
  if (description->n_modules == 0) {
    return add_by_names(b);
  }
  for (size_t k = 0; k < description->n_modules; ++k) {
    PZ_TRY(add_described(b, &description->modules[k]));
  }
  return PZ_OK;
}

pz_status
pz_module_from_file(pz_context* const context, pz_queue* const queue, const pz_file* const file,
                    const char* const only, const pz_load_settings* const settings,
                    pz_module** const out)
{
  if (!file || !out) {
    return pzi_fail(PZ_INVALID, "expected a file and an output pointer");
  }
  pzi_loading l = {0};
  builder b = {.l = &l};
  PZ_TRY(pz_module_new(context, queue, NULL, &b.root));
  pz_status status = pzi_loading_init(&l, b.root, file, settings, only);
  l.as_saved = true;
  const bool started = status == PZ_OK;
  if (started) {
    status = build(&b, only);
  }
  free(b.path);
  if (started && (status == PZ_EXISTS || (status == PZ_INVALID && l.chains))) {
    status =
        pzi_fail(PZ_IO, "%s", pz_error_message()); /* the file has names that no module can have */
  }
  if (status == PZ_OK) {
    status = pzi_load(&l);
  }
  if (status == PZ_OK) {
    pzi_loading_report(&l);
    *out = b.root;
  }
  pzi_loading_cleanup(&l);
  if (status != PZ_OK) {
    pz_module_free(b.root);
  }
  return status;
}
