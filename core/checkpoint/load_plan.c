/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Chains of a file's lists. They are planned from their originals, whose specs the
   description says or the entries have; where an original has a list itself, from the value
   of that. What the maps that are installed here make of it must be what the description
   says. */

#include "load.h"

#include "chain_text.h"
#include "plan.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_half(const char* const dtype)
{
  return strcmp(dtype, "F16") == 0 || strcmp(dtype, "BF16") == 0;
}

uint32_t
pzi_load_dtype(const pzi_loading* const l, const char* const dtype, const uint32_t wanted)
{
  const uint32_t own = pzi_dtype_of(dtype);
  if (pzi_load_widens(l) && is_half(dtype)) {
    return wanted == PZ_F64 ? PZ_F64 : PZ_F32;
  }
  if (pzi_load_widens(l) && own == PZ_F32 && wanted == PZ_F64) {
    return PZ_F64;
  }
  return own;
}

/* "rnn.parametrizations.weight.original" in the load's pool, or NULL. */
static const char*
tensor_name(pzi_loading* const l, const pzi_load_list* const list, const char* const name)
{
  const size_t length = strlen(list->list->prefix);
  char* const text = pzi_pool_take(&l->names, length + strlen(name) + 1);
  if (text) {
    strcpy(stpcpy(text, list->list->prefix), name);
  }
  return text;
}

/* ---- originals ---------------------------------------------------------------- */

/* Finds the spec of an original by name; `*found` false where there is none. */
static pz_status
original_by_name(pzi_loading* const l, const pzi_load_list* const list, const char* const name,
                 const uint32_t dtype, pz_spec* const out, bool* const found)
{
  const char* const full = tensor_name(l, list, name);
  if (!full) {
    return pzi_no_memory(strlen(name));
  }
  pzi_load_list* const inner = pzi_load_find_list(l, full);
  const pzi_file_tensor* const entry = pzi_header_find(&l->file->header, full);
  *found = inner || entry;
  if (inner) {
    PZ_TRY(pzi_load_plan(l, inner, dtype));
    if (!inner->chain) {
      return pzi_fail(PZ_MISMATCH,
                      "\"%.200s\": parametrized in the file, and no rule says which "
                      "maps make it",
                      full);
    }
    *out = *pz_chain_value(inner->chain);
  } else if (entry) {
    *out = entry->spec;
    out->dtype = pzi_load_dtype(l, entry->dtype, dtype);
    if (out->dtype != PZ_F32 && out->dtype != PZ_F64) {
      return pzi_fail(PZ_MISMATCH, "\"%.200s\": found dtype %s, expected F32 or F64%s", full,
                      entry->dtype, is_half(entry->dtype) ? " (PZ_LOAD_WIDEN converts)" : "");
    }
  }
  return PZ_OK;
}

/* "original", else "original0", "original1", ... */
static pz_status
originals_by_name(pzi_loading* const l, const pzi_load_list* const list, const uint32_t dtype,
                  pz_spec* const specs, uint32_t* const n)
{
  bool found = false;
  PZ_TRY(original_by_name(l, list, "original", dtype, &specs[0], &found));
  *n = found ? 1 : 0;
  for (bool more = !found; more && *n < PZI_MAX_TENSORS;) {
    char name[32];
    snprintf(name, sizeof(name), "original%" PRIu32, *n);
    PZ_TRY(original_by_name(l, list, name, dtype, &specs[*n], &more));
    *n += more ? 1 : 0;
  }
  return PZ_OK;
}

static pz_status
originals_as_saved(const pzi_saved_list* const saved, const bool widens, const uint32_t dtype,
                   pz_spec* const specs, uint32_t* const n)
{
  if (saved->n_originals > PZI_MAX_TENSORS) {
    return pzi_fail(PZ_IO, "%u originals, expected at most %d", (unsigned)saved->n_originals,
                    PZI_MAX_TENSORS);
  }
  *n = saved->n_originals;
  for (uint32_t k = 0; k < *n; ++k) {
    specs[k] = saved->tensors[k].spec;
    specs[k].dtype = widens && dtype == PZ_F64 && specs[k].dtype == PZ_F32 ? PZ_F64 //
                                                                           : specs[k].dtype;
  }
  return PZ_OK;
}

