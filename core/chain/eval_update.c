/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Changing buffers and own parameters: initialize fills those of new stages, update runs the
   callback of every stage that has one. Also the distance of a value from the set of a stage.

   Initialize and update run from the first stage to the last. Every stage sees its input as
   computed with the new state of the stages before it, as if they had been registered, or
   read, one by one. */

#include "pending.h"

#include "check_tensor.h"
#include "status.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

/* The next key of a random stream: a step of SplitMix64, never 0. */
static uint64_t
next_draw(const uint64_t draw)
{
  uint64_t z = draw + UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  z ^= z >> 31;
  return z ? z : 1;
}

/* ---- initialize --------------------------------------------------------------------------- */

static pz_status
initialize_stage(pz_eval* const eval, const uint32_t i, const pz_tensor* const tensor)
{
  PZ_TRY(pzi_pending_own(eval, i, true, true));
  pz_call* const c = pzi_eval_enter(eval, i, "init", 0, &eval->step_fault, NULL, tensor, 1);
  pzi_pending_outputs(eval, c, i, NULL, 0);
  const pz_status answer = eval->stages[i].table->init(c, tensor);
  PZ_TRY(pzi_pending_end(eval, i, NULL, 0, answer));
  pzi_pending_adopt(eval, i);
  return PZ_OK;
}

/* Copies the pending buffers and own parameters of stage i to `kept`, or back. */
static void
keep_staged(pz_eval* const eval, const uint32_t i, pz_tensor* const kept, const bool back)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  pz_tensor* const buffer = eval->pending + stage->first_buffer;
  pz_tensor* const parameter = eval->pending + stage->first_parameter;
  const size_t n_buffer = stage->plan->n_buffer;
  const size_t n_parameter = stage->plan->n_parameter;
  memcpy(back ? buffer : kept, back ? kept : buffer, n_buffer * sizeof(*kept));
  memcpy(back ? parameter : kept + n_buffer, back ? kept + n_buffer : parameter,
         n_parameter * sizeof(*kept));
}

/* Sets the inputs of stage 0 as if it were registered alone on `tensor`, so that later
   stages see a value. None of this is written to the state. If the tensor has no preimage,
   the tensor itself serves, or else the loaded originals. */
static pz_status
guess_originals(pz_eval* const eval, const pz_tensor* const tensor)
{
  pzi_eval_stage* const stage = &eval->stages[0];
  const pzi_plan* const plan = stage->plan;
  pz_tensor* const x = eval->pending;
  void* kept = NULL;
  pz_status status = PZ_UNSUPPORTED;
  if (stage->table->right_inverse) {
    PZ_TRY(pzi_tensor_arena_record(
        &eval->temporary, (plan->n_buffer + plan->n_parameter) * sizeof(pz_tensor), &kept));
    for (uint32_t k = 0; k < plan->n_original; ++k) {
      PZ_TRY(pzi_pending_new(eval, &plan->tensors[k].spec, &x[k]));
    }
    keep_staged(eval, 0, kept, false);
    status = pzi_eval_invert(eval, 0, PZ_REGISTER, tensor, x, plan->n_original);
    if (status == PZ_OK) {
      status = pzi_pending_check(eval);
    }
    if (status == PZ_OK) {
      pzi_pending_adopt(eval, 0);
      memcpy(stage->x, x, plan->n_original * sizeof(*x));
    }
    keep_staged(eval, 0, kept, true);
    for (uint32_t k = 0; k < plan->n_original; ++k) {
      x[k].shape = NULL;
    }
  }
  if (pzi_eval_no_preimage(status)) {
    (void)pzi_pending_check(eval);
    if (plan->n_original == 1 && pz_spec_equal(&plan->tensors[0].spec, &plan->value)) {
      stage->x[0] = *tensor;
    }
    status = PZ_OK;
  }
  return status;
}

