/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "loading.h"

#include "array.h"
#include "legacy_names.h"
#include "rules.h"
#include "sized_struct.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* ---- remarks ---------------------------------------------------------------------- */

bool
pzi_loading_lenient(const pzi_loading* const l)
{
  return (l->settings.flags & PZ_LOAD_LENIENT) != 0;
}

bool
pzi_loading_widens(const pzi_loading* const l)
{
  return (l->settings.flags & PZ_LOAD_WIDEN) != 0;
}

pz_status
pzi_loading_remark(pzi_loading* const l, const pz_load_remark kind, const char* const name)
{
  pzi_name_list_add(kind == PZ_LOAD_MISSING ? &l->missing : &l->unknown, name);
  if (!pzi_loading_lenient(l) || !l->settings.report) {
    return PZ_OK;
  }
  PZ_TRY(pzi_array_reserve(&l->remarks, l->n_remarks, 1, sizeof(*l->remarks)));
  const char* const copy = pzi_alloc_list_text(&l->names, name, strlen(name));
  if (!copy) {
    return pzi_no_memory(strlen(name));
  }
  l->remarks[l->n_remarks++] = (pzi_remark){(uint32_t)kind, copy};
  return PZ_OK;
}

void
pzi_loading_report(const pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_remarks; ++k) {
    l->settings.report(l->settings.user, (pz_load_remark)l->remarks[k].kind, l->remarks[k].name);
  }
}

/* ---- selection -------------------------------------------------------------------- */

static pz_status
read_settings(const pz_load_settings* const given, pz_load_settings* const settings)
{
  PZ_TRY(pzi_struct_read(settings, sizeof(*settings), offsetof(pz_load_settings, reserved), given,
                         "settings"));
  const uint32_t flags = PZ_LOAD_LENIENT | PZ_LOAD_ASSIGN | PZ_LOAD_WIDEN;
  if ((settings->flags & ~flags) != 0 || (settings->n_rules > 0 && !settings->rules)) {
    return pzi_fail(PZ_INVALID, "settings: found flags 0x%x%s", (unsigned)settings->flags,
                    settings->n_rules > 0 && !settings->rules ? " and no rules" : "");
  }
  for (uint32_t k = 0; k < settings->n_rules; ++k) {
    const pz_chain_rule* const rule = &settings->rules[k];
    if (!rule->pattern || !rule->text) {
      return pzi_fail(PZ_INVALID, "settings: rule %u has no pattern or no text", (unsigned)k);
    }
    PZ_TRY(pzi_struct_check_reserved(rule->reserved, sizeof(rule->reserved), "rule", k));
  }
  return PZ_OK;
}

static bool
begins(const char* const text, const char* const with)
{
  return strncmp(text, with, strlen(with)) == 0;
}

/* The chain text of the first rule for a value, or NULL. */
static const char*
find_rule(const pz_load_settings* const settings, const char* const path)
{
  const uint32_t k = pzi_rules_first(settings->rules, settings->n_rules, path);
  return k < settings->n_rules ? settings->rules[k].text : NULL;
}

static void
add_chains(pzi_loading* const l, const size_t first, const size_t end)
{
  for (size_t k = first; k < end; ++k) {
    const pzi_file_chain* const source = &l->file->chains[k];
    const char* const rule = find_rule(&l->settings, source->path);
    l->chains[l->n_chains++] = (pzi_load_chain){
        .source = source,
        .rule = rule,
        .saved = rule ? NULL : source->saved,
    };
  }
}

/* Selects all chains, or `chosen` and the chains inside it, whose paths begin with its prefix.
   They stay sorted by path. */
