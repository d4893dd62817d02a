/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An evaluation holds the values of all stages, the tape of forward, and scratch. Its arenas
   keep their memory, so that a repeated evaluation allocates nothing. */

#include "eval.h"

#include "checks.h"
#include "fault.h"
#include "queue_copy.h"
#include "sized_struct.h"
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
  for (uint32_t i = 0; i < chain->n_maps; ++i) {
    const pz_parametrization* const table = &chain->maps[i]->instance->parametrization->table;
    n_values += table->n_options;
    for (uint32_t k = 0; k < table->n_options; ++k) {
      const pz_value* const value = &chain->maps[i]->instance->options[k];
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
  for (uint32_t i = 0; i < chain->n_maps; ++i) {
    const pzi_instance* const instance = chain->maps[i]->instance;
    eval->stages[i].options = to;
    for (uint32_t k = 0; k < instance->parametrization->table.n_options; ++k, ++to) {
      *to = instance->options[k];
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

/* Allocates one block for all arrays of tensors. */
static pz_status
place_arrays(pz_eval* const eval)
{
  const pz_chain* const chain = eval->chain;
  const size_t n = chain->n_tensors;
  const size_t n_original = chain->n_role[PZ_ORIGINAL];
  size_t n_x = 0;
  size_t most = 1;
  for (uint32_t i = 0; i < chain->n_maps; ++i) {
    const pzi_plan* const plan = &chain->maps[i]->plan;
    const size_t here = (size_t)plan->n_original + plan->n_parameter;
    n_x += here;
    most = here + plan->n_parameter + plan->n_buffer > most
               ? here + plan->n_parameter + plan->n_buffer
               : most;
  }
  const size_t total = n_x + 3 * n + n_original + most;
  eval->tensors = calloc(total, sizeof(pz_tensor));
  if (!eval->tensors) {
    return pzi_no_memory(total * sizeof(pz_tensor));
  }
  eval->loaded = eval->tensors;
  eval->packed = eval->loaded + n;
  eval->pending = eval->packed + n;
  eval->read = eval->pending + n;
  eval->outputs = eval->read + n_original;
  pz_tensor* x = eval->outputs + most;
  for (uint32_t i = 0; i < chain->n_maps; ++i) {
    pzi_eval_stage* const stage = &eval->stages[i];
    const pzi_stage* const planned = chain->maps[i];
    stage->table = &planned->instance->parametrization->table;
    stage->plan = &planned->plan;
    const pzi_way* const out = i + 1 < chain->n_maps ? &chain->maps[i + 1]->in : &chain->out;
    stage->in = planned->in.n > 0 ? &planned->in : NULL;
    stage->out = out->n > 0 ? out : NULL;
    stage->place = (uint32_t)(planned - chain->stages);
    stage->first_parameter = planned->first_parameter;
    stage->first_buffer = planned->first_buffer;
    stage->options = planned->instance->options;
    stage->x = x;
    x += planned->plan.n_original + planned->plan.n_parameter;
  }
  return PZ_OK;
}

static pz_status
eval_setup(pz_eval* const eval)
{
  eval->n_stages = eval->chain->n_maps;
  eval->stages = calloc(eval->n_stages, sizeof(*eval->stages));
  if (!eval->stages) {
    return pzi_no_memory(eval->n_stages * sizeof(*eval->stages));
  }
  PZ_TRY(pzi_checks_new(eval));
  PZ_TRY(place_arrays(eval));
  PZ_TRY(place_options(eval));
  PZ_TRY(pzi_fault_new(eval->queue, &eval->fault));
  PZ_TRY(pzi_fault_new(eval->queue, &eval->pending_fault));
  return pzi_fault_new(eval->queue, &eval->step_fault);
}

pz_status
pz_eval_new(const pz_chain* const chain, pz_queue* const queue, pz_eval** const out)
{
  if (!chain || !queue || !out) {
    return pzi_fail(PZ_INVALID, "evaluation: found a NULL argument");
  }
  pz_eval* const eval = calloc(1, sizeof(*eval));
  if (!eval) {
    return pzi_no_memory(sizeof(*eval));
  }
  eval->chain = pzi_chain_retain(chain);
  eval->queue = pzi_queue_retain(queue);
  pzi_tensor_arena_init(&eval->values, queue);
  pzi_tensor_arena_init(&eval->saved, queue);
  pzi_tensor_arena_init(&eval->work, queue);
  pzi_tensor_arena_init(&eval->temporary, queue);
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
  pzi_tensor_arena_cleanup(&eval->values);
  pzi_tensor_arena_cleanup(&eval->saved);
  pzi_tensor_arena_cleanup(&eval->work);
  pzi_tensor_arena_cleanup(&eval->temporary);
  pzi_tape_cleanup(&eval->tape);
  pzi_checks_free(eval);
  for (uint32_t i = 0; i < eval->n_option_storages; ++i) {
    pzi_storage_release(eval->option_storages[i]);
  }
  pzi_fault_free(eval->queue, &eval->fault);
  pzi_fault_free(eval->queue, &eval->pending_fault);
  pzi_fault_free(eval->queue, &eval->step_fault);
  free(eval->option_storages);
  free(eval->options);
  free(eval->tensors);
  free(eval->stages);
  pzi_queue_release(eval->queue);
  pz_chain_free(eval->chain);
  free(eval);
}

/* Bytes held; adds to the allocations made. */
static uint64_t
held(const pzi_tensor_arena* const arena, uint64_t* const allocations)
{
  *allocations += arena->device.allocations + arena->host.allocations;
  return arena->device.bytes + arena->host.bytes;
}

pz_status
pz_eval_memory(const pz_eval* const eval, pz_eval_usage* const out)
{
  if (!eval) {
    return pzi_fail(PZ_INVALID, "found no evaluation");
  }
  PZ_TRY(pzi_struct_check(out, "output"));
  pz_eval_usage usage = {.allocations = eval->tape.allocations};
  usage.value_bytes = held(&eval->values, &usage.allocations);
  usage.saved_bytes = held(&eval->saved, &usage.allocations);
  usage.work_bytes =
      held(&eval->work, &usage.allocations) + held(&eval->temporary, &usage.allocations);
  pzi_struct_write(out, &usage, sizeof(usage));
  return PZ_OK;
}
