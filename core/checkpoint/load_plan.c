/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Plans a chain from its originals, whose specs come from the description, or from the file's
   tensors, or, for an original with a chain of its own, from the value of that chain. A chain that
   begins with a view is planned from its value where that is known, because the originals do not
   always tell what the view reads. The installed plugins must plan the tensors that the description
   lists. */

#include "load.h"

#include "chain_text.h"
#include "file_dtype.h"
#include "sorted_names.h"
#include "spec_text.h"
#include "status.h"
#include "tensor_names.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_half(const char* const dtype)
{
  return strcmp(dtype, "F16") == 0 || strcmp(dtype, "BF16") == 0;
}

pz_status
pzi_load_plan_dtype(const pzi_loading* const l, const pzi_file_tensor* const file_tensor,
                    const uint32_t wanted, uint32_t* const out)
{
  const char* const dtype = file_tensor->dtype;
  const uint32_t own = pzi_file_dtype_parse(dtype);
  if (file_tensor->extents) {
    return pzi_fail(PZ_MISMATCH, "\"%.200s\": found %u dimensions, expected at most %d",
                    file_tensor->name, (unsigned)file_tensor->n_extents, PZ_MAX_DIMS);
  }
  if (pzi_loading_widens(l) && (is_half(dtype) || own == PZ_F32) && wanted == PZ_F64) {
    *out = PZ_F64;
  } else if (pzi_loading_widens(l) && is_half(dtype)) {
    *out = PZ_F32;
  } else if (own == PZ_F32 || own == PZ_F64) {
    *out = own;
  } else {
    return pzi_fail(PZ_MISMATCH, "\"%.200s\": found dtype %s, expected F32 or F64%s",
                    file_tensor->name, dtype, is_half(dtype) ? " (PZ_LOAD_WIDEN converts)" : "");
  }
  return PZ_OK;
}

/* The dtype for a chain of which only the names are known: F64 if a tensor of it has that. */
static uint32_t
widest(const pzi_loading* const l, const pzi_load_chain* const incoming)
{
  const pzi_safetensors* const header = &l->file->header;
  const char* const prefix = incoming->source->prefix;
  const size_t length = strlen(prefix);
  for (size_t k = pzi_safetensors_bound(header, prefix); k < header->n_tensors; ++k) {
    const pzi_file_tensor* const one = &header->tensors[header->by_name[k]];
    if (strncmp(one->name, prefix, length) != 0) {
      break;
    }
    if (strcmp(one->dtype, "F64") == 0) {
      return PZ_F64;
    }
  }
  return 0;
}

pz_status
pzi_load_plan_undefined(const char* const path)
{
  return pzi_fail(PZ_MISMATCH,
                  "\"%.200s\" is parametrized in the file, but neither the file nor a rule "
                  "defines its chain",
                  path);
}

/* ---- originals ---------------------------------------------------------------- */

/* Finds the spec of an original in the file. */
static pz_status
original_by_name(pzi_loading* const l, const pzi_load_chain* const incoming, const char* const name,
                 const uint32_t dtype, pz_spec* const out, bool* const found)
{
  const char* const full = pzi_tensor_names_join(&l->names, incoming->source->prefix, name);
  if (!full) {
    return pzi_no_memory(strlen(name));
  }
  pzi_load_chain* const inner = pzi_loading_find(l, full);
  const pzi_file_tensor* const file_tensor = pzi_safetensors_find(&l->file->header, full);
  *found = inner || file_tensor;
  if (inner) {
    PZ_TRY(pzi_load_plan(l, inner, dtype, NULL));
    if (!inner->chain) {
      return pzi_load_plan_undefined(full);
    }
    *out = *pz_chain_value(inner->chain);
  } else if (file_tensor) {
    *out = file_tensor->spec;
    PZ_TRY(pzi_load_plan_dtype(l, file_tensor, dtype, &out->dtype));
  }
  return PZ_OK;
}

