/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Paths, read from the left, one component at a time:

     weight                          a tensor, plain or parametrized
     parametrizations.weight.<rest>  a tensor of the chain on "weight"
     child.<path>                    in a nested module

   The tensors of a chain are "original", "original0" or "<stage>.<name>". Where one of them is
   parametrized, the tensors of the inner chain are

     parametrizations.weight.parametrizations.original.<rest>
     parametrizations.weight.<stage>.parametrizations.<name>.<rest> */

#include "path.h"

#include "gate.h"
#include "name_index.h"
#include "nearest_name.h"
#include "status.h"
#include "stored.h"
#include "utf8.h"
#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "parametrizations"

/* The tensor of a chain, or of its inner chains, by its path from the module. */
static pz_slot*
find_tensor(const pzi_parametrized* const parametrized, const char* const path)
{
  pz_slot* found = NULL;
  for (uint32_t k = 0; parametrized && k < parametrized->n_tensors && !found; ++k) {
    pz_slot* const tensor = parametrized->tensors[k];
    found = strcmp(tensor->path, path) == 0 ? tensor : find_tensor(tensor->parametrized, path);
  }
  return found;
}

pz_status
pzi_path_check_name(const pz_module* const module, const char* const name)
{
  if (!name || *name == '\0') {
    return pzi_fail(PZ_INVALID, "an empty name");
  }
  const size_t length = strlen(name);
  if (!pzi_utf8_check(name, length)) {
    return pzi_fail(PZ_INVALID, "a name that is not UTF-8");
  }
  for (size_t k = 0; k < length; ++k) {
    if (name[k] == '.' || (unsigned char)name[k] < 0x20 || name[k] == 0x7f) {
      return pzi_fail(PZ_INVALID, "\"%s\": a name has no dots and no control bytes", name);
    }
  }
  if (strcmp(name, FOLDER) == 0 || strcmp(name, "__metadata__") == 0) {
    return pzi_fail(PZ_INVALID, "\"%s\": a reserved name", name);
  }
  const pzi_name_word word = pzi_name_index_word(name);
  if (pzi_name_index_slot(module, &word) || pzi_name_index_child(module, &word)) {
    return pzi_fail(PZ_EXISTS, "\"%s\": the module has a %s of that name", name,
                    pzi_name_index_slot(module, &word) ? "tensor" : "child");
  }
  return PZ_OK;
}

static pz_status
count(pz_slot* const slot, void* const user)
{
  (void)slot;
  ++*(size_t*)user;
  return PZ_OK;
}

typedef struct names {
  const char** all;
  size_t n;
} names;

static pz_status
add_value(pz_slot* const slot, void* const user)
{
  names* const known = user;
  known->all[known->n++] = slot->path;
  return PZ_OK;
}

/* Adds the names of the module's own tensors and of the values inside its chains. */
static void
add_own(const pz_module* const module, names* const known)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    known->all[known->n++] = module->slots[k]->name;
    (void)pzi_walk_parametrized_of(module->slots[k], add_value, known);
  }
}

/* PZ_NOT_FOUND with the nearest of the module's names and stored paths. */
static pz_status
not_found(const pz_module* const module, const char* const path)
{
  const pzi_stored_path* paths = NULL;
  size_t n_paths = 0;
  const char* nearest = NULL;
  if (pzi_stored_paths(module, &paths, &n_paths) == PZ_OK) {
    size_t n_values = 0;
    (void)pzi_walk_parametrized((pz_module*)module, count, &n_values);
    names known = {.all = calloc(n_paths + n_values + module->n_slots + 1, sizeof(char*))};
    if (known.all) {
      add_own(module, &known);
      for (size_t k = 0; k < n_paths; ++k) {
        known.all[known.n++] = paths[k].text;
      }
      nearest = pzi_nearest_name(path, known.all, known.n);
    }
    free(known.all);
  }
  return pzi_fail(PZ_NOT_FOUND, "no tensor \"%s\" in %s%s%s%s", path, module->type,
                  nearest ? "; the nearest is \"" : "", nearest ? nearest : "",
                  nearest ? "\"" : "");
}