pz_status
pz_eval_initialize(pz_eval* const eval, pz_state* const state, const uint32_t first,
                   const pz_tensor* const tensor)
{
  PZ_TRY(pzi_pending_begin(eval, state));
  const pz_chain* const chain = eval->chain;
  const bool from_tensor = chain->direction == PZ_FROM_TENSOR;
  const pzi_plan* const plan = eval->stages[0].plan;
  pz_tensor given = {0};
  bool is_value = false;
  if (first >= chain->n_stages) {
    return pzi_fail(PZ_INVALID,
                    "initialize: found parametrization %" PRIu32 ", expected less than %" PRIu32,
                    first, chain->n_stages);
  }
  if (first == 0) {
    const pz_spec* const spec = from_tensor ? pz_chain_value(chain) : &chain->tensors[0].spec;
    PZ_TRY(pzi_check_tensor(eval->queue, tensor, spec, "tensor"));
    PZ_TRY(pzi_pending_input(eval, spec, tensor, &given));
    if (!from_tensor) {
      PZ_TRY(pzi_eval_read(eval, 0, NULL, &given, &given));
    } else if (pz_spec_equal(spec, &chain->tensor)) { // dtype 0 is no tensor's
      PZ_TRY(pzi_eval_lead(eval, &chain->opening, false, NULL, &given, &given));
    }
    /* If a stage changes the shape, `tensor` is not a value of stage 0. */
    const pz_spec read = pz_spec_of(&given);
    is_value = from_tensor && pz_spec_equal(&plan->value, &read);
  }
  const uint32_t begin = chain->stages[first].map;
  uint32_t end = 0; /* past the last stage with init */
  for (uint32_t i = begin; i < eval->n_stages; ++i) {
    end = eval->stages[i].table->init ? i + 1 : end;
  }
  pzi_eval_invalidate(eval);
  for (uint32_t i = 0; i < end; ++i) {
    const bool use_given = i == 0 && first == 0 && (is_value || !from_tensor);
    if (i >= begin && eval->stages[i].table->init) {
      PZ_TRY(initialize_stage(eval, i, use_given ? &given : &eval->stages[i].x[0]));
    }
    if (i + 1 < end) {
      if (i == 0 && is_value) {
        PZ_TRY(guess_originals(eval, &given));
      }
      PZ_TRY(pzi_eval_run(eval, i, 0, &eval->pending_fault));
    }
  }
  return pzi_pending_commit(eval, state);
}

/* ---- update ------------------------------------------------------------------------------- */

/* Memory for the originals, as read, that update of stage 0 may ask for. Taken before the callback,
   which releases at its end whatever it takes of the temporary arena. */
static pz_status
make_new_originals(pz_eval* const eval, pz_tensor** const out)
{
  const pzi_plan* const plan = eval->stages[0].plan;
  void* memory = NULL;
  PZ_TRY(pzi_tensor_arena_record(&eval->temporary, plan->n_original * sizeof(pz_tensor), &memory));
  pz_tensor* const originals = memory;
  for (uint32_t k = 0; k < plan->n_original; ++k) {
    PZ_TRY(pzi_pending_new(eval, &plan->tensors[k].spec, &originals[k]));
  }
  *out = originals;
  return PZ_OK;
}

static pz_status
update_stage(pz_eval* const eval, const uint32_t i)
{
  pzi_eval_stage* const stage = &eval->stages[i];
  pzi_activity* const activity = &eval->activity;
  pz_tensor* originals = NULL;
  PZ_TRY(pzi_pending_own(eval, i, false, false));
  if (i == 0) {
    PZ_TRY(make_new_originals(eval, &originals));
  }
  pz_call* const c =
      pzi_eval_enter(eval, i, "update", PZ_CALL_TRAINING, &eval->step_fault, NULL, NULL, 0);
  pzi_pending_outputs(eval, c, i, NULL, 0);
  activity->updating = true;
  activity->originals = stage->x;
  activity->new_originals = originals;
  activity->n_new_originals = originals ? stage->plan->n_original : 0;
  const pz_status answer = stage->table->update(c, stage->x);
  const uint64_t requested = activity->requested;
  PZ_TRY(pzi_pending_end(eval, i, NULL, 0, answer));
  for (uint32_t k = 0; requested >> k != 0; ++k) {
    if ((requested >> k) & 1U) {
      PZ_TRY(pzi_eval_unread(eval, k, &originals[k], &eval->pending[k]));
      eval->loaded[k] = eval->pending[k];
      stage->x[k] = originals[k];
    }
  }
  pzi_pending_adopt(eval, i);
  return PZ_OK;
}

