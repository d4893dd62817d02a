/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Lists that come with a file: each is made with all its tensors, those inside it first
   installed on their tensors, which nobody else knows yet. Right inverses never run. */

#include "load.h"

#include "check_tensor.h"
#include "queue_copy.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* ---- own tensors that the file lacks ------------------------------------------ */

/* Fills what a list's state holds of the values of lists in it. */
static pz_status
settle(const pzi_list* const list)
{
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    const pzi_list* const inner = list->tensors[k]->list;
    if (inner) {
      pz_tensor value;
      PZ_TRY(settle(inner));
      PZ_TRY(pz_eval_forward(inner->eval, inner->state, 0, &value));
      PZ_TRY(pz_eval_check(inner->eval));
      PZ_TRY(pzi_queue_copy(list->state->queue, &value, &list->state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

/* Copies what the file has of the tensors of map `first` and later. */
static pz_status
fill(const pzi_loading* const l, const pzi_list* const list,
     const pzi_file_tensor* const* const entries, const uint32_t first, const bool originals)
{
  for (uint32_t k = 0; k < list->n_tensors; ++k) {
    const pzi_chain_tensor* const tensor = &list->chain->tensors[k];
    if (entries[k] && tensor->stage >= first && (originals || tensor->role != PZ_ORIGINAL)) {
      PZ_TRY(pzi_file_copy(l->file, entries[k], pzi_load_widens(l), list->state->queue,
                           &list->state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

/* What is missing is as registering the map would make it, one map after the other, on the
   originals of the file. */
static pz_status
initialize(const pzi_loading* const l, const pzi_list* const list,
           const pzi_file_tensor* const* const entries)
{
  const pz_chain* const chain = list->chain;
  bool settled = false;
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    bool lacks = false;
    for (uint32_t k = chain->n_role[PZ_ORIGINAL]; k < chain->n_tensors; ++k) {
      lacks = lacks || (chain->tensors[k].stage == i && !entries[k] && !list->tensors[k]->list);
    }
    if (!lacks) {
      continue;
    }
    if (!settled) {
      PZ_TRY(settle(list));
      settled = true;
    }
    pz_tensor original;
    PZ_TRY(pz_state_tensor(list->state, PZ_ORIGINAL, 0, &original));
    PZ_TRY(pz_eval_initialize(list->eval, list->state, i, &original));
    PZ_TRY(fill(l, list, entries, i, false));
  }
  return PZ_OK;
}

/* ---- making --------------------------------------------------------------------- */

static pz_status
check_device(const pz_chain* const chain, const pz_queue* const queue)
{
  bool f64 = pz_chain_value(chain)->dtype == PZ_F64;
  for (uint32_t k = 0; k < chain->n_tensors; ++k) {
    f64 = f64 || chain->tensors[k].spec.dtype == PZ_F64;
  }
  return pzi_check_dtype(queue, f64 ? PZ_F64 : PZ_F32);
}

/* An empty list for the slot around the planned chain, with the draws of the file. */
static pz_status
prepare(const pzi_load_list* const from, pz_slot* const slot, pzi_prepared* const out)
{
  const pzi_saved_list* const saved = from->rule ? NULL : from->list->saved;
  pzi_engine engine = {.chain = pz_chain_retain(from->chain)};
  pz_queue* const queue = slot->module->queue;
  uint64_t* const draws = calloc(engine.chain->n_stages, sizeof(*draws));
  pz_status status = draws ? check_device(engine.chain, queue)
                           : pzi_no_memory(engine.chain->n_stages * sizeof(*draws));
  for (uint32_t i = 0; draws && saved && i < saved->n_maps; ++i) {
    draws[i] = saved->maps[i].draw;
  }
  if (status == PZ_OK) {
    status = pzi_state_with_draws(engine.chain, queue, draws, &engine.state);
  }
  if (status == PZ_OK) {
    status = pz_eval_new(engine.chain, queue, &engine.eval);
  }
  if (status == PZ_OK) {
    status = pzi_list_prepare(slot, engine.chain, engine.state, engine.eval, out);
  }
  free(draws);
  if (status != PZ_OK) {
    pzi_engine_cleanup(&engine);
  }
  return status;
}

static pz_status make(pzi_loading* l, pzi_load_list* from, pz_slot* slot, pzi_prepared* out);

/* The tensor at place `k`: a list of its own, an entry, or none of both. */
static pz_status
make_tensor(pzi_loading* const l, const pzi_load_list* const from, const pzi_list* const list,
            const uint32_t k, const pzi_file_tensor** const entry)
{
  const pzi_chain_tensor* const tensor = &list->chain->tensors[k];
  const size_t length = strlen(from->list->prefix) + strlen(tensor->name) + 1;
  char* const name = malloc(length);
  if (!name) {
    return pzi_no_memory(length);
  }
  strcpy(stpcpy(name, from->list->prefix), tensor->name);
  pz_slot* const slot = list->tensors[k];
  pzi_load_list* const inner = pzi_load_find_list(l, name);
  pz_status status = inner ? pzi_load_plan(l, inner, tensor->spec.dtype) : PZ_OK;
  ++l->n_expected;
  if (status == PZ_OK && inner && inner->chain) {
    pzi_prepared prepared = {0};
    if (!pz_spec_equal(pz_chain_value(inner->chain), &tensor->spec)) {
      char a[PZI_SPEC_TEXT];
      char b[PZI_SPEC_TEXT];
      status =
          pzi_fail(PZ_MISMATCH, "\"%.200s\": found %s, expected %s", name,
                   pzi_spec_text(pz_chain_value(inner->chain), a), pzi_spec_text(&tensor->spec, b));
    }
    if (status == PZ_OK) {
      status = make(l, inner, slot, &prepared);
    }
    if (status == PZ_OK) {
      pzi_list_install(slot, &prepared); /* of which nobody knows yet */
    }
  } else if (status == PZ_OK) {
    *entry = pzi_load_use(l, name);
    status = *entry ? pzi_file_check(*entry, pzi_load_widens(l), &tensor->spec)
                    : pzi_load_remark(l, PZ_LOAD_MISSING, name);
    if (status == PZ_OK && !*entry && tensor->role == PZ_ORIGINAL && pzi_load_lenient(l)) {
      status = pzi_fail(PZ_MISMATCH, "\"%.200s\", an original, is not in the file", name);
    }
    if (l->as_saved && pzi_saved_is(l->file->saved.frozen, l->file->saved.n_frozen, name)) {
      slot->requires_grad = false;
    }
  }
  free(name);
  return status;
}

static pz_status
make_tensors(pzi_loading* const l, const pzi_load_list* const from, const pzi_list* const list)
{
  const pzi_file_tensor** const entries = calloc((size_t)list->n_tensors + 1, sizeof(*entries));
  if (!entries) {
    return pzi_no_memory(((size_t)list->n_tensors + 1) * sizeof(*entries));
  }
  pz_status status = PZ_OK;
  for (uint32_t k = 0; k < list->n_tensors && status == PZ_OK; ++k) {
    status = make_tensor(l, from, list, k, &entries[k]);
  }
  if (status == PZ_OK) {
    status = fill(l, list, entries, 0, true);
  }
  if (status == PZ_OK && pzi_load_lenient(l)) {
    status = initialize(l, list, entries);
  }
  free(entries);
  return status;
}

/* A list for a slot with all that the file has for it. */
static pz_status
make(pzi_loading* const l, pzi_load_list* const from, pz_slot* const slot, pzi_prepared* const out)
{
  if (slot->role == PZ_STATE_BUFFER) {
    return pzi_fail(PZ_UNSUPPORTED, "\"%.200s\": a list on a buffer of a map", from->list->path);
  }
  PZ_TRY(pzi_fail_prefix(prepare(from, slot, out), "\"%.150s\"", from->list->path));
  from->slot = slot;
  const pz_status status = make_tensors(l, from, out->list);
  if (status != PZ_OK) {
    pzi_list_discard(out);
    return status;
  }
  from->chain->direction =
      from->list->saved && !from->rule ? from->list->saved->direction : (uint32_t)PZ_FROM_INPUT;
  pz_state_touch(out->list->state);
  return PZ_OK;
}

/* ---- where there is something already ----------------------------------------------- */

static bool
same_options(const pz_chain* const a, const pz_chain* const b)
{
  for (uint32_t i = 0; i < a->n_stages; ++i) {
    const pzi_instance* const s = a->stages[i].instance;
    const pzi_instance* const t = b->stages[i].instance;
    for (uint32_t k = 0; k < s->parametrization->table.n_options; ++k) {
      const pz_tensor* const x = s->options[k].type == PZ_TENSOR ? s->options[k].as.tensor : NULL;
      const pz_tensor* const y = x ? t->options[k].as.tensor : NULL; /* the texts are the same */
      if (x) {
        const pz_spec spec = pz_spec_of(x);
        const pz_spec other = pz_spec_of(y);
        if (!pz_spec_equal(&spec, &other) ||
            memcmp(x->data, y->data, (size_t)pz_count(x) * pz_dtype_size(x->dtype)) != 0) {
          return false;
        }
      }
    }
  }
  return true;
}

/* The list on the slot must be the file's. */
static pz_status
check_same(pzi_loading* const l, pzi_load_list* const list)
{
  const pz_chain* const here = list->slot->list->chain;
  if (!list->rule && !list->list->saved) {
    return PZ_OK; /* the file does not say */
  }
  const pz_status status = pzi_load_plan(l, list, pz_chain_value(here)->dtype);
  if (status == PZ_NO_MEMORY) {
    return status;
  }
  const char* const text = list->chain  ? list->chain->text
                           : list->rule ? list->rule
                                        : list->list->text;
  if (status != PZ_OK || strcmp(text, here->text) != 0) {
    return pzi_fail(PZ_MISMATCH, "\"%.150s\": \"%.300s\" in the file, \"%.300s\" here",
                    list->list->path, text, here->text);
  }
  if (list->chain && !same_options(list->chain, here)) {
    return pzi_fail(PZ_MISMATCH, "\"%.150s\": \"%.300s\" with other tensors in the file than here",
                    list->list->path, text);
  }
  return PZ_OK;
}

/* May the tensor in the slot become a value of the list? It is of the value's spec; or it is
   the original, where the list was made so. */
static pz_status
check_fits(const pzi_load_list* const list)
{
  const pz_slot* const slot = list->slot;
  const pz_chain* const chain = list->chain;
  const pzi_saved_list* const saved = list->rule ? NULL : list->list->saved;
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  if (!slot->storage || pz_spec_equal(pz_chain_value(chain), &slot->storage->spec) ||
      (saved && saved->direction == PZ_FROM_INPUT && !slot->owner &&
       chain->n_role[PZ_ORIGINAL] == 1 &&
       pz_spec_equal(&chain->tensors[0].spec, &slot->storage->spec))) {
    return PZ_OK;
  }
  return pzi_fail(PZ_MISMATCH, "\"%.200s\": found %s, expected %s", list->list->path,
                  pzi_spec_text(pz_chain_value(chain), a), pzi_spec_text(&slot->storage->spec, b));
}

static pz_status
place(pzi_loading* const l, pzi_load_list* const list)
{
  pz_slot* const slot = pzi_slot_at(l->module, list->list->path);
  if (list->slot || !slot) {
    return PZ_OK; /* made inside another one; or without a place */
  }
  PZ_TRY(pzi_check_closed(slot));
  if (slot->list) {
    list->slot = slot;
    return check_same(l, list);
  }
  PZ_TRY(pzi_load_plan(l, list, slot->storage ? slot->storage->spec.dtype : 0));
  if (!list->chain) {
    if (!list->rule && !list->list->saved && !pzi_load_lenient(l)) {
      return pzi_fail(PZ_MISMATCH,
                      "\"%.200s\": parametrized in the file, and no rule says which "
                      "maps make it",
                      list->list->path);
    }
    return PZ_OK;
  }
  list->slot = slot;
  const pz_status status = check_fits(list);
  list->slot = NULL;
  PZ_TRY(status);
  return make(l, list, slot, &list->prepared);
}

pz_status
pzi_load_lists(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_lists; ++k) {
    PZ_TRY(place(l, &l->lists[k]));
  }
  return PZ_OK;
}
