/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* All or nothing: whatever changes a state is first made beside it, in the staging area of
   the evaluation, and written over the state's own tensors when every map has succeeded.
   Their storage stays the same, so that an optimizer may keep hold of it. */

#include "eval.h"

#include "queue_copy.h"
#include "shape.h"
#include "status.h"

#include <string.h>

pz_status
pzi_stage_begin(pz_eval* const eval, const pz_state* const state)
{
  PZ_TRY(pzi_eval_begin(eval, state));
  if (eval->staged_unread) {
    (void)pzi_stage_check(eval);
  }
  eval->staged_unread = true;
  return PZ_OK;
}

pz_status
pzi_stage_check(pz_eval* const eval)
{
  return pzi_eval_fault(eval, &eval->staged_fault);
}

/* ---- tensors ------------------------------------------------------------------------ */

pz_status
pzi_stage_new(pz_eval* const eval, const pz_spec* const spec, pz_tensor* const out)
{
  return pzi_arena_tensor(&eval->staging, &eval->staging_host, spec, out);
}

pz_status
pzi_stage_copy(pz_eval* const eval, const pz_spec* const spec, const pz_tensor* const from,
               pz_tensor* const out)
{
  pz_tensor copy;
  PZ_TRY(pzi_stage_new(eval, spec, &copy));
  PZ_TRY(pzi_queue_copy(eval->queue, from, &copy));
  *out = copy;
  return PZ_OK;
}

pz_status
pzi_stage_input(pz_eval* const eval, const pz_spec* const spec, const pz_tensor* const from,
                pz_tensor* const out)
{
  if (!pzi_eval_ready(eval, from)) {
    return pzi_stage_copy(eval, spec, from, out);
  }
  *out = *from;
  out->strides = NULL;
  return PZ_OK;
}

/* ---- a map's own tensors --------------------------------------------------------------- */

static pz_status
stage_range(pz_eval* const eval, const uint32_t first, const uint32_t n, const bool zero)
{
  for (uint32_t k = first; k < first + n; ++k) {
    const pz_spec* const spec = &eval->chain->tensors[k].spec;
    if (!zero) {
      PZ_TRY(pzi_stage_copy(eval, spec, &eval->loaded[k], &eval->staged[k]));
      continue;
    }
    pz_tensor fresh;
    PZ_TRY(pzi_stage_new(eval, spec, &fresh));
    PZ_TRY(pzi_queue_zero(eval->queue, &fresh));
    eval->staged[k] = fresh;
  }
  return PZ_OK;
}

pz_status
pzi_stage_own(pz_eval* const eval, const uint32_t i, const bool parameters, const bool zero)
{
  const pzi_link* const link = eval->steps[i].link;
  PZ_TRY(stage_range(eval, link->first_buffer, link->plan.n_buffer, zero));
  return stage_range(eval, link->first_parameter, parameters ? link->plan.n_parameter : 0, zero);
}

void
pzi_stage_dismiss(pz_eval* const eval, const uint32_t i)
{
  const pzi_link* const link = eval->steps[i].link;
  for (uint32_t k = 0; k < link->plan.n_buffer; ++k) {
    eval->staged[link->first_buffer + k].shape = NULL;
  }
  for (uint32_t k = 0; k < link->plan.n_parameter; ++k) {
    eval->staged[link->first_parameter + k].shape = NULL;
  }
}

void
pzi_stage_adopt(pz_eval* const eval, const uint32_t i)
{
  const pzi_link* const link = eval->steps[i].link;
  for (uint32_t k = 0; k < link->plan.n_buffer; ++k) {
    if (eval->staged[link->first_buffer + k].shape) {
      eval->loaded[link->first_buffer + k] = eval->staged[link->first_buffer + k];
    }
  }
  for (uint32_t k = 0; k < link->plan.n_parameter; ++k) {
    if (eval->staged[link->first_parameter + k].shape) {
      eval->loaded[link->first_parameter + k] = eval->staged[link->first_parameter + k];
      eval->steps[i].x[link->plan.n_original + k] = eval->staged[link->first_parameter + k];
    }
  }
}

/* ---- handing out ------------------------------------------------------------------------ */

/* Plugins get copies of the tensor structures, so that one which puts another tensor in
   the place of its output is found out. */
void
pzi_stage_hand(pz_eval* const eval, pz_call* const call, const uint32_t i,
               const pz_tensor* const out, const uint32_t n_out)
{
  const pzi_link* const link = eval->steps[i].link;
  const pz_tensor* const buffer = eval->staged + link->first_buffer;
  const pz_tensor* const parameter = eval->staged + link->first_parameter;
  pz_tensor* to = eval->handed;
  if (n_out > 0) { /* init has no output, and none is NULL */
    memcpy(to, out, n_out * sizeof(*to));
    to += n_out;
  }
  if (link->plan.n_buffer > 0 && buffer->shape) {
    memcpy(to, buffer, link->plan.n_buffer * sizeof(*to));
    call->new_buffer = to;
    to += link->plan.n_buffer;
  }
  if (link->plan.n_parameter > 0 && parameter->shape) {
    memcpy(to, parameter, link->plan.n_parameter * sizeof(*to));
    call->new_parameter = to;
  }
}

static bool
same(const pz_tensor* const handed, const pz_tensor* const own, const uint32_t n)
{
  return n == 0 || memcmp(handed, own, n * sizeof(*own)) == 0;
}

pz_status
pzi_stage_end(pz_eval* const eval, const uint32_t i, const pz_tensor* const out,
              const uint32_t n_out, pz_status answer)
{
  const pzi_link* const link = eval->steps[i].link;
  const pz_tensor* const buffer = eval->staged + link->first_buffer;
  const pz_tensor* const parameter = eval->staged + link->first_parameter;
  const uint32_t n_buffer = link->plan.n_buffer > 0 && buffer->shape ? link->plan.n_buffer : 0;
  const uint32_t n_parameter =
      link->plan.n_parameter > 0 && parameter->shape ? link->plan.n_parameter : 0;
  if (!same(eval->handed, out, n_out) || !same(eval->handed + n_out, buffer, n_buffer) ||
      !same(eval->handed + n_out + n_buffer, parameter, n_parameter)) {
    answer = pzi_activity_breach(&eval->activity, "put another tensor in place of its output");
  }
  return pzi_activity_end(&eval->activity, answer);
}

/* ---- committing ----------------------------------------------------------------------------- */

pz_status
pzi_stage_commit(pz_eval* const eval, pz_state* const state)
{
  pz_status status = pzi_stage_check(eval);
  eval->staged_unread = false;
  PZ_TRY(status);
  /* Copies into strides may need scratch and so may fail: they go first. */
  for (int contiguous = 0; contiguous <= 1; ++contiguous) {
    for (uint32_t k = 0; k < eval->chain->n_tensors && status == PZ_OK; ++k) {
      const pz_tensor* const to = &state->storages[k]->tensor;
      if (eval->staged[k].shape && pzi_shape_is_contiguous(to) == (contiguous == 1)) {
        status = pzi_queue_copy(eval->queue, &eval->staged[k], to);
      }
    }
  }
  pz_state_touch(state);
  return status;
}
