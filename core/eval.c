/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An evaluation: the values of all maps, what forward saved for vjp, and scratch. Memory
   comes from arenas that are kept, so that a repeated evaluation allocates nothing. */

#include "eval.h"

#include "status.h"

#include <stdlib.h>
#include <string.h>

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
  pzi_arena_init(&eval->values, queue);
  pzi_arena_init(&eval->values_host, NULL);
  pzi_arena_init(&eval->saved, queue);
  pzi_arena_init(&eval->saved_host, NULL);
  pzi_arena_init(&eval->work, queue);
  pzi_arena_init(&eval->work_host, NULL);
  pzi_arena_init(&eval->staging, queue);
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

/* ---- loading a state ------------------------------------------------------------------ */

bool
pzi_eval_ready(const pz_eval* const eval, const pz_tensor* const tensor)
{
  if (!pzi_queue_owns(eval->queue, tensor) || !pzi_is_contiguous(tensor)) {
    return false;
  }
  /* A cl_mem is no address. */
  const uint64_t base =
      tensor->device.type == PZ_DEVICE_OPENCL ? 0 : (uint64_t)(uintptr_t)tensor->data;
  return (base + tensor->byte_offset) % 64 == 0 || pz_count(tensor) == 0;
}

/* Values of all maps take their memory at the first use. */
static pz_status
place_values(pz_eval* const eval)
{
  if (eval->placed) {
    return PZ_OK;
  }
  const uint64_t mark = pzi_arena_mark(&eval->values);
  const uint64_t host_mark = pzi_arena_mark(&eval->values_host);
  for (uint32_t i = 0; i < eval->chain->n_links; ++i) {
    pzi_step* const step = &eval->steps[i];
    const pz_status status =
        pzi_arena_tensor(&eval->values, &eval->values_host, &step->link->plan.value, &step->y);
    if (status != PZ_OK) {
      pzi_arena_release(&eval->values, mark);
      pzi_arena_release(&eval->values_host, host_mark);
      return status;
    }
  }
  eval->placed = true;
  return PZ_OK;
}

static pz_status
load_tensor(pz_eval* const eval, const pzi_storage* const storage, const uint32_t place)
{
  const pz_spec* const spec = &eval->chain->tensors[place].spec;
  pz_tensor* const loaded = &eval->loaded[place];
  pz_tensor* const packed = &eval->packed[place];
  if (!storage->bound || pzi_eval_ready(eval, &storage->tensor)) {
    *loaded = storage->tensor;
    loaded->shape = spec->shape;
    loaded->strides = NULL;
    return PZ_OK;
  }
  if (!packed->shape) {
    pz_tensor room;
    PZ_TRY(pzi_arena_tensor(&eval->values, &eval->values_host, spec, &room));
    room.shape = spec->shape;
    *packed = room;
  }
  PZ_TRY(pzi_queue_copy(eval->queue, &storage->tensor, packed));
  *loaded = *packed;
  return PZ_OK;
}

/* Inputs of every map from what is loaded. */
static void
connect(pz_eval* const eval)
{
  for (uint32_t i = 0; i < eval->chain->n_links; ++i) {
    pzi_step* const step = &eval->steps[i];
    const pzi_plan* const plan = &step->link->plan;
    if (i == 0) {
      memcpy(step->x, eval->loaded, plan->n_original * sizeof(pz_tensor));
    } else {
      step->x[0] = eval->steps[i - 1].y;
    }
    memcpy(step->x + plan->n_original, eval->loaded + step->link->first_parameter,
           plan->n_parameter * sizeof(pz_tensor));
  }
}

void
pzi_eval_forget(pz_eval* const eval)
{
  eval->version = eval->version != 0 ? UINT64_MAX : 0; /* which no state has */
}

pz_status
pzi_eval_begin(pz_eval* const eval, const pz_state* const state)
{
  if (!eval || !state) {
    return pzi_fail(PZ_INVALID, "evaluation: found a NULL argument");
  }
  if (state->chain != eval->chain) {
    return pzi_fail(PZ_INVALID,
                    "evaluation: found a state of chain \"%s\", expected that of its "
                    "own chain \"%s\"",
                    state->chain->text, eval->chain->text);
  }
  if (state->queue != eval->queue) {
    return pzi_fail(PZ_MISMATCH, "evaluation: found a state on queue %s, expected its own %s",
                    state->queue->name, eval->queue->name);
  }
  if (eval->version != pz_state_version(state)) {
    pzi_eval_forget(eval);
  }
  PZ_TRY(place_values(eval));
  for (uint32_t i = 0; i < eval->chain->n_tensors; ++i) {
    PZ_TRY(load_tensor(eval, state->storages[i], i));
    eval->staged[i].shape = NULL;
  }
  for (uint32_t i = 0; i < eval->chain->n_links; ++i) {
    eval->steps[i].draw = state->draws[i];
  }
  connect(eval);
  pzi_arena_release(&eval->staging, 0);
  pzi_arena_release(&eval->staging_host, 0);
  return PZ_OK;
}

