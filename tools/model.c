/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Entries are told apart by their names alone: of "A.parametrizations.T.REST" the value is
   "A.T", for the first segment of that name. What stands further in is for the library. */

#include "model.h"

#include "say.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT "parametrizations."
enum { SEGMENT_BYTES = sizeof(SEGMENT) - 1 };

/* The first segment "parametrizations" of a name; NULL. */
static const char*
find_segment(const char* const name)
{
  const char* place = name;
  while ((place = strstr(place, SEGMENT)) != NULL) {
    if (place == name || place[-1] == '.') {
      return place;
    }
    ++place;
  }
  return NULL;
}

/* ---- lists ------------------------------------------------------------------- */

static int
by_path(const void* const a, const void* const b)
{
  return strcmp(((const model_list*)a)->path, ((const model_list*)b)->path);
}

static bool
read_lists(model* const m)
{
  pz_file_list list = {.size = sizeof(list)};
  size_t room = 0;
  pz_status status;
  while ((status = pz_file_list_at(m->file, m->n_lists, &list)) == PZ_OK) {
    if (m->n_lists == room) {
      room = room ? 2 * room : 16;
      void* const grown = realloc(m->lists, room * sizeof(*m->lists));
      if (grown == NULL) {
        say_no_memory(m->path);
        return false;
      }
      m->lists = grown;
    }
    m->lists[m->n_lists++] = (model_list){
        .path = list.path,
        .text = list.text,
        .plugins = list.plugins,
        .nested = find_segment(list.path) != NULL,
    };
  }
  if (status != PZ_NOT_FOUND) {
    say_library(m->path, status);
    return false;
  }
  if (m->n_lists > 0) {
    qsort(m->lists, m->n_lists, sizeof(*m->lists), by_path);
  }
  return true;
}

const char*
model_text(const model_list* const list)
{
  return list->rule ? list->rule->text : list->text;
}

model_list*
model_find(const model* const m, const char* const path)
{
  const model_list key = {.path = path};
  return m->n_lists > 0 ? bsearch(&key, m->lists, m->n_lists, sizeof(key), by_path) : NULL;
}