/* Finds "original", or else "original0", "original1", ... */
static pz_status
originals_by_name(pzi_loading* const l, const pzi_load_chain* const incoming, const uint32_t dtype,
                  pz_spec* const specs, uint32_t* const n)
{
  bool found = false;
  PZ_TRY(original_by_name(l, incoming, "original", dtype, &specs[0], &found));
  *n = found ? 1 : 0;
  for (bool more = !found; more && *n < PZI_MAX_TENSORS;) {
    char name[32];
    snprintf(name, sizeof(name), "original%" PRIu32, *n);
    PZ_TRY(original_by_name(l, incoming, name, dtype, &specs[*n], &more));
    *n += more ? 1 : 0;
  }
  return PZ_OK;
}

static pz_spec
widened(const pz_spec* const saved, const bool widens, const uint32_t dtype)
{
  pz_spec spec = *saved;
  spec.dtype = widens && dtype == PZ_F64 && spec.dtype == PZ_F32 ? PZ_F64 : spec.dtype;
  return spec;
}

static pz_status
specs_as_saved(const pzi_saved_chain* const saved, const bool widens, const uint32_t dtype,
               pz_spec* const specs, uint32_t* const n)
{
  if (saved->n_originals > PZI_MAX_TENSORS) {
    return pzi_fail(PZ_IO, "found %u originals, expected at most %d", (unsigned)saved->n_originals,
                    PZI_MAX_TENSORS);
  }
  *n = saved->n_originals;
  for (uint32_t k = 0; k < *n; ++k) {
    specs[k] = widened(&saved->tensors[k].spec, widens, dtype);
  }
  return PZ_OK;
}

/* ---- chain text ------------------------------------------------------------------ */

/* The chain text of a description, and settings for the tensor options. */
typedef struct chain_text {
  pzi_text text;
  pz_option_setting* settings;
  pz_tensor* tensors;
  uint32_t n_settings;
} chain_text;

static void
chain_text_cleanup(chain_text* const t)
{
  for (uint32_t k = 0; k < t->n_settings; ++k) {
    free(t->tensors[k].data);
  }
  free(t->tensors);
  free(t->settings);
  free(t->text.data);
}