/* ---- maps ------------------------------------------------------------------------ */

/* Texts and settings of a description's maps: tensor options are the file's. */
typedef struct maps {
  pzi_text text;
  pz_option_setting* settings;
  pz_tensor* tensors;
  uint32_t n_settings;
} maps;

static void
maps_cleanup(maps* const m)
{
  for (uint32_t k = 0; k < m->n_settings; ++k) {
    free(m->tensors[k].data);
  }
  free(m->tensors);
  free(m->settings);
  free(m->text.data);
}

/* "pruning(p_drop=0.2)" without what is said of tensors. */
static pz_status
add_text(const pzi_saved_map* const map, pzi_text* const text)
{
  pzi_chain_words* words = NULL;
  PZ_TRY(pzi_chain_parse(map->text, &words));
  bool open = false;
  pzi_text_add(text, text->length > 0 ? "," : "");
  pzi_text_add(text, map->id);
  for (uint32_t k = 0; k < words->stages[0].n_options; ++k) {
    const pzi_option_words* const option = &words->stages[0].options[k];
    if (!pzi_saved_is(map->options, map->n_options, option->name)) {
      pzi_text_add(text, open ? "," : "(");
      pzi_text_add(text, option->name);
      pzi_text_add(text, "=");
      pzi_text_add(text, option->value);
      open = true;
    }
  }
  pzi_text_add(text, open ? ")" : "");
  free(words);
  return PZ_OK;
}

/* The tensor of an option, copied to where it is aligned. */
static pz_status
add_option(pzi_loading* const l, const pzi_load_list* const list, const uint32_t map,
           const char* const option, maps* const m)
{
  const char* const prefix = list->list->prefix;
  const char* const name = pzi_option_name(&l->names, "", 0, prefix, strlen(prefix), map, option);
  if (!name) {
    return pzi_no_memory(strlen(prefix));
  }
  const pzi_file_tensor* const entry = pzi_load_use(l, name);
  if (!entry || entry->spec.dtype == 0) {
    return pzi_fail(PZ_MISMATCH, "\"%.200s\", an option that is a tensor, is %s", name,
                    entry ? "of a dtype that is none here" : "not in the file");
  }
  const size_t bytes = (size_t)(entry->end - entry->begin);
  void* const data = malloc(bytes + 1);
  if (!data) {
    return pzi_no_memory(bytes + 1);
  }
  memcpy(data, pzi_file_data(l->file, entry), bytes);
  pz_tensor* const tensor = &m->tensors[m->n_settings];
  *tensor = pz_host_tensor(entry->spec.dtype, data, entry->spec.ndim, entry->spec.shape);
  m->settings[m->n_settings++] = (pz_option_setting){
      .name = option, .map = map, .value = {.type = PZ_TENSOR, .as.tensor = tensor}};
  return PZ_OK;
}

static pz_status
maps_as_saved(pzi_loading* const l, const pzi_load_list* const list, maps* const m)
{
  const pzi_saved_list* const saved = list->list->saved;
  size_t n = 0;
  for (uint32_t i = 0; i < saved->n_maps; ++i) {
    n += saved->maps[i].n_options;
  }
  m->settings = calloc(n + 1, sizeof(*m->settings));
  m->tensors = calloc(n + 1, sizeof(*m->tensors));
  if (!m->settings || !m->tensors) {
    return pzi_no_memory((n + 1) * (sizeof(*m->settings) + sizeof(*m->tensors)));
  }
  for (uint32_t i = 0; i < saved->n_maps; ++i) {
    PZ_TRY(add_text(&saved->maps[i], &m->text));
    for (uint32_t k = 0; k < saved->maps[i].n_options; ++k) {
      PZ_TRY(add_option(l, list, i, saved->maps[i].options[k], m));
    }
  }
  return m->text.failed ? pzi_no_memory(m->text.capacity) : PZ_OK;
}

/* ---- chains -------------------------------------------------------------------------- */

