/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies the chains of one module to tensors of another. First all copies are prepared. Then
   originals are copied to the memory of plain tensors that they take over, with an undo log: the
   last step that can fail. Then all chains are installed. */

#include "array.h"
#include "clone.h"

#include "gate.h"
#include "name_index.h"
#include "path.h"
#include "prepared.h"
#include "queue_copy.h"
#include "slot.h"
#include "spec_text.h"
#include "status.h"
#include "stored.h"
#include "undo.h"

#include <stdlib.h>
#include <string.h>

/* One chain to transfer. */
typedef struct transferred {
  const pz_slot* from;
  pz_slot* to;
  bool fresh; /* `to` is new and not yet in the module */
  pzi_prepared prepared;
  pzi_parametrized*
      innermost_chain; /* its only original takes over the memory of `to`; NULL: none */
} transferred;

typedef struct transfers {
  transferred* all;
  uint32_t n;
} transfers;

static void
cleanup(transfers* const p)
{
  for (uint32_t k = 0; k < p->n; ++k) {
    pzi_prepared_cleanup(&p->all[k].prepared);
    if (p->all[k].fresh) {
      pzi_slot_free(p->all[k].to);
    }
  }
  free(p->all);
}

/* ---- targets ------------------------------------------------------------ */

static pz_slot*
own_slot(const pz_module* const module, const char* const name)
{
  for (uint32_t k = 0; k < module->n_slots; ++k) {
    if (strcmp(module->slots[k]->name, name) == 0) {
      return module->slots[k];
    }
  }
  return NULL;
}

static pz_status
check_target(const pz_slot* const slot, const pz_spec* const value)
{
  char found[PZI_SPEC_TEXT];
  char expected[PZI_SPEC_TEXT];
  if (slot->parametrized) {
    return pzi_fail(PZ_EXISTS, "the target is parametrized already");
  }
  PZ_TRY(pzi_slot_check_closed(slot));
  if (!pz_spec_equal(&slot->storage->spec, value)) {
    return pzi_fail(PZ_MISMATCH, "found %s as the target of the chain, expected %s",
                    pzi_spec_text(&slot->storage->spec, found), pzi_spec_text(value, expected));
  }
  return PZ_OK;
}

static pz_status
find_target(pz_module* const to, transferred* const one)
{
  const char* const name = one->from->name;
  one->to = own_slot(to, name);
  if (one->to) {
    return pzi_fail_prefix(
        check_target(one->to, pz_chain_value(one->from->parametrized->engine.chain)), "\"%s\"",
        name);
  }
  PZ_TRY(pzi_path_check_name(to, name));
  char* const path = strdup(name);
  if (!path) {
    return pzi_no_memory(strlen(name) + 1);
  }
  const pz_status status = pzi_slot_new(to, path, 0, &one->to);
  if (status != PZ_OK) {
    free(path);
    return status;
  }
  one->fresh = true;
  return PZ_OK;
}

/* The innermost chain, through only originals: its original is the stored tensor. NULL where a
   chain has several originals. */
static pzi_parametrized*
innermost(pzi_parametrized* const parametrized)
{
  if (parametrized->engine.chain->n_role[PZ_ORIGINAL] != 1) {
    return NULL;
  }
  return parametrized->tensors[0]->parametrized ? innermost(parametrized->tensors[0]->parametrized)
                                                : parametrized;
}

static pz_status
prepare(pz_module* const to, transferred* const one)
{
  PZ_TRY(pzi_slot_check_closed(one->from));
  PZ_TRY(find_target(to, one));
  PZ_TRY(pzi_clone_parametrized(one->from, one->to, &one->prepared));
  pzi_storage* const plain = one->to->storage;
  pzi_parametrized* const parametrized = plain ? innermost(one->prepared.parametrized) : NULL;
  if (parametrized && pz_spec_equal(&parametrized->engine.chain->tensors[0].spec, &plain->spec)) {
    one->innermost_chain = parametrized;
  }
  return PZ_OK;
}

