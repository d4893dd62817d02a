/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Modules as containers of named tensors and children. */

#include "array.h"
#include "check_tensor.h"
#include "gate.h"
#include "name_index.h"
#include "path.h"
#include "queue_copy.h"
#include "slot.h"
#include "spec_text.h"
#include "status.h"
#include "stored.h"

#include <stdlib.h>
#include <string.h>

/* ---- modules --------------------------------------------------------------- */

static pz_status
new_on(pz_context* const context, pz_queue* const queue, const char* const type,
       pz_module** const out)
{
  if (queue->context != context) {
    return pzi_fail(PZ_INVALID, "found a queue of another context");
  }
  pz_module* const module = calloc(1, sizeof(*module));
  char* const text = strdup(type ? type : "Module");
  if (!module || !text) {
    free(module);
    free(text);
    return pzi_no_memory(sizeof(*module));
  }
  module->context = pzi_context_retain(context);
  module->queue = pzi_queue_retain(queue);
  module->type = text;
  module->training = true;
  atomic_init(&module->gate, 0);
  pthread_mutex_init(&module->paths_mutex, NULL);
  *out = module;
  return PZ_OK;
}

pz_status
pz_module_new(pz_context* const context, pz_queue* const queue, const char* const type,
              pz_module** const out)
{
  if (!context || !out) {
    return pzi_fail(PZ_INVALID, "found no %s", context ? "place for the module" : "context");
  }
  if (queue) {
    return new_on(context, queue, type, out);
  }
  pz_queue* own = NULL;
  PZ_TRY(pz_queue_open(context, NULL, NULL, &own));
  const pz_status status = new_on(context, own, type, out);
  pz_queue_close(own);
  return status;
}

pz_queue*
pz_module_queue(const pz_module* const module)
{
  if (!module) {
    (void)pzi_fail(PZ_INVALID, "found no module");
    return NULL;
  }
  return module->queue;
}

static void
free_alone(pz_module* const module)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    pzi_slot_free(module->slots[k]);
  }
  while (module->retired) {
    pz_slot* const slot = module->retired;
    module->retired = slot->next_retired;
    free(slot->path);
    free(slot);
  }
  pzi_stored_free(module);
  free(module->slot_index.places);
  free(module->child_index.places);
  free(module->children);
  free(module->slots);
  free(module->name);
  free(module->type);
  pthread_mutex_destroy(&module->paths_mutex);
  pzi_queue_release(module->queue);
  pzi_context_release(module->context);
  free(module);
}

/* Frees the last child of the last child ... first, without recursion: nesting has no limit. */
static void
free_tree(pz_module* module)
{
  while (module) {
    if (module->n_children > 0) {
      module = module->children[--module->n_children];
      continue;
    }
    pz_module* const around = module->parent;
    free_alone(module);
    module = around;
  }
}

void
pz_module_free(pz_module* const module)
{
  if (module && !module->parent) {
    free_tree(module);
  }
}

/* Counts the scopes of a module and its children again, from the top. */
static void
count_scopes(pz_module* const module)
{
  module->scopes = module->scopes_begun + (module->parent ? module->parent->scopes : 0);
  for (uint32_t k = 0; k < module->n_children; ++k) {
    count_scopes(module->children[k]);
  }
}

static pz_status
add_child(pz_module* const module, const char* const name, pz_module* const child)
{
  PZ_TRY(pzi_path_check_name(module, name));
  PZ_TRY(pzi_array_reserve(&module->children, module->n_children, 1, sizeof(pz_module*)));
  char* const copy = strdup(name);
  if (!copy) {
    return pzi_no_memory(strlen(name) + 1);
  }
  child->name = copy;
  module->children[module->n_children++] = child;
  pzi_name_index_update(module);
  pzi_stored_changed(module);
  return PZ_OK;
}

pz_status
pz_module_add_child(pz_module* const module, const char* const name, pz_module* const child)
{
  if (!module || !child || child == module || child->parent) {
    return pzi_fail(PZ_INVALID, "expected a module, and a child that is nested nowhere");
  }
  if (child->context != module->context) {
    return pzi_fail(PZ_MISMATCH, "a child of another context");
  }
  PZ_TRY(pzi_gate_exclusive_begin(module));
  pz_status status = pzi_gate_check_live(module);
  for (const pz_module* around = module->parent; around && status == PZ_OK;
       around = around->parent) {
    if (around == child) {
      status = pzi_fail(PZ_INVALID, "\"%s\": a module inside itself", name ? name : "");
    }
  }
  if (status == PZ_OK) {
    status = pzi_gate_exclusive_begin(child);
  }
  if (status == PZ_OK) {
    status = add_child(module, name, child);
    if (status == PZ_OK) {
      child->parent = module; /* its own gate stays exclusive: calls that already read it fail */
      if (module->scopes > 0) {
        count_scopes(child);
      }
      for (pz_module* around = module; around; around = around->parent) {
        around->n_baked += child->n_baked;
      }
    } else {
      pzi_gate_exclusive_end(child);
    }
  }
  pzi_gate_exclusive_end(module);
  return status;
}

static pz_status
add_tensor(pz_module* const module, const char* const name, const pz_tensor_kind kind,
           const pz_tensor* const tensor)
{
  if (kind != PZ_PARAMETER && kind != PZ_BUFFER) {
    return pzi_fail(PZ_INVALID, "found kind %d, expected PZ_PARAMETER or PZ_BUFFER", (int)kind);
  }
  PZ_TRY(pzi_check_tensor(module->queue, tensor, NULL, "tensor"));
  if (tensor->dtype != PZ_F32 && tensor->dtype != PZ_F64) {
    char text[PZI_SPEC_TEXT];
    return pzi_fail(PZ_MISMATCH, "found %s, expected float32 or float64",
                    pzi_spec_text_dtype(tensor->dtype, text));
  }
  const pz_spec spec = pz_spec_of(tensor);
  pzi_storage* storage = NULL;
  PZ_TRY(pzi_storage_new(module->queue, &spec, &storage));
  pz_slot* slot = NULL;
  pz_status status = pzi_queue_copy(module->queue, tensor, &storage->tensor);
  if (status == PZ_OK) {
    status = pzi_slot_add(module, name, storage, &slot);
  }
  if (status != PZ_OK) {
    pzi_storage_release(storage);
    return status;
  }
  slot->kind = (uint32_t)kind;
  slot->requires_grad = kind == PZ_PARAMETER;
  return PZ_OK;
}

pz_status
pz_module_add(pz_module* const module, const char* const name, const pz_tensor_kind kind,
              const pz_tensor* const tensor)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  pz_status status = pzi_gate_check_live(module);
  if (status == PZ_OK) {
    status = pzi_path_check_name(module, name); /* its messages contain the name */
  }
  if (status == PZ_OK) {
    status = pzi_fail_prefix(add_tensor(module, name, kind, tensor), "\"%s\"", name);
  }
  pzi_gate_exclusive_end(module);
  return status;
}
