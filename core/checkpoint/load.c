/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Loading into modules: lists first, then values to be assigned, then every stored tensor by
   its path; what is left over on either side is named. */

#include "load.h"

#include "gate.h"
#include "slot.h"
#include "status.h"
#include "stored.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is left over ------------------------------------------------------------- */

bool
pzi_load_lenient(const pzi_loading* const l)
{
  return (l->settings.flags & PZ_LOAD_LENIENT) != 0;
}

bool
pzi_load_widens(const pzi_loading* const l)
{
  return (l->settings.flags & PZ_LOAD_WIDEN) != 0;
}

pz_status
pzi_load_remark(pzi_loading* const l, const pz_load_remark kind, const char* const name)
{
  pzi_few_names_add(kind == PZ_LOAD_MISSING ? &l->missing : &l->unknown, name);
  if (!pzi_load_lenient(l) || !l->settings.report) {
    return PZ_OK;
  }
  if (l->n_remarks == l->remarks_capacity) {
    const size_t capacity = 2 * l->remarks_capacity + 16;
    pzi_remark* const remarks = realloc(l->remarks, capacity * sizeof(*remarks));
    if (!remarks) {
      return pzi_no_memory(capacity * sizeof(*remarks));
    }
    l->remarks = remarks;
    l->remarks_capacity = capacity;
  }
  const char* const copy = pzi_pool_text(&l->names, name, strlen(name));
  if (!copy) {
    return pzi_no_memory(strlen(name));
  }
  l->remarks[l->n_remarks++] = (pzi_remark){(uint32_t)kind, copy};
  return PZ_OK;
}

void
pzi_load_report(const pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_remarks; ++k) {
    l->settings.report(l->settings.user, (pz_load_remark)l->remarks[k].kind, l->remarks[k].name);
  }
}

/* ---- what a load is of --------------------------------------------------------------- */

static pz_status
check_settings(const pz_load_settings* const settings)
{
  const uint32_t flags = PZ_LOAD_LENIENT | PZ_LOAD_ASSIGN | PZ_LOAD_WIDEN;
  if (settings->size < sizeof(*settings)) {
    return pzi_fail(PZ_INVALID, "settings: found size %u, expected %zu", (unsigned)settings->size,
                    sizeof(*settings));
  }
  if ((settings->flags & ~flags) != 0 || (settings->n_rules > 0 && !settings->rules)) {
    return pzi_fail(PZ_INVALID, "settings: found flags 0x%x%s", (unsigned)settings->flags,
                    settings->n_rules > 0 && !settings->rules ? " and no rules" : "");
  }
  for (uint32_t k = 0; k < settings->n_rules; ++k) {
    if (!settings->rules[k].pattern || !settings->rules[k].text) {
      return pzi_fail(PZ_INVALID, "settings: rule %u has no pattern or no text", (unsigned)k);
    }
  }
  return PZ_OK;
}

static bool
begins(const char* const text, const char* const with)
{
  return strncmp(text, with, strlen(with)) == 0;
}

/* The chain text of the first rule that matches a value, or NULL. */
static const char*
find_rule(const pz_load_settings* const settings, const pzi_file_list* const list)
{
  const bool inner =
      begins(list->path, "parametrizations.") || strstr(list->path, ".parametrizations.");
  for (uint32_t k = 0; k < settings->n_rules; ++k) {
    const pz_list_rule* const rule = &settings->rules[k];
    if ((!inner || strstr(rule->pattern, "parametrizations")) &&
        fnmatch(rule->pattern, list->path, 0) == 0) {
      return rule->text;
    }
  }
  return NULL;
}

/* The first place, in the order of names, whose name is not before `name`. */
static size_t
lower_bound(const pzi_header* const header, const char* const name)
{
  size_t low = 0;
  size_t high = header->n_tensors;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const bool before = strcmp(header->tensors[header->by_name[middle]].name, name) < 0;
    low = before ? middle + 1 : low;
    high = before ? high : middle;
  }
  return low;
}

