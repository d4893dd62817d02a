/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Files from before a map had its present names. Which they were the map itself says
   (older_names of its table); whose value they are of, a rule or the list that a module has.
   An entry is then taken for another:

     P.T_g, P.T_v    ->    P.parametrizations.T.original0, ...original1

   Without either it stays the plain tensor that its name says. */

#include "chain_text.h"
#include "file.h"
#include "lookup.h"
#include "older_name.h"
#include "path.h"
#include "status.h"
#include "stored.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

typedef struct renaming {
  const pz_file* from;
  const pz_module* module; /* may be NULL */
  pz_file* to;             /* NULL: nothing is renamed so far */
  char* text;              /* room for the longest name, twice; NULL until it is needed */
  size_t room;
} renaming;

/* ---- one value --------------------------------------------------------------- */

static pz_status
begin(renaming* const r)
{
  pz_file* const to = calloc(1, sizeof(*to));
  if (!to) {
    return pzi_no_memory(sizeof(*to));
  }
  *to = (pz_file){.origin = r->from, .size = r->from->size, .data = r->from->data};
  to->saved = r->from->saved;
  r->to = to;
  return pzi_header_borrow(&r->from->header, &to->header);
}

/* The entry of a value under an older name, or NULL: also where a module has a tensor so
   called. */
static const pzi_file_tensor*
find_older(const renaming* const r, const char* const path, const pzi_older_name* const name)
{
  char* const text = r->text + r->room; /* `path` may be the first half */
  strcpy(text, path);
  strncat(text, name->ending, name->n_ending);
  return r->module && pzi_slot_at(r->module, text) ? NULL : pzi_header_find(&r->from->header, text);
}

/* Makes room for every name, or for that of `only`. */
static pz_status
make_room(renaming* const r, const char* const only)
{
  enum { PATH_MAX_LENGTH = 4096, ENDING_MAX = 1024 }; /* a plugin's text is no longer */
  if (r->text) {
    return PZ_OK;
  }
  r->room = (only ? strlen(only) : PATH_MAX_LENGTH) + 1;
  for (size_t k = 0; !only && k < r->from->header.n_tensors; ++k) {
    const size_t length = strlen(r->from->header.tensors[k].name) + 1;
    r->room = length > r->room ? length : r->room;
  }
  r->text = malloc(2 * r->room + ENDING_MAX);
  return r->text ? PZ_OK : pzi_no_memory(2 * r->room + ENDING_MAX);
}

/* Is all there that the older names say of originals, and nothing of the value else? */
static bool
is_older(const renaming* const r, const char* const path, const char* const older)
{
  if (pzi_file_list_on(r->from, path) || pzi_header_find(&r->from->header, path)) {
    return false;
  }
  pzi_older_name name = {.rest = older};
  while (pzi_older_name_next(&name)) {
    if (strncmp(name.tensor, "original", 8) == 0 && !find_older(r, path, &name)) {
      return false;
    }
  }
  return true;
}

static pz_status
rename_value(renaming* const r, const char* const path, const char* const older)
{
  if (!is_older(r, path, older)) {
    return PZ_OK;
  }
  PZ_TRY(r->to ? PZ_OK : begin(r));
  pzi_header* const header = &r->to->header;
  const char* const prefix = pzi_tensors_prefix(&header->strings, path);
  if (!prefix) {
    return pzi_no_memory(strlen(path));
  }
  pzi_older_name name = {.rest = older};
  while (pzi_older_name_next(&name)) {
    const pzi_file_tensor* const entry = find_older(r, path, &name);
    if (!entry) {
      continue; /* a buffer that was not kept */
    }
    const size_t length = strlen(prefix) + name.n_tensor + sizeof("0.");
    char* const text = pzi_pool_take(&header->strings, length);
    if (!text) {
      return pzi_no_memory(length);
    }
    strcpy(stpcpy(text, prefix), strncmp(name.tensor, "original", 8) == 0 ? "" : "0.");
    strncat(text, name.tensor, name.n_tensor);
    header->tensors[entry - r->from->header.tensors].name = text;
  }
  return PZ_OK;
}

/* ---- those of rules, and of a module ------------------------------------------- */

/* The older names of the first map of a chain text; NULL where there are none, or no such
   chain: whoever makes it says so. */
static pz_status
older_of_rule(pz_context* const context, const char* const text, const char** const out)
{
  pzi_chain_words* words = NULL;
  const pzi_parametrization* map = NULL;
  *out = NULL;
  pz_status status = pzi_chain_parse(text, &words);
  if (status == PZ_OK) {
    status = pzi_lookup_parametrization(context, words->stages[0].id, &map);
    free(words);
  }
  *out = status == PZ_OK ? map->table.older_names : NULL;
  return status == PZ_NO_MEMORY ? status : PZ_OK;
}