/* Appends a stage, "pruning(p_drop=0.2)", without its tensor options. */
static pz_status
add_text(const pzi_saved_stage* const stage, pzi_text* const text)
{
  pzi_chain_words* words = NULL;
  PZ_TRY(pzi_chain_text_parse(stage->text, &words));
  bool open = false;
  pzi_text_add(text, text->length > 0 ? "," : "");
  pzi_text_add(text, stage->id);
  for (uint32_t k = 0; k < words->stages[0].n_options; ++k) {
    const pzi_option_words* const option = &words->stages[0].options[k];
    if (!pzi_sorted_names_has(stage->options, stage->n_options, option->name)) {
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

/* Copies the tensor of an option to aligned memory. */
static pz_status
add_option(pzi_loading* const l, const pzi_load_chain* const incoming, const uint32_t stage,
           const char* const option, chain_text* const t)
{
  const char* const prefix = incoming->source->prefix;
  const char* const name =
      pzi_tensor_names_option(&l->names, "", 0, prefix, strlen(prefix), stage, option);
  if (!name) {
    return pzi_no_memory(strlen(prefix));
  }
  const pzi_file_tensor* const file_tensor = pzi_loading_use(l, name);
  if (!file_tensor || file_tensor->spec.dtype == 0) {
    return pzi_fail(PZ_MISMATCH, "tensor option \"%.200s\" %s", name,
                    file_tensor ? "has an unsupported dtype" : "is not in the file");
  }
  const size_t bytes = (size_t)(file_tensor->end - file_tensor->begin);
  void* const data = malloc(bytes + 1);
  if (!data) {
    return pzi_no_memory(bytes + 1);
  }
  memcpy(data, pzi_file_data(l->file, file_tensor), bytes);
  pz_tensor* const tensor = &t->tensors[t->n_settings];
  *tensor = pz_host_tensor(file_tensor->spec.dtype, data, file_tensor->spec.ndim,
                           file_tensor->spec.shape);
  t->settings[t->n_settings++] = (pz_option_setting){
      .name = option, .stage = stage, .value = {.type = PZ_TENSOR, .as.tensor = tensor}};
  return PZ_OK;
}

static pz_status
text_as_saved(pzi_loading* const l, const pzi_load_chain* const incoming, chain_text* const t)
{
  const pzi_saved_chain* const saved = incoming->saved;
  size_t n = 0;
  for (uint32_t i = 0; i < saved->n_stages; ++i) {
    n += saved->stages[i].n_options;
  }
  t->settings = calloc(n + 1, sizeof(*t->settings));
  t->tensors = calloc(n + 1, sizeof(*t->tensors));
  if (!t->settings || !t->tensors) {
    return pzi_no_memory((n + 1) * (sizeof(*t->settings) + sizeof(*t->tensors)));
  }
  for (uint32_t i = 0; i < saved->n_stages; ++i) {
    PZ_TRY(add_text(&saved->stages[i], &t->text));
    for (uint32_t k = 0; k < saved->stages[i].n_options; ++k) {
      PZ_TRY(add_option(l, incoming, i, saved->stages[i].options[k], t));
    }
  }
  return t->text.failed ? pzi_no_memory(t->text.capacity) : PZ_OK;
}

/* ---- chains -------------------------------------------------------------------------- */

/* Checks that the chain has the value and the tensors that the description lists. */
static pz_status
check_plan(const pz_chain* const chain, const pzi_file_chain* const source, const bool widens)
{
  const pzi_saved_chain* const saved = source->saved;
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  pz_spec value = saved->value;
  value.dtype = widens ? pz_chain_value(chain)->dtype : value.dtype;
  if (!pz_spec_equal(&value, pz_chain_value(chain))) {
    return pzi_fail(PZ_MISMATCH, "saved with %s: the value was %s, here it is %s", source->plugins,
                    pzi_spec_text(&saved->value, a), pzi_spec_text(pz_chain_value(chain), b));
  }
  if (saved->n_tensors != chain->n_tensors) {
    return pzi_fail(PZ_MISMATCH, "saved with %s: the chain had %u tensor%s, here it has %u",
                    source->plugins, (unsigned)saved->n_tensors, PZI_S(saved->n_tensors),
                    (unsigned)chain->n_tensors);
  }
  for (uint32_t k = 0; k < chain->n_tensors; ++k) {
    const pzi_saved_tensor* const before = &saved->tensors[k];
    const pzi_chain_tensor* const now = &chain->tensors[k];
    pz_spec spec = before->spec;
    spec.dtype = widens ? now->spec.dtype : spec.dtype;
    if (strcmp(before->name, now->name) != 0 || before->role != now->role ||
        !pz_spec_equal(&spec, &now->spec)) {
      return pzi_fail(PZ_MISMATCH, "saved with %s: tensor \"%.100s\" was %s, here \"%s\" is %s",
                      source->plugins, before->name, pzi_spec_text(&before->spec, a), now->name,
                      pzi_spec_text(&now->spec, b));
    }
  }
  return PZ_OK;
}

/* Checks that a rule gives the value the shape that it has in the file. */
static pz_status
check_shape(const pz_chain* const chain, const pz_spec* const described)
{
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  pz_spec spec = *described;
  spec.dtype = pz_chain_value(chain)->dtype;
  return pz_spec_equal(&spec, pz_chain_value(chain))
             ? PZ_OK
             : pzi_fail(PZ_MISMATCH, "\"%.300s\" gives %s, expected %s as in the file", chain->text,
                        pzi_spec_text(pz_chain_value(chain), a), pzi_spec_text(&spec, b));
}

/* A lenient load skips a chain whose original is missing. */
static bool
lacks_original(pzi_loading* const l, const pzi_load_chain* const incoming)
{
  const pzi_saved_chain* const saved = incoming->saved;
  for (uint32_t k = 0; k < saved->n_originals; ++k) {
    const char* const name =
        pzi_tensor_names_join(&l->names, incoming->source->prefix, saved->tensors[k].name);
    if (!name || (!pzi_safetensors_find(&l->file->header, name) && !pzi_loading_find(l, name))) {
      return true;
    }
  }
  return false;
}

/* Makes the chain from its originals or, if they do not tell what a view reads, from its value (NULL:
   not known), which must then have these originals. */
static pz_status
make_chain(const pzi_loading* const l, const char* const text, const chain_text* const t,
           const pz_spec* const originals, const uint32_t n, const pz_spec* const value,
           pz_chain** const out)
{
  pz_context* const context = l->module->context;
  pz_chain* chain = NULL;
  pzi_message message;
  const pz_status status =
      pz_chain_new(context, text, t->settings, t->n_settings, PZ_FROM_INPUT, originals, n, out);
  if (status != PZ_MISMATCH || !value) {
    return status;
  }
  pzi_message_save(&message);
  pz_spec spec = *value;
  spec.dtype = originals[0].dtype;
  bool good = pz_chain_new(context, text, t->settings, t->n_settings, PZ_FROM_TENSOR, &spec, 1,
                           &chain) == PZ_OK &&
              chain->n_role[PZ_ORIGINAL] == n;
  for (uint32_t k = 0; good && k < n; ++k) {
    good = pz_spec_equal(&chain->tensors[k].spec, &originals[k]);
  }
  pzi_message_restore(&message);
  if (!good) {
    pz_chain_free(chain);
    return status;
  }
  chain->direction = PZ_FROM_INPUT; // its originals are at hand
  *out = chain;
  return PZ_OK;
}

static pz_status
plan(pzi_loading* const l, pzi_load_chain* const incoming, const uint32_t dtype,
     const pz_spec* const value)
{
  const pzi_saved_chain* const saved = incoming->saved;
  pz_spec specs[PZI_MAX_TENSORS];
  uint32_t n = 0;
  if ((!saved && !incoming->rule) ||
      (saved && pzi_loading_lenient(l) && lacks_original(l, incoming))) {
    return PZ_OK;
  }
  if (saved) {
    PZ_TRY(specs_as_saved(saved, pzi_loading_widens(l), dtype, specs, &n));
  } else {
    const uint32_t wanted = dtype == 0 && pzi_loading_widens(l) ? widest(l, incoming) : dtype;
    PZ_TRY(originals_by_name(l, incoming, wanted, specs, &n));
    if (n == 0) {
      return pzi_loading_lenient(l) ? PZ_OK : pzi_fail(PZ_MISMATCH, "the file has no original");
    }
  }
  const pzi_saved_chain* const described = incoming->source->saved;
  chain_text t = {0};
  pz_chain* chain = NULL;
  pz_status status = saved ? text_as_saved(l, incoming, &t) : PZ_OK;
  if (status == PZ_OK) {
    status = make_chain(l, saved ? t.text.data : incoming->rule, &t, specs, n,
                        described ? &described->value : value, &chain);
  }
  chain_text_cleanup(&t);
  if (status == PZ_OK && saved) {
    status = check_plan(chain, incoming->source, pzi_loading_widens(l));
  } else if (status == PZ_OK && described) {
    status = check_shape(chain, &described->value);
  }
  if (status != PZ_OK) {
    pz_chain_free(chain);
    return status;
  }
  incoming->chain = chain;
  return PZ_OK;
}

pz_status
pzi_load_plan(pzi_loading* const l, pzi_load_chain* const incoming, const uint32_t dtype,
              const pz_spec* const value)
{
  if (incoming->planned) {
    return PZ_OK;
  }
  if (incoming->planning) {
    return pzi_fail(PZ_IO, "\"%.200s\": its chain depends on itself", incoming->source->path);
  }
  incoming->planning = true;
  const pz_status status = plan(l, incoming, dtype, value);
  incoming->planning = false;
  incoming->planned = status == PZ_OK;
  return pzi_fail_prefix(status, "\"%.150s\"", incoming->source->path);
}
