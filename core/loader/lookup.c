/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Finds tables by id, for the rest of core, and describes them to hosts. */

#include "lookup.h"

#include "context_impl.h"
#include "kept_text.h"
#include "nearest_name.h"
#include "registry.h"
#include "sized_struct.h"
#include "status.h"
#include "text.h"
#include "words.h"

#include <parametrize/context.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- by id ------------------------------------------------------------------ */

/* Appends the folders that exist, or, where none does, all that are not refused; and why others that
   the host or the environment named were not searched. */
static void
add_folders(const pz_context* const context, pzi_text* const text)
{
  bool any = false;
  for (size_t i = 0; i < context->n_folders; ++i) {
    any = any || context->folders[i].exists;
  }
  const char* separator = "; looked in ";
  for (size_t i = 0; i < context->n_folders; ++i) {
    const pzi_folder* const f = &context->folders[i];
    if (*f->refusal == '\0' && (f->exists || !any) && !pzi_folders_is_repeated(context, i)) {
      pzi_text_add(text, separator);
      pzi_text_add(text, f->path);
      separator = ", ";
    }
  }
  for (size_t i = 0; i < context->n_folders; ++i) {
    const pzi_folder* const f = &context->folders[i];
    if (f->self && !f->exists && (f->given || *f->refusal != '\0')) {
      pzi_text_add(text, "; \"");
      pzi_text_add(text, f->path);
      pzi_text_add(text, "\" (");
      pzi_text_add(text, f->origin);
      pzi_text_add(text, "): ");
      pzi_text_add(text, f->self->reason);
    }
  }
}

/* PZ_NOT_FOUND, naming the nearest id, refused files named after the id, and the folders
   searched. The mutex is held on entry and exit, and released meanwhile. */
static pz_status
not_found(pz_context* const context, const uint32_t kind, const char* const id)
{
  PZ_TRY(pzi_registry_complete(context));
  const bool backend = kind == PZ_ITEM_BACKEND;
  const pzi_table_list* const list = &context->tables[backend];
  const char** const ids = calloc(list->n + 1, sizeof(*ids));
  if (!ids) {
    return pzi_no_memory((list->n + 1) * sizeof(*ids));
  }
  for (size_t i = 0; i < list->n; ++i) {
    ids[i] = list->data[i]->id;
  }
  const char* const nearest = pzi_nearest_name(id, ids, list->n);
  free(ids);

  pzi_text text = {0};
  if (nearest) {
    pzi_text_add(&text, ", nearest is \"");
    pzi_text_add(&text, nearest);
    pzi_text_add(&text, "\"");
  }
  for (size_t i = 0; i < context->n_order; ++i) {
    const pzi_source* const s = context->order[i];
    if (s->state == PZI_REFUSED && strcmp(s->stem, id) == 0) {
      pzi_text_add(&text, "; ");
      pzi_text_add(&text, s->path);
      pzi_text_add(&text, " was refused: ");
      pzi_text_add(&text, s->reason);
    }
  }
  add_folders(context, &text);
  char* detail = NULL;
  PZ_TRY(pzi_text_finish(&text, &detail));
  (void)pzi_fail(PZ_NOT_FOUND, "no %s \"%s\"%s", backend ? "backend" : "parametrization", id,
                 detail);
  free(detail);
  return PZ_NOT_FOUND;
}

/* Tables live as long as the context, so the result stays valid without the mutex. */
static pz_status
find(pz_context* const context, const uint32_t kind, const char* const id,
     const pzi_table** const out)
{
  pzi_message before;
  pzi_message_save(&before);
  pthread_mutex_lock(&context->mutex);
  pz_status status = pzi_registry_find(context, kind, id, out);
  if (status == PZ_OK && !*out) {
    status = not_found(context, kind, id);
  } else if (status == PZ_OK) {
    pzi_message_restore(&before); /* drops the message of a refused file */
  }
  pthread_mutex_unlock(&context->mutex);
  return status;
}

/* Opens all files. The mutex is held on entry and exit, and released meanwhile. */
static pz_status
complete(pz_context* const context)
{
  pzi_message before;
  pzi_message_save(&before);
  const pz_status status = pzi_registry_complete(context);
  if (status == PZ_OK) {
    pzi_message_restore(&before);
  }
  return status;
}

pz_status
pzi_lookup_parametrization(pz_context* const context, const char* const id,
                           const pzi_parametrization** const out)
{
  const pzi_table* table = NULL;
  const pzi_parametrization* const word = pzi_words_find(id);
  if (word) {
    *out = word;
    return PZ_OK;
  }
  PZ_TRY(find(context, PZ_ITEM_PARAMETRIZATION, id, &table));
  *out = &table->parametrization;
  return PZ_OK;
}

pz_status
pzi_lookup_backend(pz_context* const context, const char* const id, const pzi_backend** const out)
{
  const pzi_table* table = NULL;
  PZ_TRY(find(context, PZ_ITEM_BACKEND, id, &table));
  *out = &table->backend;
  return PZ_OK;
}

/* Table `index` of all, NULL past the last. */
static pz_status
table_at(pz_context* const context, const uint32_t kind, const uint32_t index,
         const pzi_table** const out)
{
  pthread_mutex_lock(&context->mutex);
  const pz_status status = complete(context);
  const pzi_table_list* const list = &context->tables[kind == PZ_ITEM_BACKEND];
  *out = status == PZ_OK && index < list->n ? list->data[index] : NULL;
  pthread_mutex_unlock(&context->mutex);
  return status;
}