/* The first rule for a value. */
static uint32_t
first_rule(const pz_list_rule* const rules, const uint32_t n_rules, const char* const path)
{
  uint32_t k = 0;
  while (k < n_rules && fnmatch(rules[k].pattern, path, 0) != 0) {
    ++k;
  }
  return k;
}

/* Every value that the rule speaks of, told by its first original. */
static pz_status
rename_by_rule(renaming* const r, const pz_list_rule* const rules, const uint32_t n_rules,
               const uint32_t rule, const char* const older)
{
  pzi_older_name first = {.rest = older};
  (void)pzi_older_name_next(&first);
  for (size_t k = 0; k < r->from->header.n_tensors; ++k) {
    const char* const name = r->from->header.tensors[k].name;
    const size_t length = strlen(name);
    const size_t value = length > first.n_ending ? length - first.n_ending : 0;
    if (value == 0 || name[value - 1] == '.' ||
        strncmp(name + value, first.ending, first.n_ending) != 0) {
      continue;
    }
    memcpy(r->text, name, value);
    r->text[value] = '\0';
    if (!strstr(r->text, "parametrizations.") && first_rule(rules, n_rules, r->text) == rule) {
      PZ_TRY(rename_value(r, r->text, older));
    }
  }
  return PZ_OK;
}

/* The values of the module whose lists begin with a map that had older names. */
static pz_status
rename_by_module(renaming* const r)
{
  const pzi_path* paths = NULL;
  size_t n = 0;
  PZ_TRY(pzi_paths(r->module, &paths, &n));
  for (size_t k = 0; k < n; ++k) {
    const pz_slot* const slot = paths[k].slot;
    const pzi_list* const list = slot->owner ? slot->owner->list : NULL;
    if (!list || slot->owner->owner || list->tensors[0] != slot) {
      continue;
    }
    const char* const older = list->chain->stages[0].instance->parametrization->table.older_names;
    PZ_TRY(older ? make_room(r, NULL) : PZ_OK);
    if (older && strlen(paths[k].text) < r->room && pzi_list_of_name(paths[k].text, r->text) > 0) {
      PZ_TRY(rename_value(r, r->text, older));
    }
  }
  return PZ_OK;
}

/* `only`: no other value than this one; NULL: all. */
static pz_status
rename_all(renaming* const r, pz_context* const context, const char* const only,
           const pz_list_rule* const rules, const uint32_t n_rules)
{
  const uint32_t chosen = only ? first_rule(rules, n_rules, only) : 0;
  const uint32_t end = only && chosen < n_rules ? chosen + 1 : n_rules;
  for (uint32_t k = chosen; k < end; ++k) {
    const char* older = NULL;
    PZ_TRY(older_of_rule(context, rules[k].text, &older));
    if (older) {
      PZ_TRY(make_room(r, only));
      PZ_TRY(only ? rename_value(r, only, older) : rename_by_rule(r, rules, n_rules, k, older));
    }
  }
  if (r->module) {
    PZ_TRY(rename_by_module(r));
  }
  if (r->to) {
    pzi_header_sort(&r->to->header);
    PZ_TRY(pzi_file_find_lists(r->to));
  }
  return PZ_OK;
}

pz_status
pzi_file_renamed(pz_context* const context, const pz_file* const file,
                 const pz_module* const module, const char* const only,
                 const pz_list_rule* const rules, const uint32_t n_rules, pz_file** const out)
{
  renaming r = {.from = file, .module = module};
  *out = NULL;
  const pz_status status = rename_all(&r, context, only, rules, n_rules);
  free(r.text);
  if (status != PZ_OK) {
    pz_file_close(r.to);
    return status;
  }
  *out = r.to;
  return PZ_OK;
}

pz_status
pz_file_renamed(const pz_file* const file, pz_context* const context,
                const pz_list_rule* const rules, const uint32_t n_rules, pz_file** const out)
{
  if (!file || !context || !out || (n_rules > 0 && !rules)) {
    return pzi_fail(PZ_INVALID, "expected a file, a context, rules, and a place for the file");
  }
  for (uint32_t k = 0; k < n_rules; ++k) {
    if (!rules[k].pattern || !rules[k].text) {
      return pzi_fail(PZ_INVALID, "rule %u has no pattern or no text", (unsigned)k);
    }
  }
  renaming r = {.from = file};
  PZ_TRY(pzi_file_renamed(context, file, NULL, NULL, rules, n_rules, out));
  if (*out) {
    return PZ_OK;
  }
  pz_status status = begin(&r);
  if (status == PZ_OK) {
    status = pzi_file_find_lists(r.to);
  }
  if (status != PZ_OK) {
    pz_file_close(r.to);
    return status;
  }
  *out = r.to;
  return PZ_OK;
}
