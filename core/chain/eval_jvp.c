/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Derivatives along directions: the tangents of the originals go forward through the jvp of
   each stage, from the first stage with a tangent. */

#include "eval_back.h"

#include "check_tensor.h"
#include "overlap.h"
#include "pending.h"
#include "queue_copy.h"
#include "status.h"

#include <string.h>

/* The first stage with a tangent; the number of stages if all are zero. */
static uint32_t
first_stage(const pz_chain* const chain, const pz_tensor* const tangents)
{
  uint32_t first = chain->n_maps;
  for (uint32_t k = 0; k < pzi_back_trained(chain); ++k) {
    const uint32_t map = chain->stages[chain->tensors[k].stage].map;
    first = tangents[k].data && map < first ? map : first;
  }
  return first;
}

static pz_status
check_direction(const pz_eval* const eval, const pz_tensor* const tangents,
                const pz_tensor* const out)
{
  const pz_chain* const chain = eval->chain;
  for (uint32_t k = 0; k < pzi_back_trained(chain); ++k) {
    if (tangents[k].data) {
      PZ_TRY(pzi_fail_prefix(
          pzi_check_tensor(eval->queue, &tangents[k], &chain->tensors[k].spec, "tangent"), "%s",
          chain->tensors[k].name));
    }
  }
  PZ_TRY(pzi_check_tensor(eval->queue, out, pz_chain_value(chain), "output"));
  if (pzi_overlap_self(out)) {
    return pzi_fail(PZ_INVALID, "output: found strides that address an element twice");
  }
  for (uint32_t i = first_stage(chain, tangents); i < eval->n_stages; ++i) {
    if (!eval->stages[i].table->jvp) {
      return pzi_fail(PZ_UNSUPPORTED, "%s: has no jvp", eval->stages[i].table->id);
    }
  }
  return PZ_OK;
}

/* The tangent of a fold whose value was not computed: forward is linear. */
static pz_status
fold_tangent(pz_eval* const eval, const uint32_t i, const pz_tensor* const dx, pz_tensor* const dy)
{
  const pzi_plan* const plan = eval->stages[i].plan;
  pz_call* const c = pzi_eval_core(eval, &eval->fault);
  return c->ops->fold(c, plan->fold == PZ_BY_UPPER ? PZ_UPPER : PZ_LOWER,
                      plan->value.structure == PZ_SYMMETRIC ? 1 : -1, dx, dy);
}

/* dy <- the tangent of stage i, in `out` if the last stage can write there; `input` is that of the stage
   before, without data where it is zero. */
static pz_status
step(pz_eval* const eval, const uint32_t i, const pz_tensor* const tangents,
     const pz_tensor* const input, const pz_tensor* const out, pz_tensor* const dy)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const pzi_plan* const plan = stage->plan;
  pz_tensor dx[PZI_MAX_TENSORS];
  for (uint32_t k = 0; k < plan->n_original + plan->n_parameter; ++k) {
    const bool parameter = k >= plan->n_original;
    const uint32_t place = parameter ? stage->first_parameter + k - plan->n_original : k;
    const bool inner = i > 0 && !parameter;
    dx[k] = stage->x[k];
    dx[k].data = NULL;
    dx[k].byte_offset = 0;
    if (inner && input->data) {
      dx[k] = *input;
    } else if (!inner && tangents[place].data) {
      PZ_TRY(pzi_pending_input(eval, &eval->chain->tensors[place].spec, &tangents[place], &dx[k]));
      PZ_TRY(parameter ? PZ_OK : pzi_eval_read(eval, k, NULL, &dx[k], &dx[k]));
    }
  }
  if (i + 1 == eval->n_stages && !pzi_way_moves(stage->out) &&
      pzi_back_writable(eval, out, tangents, pzi_back_trained(eval->chain))) {
    *dy = stage->y;
    dy->data = out->data;
    dy->byte_offset = out->byte_offset;
  } else {
    PZ_TRY(pzi_pending_new(eval, &plan->value, dy));
  }
  if (i + 1 < eval->n_stages && eval->stages[i + 1].by != 0) {
    return fold_tangent(eval, i, &dx[0], dy);
  }
  PZ_TRY(pzi_eval_poison(eval, dy, 1, &eval->fault));
  pz_call* const c = pzi_back_enter(eval, i, "jvp", dx, plan->n_original + plan->n_parameter);
  eval->outputs[0] = *dy;
  const pz_status answer = stage->table->jvp(c, stage->x, &stage->y, dx, eval->outputs);
  return pzi_eval_leave(eval, dy, 1, memcmp(eval->outputs, dy, sizeof(*dy)) != 0, answer);
}

static pz_status
run_direction(pz_eval* const eval, const pz_tensor* const tangents, const pz_tensor* const out)
{
  pz_tensor dy = {0};
  pzi_tensor_arena_clear(&eval->temporary);
  pzi_eval_skip_folds(eval);
  for (uint32_t i = first_stage(eval->chain, tangents); i < eval->n_stages; ++i) {
    const pz_tensor input = dy;
    PZ_TRY(step(eval, i, tangents, &input, out, &dy));
    PZ_TRY(pzi_eval_lead(eval, eval->stages[i].out, false, NULL, &dy, &dy));
  }
  if (!dy.data) {
    PZ_TRY(pzi_pending_new(eval, pz_chain_value(eval->chain), &dy));
    PZ_TRY(pzi_queue_zero(eval->queue, &dy));
  }
  return pzi_back_copy_out(eval, &dy, out);
}

pz_status
pz_eval_jvp(pz_eval* const eval, const pz_state* const state, const pz_tensor* const tangents,
            const uint32_t n_tangents, const pz_tensor* const out)
{
  PZ_TRY(pzi_back_check_saved(eval, state, "jvp"));
  if (n_tangents > 0 && (!tangents || !out)) {
    return pzi_fail(PZ_INVALID, "jvp: found no %s", tangents ? "output" : "tangents");
  }
  const size_t n = pzi_back_trained(eval->chain);
  for (uint32_t j = 0; j < n_tangents; ++j) {
    PZ_TRY(check_direction(eval, tangents + j * n, &out[j]));
  }
  for (uint32_t j = 0; j < n_tangents; ++j) {
    PZ_TRY(run_direction(eval, tangents + j * n, &out[j]));
  }
  return PZ_OK;
}
