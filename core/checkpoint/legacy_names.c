/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A parametrization lists legacy names of its tensors (legacy_names of its table). Which values
   they belong to follows from a rule, or from the chains of the module:

     P.T_g, P.T_v    ->    P.parametrizations.T.original0, ...original1

   Without either, a tensor under such a name is a plain tensor. */

#include "legacy_names.h"

#include "chain_text.h"
#include "file_chains.h"
#include "legacy_word.h"
#include "lookup.h"
#include "path.h"
#include "rules.h"
#include "status.h"
#include "stored.h"
#include "tensor_names.h"

#include <stdlib.h>
#include <string.h>

typedef struct renaming {
  const pz_file* from;
  const pz_module* module; /* may be NULL */
  pz_file* to;             /* NULL: no name has changed */
  char* text;              /* buffer for two of the longest names; allocated when needed */
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
  to->description = r->from->description;
  r->to = to;
  return pzi_safetensors_borrow(&r->from->header, &to->header);
}

/* The tensor of a value under a legacy name. NULL if the file has none, or if the module has a
   tensor of this name. */
static const pzi_file_tensor*
find_legacy(const renaming* const r, const char* const path, const pzi_legacy_word* const word)
{
  char* const text = r->text + r->room; /* `path` may be the first half */
  strcpy(text, path);
  strncat(text, word->ending, word->n_ending);
  return r->module && pzi_path_slot(r->module, text) ? NULL
                                                     : pzi_safetensors_find(&r->from->header, text);
}

/* Allocates the buffer, for every name or for `only`. */
static pz_status
allocate_text(renaming* const r, const char* const only)
{
  enum { PATH_MAX_LENGTH = 4096, ENDING_MAX = 1024 }; /* the longest text of a plugin */
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

/* Does the file have every original under its legacy name, and neither the value nor its chain? */
static bool
is_legacy(const renaming* const r, const char* const path, const char* const legacy)
{
  if (pzi_file_chains_on(r->from, path) || pzi_safetensors_find(&r->from->header, path)) {
    return false;
  }
  pzi_legacy_word word = {.rest = legacy};
  while (pzi_legacy_word_next(&word)) {
    if (strncmp(word.tensor, "original", 8) == 0 && !find_legacy(r, path, &word)) {
      return false;
    }
  }
  return true;
}

static pz_status
rename_value(renaming* const r, const char* const path, const char* const legacy)
{
  if (!is_legacy(r, path, legacy)) {
    return PZ_OK;
  }
  PZ_TRY(r->to ? PZ_OK : begin(r));
  pzi_safetensors* const header = &r->to->header;
  const char* const prefix = pzi_tensor_names_prefix(&header->strings, path);
  if (!prefix) {
    return pzi_no_memory(strlen(path));
  }
  pzi_legacy_word word = {.rest = legacy};
  while (pzi_legacy_word_next(&word)) {
    const pzi_file_tensor* const file_tensor = find_legacy(r, path, &word);
    if (!file_tensor) {
      continue; /* a buffer that was not saved */
    }
    const size_t length = strlen(prefix) + word.n_tensor + sizeof("0.");
    char* const text = pzi_alloc_list_take(&header->strings, length);
    if (!text) {
      return pzi_no_memory(length);
    }
    strcpy(stpcpy(text, prefix), strncmp(word.tensor, "original", 8) == 0 ? "" : "0.");
    strncat(text, word.tensor, word.n_tensor);
    header->tensors[file_tensor - r->from->header.tensors].name = text;
  }
  return PZ_OK;
}

/* ---- rules and modules ---------------------------------------------------------- */

/* The legacy names of the first stage of a chain text. NULL if it has none or the text is
   invalid; creating the chain will report that. */
static pz_status
legacy_of_rule(pz_context* const context, const char* const text, const char** const out)
{
  pzi_chain_words* words = NULL;
  const pzi_parametrization* parametrization = NULL;
  *out = NULL;
  pz_status status = pzi_chain_text_parse(text, &words);
  if (status == PZ_OK) {
    status = pzi_lookup_parametrization(context, words->stages[0].id, &parametrization);
    free(words);
  }
  *out = status == PZ_OK ? parametrization->table.legacy_names : NULL;
  return status == PZ_NO_MEMORY ? status : PZ_OK;
}

/* Renames every value of the rule. A value is found by its first original. */
static pz_status
rename_by_rule(renaming* const r, const pz_chain_rule* const rules, const uint32_t n_rules,
               const uint32_t rule, const char* const legacy)
{
  pzi_legacy_word first = {.rest = legacy};
  (void)pzi_legacy_word_next(&first);
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
    if (!strstr(r->text, "parametrizations.") && pzi_rules_first(rules, n_rules, r->text) == rule) {
      PZ_TRY(rename_value(r, r->text, legacy));
    }
  }
  return PZ_OK;
}

