/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Writes a load to the module: all copies or none, with an undo log, then the chains. */

#include "load.h"

#include "queue_copy.h"
#include "slot.h"
#include "state.h"
#include "tensor_io.h"
#include "undo.h"

/* Does the only original of the chain take over the memory of the plain tensor, as after a
   registration? */
static bool
keeps_memory(const pzi_load_chain* const incoming)
{
  const pz_slot* const slot = incoming->slot;
  const pzi_parametrized* const made = incoming->prepared.parametrized;
  return made && slot->storage && made->engine.chain->n_role[PZ_ORIGINAL] == 1 &&
         !made->tensors[0]->parametrized &&
         pz_spec_equal(&slot->storage->spec, &made->engine.chain->tensors[0].spec);
}

static pz_status
run(const pzi_loading* const l, const pzi_load_copy* const copy)
{
  pz_queue* const queue = copy->slot->module->queue;
  const pz_tensor* const to = &copy->slot->storage->tensor;
  return copy->file_tensor
             ? pzi_tensor_io_read(l->file, copy->file_tensor, pzi_loading_widens(l), queue, to)
             : pzi_queue_copy(queue, copy->made, to);
}

static pz_status
run_all(const pzi_loading* const l)
{
  pz_status status = PZ_OK;
  pzi_undo undo = {0};
  for (size_t k = 0; k < l->n_copies && status == PZ_OK; ++k) {
    status = pzi_undo_add_tensor(&undo, l->copies[k].slot->storage);
  }
  for (size_t k = 0; k < l->n_copies && status == PZ_OK; ++k) {
    status = run(l, &l->copies[k]);
  }
  return pzi_undo_end(&undo, status);
}

static void
restore_draws(const pzi_load_chain* const incoming)
{
  const pzi_saved_chain* const saved = incoming->saved;
  const pzi_parametrized* const parametrized = incoming->slot->parametrized;
  for (uint32_t i = 0; saved && i < saved->n_stages && i < parametrized->engine.chain->n_stages;
       ++i) {
    parametrized->engine.state->draws[i] = saved->stages[i].draw;
  }
  pzi_slot_changed(incoming->slot, true);
}

pz_status
pzi_load_commit(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_chains; ++k) {
    pzi_load_chain* const incoming = &l->chains[k];
    if (keeps_memory(incoming)) {
      if (incoming->slot->owner) { /* its state keeps a copy of the value */
        PZ_TRY(pzi_storage_new(incoming->slot->module->queue, &incoming->slot->storage->spec,
                               &incoming->value));
      }
      PZ_TRY(pzi_loading_push(
          l, &(pzi_load_copy){
                 .made = &incoming->prepared.parametrized->engine.state->storages[0]->tensor,
                 .slot = incoming->slot}));
    }
  }
  PZ_TRY(run_all(l));

  for (size_t k = 0; k < l->n_copies; ++k) {
    pzi_slot_changed(l->copies[k].slot, true);
  }
  for (size_t k = 0; k < l->n_chains; ++k) {
    pzi_load_chain* const incoming = &l->chains[k];
    if (incoming->prepared.parametrized) {
      if (keeps_memory(incoming)) {
        pzi_prepared_keep_memory(incoming->prepared.parametrized, incoming->slot->storage);
      }
      pzi_prepared_install(incoming->slot, &incoming->prepared);
      if (incoming->value) {
        pzi_slot_put(incoming->slot, incoming->value);
        incoming->value = NULL;
      }
    } else if (incoming->slot && incoming->slot->parametrized) {
      restore_draws(incoming);
    }
  }
  return PZ_OK;
}
