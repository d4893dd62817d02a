/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A descriptor may come from another compiler or another version of the headers. The handshake
   compares sizes and layouts of both sides. Then each table is copied into one of full size:
   the bytes that the plugin supplies (its size field counts them), zero beyond. A table must
   have every entry that has no default. */

#include "descriptor.h"

#include "checked_read.h"
#include "legacy_word.h"
#include "status.h"
#include "text.h"
#include "words.h"

#include <parametrize/context.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_OF(type, member) (offsetof(type, member) + sizeof(((type*)0)->member))

enum {
  LEAST_HANDSHAKE = END_OF(pz_plugin, abi),
  LEAST_DESCRIPTOR = END_OF(pz_plugin, n_items),
  LEAST_ITEM = END_OF(pz_item, table),
  LEAST_PARAMETRIZATION = END_OF(pz_parametrization, forward),
  LEAST_BACKEND = END_OF(pz_backend, sync),
  MOST_ITEMS = 1024,
  MOST_ID = 63,
  MOST_LINE = 1023,
  MOST_FORMULA = 16383,
};

/* Copies a table that begins with its size into `out`, zero beyond what it supplies. */
static pz_status
copy_table(const void* const from, const char* const what, const size_t least, void* const out,
           const size_t full)
{
  uint32_t size = 0;
  if (!from) {
    return pzi_fail(PZ_PLUGIN, "%s is NULL", what);
  }
  if ((uintptr_t)from % sizeof(void*) != 0 || !pzi_checked_read(from, sizeof(size), &size)) {
    return pzi_fail(PZ_PLUGIN, "%s lies outside readable memory", what);
  }
  if (size < least || size > PZI_LARGEST_TABLE || size % sizeof(void*) != 0) {
    return pzi_fail(PZ_PLUGIN, "%s of %" PRIu32 " byte%s, expected at least %zu", what, size,
                    PZI_S(size), least);
  }
  memset(out, 0, full);
  return pzi_checked_read(from, size < full ? size : full, out)
             ? PZ_OK
             : pzi_fail(PZ_PLUGIN, "%s lies outside readable memory", what);
}

/* ---- tables ----------------------------------------------------------------- */

static pz_status
copy_legacy_names(pzi_alloc_list* const allocs, pz_parametrization* const t)
{
  PZ_TRY(
      pzi_checked_read_line(allocs, t->legacy_names, MOST_LINE, "older names", &t->legacy_names));
  pzi_legacy_word word = {.rest = t->legacy_names};
  uint32_t n = 0;
  while (pzi_legacy_word_next(&word)) {
    ++n;
  }
  return n > 0 && *word.rest == '\0'
             ? PZ_OK
             : pzi_fail(PZ_PLUGIN,
                        "older names \"%s\", expected words TENSOR=ENDING, an original first",
                        t->legacy_names);
}

static pz_status
add_parametrization(pzi_descriptor* const descriptor, const pz_item* const item)
{
  pz_parametrization t;
  PZ_TRY(
      copy_table(item->table, "table of a parametrization", LEAST_PARAMETRIZATION, &t, sizeof(t)));
  t.size = sizeof(t);
  PZ_TRY(pzi_checked_read_id(&descriptor->allocs, t.id, MOST_ID, "id", &t.id));
  for (uint32_t i = 0; i < descriptor->n_parametrizations; ++i) {
    if (strcmp(descriptor->parametrizations[i].id, t.id) == 0) {
      return pzi_fail(PZ_PLUGIN, "\"%s\" twice in one file", t.id);
    }
  }
  if (pzi_words_find(t.id)) {
    return pzi_fail(PZ_PLUGIN, "\"%s\" is a word of chains, expected another id", t.id);
  }
  pz_status status =
      pzi_checked_read_line(&descriptor->allocs, t.summary, MOST_LINE, "summary", &t.summary);
  if (status == PZ_OK && t.formula) {
    status =
        pzi_checked_read_text(&descriptor->allocs, t.formula, MOST_FORMULA, "formula", &t.formula);
  }
  if (status == PZ_OK && t.tags) {
    status = pzi_checked_read_line(&descriptor->allocs, t.tags, MOST_LINE, "tags", &t.tags);
  }
  if (status == PZ_OK && !t.forward) {
    status = pzi_fail(PZ_PLUGIN, "forward is NULL");
  }
  if (status == PZ_OK) {
    status = pzi_descriptor_options_copy(&descriptor->allocs, &t);
  }
  if (status == PZ_OK && t.legacy_names) {
    status = copy_legacy_names(&descriptor->allocs, &t);
  }
  if (status != PZ_OK) {
    return pzi_fail_prefix(status, "\"%s\"", t.id);
  }
  t.formula = t.formula ? t.formula : "";
  t.tags = t.tags ? t.tags : "";
  descriptor->parametrizations[descriptor->n_parametrizations++] = t;
  return PZ_OK;
}