static void
add_lists(pzi_loading* const l, const size_t first, const size_t end)
{
  for (size_t k = first; k < end; ++k) {
    const pzi_file_list* const list = &l->file->lists[k];
    l->lists[l->n_lists++] = (pzi_load_list){.list = list, .rule = find_rule(&l->settings, list)};
  }
}

/* The lists that matter, in the order of their paths: all, or the one chosen with those in
   it, whose paths begin with its prefix. */
static pz_status
find_lists(pzi_loading* const l, const char* const only, const pzi_file_list* const chosen)
{
  const pz_file* const file = l->file;
  size_t first = 0;
  size_t end = only ? 0 : file->n_lists;
  if (chosen) {
    first = pzi_file_list_bound(file, chosen->prefix);
    end = first;
    while (end < file->n_lists && begins(file->lists[end].path, chosen->prefix)) {
      ++end;
    }
  }
  const size_t place = chosen ? (size_t)(chosen - file->lists) : 0;
  l->lists = calloc(end - first + 2, sizeof(*l->lists));
  if (!l->lists) {
    return pzi_no_memory((end - first + 2) * sizeof(*l->lists));
  }
  add_lists(l, place, place + (chosen && place < first));
  add_lists(l, first, end);
  add_lists(l, place, place + (chosen && place >= end));
  return PZ_OK;
}

pz_status
pzi_loading_init(pzi_loading* const l, pz_module* const module, const pz_file* const file,
                 const pz_load_settings* const settings, const char* const only)
{
  *l = (pzi_loading){.module = module, .file = file};
  if (settings) {
    PZ_TRY(check_settings(settings));
    l->settings = *settings;
  }
  PZ_TRY(pzi_file_renamed(module->context, file, module, only, l->settings.rules,
                          l->settings.n_rules, &l->renamed));
  l->file = l->renamed ? l->renamed : file;
  const pzi_header* const header = &l->file->header;
  const pzi_file_list* const chosen = only ? pzi_file_list_on(l->file, only) : NULL;
  /* In the order of names, of which those of one list, and one name, are a range. */
  const char* const from = chosen ? chosen->prefix : only;
  const size_t first = only ? lower_bound(header, from) : 0;
  size_t end = only ? first : header->n_tensors;
  while (only && end < header->n_tensors) {
    const char* const name = header->tensors[header->by_name[end]].name;
    if (chosen ? !begins(name, from) : strcmp(name, from) != 0) {
      break;
    }
    ++end;
  }
  l->entries = header->by_name + first;
  l->n_entries = end - first;
  l->used = calloc(header->n_tensors + 1, sizeof(*l->used));
  if (!l->used) {
    return pzi_no_memory(header->n_tensors + 1);
  }
  return find_lists(l, only, chosen);
}

void
pzi_loading_cleanup(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_lists; ++k) {
    pzi_list_discard(&l->lists[k].prepared);
    pzi_storage_release(l->lists[k].value);
    pz_chain_free(l->lists[k].chain);
  }
  for (size_t k = 0; k < l->n_copies; ++k) {
    pzi_storage_release(l->copies[k].backup);
  }
  for (size_t k = 0; k < l->n_staged; ++k) {
    pzi_engine_cleanup(&l->staged[k]);
  }
  free(l->lists);
  free(l->used);
  free(l->copies);
  free(l->staged);
  free(l->assigned);
  free(l->remarks);
  pzi_pool_cleanup(&l->names);
  pz_file_close(l->renamed);
}

pzi_load_list*
pzi_load_find_list(const pzi_loading* const l, const char* const path)
{
  size_t low = 0;
  size_t high = l->n_lists;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = strcmp(path, l->lists[middle].list->path);
    if (order == 0) {
      return &l->lists[middle];
    }
    low = order > 0 ? middle + 1 : low;
    high = order > 0 ? high : middle;
  }
  return NULL;
}

