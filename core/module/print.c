/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Prints a module as PyTorch does:

     ParametrizedLinear(
       (bias): Parameter(float32 3)
       (parametrizations): ModuleDict(
         (weight): ParametrizationList(
           (original): Parameter(float32 3x3)
           (0): skew() -> float32 3x3 skew, skew 1.0.0 from /lib/plugins/skew.so
         )
       )
       (head): Linear(...)
     )

   A chain with a parametrized original is a ParametrizedParametrizationList, with its own
   (parametrizations) after the stages. A stage with a parametrized own parameter has its own
   (parametrizations) too.

   Nothing is evaluated or allocated. */

#include "gate.h"
#include "spec_text.h"
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The output: a buffer, and the length that the whole text needs. */
typedef struct writer {
  char* buffer;
  size_t size;
  size_t length;
} writer;

static void put(writer* out, const char* format, ...) PZ_PRINTF(2, 3);

static void
put(writer* const out, const char* const format, ...)
{
  const size_t left = out->length < out->size ? out->size - out->length : 0;
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(left ? out->buffer + out->length : NULL, left, format, args);
  va_end(args);
  out->length += n > 0 ? (size_t)n : 0;
}

static void
put_line(writer* const out, const int depth)
{
  put(out, "\n%*s", 2 * depth, "");
}

/* "Parameter(float32 3x3, frozen)" */
static void
put_tensor(writer* const out, const pz_slot* const slot)
{
  char text[PZI_SPEC_TEXT];
  put(out, "%s(%s%s)", slot->kind == PZ_PARAMETER ? "Parameter" : "Buffer",
      pzi_spec_text(&slot->storage->spec, text),
      slot->kind == PZ_PARAMETER && !slot->requires_grad ? ", frozen" : "");
}

static void
put_stage(writer* const out, const pzi_stage* const stage)
{
  char text[PZI_SPEC_TEXT];
  const pzi_parametrization* const parametrization = stage->instance->parametrization;
  put(out, "%s%s -> %s%s%s", stage->instance->text, strchr(stage->instance->text, '(') ? "" : "()",
      pzi_spec_text(&stage->plan.value, text), stage->plan.value.structure ? " " : "",
      stage->plan.value.structure ? pzi_spec_text_structure(stage->plan.value.structure) : "");
  if (!pzi_words_has(parametrization)) {
    put(out, ", %s %s from %s", parametrization->table.id, parametrization->version,
        parametrization->path);
  }
}

/* Is tensor `k` an original (stage UINT32_MAX), or a tensor of the stage? */
static bool
belongs(const pzi_parametrized* const parametrized, const uint32_t k, const uint32_t stage)
{
  return parametrized->tensors[k]->role == PZ_ORIGINAL
             ? stage == UINT32_MAX
             : parametrized->engine.chain->tensors[k].stage == stage;
}

/* "scale" of "0.scale". */
static const char*
last_name(const char* const name)
{
  const char* const dot = strrchr(name, '.');
  return dot ? dot + 1 : name;
}

/* Prints the stored tensors of a stage; returns the number of parametrized ones. */
static uint32_t
put_tensors(writer* const out, const pzi_parametrized* const parametrized, const uint32_t stage,
            const int depth)
{
  uint32_t n_inner = 0;
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    if (belongs(parametrized, k, stage) && !parametrized->tensors[k]->parametrized) {
      put_line(out, depth);
      put(out, "(%s): ", last_name(parametrized->tensors[k]->name));
      put_tensor(out, parametrized->tensors[k]);
    } else if (belongs(parametrized, k, stage)) {
      ++n_inner;
    }
  }
  return n_inner;
}

static void put_inner_chains(writer* out, const pzi_parametrized* parametrized, uint32_t stage,
                             int depth);

static void
put_chain(writer* const out, const pz_slot* const slot, const int depth)
{
  const pzi_parametrized* const parametrized = slot->parametrized;
  uint32_t n_inner = 0;
  for (uint32_t k = 0; k < parametrized->engine.chain->n_role[PZ_ORIGINAL]; ++k) {
    n_inner += parametrized->tensors[k]->parametrized != NULL;
  }
  put(out, "(%s): %sParametrizationList(", last_name(slot->name), n_inner ? "Parametrized" : "");
  (void)put_tensors(out, parametrized, UINT32_MAX, depth + 1);
  for (uint32_t i = 0; i < parametrized->engine.chain->n_stages; ++i) {
    put_line(out, depth + 1);
    put(out, "(%u): ", (unsigned)i);
    put_stage(out, &parametrized->engine.chain->stages[i]);
    if (put_tensors(out, parametrized, i, depth + 2) > 0) {
      put_inner_chains(out, parametrized, i, depth + 2);
    }
  }
  if (n_inner > 0) {
    put_inner_chains(out, parametrized, UINT32_MAX, depth + 1);
  }
  put_line(out, depth);
  put(out, ")");
}

static void
put_inner_chains(writer* const out, const pzi_parametrized* const parametrized,
                 const uint32_t stage, const int depth)
{
  put_line(out, depth);
  put(out, "(parametrizations): ModuleDict(");
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    if (belongs(parametrized, k, stage) && parametrized->tensors[k]->parametrized) {
      put_line(out, depth + 1);
      put_chain(out, parametrized->tensors[k], depth + 1);
    }
  }
  put_line(out, depth);
  put(out, ")");
}

static uint32_t
count_chains(const pz_module* const module)
{
  uint32_t n = 0;
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    n += module->slots[k]->parametrized != NULL;
  }
  return n;
}

static void
put_chains(writer* const out, const pz_module* const module, const int depth)
{
  put(out, "(parametrizations): ModuleDict(");
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (module->slots[k]->parametrized) {
      put_line(out, depth + 1);
      put_chain(out, module->slots[k], depth + 1);
    }
  }
  put_line(out, depth);
  put(out, ")");
}

static void
put_module(writer* const out, const pz_module* const module, const int depth)
{
  const uint32_t n_inner = count_chains(module);
  put(out, "%s%s(", n_inner ? "Parametrized" : "", module->type);
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (!module->slots[k]->parametrized) {
      put_line(out, depth + 1);
      put(out, "(%s): ", module->slots[k]->name);
      put_tensor(out, module->slots[k]);
    }
  }
  if (n_inner) {
    put_line(out, depth + 1);
    put_chains(out, module, depth + 1);
  }
  for (uint32_t k = 0; k < module->n_children; ++k) {
    put_line(out, depth + 1);
    put(out, "(%s): ", module->children[k]->name);
    put_module(out, module->children[k], depth + 1);
  }
  if (module->n_slots + module->n_children > 0) {
    put_line(out, depth);
  }
  put(out, ")");
}

size_t
pz_module_print(const pz_module* const module, char* const buffer, const size_t size)
{
  writer out = {.buffer = buffer, .size = buffer ? size : 0};
  if (out.size > 0) {
    buffer[0] = '\0';
  }
  if (pzi_gate_read_begin(module) != PZ_OK) {
    return 0;
  }
  put_module(&out, module, 0);
  pzi_gate_read_end(module);
  return out.length;
}