/* Do the maps here work on the tensors that those of the file worked on? */
static pz_status
check_plan(const pz_chain* const chain, const pzi_file_list* const list, const bool widens)
{
  const pzi_saved_list* const saved = list->saved;
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  pz_spec value = saved->value;
  value.dtype = widens ? pz_chain_value(chain)->dtype : value.dtype;
  if (!pz_spec_equal(&value, pz_chain_value(chain))) {
    return pzi_fail(PZ_MISMATCH, "made by %s, its value was %s, here it is %s", list->plugins,
                    pzi_spec_text(&saved->value, a), pzi_spec_text(pz_chain_value(chain), b));
  }
  if (saved->n_tensors != chain->n_tensors) {
    return pzi_fail(PZ_MISMATCH, "made by %s, its maps worked on %u tensors, here on %u",
                    list->plugins, (unsigned)saved->n_tensors, (unsigned)chain->n_tensors);
  }
  for (uint32_t k = 0; k < chain->n_tensors; ++k) {
    const pzi_saved_tensor* const before = &saved->tensors[k];
    const pzi_chain_tensor* const now = &chain->tensors[k];
    pz_spec spec = before->spec;
    spec.dtype = widens ? now->spec.dtype : spec.dtype;
    if (strcmp(before->name, now->name) != 0 || before->role != now->role ||
        !pz_spec_equal(&spec, &now->spec)) {
      return pzi_fail(PZ_MISMATCH, "made by %s, its tensor \"%.100s\" was %s, here \"%s\" is %s",
                      list->plugins, before->name, pzi_spec_text(&before->spec, a), now->name,
                      pzi_spec_text(&now->spec, b));
    }
  }
  return PZ_OK;
}

/* Under PZ_LOAD_LENIENT a list without an original is not made. */
static bool
lacks_original(pzi_loading* const l, const pzi_load_list* const list)
{
  const pzi_saved_list* const saved = list->list->saved;
  for (uint32_t k = 0; k < saved->n_originals; ++k) {
    const char* const name = tensor_name(l, list, saved->tensors[k].name);
    if (!name || (!pzi_header_find(&l->file->header, name) && !pzi_load_find_list(l, name))) {
      return true;
    }
  }
  return false;
}

static pz_status
plan(pzi_loading* const l, pzi_load_list* const list, const uint32_t dtype)
{
  const pzi_saved_list* const saved = list->rule ? NULL : list->list->saved;
  pz_spec specs[PZI_MAX_TENSORS];
  uint32_t n = 0;
  if ((!saved && !list->rule) || (saved && pzi_load_lenient(l) && lacks_original(l, list))) {
    return PZ_OK;
  }
  if (saved) {
    PZ_TRY(originals_as_saved(saved, pzi_load_widens(l), dtype, specs, &n));
  } else {
    PZ_TRY(originals_by_name(l, list, dtype, specs, &n));
    if (n == 0) {
      return pzi_load_lenient(l) ? PZ_OK : pzi_fail(PZ_MISMATCH, "the file has no original of it");
    }
  }
  maps m = {0};
  pz_chain* chain = NULL;
  pz_status status = saved ? maps_as_saved(l, list, &m) : PZ_OK;
  if (status == PZ_OK) {
    status = pz_chain_new(l->module->context, saved ? m.text.data : list->rule, m.settings,
                          m.n_settings, PZ_FROM_INPUT, specs, n, &chain);
  }
  maps_cleanup(&m);
  if (status == PZ_OK && saved) {
    status = check_plan(chain, list->list, pzi_load_widens(l));
  }
  if (status != PZ_OK) {
    pz_chain_free(chain);
    return status;
  }
  list->chain = chain;
  return PZ_OK;
}

pz_status
pzi_load_plan(pzi_loading* const l, pzi_load_list* const list, const uint32_t dtype)
{
  if (list->planned) {
    return PZ_OK;
  }
  if (list->planning) {
    return pzi_fail(PZ_IO, "\"%.200s\": a list inside itself", list->list->path);
  }
  list->planning = true;
  const pz_status status = plan(l, list, dtype);
  list->planning = false;
  list->planned = status == PZ_OK;
  return pzi_fail_prefix(status, "\"%.150s\"", list->list->path);
}