static const char*
missing_entry(const pz_backend* const t)
{
  return !t->probe   ? "probe"
         : !t->open  ? "open"
         : !t->close ? "close"
         : !t->alloc ? "alloc"
         : !t->free  ? "free"
         : !t->copy  ? "copy"
         : !t->fill  ? "fill"
         : !t->sync  ? "sync"
                     : NULL;
}

static pz_status
add_backend(pzi_descriptor* const descriptor, const pz_item* const item)
{
  pz_backend t;
  PZ_TRY(copy_table(item->table, "table of a backend", LEAST_BACKEND, &t, sizeof(t)));
  t.size = sizeof(t);
  PZ_TRY(pzi_checked_read_id(&descriptor->allocs, t.id, MOST_ID, "id", &t.id));
  for (uint32_t i = 0; i < descriptor->n_backends; ++i) {
    if (strcmp(descriptor->backends[i].id, t.id) == 0) {
      return pzi_fail(PZ_PLUGIN, "backend \"%s\" twice in one file", t.id);
    }
  }
  pz_status status =
      pzi_checked_read_line(&descriptor->allocs, t.summary, MOST_LINE, "summary", &t.summary);
  const char* const missing = missing_entry(&t);
  if (status == PZ_OK && missing) {
    status = pzi_fail(PZ_PLUGIN, "%s is NULL", missing);
  }
  if (status != PZ_OK) {
    return pzi_fail_prefix(status, "backend \"%s\"", t.id);
  }
  descriptor->backends[descriptor->n_backends++] = t;
  return PZ_OK;
}

static pz_status
add_item(pzi_descriptor* const descriptor, const pz_item* const item)
{
  switch (item->kind) {
  case PZ_ITEM_PARAMETRIZATION:
    return add_parametrization(descriptor, item);
  case PZ_ITEM_BACKEND:
    return add_backend(descriptor, item);
  default:
    return pzi_fail(PZ_PLUGIN, "item of unknown kind %" PRIu32 ", expected 1 or 2", item->kind);
  }
}

/* ---- the descriptor --------------------------------------------------------- */

static const char*
abi_text(const pz_abi* const abi, char buffer[128])
{
  (void)snprintf(buffer, 128, "%" PRIu32 ".%" PRIu32 " (%s-endian, pointer %u, tensor %u, spec %u)",
                 abi->major, abi->minor, abi->big_endian ? "big" : "little", abi->pointer_size,
                 abi->tensor_size, abi->spec_size);
  return buffer;
}

static pz_status
shake_hands(const pz_abi* const found)
{
  const pz_abi ours = PZ_ABI_INITIALIZER;
  if (found->major != ours.major || found->pointer_size != ours.pointer_size ||
      found->big_endian != ours.big_endian || found->tensor_size != ours.tensor_size ||
      found->spec_size != ours.spec_size) {
    char theirs_text[128];
    char ours_text[128];
    return pzi_fail(PZ_PLUGIN, "made for parametrize %s, expected %s", abi_text(found, theirs_text),
                    abi_text(&ours, ours_text));
  }
  if (found->minor > PZ_VERSION_MINOR) {
    return pzi_fail(PZ_PLUGIN, "needs parametrize %" PRIu32 ".%" PRIu32 " or newer, this is %d.%d",
                    found->major, found->minor, PZ_VERSION_MAJOR, PZ_VERSION_MINOR);
  }
  return PZ_OK;
}

/* Does the handshake and copies the descriptor itself, without its tables. */
static pz_status
read_descriptor(const pz_plugin* const from, const size_t bytes, pz_plugin* const out)
{
  memset(out, 0, sizeof(*out));
  if (bytes != 0 && bytes < LEAST_HANDSHAKE) {
    return pzi_fail(PZ_PLUGIN, "descriptor symbol of %zu byte%s, expected at least %d", bytes,
                    PZI_S(bytes), LEAST_DESCRIPTOR);
  }
  if ((uintptr_t)from % sizeof(void*) != 0 || !pzi_checked_read(from, LEAST_HANDSHAKE, out)) {
    return pzi_fail(PZ_PLUGIN, "descriptor lies outside readable memory");
  }
  if (out->size >= LEAST_HANDSHAKE) {
    PZ_TRY(shake_hands(&out->abi));
  }
  if (out->size < LEAST_DESCRIPTOR || out->size > PZI_LARGEST_TABLE) {
    return pzi_fail(PZ_PLUGIN, "descriptor of %" PRIu32 " byte%s, expected at least %d", out->size,
                    PZI_S(out->size), LEAST_DESCRIPTOR);
  }
  if (bytes != 0 && bytes < out->size) {
    return pzi_fail(PZ_PLUGIN, "descriptor of %" PRIu32 " bytes in a symbol of %zu", out->size,
                    bytes);
  }
  if (!pzi_checked_read(from, out->size < sizeof(*out) ? out->size : sizeof(*out), out)) {
    return pzi_fail(PZ_PLUGIN, "descriptor lies outside readable memory");
  }
  if (out->item_size < LEAST_ITEM || out->item_size > PZI_LARGEST_TABLE ||
      out->item_size % sizeof(void*) != 0) {
    return pzi_fail(PZ_PLUGIN, "items of %" PRIu32 " byte%s, expected %d to %d, whole pointers",
                    out->item_size, PZI_S(out->item_size), LEAST_ITEM, (int)PZI_LARGEST_TABLE);
  }
  if (out->n_items == 0 || out->n_items > MOST_ITEMS) {
    return pzi_fail(PZ_PLUGIN, "%" PRIu32 " items, expected 1 to %d", out->n_items, MOST_ITEMS);
  }
  if (!out->items) {
    return pzi_fail(PZ_PLUGIN, "%" PRIu32 " item%s at NULL", out->n_items, PZI_S(out->n_items));
  }
  return PZ_OK;
}