pz_status
pzi_lookup_backend_at(pz_context* const context, const uint32_t index,
                      const pzi_backend** const out)
{
  const pzi_table* table = NULL;
  *out = NULL;
  PZ_TRY(table_at(context, PZ_ITEM_BACKEND, index, &table));
  *out = table ? &table->backend : NULL;
  return PZ_OK;
}

/* ---- for hosts -------------------------------------------------------------- */

static pz_status
check_ends(const pz_context* const context, const void* const out)
{
  return context ? pzi_struct_check(out, "output") : pzi_fail(PZ_INVALID, "found no context");
}

pz_status
pz_context_plugin(pz_context* const context, const uint32_t index, pz_plugin_report* const out)
{
  pz_plugin_report report = {0};
  PZ_TRY(check_ends(context, out));
  pthread_mutex_lock(&context->mutex);
  pz_status status = complete(context);
  if (status == PZ_OK && index >= context->n_reports) {
    status = pzi_fail(PZ_NOT_FOUND, "report %" PRIu32 " of %zu", index, context->n_reports);
  }
  if (status == PZ_OK) {
    report = context->reports[index];
  }
  pthread_mutex_unlock(&context->mutex);
  PZ_TRY(status);
  pzi_struct_write(out, &report, sizeof(report));
  return PZ_OK;
}

static pz_status
hand_out_parametrization(const pzi_parametrization* const parametrization,
                         pz_parametrization_info* const out)
{
  const pz_parametrization* const t = &parametrization->table;
  const pz_parametrization_info info = {
      .flags = (t->right_inverse ? PZ_HAS_RIGHT_INVERSE : 0U) | (t->vjp ? PZ_HAS_VJP : 0U) |
               (t->residual ? PZ_HAS_RESIDUAL : 0U) | (t->sample ? PZ_HAS_SAMPLE : 0U) |
               (t->update ? PZ_HAS_UPDATE : 0U) | (t->log_abs_det ? PZ_HAS_LOG_ABS_DET : 0U) |
               (t->jvp ? PZ_HAS_JVP : 0U),
      .id = t->id,
      .summary = t->summary,
      .formula = t->formula,
      .version = parametrization->version,
      .path = parametrization->path,
      .n_options = t->n_options,
      .tags = t->tags,
  };
  pzi_struct_write(out, &info, sizeof(info));
  return PZ_OK;
}

pz_status
pz_context_parametrization(pz_context* const context, const uint32_t index,
                           pz_parametrization_info* const out)
{
  const pzi_table* table = NULL;
  PZ_TRY(check_ends(context, out));
  PZ_TRY(table_at(context, PZ_ITEM_PARAMETRIZATION, index, &table));
  return table ? hand_out_parametrization(&table->parametrization, out)
               : pzi_fail(PZ_NOT_FOUND, "no parametrization %" PRIu32, index);
}

pz_status
pz_context_find(pz_context* const context, const char* const id, pz_parametrization_info* const out)
{
  const pzi_parametrization* parametrization = NULL;
  PZ_TRY(check_ends(context, out));
  PZ_TRY(pzi_lookup_parametrization(context, id ? id : "", &parametrization));
  return hand_out_parametrization(parametrization, out);
}

/* Bounds of a number as text: "", ">= a", "<= b" or "a .. b". */
static void
add_bounds(pzi_text* const text, const char* const least, const char* const most)
{
  pzi_text_add(text, least && !most ? ">= " : "");
  pzi_text_add(text, least ? least : "");
  pzi_text_add(text, least && most ? " .. " : most ? "<= " : "");
  pzi_text_add(text, most ? most : "");
}

static void
describe_option(const pz_option* const o, pzi_text* const fallback, pzi_text* const range)
{
  char value[PZI_TEXT_REAL];
  char bound[2][PZI_TEXT_REAL];
  switch (o->type) {
  case PZ_REAL:
  case PZ_INTEGER:
    pzi_text_add(fallback, pzi_text_from_real(o->fallback, value));
    add_bounds(range, o->least > -HUGE_VAL ? pzi_text_from_real(o->least, bound[0]) : NULL,
               o->most < HUGE_VAL ? pzi_text_from_real(o->most, bound[1]) : NULL);
    return;
  case PZ_FLAG:
    pzi_text_add(fallback, o->fallback != 0.0 ? "1" : "0");
    pzi_text_add(range, "0|1");
    return;
  case PZ_CHOICE:
    pzi_text_add(fallback, o->choices[(size_t)o->fallback]);
    for (uint32_t i = 0; i < o->n_choices; ++i) {
      pzi_text_add(range, i > 0 ? "|" : "");
      pzi_text_add(range, o->choices[i]);
    }
    return;
  default: /* PZ_TENSOR has neither */
    return;
  }
}

pz_status
pz_context_option(pz_context* const context, const char* const id, const uint32_t index,
                  pz_option_info* const out)
{
  const pzi_parametrization* parametrization = NULL;
  PZ_TRY(check_ends(context, out));
  PZ_TRY(pzi_lookup_parametrization(context, id ? id : "", &parametrization));
  if (index >= parametrization->table.n_options) {
    return pzi_fail(PZ_NOT_FOUND, "no option %" PRIu32 " of \"%s\"", index, id);
  }
  const pz_option* const o = &parametrization->table.options[index];
  pz_option_info info = {.type = o->type, .name = o->name, .doc = o->doc};
  pzi_text fallback = {0};
  pzi_text range = {0};
  describe_option(o, &fallback, &range);
  const pz_status status = pzi_kept_text_finish(context, &fallback, &info.fallback);
  if (status != PZ_OK) {
    free(range.data);
    return status;
  }
  PZ_TRY(pzi_kept_text_finish(context, &range, &info.range));
  pzi_struct_write(out, &info, sizeof(info));
  return PZ_OK;
}
