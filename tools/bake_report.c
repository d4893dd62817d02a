/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "bake.h"

#include "json.h"
#include "table.h"
#include "texts.h"

#include <stdio.h>
#include <string.h>

/* Where the chain comes from. */
static const char*
origin_of(const model_chain* const chain)
{
  return chain->rule ? "--map" : chain->text ? "file" : "names";
}

static size_t
count_folded(const bake_plan* const p)
{
  return p->n_parametrized - p->n_left;
}

static size_t
count_copied(const bake_plan* const p)
{
  size_t n = 0;
  for (size_t k = 0; k < p->n; ++k) {
    n += p->sources[k].chain == NULL;
  }
  return n;
}

/* ---- JSON -------------------------------------------------------------------------- */

static void
json_folded(json* const j, const bake_plan* const p)
{
  json_open(j, "folded", '[');
  for (size_t k = 0; k < p->n; ++k) {
    const model_chain* const chain = p->sources[k].chain;
    const pz_writer_tensor* const tensor = &p->tensors[k];
    if (chain != NULL) {
      json_open(j, NULL, '{');
      json_text(j, "name", chain->path);
      json_text(j, "chain", model_text(chain));
      json_text(j, "from", origin_of(chain));
      if (chain->rule == NULL && chain->text == NULL) {
        json_text(j, "why", chain->found->why);
      }
      json_text(j, "dtype", tensor->dtype);
      json_shape(j, "shape", &tensor->spec);
      json_close(j);
    }
  }
  json_close(j);
}

/* Calls `print` for every value whose chain is not known. */
static void
each_left(const bake_plan* const p, void (*const print)(void*, const char*, const char*),
          void* const user)
{
  const model* const m = &p->model;
  for (size_t k = 0; k < m->n_chains; ++k) {
    if (p->values[k].left) {
      const finding* const found = m->chains[k].found;
      print(user, m->chains[k].path, found && found->why ? found->why : "");
    }
  }
  for (size_t k = 0; k < m->findings.n; ++k) {
    const finding* const found = &m->findings.all[k];
    if (found->text == NULL && model_find(m, found->path) == NULL) {
      print(user, found->path, found->why);
    }
  }
}

static void
json_left(void* const user, const char* const path, const char* const why)
{
  json* const j = user;
  json_open(j, NULL, '{');
  json_text(j, "name", path);
  json_text(j, "why", why);
  json_close(j);
}

static void
report_json(const bake_plan* const p)
{
  json j = {.depth = 0};
  json_open(&j, NULL, '{');
  json_text(&j, "file", p->model.path);
  json_text(&j, "output", p->a->dry_run ? "" : p->a->outputs[0]);
  json_folded(&j, p);
  json_open(&j, "left", '[');
  each_left(p, json_left, &j);
  json_close(&j);
  json_open(&j, "tied", '{');
  for (size_t k = p->n_metadata - p->n_ties; k < p->n_metadata; ++k) {
    json_text(&j, p->metadata[k].key, p->metadata[k].text);
  }
  json_close(&j);
  json_number(&j, "parametrized", (double)p->n_parametrized);
  json_number(&j, "copied", (double)count_copied(p));
  json_number(&j, "bytes", (double)p->bytes);
  json_close(&j);
}

/* ---- text -------------------------------------------------------------------------- */

static void
add_left(void* const user, const char* const path, const char* const why)
{
  table_row(user, (const char*[]){path, "left as it is", why});
}

static void
report_text(const bake_plan* const p)
{
  const model* const m = &p->model;
  table t;
  table_init(&t, 3);
  for (size_t k = 0; k < p->n; ++k) {
    const model_chain* const chain = p->sources[k].chain;
    if (chain != NULL && chain->rule == NULL && chain->text == NULL) {
      table_row(&t, (const char*[]){chain->path, chain->found->text, chain->found->why});
    }
  }
  each_left(p, add_left, &t);
  for (size_t k = p->n_metadata - p->n_ties; k < p->n_metadata; ++k) {
    table_row(&t, (const char*[]){p->metadata[k].key, "tied to", p->metadata[k].text});
  }
  (void)table_print(&t, 0);
  table_cleanup(&t);
  if (m->input.prefix != NULL && !p->a->strip) {
    printf("names have \"%s\" of a wrapped module; --strip removes it\n", m->input.prefix);
  }
  printf("%s %zu of %zu parametrized tensor%s, %zu copied\n",
         p->a->dry_run ? "would fold" : "folded", count_folded(p), p->n_parametrized,
         p->n_parametrized == 1 ? "" : "s", count_copied(p));
}

void
bake_report(const bake_plan* const p)
{
  if (p->a->json) {
    report_json(p);
  } else {
    report_text(p);
  }
}
