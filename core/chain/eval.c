/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Running an evaluation: a state is loaded, then every stage runs on the value of the stage
   before it. */

#include "eval.h"

#include "activity.h"
#include "check_tensor.h"
#include "checks.h"
#include "fault.h"
#include "memory_owners.h"
#include "overlap.h"
#include "queue_copy.h"
#include "services.h"
#include "shape.h"
#include "status.h"

#include <math.h>
#include <string.h>

/* ---- loading a state ------------------------------------------------------------------ */

bool
pzi_eval_ready(const pz_eval* const eval, const pz_tensor* const tensor)
{
  return pzi_check_owned(eval->queue, tensor) && pzi_shape_is_contiguous(tensor) &&
         !pzi_memory_owners_is_other(eval->queue, tensor);
}

bool
pzi_eval_for_host(const pz_eval* const eval, const pz_tensor* const tensor)
{
  return !eval->queue->async || !pzi_check_owned(eval->queue, tensor);
}

/* Can the fold before stage i be skipped, because stage i reads its input as a triangle? Not if
   the fold skips its own predecessor: its input has no memory then. Nor across a view. */
static bool
takes_triangle(const pz_eval* const eval, const uint32_t i)
{
  return i > 0 && eval->stages[i - 1].plan->fold != 0 && eval->stages[i].plan->takes_triangle &&
         !eval->stages[i].in && !takes_triangle(eval, i - 1);
}

/* Values take their memory at the first use. A value that is usually skipped takes it when
   a stage computes it after all. */
static pz_status
place_value(pz_eval* const eval, const uint32_t i)
{
  pzi_eval_stage* const stage = &eval->stages[i];
  PZ_TRY(pzi_tensor_arena_take(&eval->values, &stage->plan->value, &stage->y));
  if (i + 1 < eval->n_stages && !stage->out) {
    eval->stages[i + 1].x[0] = stage->y;
  }
  return PZ_OK;
}

static pz_status
place_values(pz_eval* const eval)
{
  for (uint32_t i = 0; i < eval->n_stages; ++i) {
    const bool computed = i + 1 == eval->n_stages || !takes_triangle(eval, i + 1);
    if (computed && !eval->stages[i].y.data) {
      PZ_TRY(place_value(eval, i));
    }
  }
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
    PZ_TRY(pzi_tensor_arena_take(&eval->values, spec, packed));
    packed->shape = spec->shape;
  }
  PZ_TRY(pzi_queue_copy(eval->queue, &storage->tensor, packed));
  *loaded = *packed;
  return PZ_OK;
}

/* Sets the inputs of every stage from the loaded tensors. Where a view begins or ends between two
   stages, running the first sets the input of the second. */
static pz_status
connect(pz_eval* const eval)
{
  for (uint32_t i = 0; i < eval->n_stages; ++i) {
    pzi_eval_stage* const stage = &eval->stages[i];
    const pzi_plan* const plan = stage->plan;
    if (i == 0) {
      memcpy(stage->x, eval->loaded, plan->n_original * sizeof(pz_tensor));
      for (uint32_t k = 0; eval->chain->read && k < plan->n_original; ++k) {
        PZ_TRY(pzi_eval_read(eval, k, &eval->read[k], &eval->loaded[k], &stage->x[k]));
      }
    } else if (!stage->in) {
      stage->x[0] = eval->stages[i - 1].y;
    }
    stage->by = 0;
    memcpy(stage->x + plan->n_original, eval->loaded + stage->first_parameter,
           plan->n_parameter * sizeof(pz_tensor));
  }
  return PZ_OK;
}

void
pzi_eval_skip_folds(pz_eval* const eval)
{
  for (uint32_t i = 1; i < eval->n_stages; ++i) {
    if (takes_triangle(eval, i)) {
      eval->stages[i].x[0] = eval->stages[i - 1].x[0];
      eval->stages[i].by = eval->stages[i - 1].plan->fold;
    }
  }
}

