/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Names alone tell which chain owns a tensor: "A.parametrizations.T.REST" belongs to the chain on
   "A.T", where "parametrizations" is the first such segment. The library parses the rest. */

#include "model.h"

#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT "parametrizations."
enum { SEGMENT_BYTES = sizeof(SEGMENT) - 1 };

/* The first segment "parametrizations" of a name, or NULL. */
static const char*
find_segment(const char* const name)
{
  return model_file_segment(name, SEGMENT);
}

/* ---- chains ------------------------------------------------------------------ */

static int
by_path(const void* const a, const void* const b)
{
  return strcmp(((const model_chain*)a)->path, ((const model_chain*)b)->path);
}

static bool
read_chains(model* const m)
{
  pz_file_chain_info chain = {.size = sizeof(chain)};
  size_t room = 0;
  pz_status status;
  while ((status = pz_file_chain(m->file, m->n_chains, &chain)) == PZ_OK) {
    if (m->n_chains == room) {
      room = room ? 2 * room : 16;
      void* const grown = realloc(m->chains, room * sizeof(*m->chains));
      if (grown == NULL) {
        say_no_memory(m->path);
        return false;
      }
      m->chains = grown;
    }
    m->chains[m->n_chains++] = (model_chain){
        .path = chain.path,
        .text = chain.text,
        .plugins = chain.plugins,
        .found = findings_on(&m->findings, chain.path),
        .nested = find_segment(chain.path) != NULL,
    };
  }
  if (status != PZ_NOT_FOUND) {
    say_library(m->path, status);
    return false;
  }
  if (m->n_chains > 0) {
    qsort(m->chains, m->n_chains, sizeof(*m->chains), by_path);
  }
  return true;
}

const char*
model_text(const model_chain* const chain)
{
  return chain->rule    ? chain->rule->text
         : chain->text  ? chain->text
         : chain->found ? chain->found->text
                        : NULL;
}

model_chain*
model_find(const model* const m, const char* const path)
{
  const model_chain key = {.path = path};
  return m->n_chains > 0 ? bsearch(&key, m->chains, m->n_chains, sizeof(key), by_path) : NULL;
}

