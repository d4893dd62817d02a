/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "bake.h"

#include "print.h"
#include "table.h"
#include "texts.h"

#include <inttypes.h>
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

/* Prints `before`, then a member "name": "text". */
static void
print_member(const char* const before, const char* const name, const char* const text)
{
  printf("%s\"%s\": ", before, name);
  print_quoted(text);
}

static void
print_folded(const bake_plan* const p)
{
  bool first = true;
  printf(", \"folded\": [");
  for (size_t k = 0; k < p->n; ++k) {
    const model_chain* const chain = p->sources[k].chain;
    const pz_writer_tensor* const tensor = &p->tensors[k];
    if (chain == NULL) {
      continue;
    }
    print_member(first ? "\n  {" : ",\n  {", "name", chain->path);
    print_member(", ", "chain", model_text(chain));
    print_member(", ", "from", origin_of(chain));
    if (chain->rule == NULL && chain->text == NULL) {
      print_member(", ", "why", chain->found->why);
    }
    print_member(", ", "dtype", tensor->dtype);
    printf(", \"shape\": [");
    for (int32_t i = 0; i < tensor->spec.ndim; ++i) {
      printf("%s%" PRId64, i > 0 ? ", " : "", tensor->spec.shape[i]);
    }
    printf("]}");
    first = false;
  }
  printf("]");
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
print_left(void* const user, const char* const path, const char* const why)
{
  bool* const first = user;
  print_member(*first ? "\n  {" : ",\n  {", "name", path);
  print_member(", ", "why", why);
  printf("}");
  *first = false;
}

static void
report_json(const bake_plan* const p)
{
  bool first = true;
  print_member("{", "file", p->model.path);
  print_member(", ", "output", p->a->dry_run ? "" : p->a->outputs[0]);
  print_folded(p);
  printf(", \"left\": [");
  each_left(p, print_left, &first);
  printf("], \"tied\": {");
  for (size_t k = p->n_metadata - p->n_ties; k < p->n_metadata; ++k) {
    printf(k + p->n_ties == p->n_metadata ? "" : ", ");
    print_quoted(p->metadata[k].key);
    printf(": ");
    print_quoted(p->metadata[k].text);
  }
  printf("}, \"parametrized\": %zu, \"copied\": %zu, \"bytes\": %" PRIu64 "}\n", p->n_parametrized,
         count_copied(p), p->bytes);
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