/* Collects the chain on `name`, or all chains of the module itself. */
static pz_status
collect(const pz_module* const from, const char* const name, transfers* const out)
{
  pz_slot* only = NULL;
  if (name) {
    PZ_TRY(pzi_path_find_parametrized(from, name, &only));
    if (only->owner || only->module != from) {
      return pzi_fail(PZ_INVALID, "\"%s\": %s, expected one of the module itself", name,
                      only->owner ? "a tensor of a chain, which is transferred as a whole"
                                  : "a tensor of a nested module");
    }
  }
  transfers p = {.all = calloc((size_t)from->n_slots + 1, sizeof(*p.all))};
  if (!p.all) {
    return pzi_no_memory(((size_t)from->n_slots + 1) * sizeof(*p.all));
  }
  for (uint32_t k = 0; k < from->n_slots; ++k) {
    if (from->slots[k]->parametrized && (!only || only == from->slots[k])) {
      p.all[p.n++].from = from->slots[k];
    }
  }
  if (p.n == 0) {
    free(p.all);
    return pzi_fail(PZ_NOT_FOUND, "no tensor of %s is parametrized", from->type);
  }
  *out = p;
  return PZ_OK;
}

/* ---- transfer ----------------------------------------------------------- */

/* Copies originals to the memory of the plain tensors, all or none. */
static pz_status
overwrite(const transfers* const p)
{
  pz_status status = PZ_OK;
  pzi_undo undo = {0};
  for (uint32_t k = 0; k < p->n && status == PZ_OK; ++k) {
    status = p->all[k].innermost_chain ? pzi_undo_add_tensor(&undo, p->all[k].to->storage) : PZ_OK;
  }
  for (uint32_t k = 0; k < p->n && status == PZ_OK; ++k) {
    const transferred* const one = &p->all[k];
    if (one->innermost_chain) {
      status =
          pzi_queue_copy(one->to->module->queue, &one->innermost_chain->tensors[0]->storage->tensor,
                         &one->to->storage->tensor);
    }
  }
  return pzi_undo_end(&undo, status);
}

static void
install(pz_module* const to, transfers* const p)
{
  for (uint32_t k = 0; k < p->n; ++k) {
    transferred* const one = &p->all[k];
    pz_slot* const slot = one->to;
    if (one->innermost_chain) {
      pzi_prepared_keep_memory(one->innermost_chain, slot->storage);
    }
    pzi_prepared_install(slot, &one->prepared);
    slot->kind = one->from->kind;
    slot->requires_grad = one->from->requires_grad;
    if (one->fresh) {
      to->slots[to->n_slots++] = slot;
      one->fresh = false;
    }
  }
  pzi_name_index_update(to);
  pzi_stored_changed(to);
}

static pz_status
transfer(const pz_module* const from, pz_module* const to, const char* const name)
{
  transfers p = {0};
  PZ_TRY(collect(from, name, &p));
  pz_status status = PZ_OK;
  uint32_t n_fresh = 0;
  for (uint32_t k = 0; k < p.n && status == PZ_OK; ++k) {
    status = prepare(to, &p.all[k]);
    n_fresh += p.all[k].fresh;
  }
  if (status == PZ_OK) {
    status = pzi_array_reserve(&to->slots, to->n_slots, n_fresh, sizeof(pz_slot*));
  }
  if (status == PZ_OK) {
    status = overwrite(&p);
  }
  if (status == PZ_OK) {
    install(to, &p);
  }
  cleanup(&p);
  return status;
}

static const pz_module*
root_of(const pz_module* module)
{
  while (module->parent) {
    module = module->parent;
  }
  return module;
}

pz_status
pz_transfer_parametrizations(pz_module* const from, pz_module* const to, const char* const name)
{
  if (!from || !to || from == to) {
    return pzi_fail(PZ_INVALID, "expected two modules, found %s",
                    from && to ? "one twice" : "one missing");
  }
  if (from->context != to->context) {
    return pzi_fail(PZ_MISMATCH, "a module of another context");
  }
  const bool together = root_of(from) == root_of(to); /* they share one gate */
  if (!together) {
    PZ_TRY(pzi_gate_read_begin(from));
  }
  pz_status status = pzi_gate_exclusive_begin_live(to);
  if (status == PZ_OK) {
    status = transfer(from, to, name);
    pzi_gate_exclusive_end(to);
  }
  if (!together) {
    pzi_gate_read_end(from);
  }
  return status;
}