const pzi_file_tensor*
pzi_load_use(pzi_loading* const l, const char* const name)
{
  const pzi_file_tensor* const entry = pzi_header_find(&l->file->header, name);
  if (entry) {
    l->used[entry - l->file->header.tensors] = true;
  }
  return entry;
}

pz_status
pzi_load_push(pzi_loading* const l, const pzi_load_copy* const copy)
{
  if (l->n_copies == l->copies_capacity) {
    const size_t capacity = 2 * l->copies_capacity + 16;
    pzi_load_copy* const copies = realloc(l->copies, capacity * sizeof(*copies));
    if (!copies) {
      return pzi_no_memory(capacity * sizeof(*copies));
    }
    l->copies = copies;
    l->copies_capacity = capacity;
  }
  l->copies[l->n_copies++] = *copy;
  return PZ_OK;
}

/* ---- the whole ------------------------------------------------------------------------ */

/* Every stored tensor that is not about to become a value or was made from one. */
static pz_status
plan_copies(pzi_loading* const l)
{
  const pzi_path* paths = NULL;
  size_t n = 0;
  PZ_TRY(pzi_paths(l->module, &paths, &n));
  for (size_t k = 0; k < n; ++k) {
    pz_slot* const slot = paths[k].slot;
    const pzi_load_list* const list = pzi_load_find_list(l, paths[k].text);
    if ((list && list->slot == slot) || pzi_load_is_assigned(l, slot)) {
      continue;
    }
    PZ_TRY(pzi_check_closed(slot));
    const pzi_file_tensor* const entry = slot->storage ? pzi_load_use(l, paths[k].text) : NULL;
    ++l->n_expected;
    if (entry) {
      PZ_TRY(pzi_file_check(entry, pzi_load_widens(l), &slot->storage->spec));
      PZ_TRY(pzi_load_push(l, &(pzi_load_copy){.entry = entry, .slot = slot}));
    } else {
      PZ_TRY(pzi_load_remark(l, PZ_LOAD_MISSING, paths[k].text));
    }
  }
  return PZ_OK;
}

static pz_status
find_unknown(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_entries; ++k) {
    if (!l->used[l->entries[k]]) {
      PZ_TRY(pzi_load_remark(l, PZ_LOAD_UNKNOWN, l->file->header.tensors[l->entries[k]].name));
    }
  }
  return pzi_load_lenient(l) ? PZ_OK : pzi_few_names_check(&l->missing, l->n_expected, &l->unknown);
}

pz_status
pzi_load(pzi_loading* const l)
{
  PZ_TRY(pzi_load_lists(l));
  PZ_TRY(pzi_load_assign(l));
  PZ_TRY(plan_copies(l));
  PZ_TRY(find_unknown(l));
  return pzi_load_commit(l);
}

pz_status
pz_module_load_from(pz_module* const module, const pz_file* const file,
                    const pz_load_settings* const settings)
{
  if (!file) {
    return pzi_fail(PZ_INVALID, "found no file");
  }
  pzi_loading l = {0};
  PZ_TRY(pzi_exclusive_begin(module));
  pz_status status = pzi_loading_init(&l, module, file, settings, NULL);
  if (status == PZ_OK) {
    status = pzi_load(&l);
  }
  pzi_exclusive_end(module);
  if (status == PZ_OK) {
    pzi_load_report(&l);
  }
  pzi_loading_cleanup(&l);
  return status;
}

pz_status
pz_module_load(pz_module* const module, const char* const path)
{
  if (!path) {
    return pzi_fail(PZ_INVALID, "expected a path");
  }
  if (!module) {
    return pzi_fail(PZ_INVALID, "found no module");
  }
  pz_file* file = NULL;
  PZ_TRY(pz_file_open(path, &file));
  const pz_status status = pzi_fail_prefix(pz_module_load_from(module, file, NULL), "%s", path);
  pz_file_close(file);
  return status;
}