pz_status
pz_eval_update(pz_eval* const eval, pz_state* const state)
{
  PZ_TRY(pzi_pending_begin(eval, state));
  const uint32_t n = eval->n_stages;
  uint32_t end = 0;
  for (uint32_t i = 0; i < n; ++i) {
    eval->stages[i].draw = next_draw(eval->stages[i].draw);
    end = eval->stages[i].table->update ? i + 1 : end;
  }
  pzi_eval_invalidate(eval);
  for (uint32_t i = 0; i < end; ++i) {
    if (eval->stages[i].table->update) {
      PZ_TRY(update_stage(eval, i));
    }
    if (i + 1 < end) {
      PZ_TRY(pzi_eval_run(eval, i, PZ_CALL_TRAINING, &eval->pending_fault));
    }
  }
  PZ_TRY(pzi_pending_commit(eval, state));
  for (uint32_t i = 0; i < n; ++i) {
    state->draws[eval->stages[i].place] = eval->stages[i].draw;
  }
  return PZ_OK;
}

/* ---- residual ----------------------------------------------------------------------------- */

pz_status
pz_eval_residual(pz_eval* const eval, const pz_state* const state, const uint32_t index,
                 const pz_tensor* const value, double* const distance)
{
  PZ_TRY(pzi_pending_begin(eval, state));
  if (index >= eval->chain->n_stages || !distance) {
    return pzi_fail(PZ_INVALID,
                    "residual: found parametrization %" PRIu32 "%s, expected less than %" PRIu32,
                    index, distance ? "" : " and no place for the distance", eval->chain->n_stages);
  }
  const pz_chain* const chain = eval->chain;
  const pzi_stage* const asked = &chain->stages[index];
  if (asked->instance->view) {
    return pzi_fail(PZ_UNSUPPORTED, "view: has no residual");
  }
  const bool last = index + 1 == chain->n_stages; // gives the chain's value, back from its view
  const bool back = pzi_words_has(asked->instance->parametrization);
  const uint32_t map = back ? asked->map - 1 : asked->map;
  const pz_spec* const spec = last ? &chain->value : &asked->plan.value;
  const pzi_eval_stage* const stage = &eval->stages[map];
  pzi_way way = {0};
  if (last || back) {
    way = map + 1 < chain->n_maps ? chain->maps[map + 1]->in : chain->out;
    way.n = way.n_ending;
  }
  pz_tensor y;
  double result = 0.0;
  PZ_TRY(pzi_check_tensor(eval->queue, value, spec, "value"));
  if (!stage->table->residual) {
    return pzi_fail(PZ_UNSUPPORTED, "%s: has no residual", stage->table->id);
  }
  PZ_TRY(pzi_pending_input(eval, spec, value, &y));
  PZ_TRY(pzi_eval_lead(eval, &way, true, NULL, &y, &y));
  pz_call* const c = pzi_eval_enter(eval, map, "residual", 0, &eval->step_fault, NULL, &y, 1);
  const pz_status answer = stage->table->residual(c, &y, &result);
  PZ_TRY(pzi_eval_leave(eval, NULL, 0, false, answer));
  PZ_TRY(pzi_pending_check(eval));
  eval->fault_unread = false;
  *distance = result;
  return PZ_OK;
}