model_list*
model_owner(const model* const m, const char* const entry)
{
  const char* const segment = find_segment(entry);
  if (segment == NULL) {
    return NULL;
  }
  const char* const tensor = segment + SEGMENT_BYTES;
  const size_t before = (size_t)(segment - entry);
  const size_t length = strcspn(tensor, ".");
  size_t low = 0;
  size_t high = m->n_lists;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const char* const path = m->lists[middle].path;
    int order = strncmp(entry, path, before);
    order = order ? order : strncmp(tensor, path + before, length);
    if (order == 0 && path[before + length] == '\0') {
      return tensor[length] == '.' ? &m->lists[middle] : NULL;
    }
    if (order > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NULL;
}

bool
model_is_inner(const char* const entry)
{
  return find_segment(entry) != NULL;
}

bool
model_is_original(const model_list* const list, const char* const entry)
{
  const char* const dot = strrchr(list->path, '.');
  const char* const tensor = dot ? dot + 1 : list->path;
  const char* rest = find_segment(entry) + SEGMENT_BYTES + strlen(tensor) + 1;
  for (;;) {
    const bool nested = strncmp(rest, SEGMENT, SEGMENT_BYTES) == 0;
    rest += nested ? SEGMENT_BYTES : 0;
    if (strncmp(rest, "original", 8) != 0) {
      return false;
    }
    rest += 8 + strspn(rest + 8, "0123456789");
    if (*rest != (nested ? '.' : '\0')) {
      return false;
    }
    if (!nested) {
      return true;
    }
    ++rest;
  }
}

/* ---- rules ------------------------------------------------------------------- */

/* The rules of the command line; pattern and text lie in one copy. */
static bool
read_rules(const arguments* const a, model* const m)
{
  m->rules = calloc(a->n_rules + 1, sizeof(*m->rules));
  for (size_t k = 0; m->rules != NULL && k < a->n_rules; ++k) {
    char* const copy = strdup(a->rules[k]);
    if (copy == NULL) {
      say_no_memory(NULL);
      return false;
    }
    char* const sign = strchr(copy, '=');
    *sign = '\0';
    m->rules[m->n_rules++] = (pz_list_rule){.pattern = copy, .text = sign + 1};
  }
  return m->rules != NULL || (say_no_memory(NULL), false);
}

static bool
matches(const pz_list_rule* const rule, const model_list* const list)
{
  return (!list->nested || strstr(rule->pattern, "parametrizations") != NULL) &&
         fnmatch(rule->pattern, list->path, 0) == 0;
}

/* Gives every list its rule; a rule that no list is given is refused. */
static bool
apply_rules(model* const m)
{
  for (size_t r = 0; r < m->n_rules; ++r) {
    const pz_list_rule* const rule = &m->rules[r];
    size_t taken = 0;
    size_t left = 0;
    for (size_t k = 0; k < m->n_lists; ++k) {
      if (matches(rule, &m->lists[k])) {
        left += m->lists[k].rule == NULL;
        taken += m->lists[k].rule != NULL;
        m->lists[k].rule = m->lists[k].rule ? m->lists[k].rule : rule;
      }
    }
    if (left == 0) {
      say("--map",
          taken ? "\"%s\" matches only values that an earlier --map matches"
                : "\"%s\" matches no parametrized tensor",
          rule->pattern);
      return false;
    }
  }
  return true;
}

/* ---- models ------------------------------------------------------------------ */

/* Entries under older names of their maps are lists of values like any others. */
static bool
rename_entries(model* const m)
{
  pz_file* renamed = NULL;
  if (m->n_rules == 0) {
    return true;
  }
  const pz_status status =
      pz_file_renamed(m->file, m->context, m->rules, (uint32_t)m->n_rules, &renamed);
  if (status != PZ_OK) {
    say_library(m->path, status);
    return false;
  }
  m->given = m->file;
  m->file = renamed;
  return true;
}

bool
model_open(const arguments* const a, model* const out)
{
  *out = (model){.path = a->operands[0], .device = a->device, .lenient = a->lenient};
  const pz_context_settings settings = {.size = sizeof(settings)};
  pz_status status = pz_file_open(out->path, &out->file);
  if (status == PZ_OK) {
    status = pz_context_new(&settings, &out->context);
  }
  if (status != PZ_OK) {
    say_library(out->path, status);
    return false;
  }
  return read_rules(a, out) && rename_entries(out) && read_lists(out) && apply_rules(out);
}

void
model_close(model* const m)
{
  for (size_t k = 0; k < m->n_rules; ++k) {
    free((void*)(uintptr_t)m->rules[k].pattern);
  }
  free(m->rules);
  free(m->lists);
  pz_file_close(m->file);
  pz_file_close(m->given);
  pz_context_free(m->context);
  memset(m, 0, sizeof(*m));
}

static void
say_remark(void* const user, const pz_load_remark remark, const char* const name)
{
  const model* const m = user;
  switch (remark) {
  case PZ_LOAD_UNKNOWN:
    (void)say(m->path, "remark: \"%s\" has no place and is left out", name);
    return;
  case PZ_LOAD_MISSING:
    (void)say(m->path, "remark: \"%s\" is missing and is made anew", name);
    return;
  case PZ_LOAD_DTYPE:
    (void)say(m->path, "remark: \"%s\" has a dtype that no map takes and is left out", name);
    return;
  }
}

bool
model_leave_out(model* const m, const char* const entry)
{
  if (m->lenient) {
    say_remark(m, PZ_LOAD_UNKNOWN, entry);
  } else {
    (void)say(m->path, "\"%s\" has no place", entry);
  }
  return m->lenient;
}

pz_status
model_value(model* const m, const model_list* const list, const bool remarks, pz_module** const out)
{
  const pz_load_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_LOAD_WIDEN | (m->lenient ? PZ_LOAD_LENIENT : 0U),
      .rules = m->rules,
      .n_rules = (uint32_t)m->n_rules,
      .report = remarks ? say_remark : NULL,
      .user = m,
  };
  PZ_TRY(pz_module_from_file(m->context, m->device, m->file, list->path, &settings, out));
  pz_module_train(*out, false);
  return PZ_OK;
}
