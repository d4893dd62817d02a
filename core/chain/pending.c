/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* All or nothing: new tensors are computed in temporary memory of the evaluation, and copied
   into the state's tensors after every stage has succeeded. The state keeps its storages, so
   that an optimizer may keep pointers to them. */

#include "pending.h"

#include "queue_copy.h"
#include "shape.h"

#include <string.h>

pz_status
pzi_pending_begin(pz_eval* const eval, const pz_state* const state)
{
  PZ_TRY(pzi_eval_begin(eval, state));
  if (eval->fault_unread) {
    (void)pzi_pending_check(eval);
  }
  eval->fault_unread = true;
  return PZ_OK;
}

pz_status
pzi_pending_check(pz_eval* const eval)
{
  return pzi_eval_fault(eval, &eval->pending_fault);
}

/* ---- tensors ------------------------------------------------------------------------ */

pz_status
pzi_pending_new(pz_eval* const eval, const pz_spec* const spec, pz_tensor* const out)
{
  return pzi_tensor_arena_take(&eval->temporary, spec, out);
}

static pz_status
copy_of(pz_eval* const eval, const pz_spec* const spec, const pz_tensor* const from,
        pz_tensor* const out)
{
  pz_tensor copy;
  PZ_TRY(pzi_pending_new(eval, spec, &copy));
  PZ_TRY(pzi_queue_copy(eval->queue, from, &copy));
  *out = copy;
  return PZ_OK;
}

pz_status
pzi_pending_input(pz_eval* const eval, const pz_spec* const spec, const pz_tensor* const from,
                  pz_tensor* const out)
{
  if (!pzi_eval_ready(eval, from)) {
    return copy_of(eval, spec, from, out);
  }
  *out = *from;
  out->strides = NULL;
  return PZ_OK;
}

/* ---- buffers and own parameters -------------------------------------------------- */

static pz_status
make_pending(pz_eval* const eval, const uint32_t first, const uint32_t n, const bool zero)
{
  for (uint32_t k = first; k < first + n; ++k) {
    const pz_spec* const spec = &eval->chain->tensors[k].spec;
    if (!zero) {
      PZ_TRY(copy_of(eval, spec, &eval->loaded[k], &eval->pending[k]));
      continue;
    }
    PZ_TRY(pzi_pending_new(eval, spec, &eval->pending[k]));
    PZ_TRY(pzi_queue_zero(eval->queue, &eval->pending[k]));
  }
  return PZ_OK;
}

pz_status
pzi_pending_own(pz_eval* const eval, const uint32_t i, const bool parameters, const bool zero)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  PZ_TRY(make_pending(eval, stage->first_buffer, stage->plan->n_buffer, zero));
  return make_pending(eval, stage->first_parameter, parameters ? stage->plan->n_parameter : 0,
                      zero);
}

void
pzi_pending_drop(pz_eval* const eval, const uint32_t i)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  for (uint32_t k = 0; k < stage->plan->n_buffer; ++k) {
    eval->pending[stage->first_buffer + k].shape = NULL;
  }
  for (uint32_t k = 0; k < stage->plan->n_parameter; ++k) {
    eval->pending[stage->first_parameter + k].shape = NULL;
  }
}

void
pzi_pending_adopt(pz_eval* const eval, const uint32_t i)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  for (uint32_t k = 0; k < stage->plan->n_buffer; ++k) {
    if (eval->pending[stage->first_buffer + k].shape) {
      eval->loaded[stage->first_buffer + k] = eval->pending[stage->first_buffer + k];
    }
  }
  for (uint32_t k = 0; k < stage->plan->n_parameter; ++k) {
    if (eval->pending[stage->first_parameter + k].shape) {
      eval->loaded[stage->first_parameter + k] = eval->pending[stage->first_parameter + k];
      eval->stages[i].x[stage->plan->n_original + k] = eval->pending[stage->first_parameter + k];
    }
  }
}

/* ---- outputs of callbacks -------------------------------------------------------- */

/* Plugins get copies of the tensor structures, so that a plugin that replaces an output tensor
   by another one is detected. */
void
pzi_pending_outputs(pz_eval* const eval, pz_call* const call, const uint32_t i,
                    const pz_tensor* const out, const uint32_t n_out)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const pz_tensor* const buffer = eval->pending + stage->first_buffer;
  const pz_tensor* const parameter = eval->pending + stage->first_parameter;
  pz_tensor* to = eval->outputs;
  if (n_out > 0) { /* init has no output; `out` is NULL then */
    memcpy(to, out, n_out * sizeof(*to));
    to += n_out;
  }
  if (stage->plan->n_buffer > 0 && buffer->shape) {
    memcpy(to, buffer, stage->plan->n_buffer * sizeof(*to));
    call->new_buffer = to;
    to += stage->plan->n_buffer;
  }
  if (stage->plan->n_parameter > 0 && parameter->shape) {
    memcpy(to, parameter, stage->plan->n_parameter * sizeof(*to));
    call->new_parameter = to;
  }
}

static bool
same(const pz_tensor* const outputs, const pz_tensor* const own, const uint32_t n)
{
  return n == 0 || memcmp(outputs, own, n * sizeof(*own)) == 0;
}

pz_status
pzi_pending_end(pz_eval* const eval, const uint32_t i, const pz_tensor* const out,
                const uint32_t n_out, const pz_status answer)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const pz_tensor* const buffer = eval->pending + stage->first_buffer;
  const pz_tensor* const parameter = eval->pending + stage->first_parameter;
  const uint32_t n_buffer = stage->plan->n_buffer > 0 && buffer->shape ? stage->plan->n_buffer : 0;
  const uint32_t n_parameter =
      stage->plan->n_parameter > 0 && parameter->shape ? stage->plan->n_parameter : 0;
  const bool kept = same(eval->outputs, out, n_out) &&
                    same(eval->outputs + n_out, buffer, n_buffer) &&
                    same(eval->outputs + n_out + n_buffer, parameter, n_parameter);
  return pzi_eval_leave(eval, out, n_out, !kept, answer);
}

/* ---- committing ----------------------------------------------------------------------------- */

pz_status
pzi_pending_commit(pz_eval* const eval, pz_state* const state)
{
  pz_status status = pzi_pending_check(eval);
  eval->fault_unread = false;
  PZ_TRY(status);
  /* Copies to strided tensors may need scratch and fail: they go first. */
  for (int contiguous = 0; contiguous <= 1; ++contiguous) {
    for (uint32_t k = 0; k < eval->chain->n_tensors && status == PZ_OK; ++k) {
      const pz_tensor* const to = &state->storages[k]->tensor;
      if (eval->pending[k].shape && pzi_shape_is_contiguous(to) == (contiguous == 1)) {
        status = pzi_queue_copy(eval->queue, &eval->pending[k], to);
      }
    }
  }
  pz_state_touch(state);
  return status;
}