void
pzi_eval_invalidate(pz_eval* const eval)
{
  eval->version = eval->version != 0 ? UINT64_MAX : 0; /* a version that no state has */
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
    pzi_eval_invalidate(eval);
  }
  PZ_TRY(place_values(eval));
  for (uint32_t i = 0; i < eval->chain->n_tensors; ++i) {
    PZ_TRY(load_tensor(eval, state->storages[i], i));
    eval->pending[i].shape = NULL;
  }
  for (uint32_t i = 0; i < eval->n_stages; ++i) {
    eval->stages[i].draw = state->draws[eval->stages[i].place];
  }
  PZ_TRY(connect(eval));
  pzi_tensor_arena_clear(&eval->temporary);
  return PZ_OK;
}

/* ---- callbacks ---------------------------------------------------------------------------- */

pz_call*
pzi_eval_enter(pz_eval* const eval, const uint32_t i, const char* const callback,
               const uint32_t flags, pzi_fault* const fault, const pzi_tape_range* const range,
               const pz_tensor* const given, const uint32_t n_given)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const pzi_plan* const plan = stage->plan;
  pz_call* const c = pzi_eval_core(eval, fault);
  eval->activity.frame.report = fault == &eval->step_fault ? PZI_REPORT_AT_ONCE : PZI_REPORT_LATER;
  c->flags = flags;
  c->host = &pzi_services;
  c->options = stage->options;
  c->buffer = eval->loaded + stage->first_buffer;
  c->in = plan->in | stage->by;
  c->n_original = plan->n_original;
  c->n_x = plan->n_original + plan->n_parameter;
  c->n_buffer = plan->n_buffer;
  c->dtype = plan->value.dtype;
  c->draw = stage->draw;
  c->reserved = &eval->activity;

  pzi_activity* const activity = &eval->activity;
  activity->id = stage->table->id;
  activity->callback = callback;
  activity->draft = NULL;
  activity->work = &eval->work;
  activity->temporary = &eval->temporary;
  activity->save = NULL;
  activity->tape = &eval->tape;
  activity->range = range;
  activity->updating = false;
  activity->originals = NULL;
  activity->new_originals = NULL;
  activity->n_new_originals = 0;
  activity->requested = 0;
  pzi_activity_begin(activity);
  if (eval->checks) {
    pzi_checks_begin(eval, i, given, n_given);
  }
  return c;
}

pz_status
pzi_eval_leave(pz_eval* const eval, const pz_tensor* const out, const uint32_t n_out,
               const bool replaced, pz_status answer)
{
  if (replaced) {
    answer = pzi_activity_breach(&eval->activity, "put another tensor in place of its output");
  }
  if (eval->checks) {
    answer = pzi_checks_end(eval, out, n_out, answer);
  }
  return pzi_activity_end(&eval->activity, answer);
}

pz_status
pzi_eval_poison_outputs(pz_eval* const eval, const pz_tensor* const out, const uint32_t n,
                        pzi_fault* const fault)
{
  for (uint32_t k = 0; k < n; ++k) {
    if (eval->checks && out[k].data) {
      PZ_TRY(pzi_checks_blank(eval, &out[k]));
    } else if (out[k].data && out[k].dtype != PZ_I64) {
      pz_tensor y = out[k];
      pz_call* const c = pzi_eval_core(eval, fault);
      PZ_TRY(c->ops->fill(c, NAN, &y));
    }
  }
  return PZ_OK;
}

void
pzi_eval_set_check_writes(pz_eval* const eval, const bool check_writes)
{
  eval->check_writes = check_writes;
}

/* Hands the value of stage i along its way to the next stage, or to the caller. */
static pz_status
pass_on(pz_eval* const eval, const uint32_t i)
{
  pzi_eval_stage* const stage = &eval->stages[i];
  return pzi_eval_lead(eval, stage->out, false, stage->kept, &stage->y,
                       i + 1 < eval->n_stages ? &stage[1].x[0] : &eval->value);
}

