/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An evaluation holds the values of all maps, what forward saved for vjp, and scratch.
   Memory comes from arenas that are kept, so that a repeated evaluation allocates
   nothing. */

#include "eval.h"

#include "fault.h"
#include "queue_copy.h"
#include "status.h"

#include <stdlib.h>

/* ---- making ------------------------------------------------------------------------- */

/* Copies tensor options to the device, once. */
static pz_status
place_options(pz_eval* const eval)
{
  const pz_chain* const chain = eval->chain;
  size_t n_values = 0;
  size_t n_tensors = 0;
  for (uint32_t i = 0; i < chain->n_links; ++i) {
    const pz_parametrization* const table = &chain->links[i].entry->map->table;
    n_values += table->n_options;
    for (uint32_t k = 0; k < table->n_options; ++k) {
      const pz_value* const value = &chain->links[i].entry->options[k];
      n_tensors += value->type == PZ_TENSOR && value->as.tensor;
    }
  }
  if (n_tensors == 0) {
    return PZ_OK;
  }
  eval->options = calloc(n_values, sizeof(*eval->options));
  eval->option_storages = calloc(n_tensors, sizeof(pzi_storage*));
  if (!eval->options || !eval->option_storages) {
    return pzi_no_memory(n_values * sizeof(*eval->options));
  }
  pz_value* to = eval->options;
  for (uint32_t i = 0; i < chain->n_links; ++i) {
    const pzi_entry* const entry = chain->links[i].entry;
    eval->steps[i].options = to;
    for (uint32_t k = 0; k < entry->map->table.n_options; ++k, ++to) {
      *to = entry->options[k];
      if (to->type == PZ_TENSOR && to->as.tensor) {
        const pz_spec spec = pz_spec_of(to->as.tensor);
        pzi_storage** const storage = &eval->option_storages[eval->n_option_storages];
        PZ_TRY(pzi_storage_new(eval->queue, &spec, storage));
        ++eval->n_option_storages;
        PZ_TRY(pzi_queue_copy(eval->queue, to->as.tensor, &(*storage)->tensor));
        to->as.tensor = &(*storage)->tensor;
      }
    }
  }
  return PZ_OK;
}

/* Cuts one block into the arrays of tensors. */
static pz_status
place_arrays(pz_eval* const eval)
{
  const pz_chain* const chain = eval->chain;
  const size_t n = chain->n_tensors;
  size_t n_x = 0;
  size_t most = 1;
  for (uint32_t i = 0; i < chain->n_links; ++i) {
    const pzi_plan* const plan = &chain->links[i].plan;
    const size_t here = (size_t)plan->n_original + plan->n_parameter;
    n_x += here;
    most = here + plan->n_parameter + plan->n_buffer > most
               ? here + plan->n_parameter + plan->n_buffer
               : most;
  }
  eval->tensors = calloc(n_x + 3 * n + most, sizeof(pz_tensor));
  if (!eval->tensors) {
    return pzi_no_memory((n_x + 3 * n + most) * sizeof(pz_tensor));
  }
  eval->loaded = eval->tensors;
  eval->packed = eval->loaded + n;
  eval->staged = eval->packed + n;
  eval->handed = eval->staged + n;
  pz_tensor* x = eval->handed + most;
  for (uint32_t i = 0; i < chain->n_links; ++i) {
    pzi_step* const step = &eval->steps[i];
    step->link = &chain->links[i];
    step->table = &step->link->entry->map->table;
    step->options = step->link->entry->options;
    step->x = x;
    x += step->link->plan.n_original + step->link->plan.n_parameter;
  }
  return PZ_OK;
}

static pz_status
eval_setup(pz_eval* const eval)
{
  eval->steps = calloc(eval->chain->n_links, sizeof(*eval->steps));
  if (!eval->steps) {
    return pzi_no_memory(eval->chain->n_links * sizeof(*eval->steps));
  }
  PZ_TRY(place_arrays(eval));
  PZ_TRY(place_options(eval));
  PZ_TRY(pzi_fault_new(eval->queue, &eval->fault));
  return pzi_fault_new(eval->queue, &eval->staged_fault);
}

pz_status
pz_eval_new(pz_chain* const chain, pz_queue* const queue, pz_eval** const out)
{
  if (!chain || !queue || !out) {
    return pzi_fail(PZ_INVALID, "evaluation: found a NULL argument");
  }
  pz_eval* const eval = calloc(1, sizeof(*eval));
  if (!eval) {
    return pzi_no_memory(sizeof(*eval));
  }
  eval->chain = pz_chain_retain(chain);
  eval->queue = pzi_queue_retain(queue);
  pzi_arena_init(&eval->values, &queue->allocator);
  pzi_arena_init(&eval->values_host, NULL);
  pzi_arena_init(&eval->saved, &queue->allocator);
  pzi_arena_init(&eval->saved_host, NULL);
  pzi_arena_init(&eval->work, &queue->allocator);
  pzi_arena_init(&eval->work_host, NULL);
  pzi_arena_init(&eval->staging, &queue->allocator);
  pzi_arena_init(&eval->staging_host, NULL);
  const pz_status status = eval_setup(eval);
  if (status != PZ_OK) {
    pz_eval_free(eval);
    return status;
  }
  *out = eval;
  return PZ_OK;
}

void
pz_eval_free(pz_eval* const eval)
{
  if (!eval) {
    return;
  }
  pzi_arena_cleanup(&eval->values);
  pzi_arena_cleanup(&eval->values_host);
  pzi_arena_cleanup(&eval->saved);
  pzi_arena_cleanup(&eval->saved_host);
  pzi_arena_cleanup(&eval->work);
  pzi_arena_cleanup(&eval->work_host);
  pzi_arena_cleanup(&eval->staging);
  pzi_arena_cleanup(&eval->staging_host);
  for (uint32_t i = 0; i < eval->n_option_storages; ++i) {
    pzi_storage_release(eval->option_storages[i]);
  }
  if (eval->fault.data) {
    pzi_fault_free(eval->queue, &eval->fault);
  }
  if (eval->staged_fault.data) {
    pzi_fault_free(eval->queue, &eval->staged_fault);
  }
  free(eval->saves.tensors);
  free(eval->saves.records);
  free(eval->option_storages);
  free(eval->options);
  free(eval->tensors);
  free(eval->steps);
  pzi_queue_release(eval->queue);
  pz_chain_free(eval->chain);
  free(eval);
}

pz_status
pz_eval_memory(const pz_eval* const eval, pz_eval_usage* const out)
{
  if (!eval || !out || out->size < sizeof(*out)) {
    return pzi_fail(PZ_INVALID, "memory: found size %u, expected %zu",
                    out ? (unsigned)out->size : 0U, sizeof(*out));
  }
  const pzi_arena* const arenas[] = {&eval->values,     &eval->values_host, &eval->saved,
                                     &eval->saved_host, &eval->work,        &eval->work_host,
                                     &eval->staging,    &eval->staging_host};
  uint64_t bytes[3] = {0};
  uint64_t allocations = eval->saves.allocations;
  for (size_t k = 0; k < sizeof(arenas) / sizeof(arenas[0]); ++k) {
    bytes[k < 2 ? 0 : k < 4 ? 1 : 2] += arenas[k]->bytes;
    allocations += arenas[k]->allocations;
  }
  out->value_bytes = bytes[0];
  out->saved_bytes = bytes[1];
  out->work_bytes = bytes[2];
  out->allocations = allocations;
  return PZ_OK;
}