static pz_status
select_chains(pzi_loading* const l, const char* const only, const pzi_file_chain* const chosen)
{
  const pz_file* const file = l->file;
  size_t first = 0;
  size_t end = only ? 0 : file->n_chains;
  if (chosen) {
    first = pzi_file_chains_bound(file, chosen->prefix);
    end = first;
    while (end < file->n_chains && begins(file->chains[end].path, chosen->prefix)) {
      ++end;
    }
  }
  const size_t place = chosen ? (size_t)(chosen - file->chains) : 0;
  l->chains = calloc(end - first + 2, sizeof(*l->chains));
  if (!l->chains) {
    return pzi_no_memory((end - first + 2) * sizeof(*l->chains));
  }
  add_chains(l, place, place + (chosen && place < first));
  add_chains(l, first, end);
  add_chains(l, place, place + (chosen && place >= end));
  return PZ_OK;
}

/* Selects all tensors, or the range of names that belongs to `chosen` or is `only`. */
static void
select_tensors(pzi_loading* const l, const char* const only, const pzi_file_chain* const chosen)
{
  const pzi_safetensors* const header = &l->file->header;
  const char* const from = chosen ? chosen->prefix : only;
  const size_t first = only ? pzi_safetensors_bound(header, from) : 0;
  size_t end = only ? first : header->n_tensors;
  while (only && end < header->n_tensors) {
    const char* const name = header->tensors[header->by_name[end]].name;
    if (chosen ? !begins(name, from) : strcmp(name, from) != 0) {
      break;
    }
    ++end;
  }
  l->selected = header->by_name + first;
  l->n_selected = end - first;
}

pz_status
pzi_loading_init(pzi_loading* const l, pz_module* const module, const pz_file* const file,
                 const pz_load_settings* const settings, const char* const only)
{
  *l = (pzi_loading){.module = module, .file = file};
  if (settings) {
    PZ_TRY(read_settings(settings, &l->settings));
  }
  PZ_TRY(pzi_legacy_names_rename(module->context, file, module, only, l->settings.rules,
                                 l->settings.n_rules, &l->renamed));
  l->file = l->renamed ? l->renamed : file;
  const size_t n = l->file->header.n_tensors;
  const pzi_file_chain* const chosen = only ? pzi_file_chains_on(l->file, only) : NULL;
  select_tensors(l, only, chosen);
  l->used = calloc(n + 1, sizeof(*l->used));
  return l->used ? select_chains(l, only, chosen) : pzi_no_memory(n + 1);
}

void
pzi_loading_cleanup(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_chains; ++k) {
    pzi_prepared_cleanup(&l->chains[k].prepared);
    pzi_storage_release(l->chains[k].value);
    pz_chain_free(l->chains[k].chain);
  }
  for (size_t k = 0; k < l->n_staged; ++k) {
    pzi_engine_cleanup(&l->staged[k]);
  }
  free(l->chains);
  free(l->used);
  free(l->copies);
  free(l->staged);
  free(l->assigned);
  free(l->remarks);
  pzi_alloc_list_cleanup(&l->names);
  pz_file_close(l->renamed);
}

/* ---- lookup and copies ------------------------------------------------------------ */

static int
by_path(const void* const path, const void* const incoming)
{
  return strcmp(path, ((const pzi_load_chain*)incoming)->source->path);
}

pzi_load_chain*
pzi_loading_find(const pzi_loading* const l, const char* const path)
{
  return l->n_chains > 0 ? bsearch(path, l->chains, l->n_chains, sizeof(*l->chains), by_path)
                         : NULL;
}

const pzi_file_tensor*
pzi_loading_use(pzi_loading* const l, const char* const name)
{
  const pzi_file_tensor* const file_tensor = pzi_safetensors_find(&l->file->header, name);
  if (file_tensor) {
    l->used[file_tensor - l->file->header.tensors] = true;
  }
  return file_tensor;
}

pz_status
pzi_loading_push(pzi_loading* const l, const pzi_load_copy* const copy)
{
  PZ_TRY(pzi_array_reserve(&l->copies, l->n_copies, 1, sizeof(*l->copies)));
  l->copies[l->n_copies++] = *copy;
  return PZ_OK;
}