pz_status
pzi_eval_run(pz_eval* const eval, const uint32_t i, const uint32_t flags, pzi_fault* const fault)
{
  pzi_eval_stage* const stage = &eval->stages[i];
  pzi_tape* const tape = &eval->tape;
  if (!stage->y.data) {
    PZ_TRY(place_value(eval, i));
  }
  PZ_TRY(pzi_eval_poison(eval, &stage->y, 1, fault));
  pz_call* const c = pzi_eval_enter(eval, i, "forward", flags, fault, NULL, NULL, 0);
  eval->activity.save = (flags & PZ_CALL_SAVING) != 0 ? &eval->saved : NULL;
  stage->range = (pzi_tape_range){.first_tensor = tape->n_tensors, .first_record = tape->n_records};
  pz_tensor* const y = eval->outputs;
  *y = stage->y;
  const pz_status answer = stage->table->forward(c, stage->x, y);
  PZ_TRY(pzi_eval_leave(eval, &stage->y, 1, memcmp(y, &stage->y, sizeof(*y)) != 0, answer));
  stage->range.n_tensors = tape->n_tensors - stage->range.first_tensor;
  stage->range.n_records = tape->n_records - stage->range.first_record;
  PZ_TRY(eval->checks ? pzi_checks_value(eval, i) : PZ_OK);
  return stage->out ? pass_on(eval, i) : PZ_OK;
}

/* Runs fold i, whose value the next stage does without, only to check that. */
static pz_status
check_skipped(pz_eval* const eval, const uint32_t i, const uint32_t flags)
{
  pzi_eval_stage* const next = &eval->stages[i + 1];
  const pz_tensor x = next->x[0];
  PZ_TRY(pzi_eval_run(eval, i, flags, &eval->fault));
  next->x[0] = x;
  return PZ_OK;
}

/* Copies the value to the caller's tensor. */
static pz_status
copy_value(pz_eval* const eval, const pz_tensor* const into)
{
  if (pzi_eval_for_host(eval, into)) {
    PZ_TRY(pzi_eval_fault(eval, &eval->fault));
  }
  return pzi_queue_copy(eval->queue, &eval->value, into);
}

pz_status
pzi_eval_forward(pz_eval* const eval, const pz_state* const state, const uint32_t flags,
                 const pz_tensor* const into, pz_tensor* const value)
{
  if ((flags & ~(uint32_t)(PZ_CALL_SAVING | PZ_CALL_TRAINING)) != 0) {
    return pzi_fail(PZ_INVALID,
                    "forward: found flags 0x%x, expected PZ_CALL_SAVING, PZ_CALL_TRAINING",
                    (unsigned)flags);
  }
  if (eval) {
    eval->version = 0;
  }
  PZ_TRY(pzi_eval_begin(eval, state));
  if (into) {
    PZ_TRY(pzi_check_tensor(eval->queue, into, pz_chain_value(eval->chain), "into"));
    if (pzi_overlap_self(into)) {
      return pzi_fail(PZ_INVALID, "into: found strides that address an element twice");
    }
  }
  const uint64_t version = pz_state_version(state);
  pzi_tensor_arena_clear(&eval->saved);
  eval->tape.n_tensors = 0;
  eval->tape.n_records = 0;
  pzi_eval_skip_folds(eval);
  const uint32_t n = eval->n_stages;
  for (uint32_t i = 0; i < n; ++i) {
    if (i + 1 == n || eval->stages[i + 1].by == 0) {
      PZ_TRY(pzi_eval_run(eval, i, flags, &eval->fault));
    } else if (eval->checks) {
      PZ_TRY(check_skipped(eval, i, flags));
    }
  }
  if (!eval->stages[n - 1].out) {
    eval->value = eval->stages[n - 1].y;
  }
  if (into) {
    PZ_TRY(copy_value(eval, into));
  }
  eval->version = version;
  eval->flags = flags;
  if (value) {
    *value = eval->value;
  }
  return PZ_OK;
}

/* ---- the public calls ---------------------------------------------------------------------- */

pz_status
pz_eval_forward(pz_eval* const eval, const pz_state* const state, const uint32_t flags,
                const pz_tensor* const into, pz_tensor* const value)
{
  if (eval && value) {
    PZ_TRY(pzi_check_may_show(eval->queue));
  }
  return pzi_eval_forward(eval, state, flags, into, value);
}

/* The fault word does not tell the stage, so the message names the chain. */
pz_status
pzi_eval_fault(pz_eval* const eval, pzi_fault* const fault)
{
  return pzi_fail_prefix(pzi_fault_check(eval->queue, fault), "%s", eval->chain->text);
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
pz_eval_check(pz_eval* const eval)
{
  if (!eval) {
    return pzi_fail(PZ_INVALID, "found no evaluation");
  }
  return pzi_eval_fault(eval, &eval->fault);
}