/* Renames the values of the module whose first stage has legacy names. */
static pz_status
rename_by_module(renaming* const r)
{
  const pzi_stored_path* paths = NULL;
  size_t n = 0;
  PZ_TRY(pzi_stored_paths(r->module, &paths, &n));
  for (size_t k = 0; k < n; ++k) {
    const pz_slot* const slot = paths[k].slot;
    const pzi_parametrized* const parametrized = slot->owner ? slot->owner->parametrized : NULL;
    if (!parametrized || slot->owner->owner || parametrized->tensors[0] != slot) {
      continue;
    }
    const char* const legacy =
        parametrized->engine.chain->stages[0].instance->parametrization->table.legacy_names;
    PZ_TRY(legacy ? allocate_text(r, NULL) : PZ_OK);
    if (legacy && strlen(paths[k].text) < r->room &&
        pzi_tensor_names_split(paths[k].text, r->text) > 0) {
      PZ_TRY(rename_value(r, r->text, legacy));
    }
  }
  return PZ_OK;
}

/* Renames all values, or `only`. */
static pz_status
rename_all(renaming* const r, pz_context* const context, const char* const only,
           const pz_chain_rule* const rules, const uint32_t n_rules)
{
  const uint32_t chosen = only ? pzi_rules_first(rules, n_rules, only) : 0;
  const uint32_t end = only && chosen < n_rules ? chosen + 1 : n_rules;
  for (uint32_t k = chosen; k < end; ++k) {
    const char* legacy = NULL;
    PZ_TRY(legacy_of_rule(context, rules[k].text, &legacy));
    if (legacy) {
      PZ_TRY(allocate_text(r, only));
      PZ_TRY(only ? rename_value(r, only, legacy) : rename_by_rule(r, rules, n_rules, k, legacy));
    }
  }
  if (r->module) {
    PZ_TRY(rename_by_module(r));
  }
  if (r->to) {
    pzi_safetensors_sort(&r->to->header);
    PZ_TRY(pzi_file_chains_find(r->to));
  }
  return PZ_OK;
}

pz_status
pzi_legacy_names_rename(pz_context* const context, const pz_file* const file,
                        const pz_module* const module, const char* const only,
                        const pz_chain_rule* const rules, const uint32_t n_rules,
                        pz_file** const out)
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
pz_file_with_current_names(const pz_file* const file, pz_context* const context,
                           const pz_chain_rule* const rules, const uint32_t n_rules,
                           pz_file** const out)
{
  if (!file || !context || !out || (n_rules > 0 && !rules)) {
    return pzi_fail(PZ_INVALID, "expected a file, a context, rules and an output pointer");
  }
  for (uint32_t k = 0; k < n_rules; ++k) {
    if (!rules[k].pattern || !rules[k].text) {
      return pzi_fail(PZ_INVALID, "rule %u has no pattern or no text", (unsigned)k);
    }
  }
  renaming r = {.from = file};
  PZ_TRY(pzi_legacy_names_rename(context, file, NULL, NULL, rules, n_rules, out));
  if (*out) {
    return PZ_OK;
  }
  pz_status status = begin(&r);
  if (status == PZ_OK) {
    status = pzi_file_chains_find(r.to);
  }
  if (status != PZ_OK) {
    pz_file_close(r.to);
    return status;
  }
  *out = r.to;
  return PZ_OK;
}
