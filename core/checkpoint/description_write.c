/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The description is written in one walk over the modules per part: modules, paths of buffers,
   paths of frozen parameters, chains. */

#include "description_write.h"

#include "file_dtype.h"
#include "json.h"
#include "spec_text.h"
#include "state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The state of a walk: the text so far, the path of the current module ("" or ending in a dot),
   and whether the current array has an element already. */
typedef struct walk {
  pzi_text* json;
  pzi_text prefix;
  bool more;
} walk;

static void
separate(walk* const w)
{
  pzi_text_add(w->json, w->more ? "," : "");
  w->more = true;
}

/* Appends the path of a tensor: the module's path and a path inside the module. */
static void
add_path(walk* const w, const char* const path)
{
  const size_t length = w->prefix.length;
  pzi_text_add(&w->prefix, path);
  if (w->prefix.failed) {
    w->json->failed = true;
    return;
  }
  pzi_json_add_text(w->json, w->prefix.data);
  w->prefix.length = length;
  w->prefix.data[length] = '\0';
}

/* Calls `each` for a module and its descendants. */
static void
walk_modules(walk* const w, const pz_module* const module,
             void (*const each)(walk* w, const pz_module* module))
{
  each(w, module);
  for (uint32_t k = 0; k < module->n_children; ++k) {
    const size_t length = w->prefix.length;
    pzi_text_add(&w->prefix, module->children[k]->name);
    pzi_text_add(&w->prefix, ".");
    if (w->prefix.failed) {
      w->json->failed = true;
      return;
    }
    walk_modules(w, module->children[k], each);
    w->prefix.length = length;
    w->prefix.data[length] = '\0';
  }
}

/* ---- chains ----------------------------------------------------------------- */

const pz_tensor*
pzi_description_tensor_option(const pzi_instance* const instance, const uint32_t k)
{
  return instance->options[k].type == PZ_TENSOR ? instance->options[k].as.tensor : NULL;
}

static void
add_member(pzi_text* const json, const char* const name, const char* const text)
{
  pzi_json_add_text(json, name);
  pzi_text_add(json, ":");
  pzi_json_add_text(json, text);
}

static void
add_spec(pzi_text* const json, const pz_spec* const spec)
{
  add_member(json, "dtype", pzi_file_dtype_name(spec->dtype));
  pzi_text_add(json, ",\"shape\":");
  pzi_json_add_extents(json, (size_t)spec->ndim, spec->shape);
}

static void
add_stage(pzi_text* const json, const pzi_instance* const instance, const uint64_t draw)
{
  char digits[24];
  snprintf(digits, sizeof(digits), "%016" PRIx64, draw);
  pzi_text_add(json, "{");
  add_member(json, "map", instance->text);
  pzi_text_add(json, ",");
  add_member(json, "id", instance->parametrization->table.id);
  pzi_text_add(json, ",");
  add_member(json, "version", instance->parametrization->version);
  pzi_text_add(json, ",");
  add_member(json, "draw", digits);
  pzi_text_add(json, ",\"options\":[");
  bool more = false;
  for (uint32_t k = 0; k < instance->parametrization->table.n_options; ++k) {
    if (pzi_description_tensor_option(instance, k)) {
      pzi_text_add(json, more ? "," : "");
      pzi_json_add_text(json, instance->parametrization->table.options[k].name);
      more = true;
    }
  }
  pzi_text_add(json, "]}");
}

static void
add_tensor(pzi_text* const json, const pzi_chain_tensor* const tensor)
{
  static const char* const roles[] = {"", "original", "parameter", "buffer"};
  pzi_text_add(json, "{");
  add_member(json, "name", tensor->name);
  pzi_text_add(json, ",");
  add_member(json, "role", roles[tensor->role]);
  pzi_text_add(json, ",");
  add_spec(json, &tensor->spec);
  pzi_text_add(json, "}");
}