model_chain*
model_owner(const model* const m, const char* const name)
{
  const char* const segment = find_segment(name);
  if (segment == NULL) {
    return NULL;
  }
  const char* const tensor = segment + SEGMENT_BYTES;
  const size_t before = (size_t)(segment - name);
  const size_t length = strcspn(tensor, ".");
  size_t low = 0;
  size_t high = m->n_chains;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const char* const path = m->chains[middle].path;
    int order = strncmp(name, path, before);
    order = order ? order : strncmp(tensor, path + before, length);
    if (order == 0 && path[before + length] == '\0') {
      return tensor[length] == '.' ? &m->chains[middle] : NULL;
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
model_is_inner(const char* const name)
{
  return find_segment(name) != NULL;
}

const char*
model_inner_name(const model_chain* const chain, const char* const name)
{
  const char* const dot = strrchr(chain->path, '.');
  return find_segment(name) + SEGMENT_BYTES + strlen(dot ? dot + 1 : chain->path) + 1;
}

bool
model_is_original(const model_chain* const chain, const char* const name)
{
  const char* rest = model_inner_name(chain, name);
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

/* Reads the rules of the command line; one copy holds pattern and text. */
static bool
read_rules(const arguments* const a, model* const m)
{
  m->rules = calloc(a->n_rules + 1, sizeof(*m->rules));
  m->inner = calloc(a->n_rules + 1, sizeof(*m->inner));
  m->n_inner = 1;
  for (size_t k = 0; m->rules != NULL && m->inner != NULL && k < a->n_rules; ++k) {
    char* const copy = strdup(a->rules[k]);
    if (copy == NULL) {
      say_no_memory(NULL);
      return false;
    }
    copy[rule_sign(copy) - copy] = '\0';
    m->rules[m->n_rules] = (pz_chain_rule){.pattern = copy, .text = copy + strlen(copy) + 1};
    if (strstr(copy, "parametrizations") != NULL) {
      m->inner[m->n_inner++] = m->rules[m->n_rules];
    }
    ++m->n_rules;
  }
  return (m->rules != NULL && m->inner != NULL) || (say_no_memory(NULL), false);
}

static bool
matches(const pz_chain_rule* const rule, const model_chain* const chain)
{
  return (!chain->nested || strstr(rule->pattern, "parametrizations") != NULL) &&
         rule_matches(rule->pattern, chain->path);
}

/* Assigns to every chain the first rule that matches; a rule that no chain gets is an error. */
static bool
apply_rules(model* const m)
{
  for (size_t r = 0; r < m->n_rules; ++r) {
    const pz_chain_rule* const rule = &m->rules[r];
    size_t taken = 0;
    size_t left = 0;
    for (size_t k = 0; k < m->n_chains; ++k) {
      if (matches(rule, &m->chains[k])) {
        left += m->chains[k].rule == NULL;
        taken += m->chains[k].rule != NULL;
        m->chains[k].rule = m->chains[k].rule ? m->chains[k].rule : rule;
      }
    }
    if (left == 0) {
      say("--map",
          taken ? "\"%s\" matches only tensors that an earlier --map matches"
                : "\"%s\" matches no parametrized tensor",
          rule->pattern);
      return false;
    }
  }
  return true;
}

/* ---- models ------------------------------------------------------------------ */

/* Replaces older names by those of today: of chains that rules define, and of those that are
   found. */
static bool
rename_tensors(model* const m)
{
  model_file* const f = &m->input;
  if (m->n_rules > 0) {
    const pz_status status = pz_file_with_current_names(model_file_last(f), m->context, m->rules,
                                                        (uint32_t)m->n_rules, &f->open[f->n_open]);
    if (status != PZ_OK) {
      say_library(m->path, status);
      return false;
    }
    ++f->n_open;
  }
  if (!detect(model_file_last(f), &m->findings)) {
    say_no_memory(m->path);
    return false;
  }
  if (m->findings.renamed &&
      !model_file_push(f, m->path, m->findings.tensors, m->findings.n_tensors)) {
    return false;
  }
  m->file = model_file_last(f);
  return true;
}

bool
model_open(const arguments* const a, model* const out)
{
  *out = (model){.path = a->operands[0], .device = a->device, .lenient = a->lenient};
  const pz_context_settings settings = {.size = sizeof(settings), .flags = PZ_DEVICE_TENSORS};
  if (!model_file_open(&out->input, out->path, a->key, a->strip)) {
    return false;
  }
  const pz_status status = pz_context_new(&settings, &out->context);
  if (status != PZ_OK) {
    say_library(out->path, status);
    return false;
  }
  return read_rules(a, out) && rename_tensors(out) && read_chains(out) && apply_rules(out);
}

void
model_close(model* const m)
{
  for (size_t k = 0; k < m->n_rules; ++k) {
    free((void*)(uintptr_t)m->rules[k].pattern);
  }
  free(m->rules);
  free(m->inner);
  free(m->chains);
  findings_cleanup(&m->findings);
  model_file_close(&m->input);
  pz_queue_close(m->queue);
  pz_context_free(m->context);
  memset(m, 0, sizeof(*m));
}

static void
say_remark(void* const user, const pz_load_remark remark, const char* const name)
{
  const model* const m = user;
  switch (remark) {
  case PZ_LOAD_UNKNOWN:
    (void)say(m->path, "remark: unknown tensor \"%s\" is ignored", name);
    return;
  case PZ_LOAD_MISSING:
    (void)say(m->path, "remark: missing tensor \"%s\" is initialized", name);
    return;
  case PZ_LOAD_DTYPE:
    (void)say(m->path, "remark: tensor \"%s\" of unsupported dtype is ignored", name);
    return;
  }
}

bool
model_report_unknown(model* const m, const char* const name)
{
  if (m->lenient) {
    say_remark(m, PZ_LOAD_UNKNOWN, name);
  } else {
    (void)say(m->path, "tensor \"%s\" belongs to no chain", name);
  }
  return m->lenient;
}

pz_status
model_value(model* const m, const model_chain* const chain, const bool remarks,
            pz_module** const out)
{
  const bool described = chain->rule == NULL && chain->text != NULL;
  m->inner[0] = (pz_chain_rule){.pattern = chain->path, .text = model_text(chain)};
  const pz_load_settings settings = {
      .size = sizeof(settings),
      .flags = PZ_LOAD_WIDEN | (m->lenient ? PZ_LOAD_LENIENT : 0U),
      .rules = described ? m->inner + 1 : m->inner,
      .n_rules = (uint32_t)(described || m->inner[0].text == NULL ? m->n_inner - 1 : m->n_inner),
      .report = remarks ? say_remark : NULL,
      .user = m,
  };
  pz_module* module = NULL;
  if (!m->queue) {
    PZ_TRY(pz_queue_open(m->context, m->device, NULL, &m->queue));
  }
  PZ_TRY(pz_module_from_file(m->context, m->queue, m->file, chain->path, &settings, &module));
  const pz_status status = pz_module_train(module, false);
  if (status != PZ_OK) {
    pz_module_free(module);
    return status;
  }
  *out = module;
  return PZ_OK;
}