pz_slot*
pzi_path_slot(const pz_module* module, const char* path)
{
  for (;;) {
    if (strncmp(path, FOLDER ".", strlen(FOLDER ".")) == 0) {
      const pzi_name_word name = pzi_name_index_word(path + strlen(FOLDER "."));
      const pz_slot* const slot =
          name.text[name.length] == '.' ? pzi_name_index_slot(module, &name) : NULL;
      return slot ? find_tensor(slot->parametrized, path) : NULL;
    }
    const pzi_name_word word = pzi_name_index_word(path);
    if (path[word.length] == '\0') {
      return pzi_name_index_slot(module, &word);
    }
    module = pzi_name_index_child(module, &word);
    if (!module) {
      return NULL;
    }
    path += word.length + 1;
  }
}

pz_module*
pzi_path_module(pz_module* module, const char* path)
{
  while (module && *path != '\0') {
    const pzi_name_word word = pzi_name_index_word(path);
    module = pzi_name_index_child(module, &word);
    path += word.length;
    if (*path == '.') {
      ++path;
      module = *path == '\0' ? NULL : module;
    }
  }
  return module;
}

pz_status
pzi_path_find(const pz_module* const module, const char* const path, pz_slot** const out)
{
  *out = path ? pzi_path_slot(module, path) : NULL;
  return *out ? PZ_OK : not_found(module, path ? path : "");
}

pz_status
pzi_path_find_live(const pz_module* const module, const char* const path, pz_slot** const out)
{
  PZ_TRY(pzi_gate_check_live(module));
  PZ_TRY(pzi_path_find(module, path, out));
  return pzi_fail_prefix(pzi_gate_check_live((*out)->module), "\"%s\"", path);
}

pz_status
pzi_path_find_parametrized(const pz_module* const module, const char* const path,
                           pz_slot** const out)
{
  PZ_TRY(pzi_path_find(module, path, out));
  return (*out)->parametrized ? PZ_OK : pzi_fail(PZ_NOT_FOUND, "\"%s\" is not parametrized", path);
}

char*
pzi_path_of_tensor(const char* const path, const char* const name)
{
  const char* const format = "%.*sparametrizations.%s.%s";
  const char* const dot = strrchr(path, '.');
  const char* const last = dot ? dot + 1 : path;
  const int folder = (int)(last - path);
  const int length = snprintf(NULL, 0, format, folder, path, last, name);
  char* const text = length < 0 ? NULL : malloc((size_t)length + 1);
  if (text) {
    snprintf(text, (size_t)length + 1, format, folder, path, last, name);
  }
  return text;
}

pz_status
pzi_path_find_live_parametrized(const pz_module* const module, const char* const path,
                                pz_slot** const out)
{
  PZ_TRY(pzi_gate_check_live(module));
  return pzi_path_find_parametrized(module, path, out);
}

/* Writes "parent." for each module around, outermost first; returns the length. */
static size_t
put_parents(const pz_module* const module, char buffer[PZI_PATH_TEXT])
{
  if (!module->parent) {
    return 0;
  }
  const size_t length = put_parents(module->parent, buffer);
  const int n = snprintf(buffer + length, PZI_PATH_TEXT - length, "%s.", module->name);
  const size_t end = length + (n > 0 ? (size_t)n : 0);
  return end < PZI_PATH_TEXT ? end : PZI_PATH_TEXT - 1;
}

const char*
pzi_path_text(const pz_slot* const slot, char buffer[PZI_PATH_TEXT])
{
  const size_t length = put_parents(slot->module, buffer);
  snprintf(buffer + length, PZI_PATH_TEXT - length, "%s", slot->path);
  return buffer;
}