static void
add_chain(pzi_text* const json, const pz_state* const state)
{
  const pz_chain* const chain = state->chain;
  pzi_text_add(json, "{");
  add_member(json, "direction", chain->direction == PZ_FROM_TENSOR ? "tensor" : "input");
  for (uint32_t k = 0; k < chain->n_stages; ++k) {
    pzi_text_add(json, k > 0 ? "," : ",\"maps\":[");
    add_stage(json, chain->stages[k].instance, state->draws[k]);
  }
  for (uint32_t k = 0; k < chain->n_tensors; ++k) {
    pzi_text_add(json, k > 0 ? "," : "],\"tensors\":[");
    add_tensor(json, &chain->tensors[k]);
  }
  pzi_text_add(json, "],\"value\":{");
  add_spec(json, pz_chain_value(chain));
  pzi_text_add(json, ",");
  add_member(json, "structure", pzi_spec_text_structure(pz_chain_value(chain)->structure));
  pzi_text_add(json, "}}");
}

/* Appends the chain of a slot and the chains of its tensors. */
static void
add_chains(walk* const w, const pz_slot* const slot)
{
  separate(w);
  add_path(w, slot->path);
  pzi_text_add(w->json, ":");
  add_chain(w->json, slot->parametrized->engine.state);
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    if (slot->parametrized->tensors[k]->parametrized) {
      add_chains(w, slot->parametrized->tensors[k]);
    }
  }
}

static void
chains_of(walk* const w, const pz_module* const module)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (module->slots[k]->parametrized) {
      add_chains(w, module->slots[k]);
    }
  }
}

/* ---- modules ---------------------------------------------------------------- */

static void
module_of(walk* const w, const pz_module* const module)
{
  separate(w);
  pzi_text_add(w->json, "{\"path\":");
  /* the prefix without its dot */
  const size_t length = w->prefix.length;
  if (length > 0) {
    w->prefix.data[length - 1] = '\0';
  }
  pzi_json_add_text(w->json, length > 0 ? w->prefix.data : "");
  if (length > 0) {
    w->prefix.data[length - 1] = '.';
  }
  pzi_text_add(w->json, ",");
  add_member(w->json, "type", module->type);
  pzi_text_add(w->json, ",\"tensors\":[");
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    pzi_text_add(w->json, k > 0 ? "," : "");
    pzi_json_add_text(w->json, module->slots[k]->name);
  }
  pzi_text_add(w->json, "]}");
}

static void
buffers_of(walk* const w, const pz_module* const module)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (module->slots[k]->kind == PZ_BUFFER) {
      separate(w);
      add_path(w, module->slots[k]->name);
    }
  }
}

/* Appends stored parameters that do not require gradients. */
static void
add_frozen(walk* const w, const pz_slot* const slot)
{
  for (uint32_t k = 0; slot->parametrized && k < slot->parametrized->n_tensors; ++k) {
    add_frozen(w, slot->parametrized->tensors[k]);
  }
  if (!slot->parametrized && slot->kind == PZ_PARAMETER && !slot->requires_grad) {
    separate(w);
    add_path(w, slot->path);
  }
}

static void
frozen_of(walk* const w, const pz_module* const module)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    add_frozen(w, module->slots[k]);
  }
}

void
pzi_description_write_module(pzi_text* const json, const pz_module* const module)
{
  static const struct {
    const char* before;
    void (*each)(walk* w, const pz_module* module);
  } parts[] = {
      {"{\"format\":1,\"modules\":[", module_of},
      {"],\"buffers\":[", buffers_of},
      {"],\"frozen\":[", frozen_of},
      {"],\"lists\":{", chains_of},
  };
  walk w = {.json = json};
  for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); ++k) {
    w.more = false;
    pzi_text_add(json, parts[k].before);
    walk_modules(&w, module, parts[k].each);
  }
  pzi_text_add(json, "}}");
  free(w.prefix.data);
}

void
pzi_description_write_state(pzi_text* const json, const pz_state* const state)
{
  pzi_text_add(json, "{\"format\":1,\"chain\":");
  add_chain(json, state);
  pzi_text_add(json, "}");
}
