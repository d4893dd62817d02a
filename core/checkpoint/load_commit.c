/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The one part of a load that writes to the module. In the host's memory a copy cannot fail
   once its operands were checked; elsewhere what is to be overwritten is kept until all
   went well, and put back where it did not. */

#include "load.h"

#include "queue_copy.h"
#include "shape.h"
#include "status.h"

#include <stdlib.h>

/* Does the list take over the plain tensor's memory for its only original, as after
   registration? */
static bool
keeps_memory(const pzi_load_list* const list)
{
  const pz_slot* const slot = list->slot;
  const pzi_list* const made = list->prepared.list;
  return made && slot->storage && made->chain->n_role[PZ_ORIGINAL] == 1 &&
         !made->tensors[0]->list &&
         pz_spec_equal(&slot->storage->spec, &made->chain->tensors[0].spec);
}

static pz_status
back_up(pzi_load_copy* const copy)
{
  pz_queue* const queue = copy->slot->module->queue;
  const pz_tensor* const tensor = &copy->slot->storage->tensor;
  return queue->host_memory && pzi_is_contiguous(tensor)
             ? PZ_OK
             : pzi_copy_of(queue, tensor, &copy->backup);
}

static pz_status
run(const pzi_loading* const l, const pzi_load_copy* const copy)
{
  pz_queue* const queue = copy->slot->module->queue;
  const pz_tensor* const to = &copy->slot->storage->tensor;
  return copy->entry ? pzi_file_copy(l->file, copy->entry, pzi_load_widens(l), queue, to)
                     : pzi_queue_copy(queue, copy->made, to);
}

static pz_status
run_all(const pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_copies; ++k) {
    const pz_status status = run(l, &l->copies[k]);
    if (status != PZ_OK) {
      pzi_message message;
      pzi_message_save(&message);
      for (size_t i = 0; i <= k; ++i) {
        const pz_slot* const slot = l->copies[i].slot;
        if (l->copies[i].backup) {
          (void)pzi_queue_copy(slot->module->queue, &l->copies[i].backup->tensor,
                               &slot->storage->tensor);
        }
      }
      pzi_message_restore(&message);
      return status;
    }
  }
  return PZ_OK;
}

/* The plain tensor's memory, which holds the original by now, in the list. */
static void
take_memory(const pzi_load_list* const list)
{
  pzi_list* const made = list->prepared.list;
  pz_slot* const original = made->tensors[0];
  pzi_state_replace(made->state, PZ_ORIGINAL, 0, list->slot->storage);
  pzi_storage_release(original->storage);
  original->storage = pzi_storage_retain(list->slot->storage);
}

static void
restore_draws(const pzi_load_list* const list)
{
  const pzi_saved_list* const saved = list->rule ? NULL : list->list->saved;
  const pzi_list* const here = list->slot->list;
  for (uint32_t i = 0; saved && i < saved->n_maps && i < here->chain->n_stages; ++i) {
    here->state->draws[i] = saved->maps[i].draw;
  }
  pzi_slot_changed(list->slot, true);
}

pz_status
pzi_load_commit(pzi_loading* const l)
{
  for (size_t k = 0; k < l->n_lists; ++k) {
    pzi_load_list* const list = &l->lists[k];
    if (keeps_memory(list)) {
      if (list->slot->owner) { /* whose state goes on with a copy of the value */
        PZ_TRY(
            pzi_storage_new(list->slot->module->queue, &list->slot->storage->spec, &list->value));
      }
      PZ_TRY(pzi_load_push(
          l, &(pzi_load_copy){.made = &list->prepared.list->state->storages[0]->tensor,
                              .slot = list->slot}));
    }
  }
  for (size_t k = 0; k < l->n_copies; ++k) {
    PZ_TRY(back_up(&l->copies[k]));
  }
  PZ_TRY(run_all(l));

  for (size_t k = 0; k < l->n_copies; ++k) {
    pzi_slot_changed(l->copies[k].slot, true);
  }
  for (size_t k = 0; k < l->n_lists; ++k) {
    pzi_load_list* const list = &l->lists[k];
    if (list->prepared.list) {
      if (keeps_memory(list)) {
        take_memory(list);
      }
      pzi_list_install(list->slot, &list->prepared);
      if (list->value) {
        pzi_slot_put(list->slot, list->value);
        list->value = NULL;
      }
    } else if (list->slot && list->slot->list) {
      restore_draws(list);
    }
  }
  return PZ_OK;
}
