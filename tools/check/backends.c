/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "backends.h"

#include "backend/pair.h"

#include <dlfcn.h>
#include <stdio.h>

#define RULE(name, summary) {#name, summary, name##_case},
const backend_rule backend_rules[] = {PAIR_CASES(RULE)};
#undef RULE
const size_t n_backend_rules = sizeof(backend_rules) / sizeof(backend_rules[0]);

void
backends_list(const char* const file, char* const ids, const size_t size)
{
  void* const object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  const pz_plugin* const plugin = object ? dlsym(object, PZ_PLUGIN_SYMBOL) : NULL;
  for (uint32_t k = 0; plugin && k < plugin->n_items; ++k) {
    const pz_item* const item = &plugin->items[k];
    const pz_backend* const backend = item->table;
    const size_t used = strlen(ids);
    if (item->kind == PZ_ITEM_BACKEND) {
      (void)snprintf(ids + used, size - used, "%s%s", used > 0 ? " " : "", backend->id);
    }
  }
}

/* ---- what backend/cases.h and draws.h leave to the program ---------------------------------------- */

static uint64_t seed_now = 1;

uint64_t
test_seed(void)
{
  return seed_now;
}

bool
test_thorough(void)
{
  return false;
}

TCase*
tcase_create(const char* const name)
{
  static TCase all[32];
  static size_t n;
  TCase* const t = &all[n++];
  t->name = name;
  return t;
}

void
tcase_add_loop_test(TCase* const t, const TTest* const test, const int first, const int end)
{
  t->tests[t->n].test = test;
  t->tests[t->n].first = first;
  t->tests[t->n++].end = end;
}

/* ---- and backend/pair.h: neither is asked for without what the tests link ------------------------------ */

bool
allocation_counted(void)
{
  return false;
}

void
allocation_begin(void)
{
}

uint64_t
allocation_end(void)
{
  return 0;
}

bool
oracle_eigenvalues(const int64_t n, const double* const a, double* const w)
{
  (void)n, (void)a, (void)w;
  return false;
}

bool
oracle_singular_values(const int64_t m, const int64_t n, const double* const a, double* const s)
{
  (void)m, (void)n, (void)a, (void)s;
  return false;
}

bool
oracle_spectrum(const int64_t n, const double* const a, double* const re, double* const im)
{
  (void)n, (void)a, (void)re, (void)im;
  return false;
}

/* ---- a rule ------------------------------------------------------------------------------------------ */

void
backend_keep(const char* const file, const char* const id, const uint64_t seed,
             const backend_rule* const rule)
{
  char subject[4096];
  seed_now = seed;
  (void)snprintf(subject, sizeof(subject), "%s:%s", file, id);
  const char* const reason = pair_subject(subject, NULL, 0, NULL);
  if (reason) {
    outcome_now->verdict = VERDICT_SKIPPED;
    (void)snprintf(outcome_now->text, sizeof(outcome_now->text), "%s", reason);
    return;
  }
  const TCase* const t = rule->make();
  for (unsigned k = 0; k < t->n; ++k) {
    for (int i = t->tests[k].first; i < t->tests[k].end; ++i) {
      (void)snprintf(outcome_now->at, sizeof(outcome_now->at), "%s %d", t->tests[k].test->name, i);
      t->tests[k].test->run(i);
      outcome_now->trials += 1;
    }
  }
  const bool is_of_operations = rule != &backend_rules[0]; /* memory is mandatory */
  if (is_of_operations && !pair_offered()) {
    outcome_now->verdict = VERDICT_SKIPPED;
    (void)snprintf(outcome_now->text, sizeof(outcome_now->text), "not offered");
  }
}