static pz_status
read_items(pzi_descriptor* const descriptor, const pz_plugin* const d, pzi_text* const remark)
{
  for (uint32_t i = 0; i < d->n_items; ++i) {
    pz_item item = {0};
    const uintptr_t at = (uintptr_t)d->items + (uintptr_t)i * d->item_size;
    pz_status status = PZ_OK;
    if (at % sizeof(void*) != 0 || !pzi_checked_read((const void*)at, LEAST_ITEM, &item)) {
      return pzi_fail(PZ_PLUGIN, "item %" PRIu32 " of %" PRIu32 " lies outside readable memory", i,
                      d->n_items);
    }
    status = add_item(descriptor, &item);
    if (status == PZ_NO_MEMORY) {
      return status;
    }
    if (status != PZ_OK) {
      pzi_text_add(remark, remark->length > 0 ? "; " : "");
      pzi_text_add(remark, pz_error_message());
    }
  }
  return PZ_OK;
}

static pz_status
fill_descriptor(pzi_descriptor* const descriptor, const pz_plugin* const plugin, const size_t bytes,
                pzi_text* const remark)
{
  pzi_alloc_list* const allocs = &descriptor->allocs;
  pz_plugin d;
  PZ_TRY(read_descriptor(plugin, bytes, &d));
  PZ_TRY(pzi_checked_read_line(allocs, d.name, MOST_ID, "name of the plugin", &descriptor->name));
  PZ_TRY(pzi_checked_read_line(allocs, d.version, MOST_ID, "version of the plugin",
                               &descriptor->version));

  descriptor->parametrizations =
      pzi_alloc_list_take(allocs, d.n_items * sizeof(*descriptor->parametrizations));
  descriptor->backends = pzi_alloc_list_take(allocs, d.n_items * sizeof(*descriptor->backends));
  if (!descriptor->parametrizations || !descriptor->backends) {
    return pzi_no_memory(d.n_items *
                         (sizeof(*descriptor->parametrizations) + sizeof(*descriptor->backends)));
  }
  PZ_TRY(read_items(descriptor, &d, remark));
  if (descriptor->n_parametrizations + descriptor->n_backends == 0) {
    return remark->failed ? pzi_no_memory(remark->capacity)
                          : pzi_fail(PZ_PLUGIN, "%s", remark->data);
  }
  descriptor->remark =
      remark->length == 0 ? "" : pzi_alloc_list_text(allocs, remark->data, remark->length);
  return remark->failed || !descriptor->remark ? pzi_no_memory(remark->length + 1) : PZ_OK;
}

pz_status
pzi_descriptor_new(const pz_plugin* const plugin, const size_t bytes, pzi_descriptor** const out)
{
  pzi_descriptor* const descriptor = calloc(1, sizeof(*descriptor));
  if (!descriptor) {
    return pzi_no_memory(sizeof(*descriptor));
  }
  pzi_text remark = {0};
  const pz_status status = fill_descriptor(descriptor, plugin, bytes, &remark);
  free(remark.data);
  if (status != PZ_OK) {
    pzi_descriptor_free(descriptor);
    return status;
  }
  *out = descriptor;
  return PZ_OK;
}

void
pzi_descriptor_free(pzi_descriptor* const descriptor)
{
  if (descriptor) {
    pzi_alloc_list_cleanup(&descriptor->allocs);
    free(descriptor);
  }
}

/* ---- tables of a kind -------------------------------------------------------- */

const uint32_t pzi_descriptor_kinds[2] = {PZ_ITEM_PARAMETRIZATION, PZ_ITEM_BACKEND};

uint32_t
pzi_descriptor_count(const pzi_descriptor* const descriptor, const uint32_t kind)
{
  return kind == PZ_ITEM_BACKEND ? descriptor->n_backends : descriptor->n_parametrizations;
}

const char*
pzi_descriptor_id(const pzi_descriptor* const descriptor, const uint32_t kind, const uint32_t index)
{
  return kind == PZ_ITEM_BACKEND ? descriptor->backends[index].id
                                 : descriptor->parametrizations[index].id;
}

uint32_t
pzi_descriptor_index(const pzi_descriptor* const descriptor, const uint32_t kind,
                     const char* const id)
{
  const uint32_t n = pzi_descriptor_count(descriptor, kind);
  uint32_t i = 0;
  while (i < n && strcmp(pzi_descriptor_id(descriptor, kind, i), id) != 0) {
    ++i;
  }
  return i;
}