/* ---- entries ---------------------------------------------------------------------------- */

pz_call*
pzi_eval_core(pz_eval* const eval, const pz_fault* const fault)
{
  pzi_call_init(&eval->call, &eval->activity.frame, eval->queue, fault);
  return &eval->call;
}

pz_call*
pzi_eval_enter(pz_eval* const eval, const uint32_t i, const char* const entry, const uint32_t flags,
               const pz_fault* const fault)
{
  const pzi_step* const step = &eval->steps[i];
  const pzi_plan* const plan = &step->link->plan;
  pz_call* const c = pzi_eval_core(eval, fault);
  c->flags = flags;
  c->host = &pzi_services;
  c->options = step->options;
  c->buffer = eval->loaded + step->link->first_buffer;
  c->in = plan->in;
  c->n_original = plan->n_original;
  c->n_x = plan->n_original + plan->n_parameter;
  c->n_buffer = plan->n_buffer;
  c->dtype = plan->value.dtype;
  c->draw = step->draw;
  c->reserved = &eval->activity;

  pzi_activity* const activity = &eval->activity;
  activity->id = step->table->id;
  activity->entry = entry;
  activity->draft = NULL;
  activity->work = &eval->work;
  activity->work_host = &eval->work_host;
  activity->spare = &eval->staging;
  activity->spare_host = &eval->staging_host;
  activity->save = NULL;
  activity->save_host = NULL;
  activity->saved = &eval->saves;
  activity->range = NULL;
  pzi_activity_begin(activity);
  return c;
}

pz_status
pzi_eval_step(pz_eval* const eval, const uint32_t i, const uint32_t flags,
              const pz_fault* const fault)
{
  pzi_step* const step = &eval->steps[i];
  pzi_saved* const saves = &eval->saves;
  pz_call* const c = pzi_eval_enter(eval, i, "forward", flags, fault);
  if ((flags & PZ_CALL_SAVING) != 0) {
    eval->activity.save = &eval->saved;
    eval->activity.save_host = &eval->saved_host;
  }
  step->range =
      (pzi_saved_range){.first_tensor = saves->n_tensors, .first_record = saves->n_records};
  pz_tensor* const y = eval->handed;
  *y = step->y;
  pz_status answer = step->table->forward(c, step->x, y);
  if (memcmp(y, &step->y, sizeof(*y)) != 0) {
    answer = pzi_activity_breach(&eval->activity, "put another tensor in place of its output");
  }
  PZ_TRY(pzi_activity_end(&eval->activity, answer));
  step->range.n_tensors = saves->n_tensors - step->range.first_tensor;
  step->range.n_records = saves->n_records - step->range.first_record;
  return PZ_OK;
}

/* ---- the public calls ---------------------------------------------------------------------- */

pz_status
pz_eval_forward(pz_eval* const eval, const pz_state* const state, const uint32_t flags,
                pz_tensor* const value)
{
  if ((flags & ~(uint32_t)(PZ_CALL_SAVING | PZ_CALL_TRAINING)) != 0 || !value) {
    return pzi_fail(PZ_INVALID,
                    "forward: found flags 0x%x%s, expected PZ_CALL_SAVING, "
                    "PZ_CALL_TRAINING and a place for the value",
                    (unsigned)flags, value ? "" : " and no place for the value");
  }
  if (eval) {
    eval->version = 0;
  }
  PZ_TRY(pzi_eval_begin(eval, state));
  const uint64_t version = pz_state_version(state);
  pzi_arena_release(&eval->saved, 0);
  pzi_arena_release(&eval->saved_host, 0);
  eval->saves.n_tensors = 0;
  eval->saves.n_records = 0;
  for (uint32_t i = 0; i < eval->chain->n_links; ++i) {
    PZ_TRY(pzi_eval_step(eval, i, flags, &eval->fault));
  }
  eval->version = version;
  eval->flags = flags;
  *value = eval->steps[eval->chain->n_links - 1].y;
  return PZ_OK;
}

uint64_t
pzi_eval_version(const pz_eval* const eval, uint32_t* const flags)
{
  if (flags) {
    *flags = eval->flags;
  }
  return eval->version;
}

pz_status
pzi_eval_check(pz_eval* const eval)
{
  return pzi_fault_check(eval->queue, &eval->fault);
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
