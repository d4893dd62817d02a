/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The tensors of a chain. Versions come from one counter for all states, so that equal
   versions mean the same state unchanged. */

#include "state.h"

#include "check_tensor.h"
#include "overlap.h"
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
next_version(void)
{
  static _Atomic uint64_t counter;
  return atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed) + 1;
}

/* A state without storages and draws. */
static pz_status
state_alloc(const pz_chain* const chain, pz_queue* const queue, pz_state** const out)
{
  const size_t bytes = sizeof(pz_state) + chain->n_stages * sizeof(uint64_t) +
                       chain->n_tensors * sizeof(pzi_storage*);
  pz_state* const state = calloc(1, bytes);
  if (!state) {
    return pzi_no_memory(bytes);
  }
  state->chain = pzi_chain_retain(chain);
  state->queue = pzi_queue_retain(queue);
  state->draws = (uint64_t*)(state + 1);
  state->storages = (pzi_storage**)(state->draws + chain->n_stages);
  atomic_init(&state->version, next_version());
  *out = state;
  return PZ_OK;
}

void
pz_state_free(pz_state* const state)
{
  if (!state) {
    return;
  }
  for (uint32_t i = 0; i < state->chain->n_tensors; ++i) {
    pzi_storage_release(state->storages[i]);
  }
  pzi_queue_release(state->queue);
  pz_chain_free(state->chain);
  free(state);
}

/* Adds the missing storages and draws. */
static pz_status
state_complete(pz_state* const state)
{
  const pz_chain* const chain = state->chain;
  for (uint32_t i = 0; i < chain->n_tensors; ++i) {
    if (!state->storages[i]) {
      PZ_TRY(pzi_storage_new(state->queue, &chain->tensors[i].spec, &state->storages[i]));
    }
  }
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    if (state->draws[i] == 0) {
      state->draws[i] = pzi_context_draw(chain->context);
    }
  }
  return PZ_OK;
}

/* Completes a state and hands it out, or frees it. */
static pz_status
state_finish(pz_state* const state, pz_state** const out)
{
  const pz_status status = state_complete(state);
  if (status != PZ_OK) {
    pz_state_free(state);
    return status;
  }
  *out = state;
  return PZ_OK;
}

pz_status
pz_state_new(const pz_chain* const chain, pz_queue* const queue, pz_state** const out)
{
  pz_state* state = NULL;
  if (!chain || !queue || !out) {
    return pzi_fail(PZ_INVALID, "state: found a NULL argument");
  }
  PZ_TRY(state_alloc(chain, queue, &state));
  return state_finish(state, out);
}

/* The stage of `chain` with this instance, or UINT32_MAX. */
static uint32_t
find_instance(const pz_chain* const chain, const pzi_instance* const instance)
{
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    if (chain->stages[i].instance == instance) {
      return i;
    }
  }
  return UINT32_MAX;
}

static void
share(pz_state* const state, const uint32_t to, const pz_state* const from, const uint32_t at,
      const uint32_t n)
{
  for (uint32_t k = 0; k < n; ++k) {
    state->storages[to + k] = pzi_storage_retain(from->storages[at + k]);
  }
}

pz_status
pzi_state_adopt(pz_chain* const chain, const pz_state* const from, pz_state** const out)
{
  pz_state* state = NULL;
  PZ_TRY(state_alloc(chain, from->queue, &state));
  share(state, 0, from, 0, chain->n_role[PZ_ORIGINAL]);
  for (uint32_t i = 0; i < chain->n_stages; ++i) {
    const pzi_stage* const stage = &chain->stages[i];
    const uint32_t at = find_instance(from->chain, stage->instance);
    if (at != UINT32_MAX) {
      const pzi_stage* const before = &from->chain->stages[at];
      state->draws[i] = from->draws[at];
      share(state, stage->first_parameter, from, before->first_parameter, stage->plan.n_parameter);
      share(state, stage->first_buffer, from, before->first_buffer, stage->plan.n_buffer);
    }
  }
  return state_finish(state, out);
}

pz_status
pzi_state_with_draws(pz_chain* const chain, pz_queue* const queue, const uint64_t* const draws,
                     pz_state** const out)
{
  pz_state* state = NULL;
  PZ_TRY(state_alloc(chain, queue, &state));
  memcpy(state->draws, draws, chain->n_stages * sizeof(*state->draws));
  return state_finish(state, out);
}

pz_status
pzi_state_like(pz_chain* const chain, pz_queue* const queue, const pz_state* const from,
               pz_state** const out)
{
  return pzi_state_with_draws(chain, queue, from->draws, out);
}

void
pzi_state_replace(pz_state* const state, const uint32_t role, const uint32_t index,
                  pzi_storage* const storage)
{
  const uint32_t place = pzi_chain_place(state->chain, role, index);
  pzi_storage* const before = state->storages[place];
  state->storages[place] = pzi_storage_retain(storage);
  pzi_storage_release(before);
  pz_state_touch(state);
}

const pz_tensor*
pzi_state_tensor(const pz_state* const state, const uint32_t role, const uint32_t index)
{
  return &state->storages[pzi_chain_place(state->chain, role, index)]->tensor;
}

static pz_status
find_place(const pz_state* const state, const pz_role role, const uint32_t index,
           uint32_t* const out)
{
  if (!state) {
    return pzi_fail(PZ_INVALID, "state: found a NULL argument");
  }
  *out = pzi_chain_place(state->chain, (uint32_t)role, index);
  if (*out == UINT32_MAX) {
    return pzi_fail(PZ_NOT_FOUND, "state: found no tensor %" PRIu32 " of role %d", index,
                    (int)role);
  }
  return PZ_OK;
}

pz_status
pz_state_tensor(const pz_state* const state, const pz_role role, const uint32_t index,
                pz_tensor* const out)
{
  uint32_t place = 0;
  PZ_TRY(find_place(state, role, index, &place));
  if (!out) {
    return pzi_fail(PZ_INVALID, "state: found a NULL argument");
  }
  PZ_TRY(pzi_check_may_show(state->queue));
  *out = state->storages[place]->tensor;
  return PZ_OK;
}

pz_status
pz_state_bind(pz_state* const state, const pz_role role, const uint32_t index,
              const pz_tensor* const tensor)
{
  uint32_t place = 0;
  pzi_storage* storage = NULL;
  PZ_TRY(find_place(state, role, index, &place));
  const pzi_chain_tensor* const known = &state->chain->tensors[place];
  PZ_TRY(pzi_check_tensor(state->queue, tensor, &known->spec, known->name));
  if (pzi_overlap_self(tensor)) {
    return pzi_fail(PZ_INVALID, "%s: found strides that address an element twice, expected none",
                    known->name);
  }
  PZ_TRY(pzi_storage_bound(state->queue, tensor, &storage));
  pzi_state_replace(state, (uint32_t)role, index, storage);
  pzi_storage_release(storage);
  return PZ_OK;
}

void
pz_state_touch(pz_state* const state)
{
  if (state) {
    atomic_store_explicit(&state->version, next_version(), memory_order_release);
  }
}

void
pzi_state_restore_version(pz_state* const state, const uint64_t version)
{
  atomic_store_explicit(&state->version, version, memory_order_release);
}

uint64_t
pz_state_version(const pz_state* const state)
{
  if (!state) {
    (void)pzi_fail(PZ_INVALID, "found no state");
    return 0;
  }
  return atomic_load_explicit(&state->version, memory_order_acquire);
}
