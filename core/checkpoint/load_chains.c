/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Builds the chains of a file with all their tensors. A chain on a tensor of another chain is
   installed at once, since the outer chain is not yet part of the module. Right inverses never
   run. */

#include "load.h"

#include "check_tensor.h"
#include "description_write.h"
#include "eval.h"
#include "path.h"
#include "queue_copy.h"
#include "slot.h"
#include "sorted_names.h"
#include "spec_text.h"
#include "state.h"
#include "status.h"
#include "tensor_io.h"
#include "tensor_names.h"

#include <stdlib.h>
#include <string.h>

/* ---- missing parameters and buffers -------------------------------------------- */

/* Computes the values of inner chains and copies them into the state. */
static pz_status
refresh_inner(const pzi_parametrized* const parametrized)
{
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    const pzi_parametrized* const inner = parametrized->tensors[k]->parametrized;
    if (inner) {
      pz_tensor value;
      PZ_TRY(refresh_inner(inner));
      PZ_TRY(pzi_eval_forward(inner->engine.eval, inner->engine.state, 0, NULL, &value));
      PZ_TRY(pz_eval_check(inner->engine.eval));
      PZ_TRY(pzi_queue_copy(parametrized->engine.state->queue, &value,
                            &parametrized->engine.state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

/* Copies the tensors of stage `first` and later from the file. */
static pz_status
fill(const pzi_loading* const l, const pzi_parametrized* const parametrized,
     const pzi_file_tensor* const* const file_tensors, const uint32_t first, const bool originals)
{
  for (uint32_t k = 0; k < parametrized->n_tensors; ++k) {
    const pzi_chain_tensor* const tensor = &parametrized->engine.chain->tensors[k];
    if (file_tensors[k] && tensor->stage >= first && (originals || tensor->role != PZ_ORIGINAL)) {
      PZ_TRY(pzi_tensor_io_read(l->file, file_tensors[k], pzi_loading_widens(l),
                                parametrized->engine.state->queue,
                                &parametrized->engine.state->storages[k]->tensor));
    }
  }
  return PZ_OK;
}

/* Initializes missing tensors as a registration would: stage by stage, with the originals of the
   file. */
static pz_status
initialize(const pzi_loading* const l, const pzi_parametrized* const parametrized,
           const pzi_file_tensor* const* const file_tensors)
{
  const pz_chain* const chain = parametrized->engine.chain;
  bool refreshed = false;
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    bool lacks = false;
    for (uint32_t k = chain->n_role[PZ_ORIGINAL]; k < chain->n_tensors; ++k) {
      lacks = lacks || (chain->tensors[k].stage == i && !file_tensors[k] &&
                        !parametrized->tensors[k]->parametrized);
    }
    if (!lacks) {
      continue;
    }
    if (!refreshed) {
      PZ_TRY(refresh_inner(parametrized));
      refreshed = true;
    }
    PZ_TRY(pz_eval_initialize(parametrized->engine.eval, parametrized->engine.state, i,
                              pzi_state_tensor(parametrized->engine.state, PZ_ORIGINAL, 0)));
    PZ_TRY(fill(l, parametrized, file_tensors, i, false));
  }
  return PZ_OK;
}

/* ---- building ------------------------------------------------------------------- */

static pz_status
check_device(const pz_chain* const chain, const pz_queue* const queue)
{
  bool f64 = pz_chain_value(chain)->dtype == PZ_F64;
  for (uint32_t k = 0; k < chain->n_tensors; ++k) {
    f64 = f64 || chain->tensors[k].spec.dtype == PZ_F64;
  }
  return pzi_check_dtype(queue, f64 ? PZ_F64 : PZ_F32);
}

/* Prepares the planned chain for the slot, with the draws of the file. */
static pz_status
prepare(const pzi_load_chain* const incoming, pz_slot* const slot, pzi_prepared* const out)
{
  const pzi_saved_chain* const saved = incoming->saved;
  pzi_engine engine = {.chain = pzi_chain_retain(incoming->chain)};
  pz_queue* const queue = slot->module->queue;
  uint64_t* const draws = calloc(engine.chain->n_stages, sizeof(*draws));
  pz_status status = draws ? check_device(engine.chain, queue)
                           : pzi_no_memory(engine.chain->n_stages * sizeof(*draws));
  for (uint32_t i = 0; draws && saved && i < saved->n_stages; ++i) {
    draws[i] = saved->stages[i].draw;
  }
  if (status == PZ_OK) {
    status = pzi_state_with_draws(engine.chain, queue, draws, &engine.state);
  }
  if (status == PZ_OK) {
    status = pz_eval_new(engine.chain, queue, &engine.eval);
  }
  if (status == PZ_OK) {
    status = pzi_prepared_init(slot, &engine, out);
  }
  free(draws);
  if (status != PZ_OK) {
    pzi_engine_cleanup(&engine);
  }
  return status;
}

static pz_status build(pzi_loading* l, pzi_load_chain* incoming, pz_slot* slot, pzi_prepared* out);

/* Finds tensor `k` of the chain: builds the chain on it, or sets `*file_tensor`, or reports that
   it is missing. */
static pz_status
find_tensor(pzi_loading* const l, const pzi_load_chain* const incoming,
            const pzi_parametrized* const parametrized, const uint32_t k,
            const pzi_file_tensor** const file_tensor)
{
  const pzi_chain_tensor* const tensor = &parametrized->engine.chain->tensors[k];
  const char* const name = pzi_tensor_names_join(&l->names, incoming->source->prefix, tensor->name);
  if (!name) {
    return pzi_no_memory(strlen(tensor->name));
  }
  pz_slot* const slot = parametrized->tensors[k];
  pzi_load_chain* const inner = pzi_loading_find(l, name);
  PZ_TRY(inner ? pzi_load_plan(l, inner, tensor->spec.dtype, &tensor->spec) : PZ_OK);
  ++l->n_expected;
  if (inner && inner->chain) {
    pzi_prepared prepared = {0};
    if (!pz_spec_equal(pz_chain_value(inner->chain), &tensor->spec)) {
      char a[PZI_SPEC_TEXT];
      char b[PZI_SPEC_TEXT];
      return pzi_fail(PZ_MISMATCH, "\"%.200s\": found %s, expected %s", name,
                      pzi_spec_text(pz_chain_value(inner->chain), a),
                      pzi_spec_text(&tensor->spec, b));
    }
    PZ_TRY(build(l, inner, slot, &prepared));
    pzi_prepared_install(slot, &prepared);
    return PZ_OK;
  }
  *file_tensor = pzi_loading_use(l, name);
  PZ_TRY(*file_tensor ? pzi_tensor_io_check(*file_tensor, pzi_loading_widens(l), &tensor->spec)
                      : pzi_loading_remark(l, PZ_LOAD_MISSING, name));
  if (!*file_tensor && tensor->role == PZ_ORIGINAL && pzi_loading_lenient(l)) {
    return pzi_fail(PZ_MISMATCH, "the original \"%.200s\" is not in the file", name);
  }
  const pzi_description* const description = &l->file->description;
  if (l->as_saved && pzi_sorted_names_has(description->frozen, description->n_frozen, name)) {
    slot->requires_grad = false;
  }
  return PZ_OK;
}

static pz_status
fill_tensors(pzi_loading* const l, const pzi_load_chain* const incoming,
             const pzi_parametrized* const parametrized)
{
  const pzi_file_tensor** const file_tensors =
      calloc((size_t)parametrized->n_tensors + 1, sizeof(*file_tensors));
  if (!file_tensors) {
    return pzi_no_memory(((size_t)parametrized->n_tensors + 1) * sizeof(*file_tensors));
  }
  pz_status status = PZ_OK;
  for (uint32_t k = 0; k < parametrized->n_tensors && status == PZ_OK; ++k) {
    status = find_tensor(l, incoming, parametrized, k, &file_tensors[k]);
  }
  if (status == PZ_OK) {
    status = fill(l, parametrized, file_tensors, 0, true);
  }
  if (status == PZ_OK && pzi_loading_lenient(l)) {
    status = initialize(l, parametrized, file_tensors);
  }
  free(file_tensors);
  return status;
}

/* Builds the chain for a slot, with its tensors. */
static pz_status
build(pzi_loading* const l, pzi_load_chain* const incoming, pz_slot* const slot,
      pzi_prepared* const out)
{
  if (slot->role == PZ_STATE_BUFFER) {
    return pzi_fail(PZ_UNSUPPORTED,
                    "\"%.200s\": buffers of a parametrization cannot be parametrized",
                    incoming->source->path);
  }
  PZ_TRY(pzi_fail_prefix(prepare(incoming, slot, out), "\"%.150s\"", incoming->source->path));
  incoming->slot = slot;
  const pz_status status = fill_tensors(l, incoming, out->parametrized);
  if (status != PZ_OK) {
    pzi_prepared_cleanup(out);
    return status;
  }
  incoming->chain->direction =
      incoming->saved ? incoming->saved->direction : (uint32_t)PZ_FROM_INPUT;
  pz_state_touch(out->parametrized->engine.state);
  return PZ_OK;
}

/* ---- slots of the module ------------------------------------------------------------- */

static bool
same_options(const pz_chain* const a, const pz_chain* const b)
{
  for (uint32_t i = 0; i < a->n_stages; ++i) {
    const pzi_instance* const s = a->stages[i].instance;
    const pzi_instance* const t = b->stages[i].instance;
    for (uint32_t k = 0; k < s->parametrization->table.n_options; ++k) {
      const pz_tensor* const x = pzi_description_tensor_option(s, k);
      const pz_tensor* const y = x ? t->options[k].as.tensor : NULL; /* the texts are equal */
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

/* Checks that the slot has the chain of the file. */
static pz_status
check_same(pzi_loading* const l, pzi_load_chain* const incoming)
{
  const pz_chain* const here = incoming->slot->parametrized->engine.chain;
  if (!incoming->rule && !incoming->saved) {
    return PZ_OK; /* the file does not describe the chain */
  }
  const pz_status status =
      pzi_load_plan(l, incoming, pz_chain_value(here)->dtype, pz_chain_value(here));
  if (status == PZ_NO_MEMORY) {
    return status;
  }
  const char* const text = incoming->chain  ? incoming->chain->text
                           : incoming->rule ? incoming->rule
                                            : incoming->source->text;
  if (status != PZ_OK || strcmp(text, here->text) != 0) {
    return pzi_fail(PZ_MISMATCH, "\"%.150s\": \"%.300s\" in the file, \"%.300s\" here",
                    incoming->source->path, text, here->text);
  }
  if (incoming->chain && !same_options(incoming->chain, here)) {
    return pzi_fail(
        PZ_MISMATCH,
        "\"%.150s\": the tensor options of \"%.300s\" differ between the file and the module",
        incoming->source->path, text);
  }
  return PZ_OK;
}

/* Checks that the plain tensor in the slot has the spec of the value, or, for a chain that was
   registered on its original, the spec of the original. */
static pz_status
check_fits(const pzi_load_chain* const incoming)
{
  const pz_slot* const slot = incoming->slot;
  const pz_chain* const chain = incoming->chain;
  const pzi_saved_chain* const saved = incoming->saved;
  char a[PZI_SPEC_TEXT];
  char b[PZI_SPEC_TEXT];
  if (!slot->storage || pz_spec_equal(pz_chain_value(chain), &slot->storage->spec) ||
      (saved && saved->direction == PZ_FROM_INPUT && !slot->owner &&
       chain->n_role[PZ_ORIGINAL] == 1 &&
       pz_spec_equal(&chain->tensors[0].spec, &slot->storage->spec))) {
    return PZ_OK;
  }
  return pzi_fail(PZ_MISMATCH, "\"%.200s\": found %s, expected %s", incoming->source->path,
                  pzi_spec_text(pz_chain_value(chain), a), pzi_spec_text(&slot->storage->spec, b));
}

static pz_status
place(pzi_loading* const l, pzi_load_chain* const incoming)
{
  pz_slot* const slot = pzi_path_slot(l->module, incoming->source->path);
  if (incoming->slot || !slot) {
    return PZ_OK; /* built inside another chain, or unknown to the module */
  }
  PZ_TRY(pzi_slot_check_closed(slot));
  if (slot->parametrized) {
    incoming->slot = slot;
    return check_same(l, incoming);
  }
  const pz_spec* const spec = slot->storage ? &slot->storage->spec : NULL;
  PZ_TRY(pzi_load_plan(l, incoming, spec ? spec->dtype : 0, spec));
  if (!incoming->chain) {
    if (!incoming->rule && !incoming->saved && !pzi_loading_lenient(l)) {
      return pzi_load_plan_undefined(incoming->source->path);
    }
    return PZ_OK;
  }
  incoming->slot = slot;
  const pz_status status = check_fits(incoming);
  incoming->slot = NULL;
  PZ_TRY(status);
  return build(l, incoming, slot, &incoming->prepared);
}

pz_status
pzi_load_chains(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_chains; ++k) {
    PZ_TRY(place(l, &l->chains[k]));
  }
  return PZ_OK;
}
