/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Originals from a value: right inverses from the last stage to the first. The last stage
   runs with the caller's intent and may refuse the value; the others run with PZ_CHAIN and
   accept their input. */

#include "pending.h"

#include "check_tensor.h"
#include "queue_copy.h"
#include "status.h"

/* Registering a single stage falls back to the identity: without a right inverse, or for a
   value without a preimage, the tensor itself becomes the original. */
static bool
can_copy(const pz_eval* const eval, const pz_intent intent)
{
  const pzi_plan* const plan = eval->stages[0].plan;
  return intent == PZ_REGISTER && eval->n_stages == 1 && plan->n_original == 1 &&
         pz_spec_equal(&plan->tensors[0].spec, &plan->value);
}

pz_status
pzi_eval_invert(pz_eval* const eval, const uint32_t i, const pz_intent intent,
                const pz_tensor* const y, const pz_tensor* const x, const uint32_t n)
{
  PZ_TRY(pzi_pending_own(eval, i, true, false));
  PZ_TRY(pzi_eval_poison(eval, x, n, &eval->pending_fault));
  pz_call* const c = pzi_eval_enter(eval, i, "right_inverse", 0, &eval->step_fault, NULL, y, 1);
  c->intent = (uint32_t)intent;
  pzi_pending_outputs(eval, c, i, x, n);
  const pz_status answer = eval->stages[i].table->right_inverse(c, y, eval->outputs);
  return pzi_pending_end(eval, i, x, n, answer);
}

bool
pzi_eval_no_preimage(const pz_status status)
{
  return status == PZ_SINGULAR || status == PZ_UNSUPPORTED || status == PZ_OUTSIDE;
}

/* The right inverse of a single stage, else the identity. */
static pz_status
invert_or_copy(pz_eval* const eval, const pz_tensor* const y, const pz_tensor* const x)
{
  if (eval->stages[0].table->right_inverse) {
    pz_status status = pzi_eval_invert(eval, 0, PZ_REGISTER, y, x, 1);
    if (status == PZ_OK) {
      status = pzi_pending_check(eval);
    }
    if (!pzi_eval_no_preimage(status)) {
      return status;
    }
    (void)pzi_pending_check(eval);
    pzi_pending_drop(eval, 0);
  }
  return pzi_queue_copy(eval->queue, y, x);
}

static pz_status
check_inverses(const pz_eval* const eval)
{
  for (uint32_t i = eval->n_stages; i-- > 0;) {
    if (!eval->stages[i].table->right_inverse) {
      return pzi_fail(PZ_UNSUPPORTED, "%s: has no right inverse", eval->stages[i].table->id);
    }
  }
  return PZ_OK;
}

/* From a value of the last stage, on the device, to pending originals. */
static pz_status
invert(pz_eval* const eval, const pz_intent intent, const pz_tensor* const value)
{
  const uint32_t last = eval->n_stages - 1;
  const uint32_t n = eval->chain->n_role[PZ_ORIGINAL];
  const bool identity = can_copy(eval, intent);
  pz_tensor originals[PZI_MAX_TENSORS];
  if (!identity) {
    PZ_TRY(check_inverses(eval));
  }
  pz_tensor y = *value;
  for (uint32_t i = last; i > 0; --i) {
    pz_tensor x;
    PZ_TRY(pzi_pending_new(eval, &eval->stages[i].plan->tensors[0].spec, &x));
    PZ_TRY(pzi_eval_invert(eval, i, i == last ? intent : PZ_CHAIN, &y, &x, 1));
    PZ_TRY(pzi_eval_lead(eval, eval->stages[i].in, true, NULL, &x, &y));
  }
  for (uint32_t k = 0; k < n; ++k) {
    PZ_TRY(pzi_pending_new(eval, &eval->stages[0].plan->tensors[k].spec, &originals[k]));
  }
  PZ_TRY(identity ? invert_or_copy(eval, &y, originals)
                  : pzi_eval_invert(eval, 0, last == 0 ? intent : PZ_CHAIN, &y, originals, n));
  for (uint32_t k = 0; k < n; ++k) {
    PZ_TRY(pzi_eval_unread(eval, k, &originals[k], &eval->pending[k]));
  }
  return PZ_OK;
}

pz_status
pz_eval_assign(pz_eval* const eval, pz_state* const state, const pz_intent intent,
               const pz_tensor* const value)
{
  pz_tensor y;
  if (intent != PZ_REGISTER && intent != PZ_ASSIGN && intent != PZ_CHAIN) {
    return pzi_fail(PZ_INVALID,
                    "assign: found intent %d, expected PZ_REGISTER, PZ_ASSIGN or "
                    "PZ_CHAIN",
                    (int)intent);
  }
  PZ_TRY(pzi_pending_begin(eval, state));
  const pz_spec* const spec = pz_chain_value(eval->chain);
  PZ_TRY(pzi_check_tensor(eval->queue, value, spec, "value"));
  PZ_TRY(pzi_pending_input(eval, spec, value, &y));
  PZ_TRY(pzi_eval_lead(eval, eval->stages[eval->n_stages - 1].out, true, NULL, &y, &y));
  PZ_TRY(invert(eval, intent, &y));
  return pzi_pending_commit(eval, state);
}

/* Makes standard normal originals pending. */
static pz_status
sample_originals(pz_eval* const eval)
{
  for (uint32_t k = 0; k < eval->chain->n_role[PZ_ORIGINAL]; ++k) {
    pz_tensor* const x = &eval->pending[k];
    PZ_TRY(pzi_pending_new(eval, &eval->chain->tensors[k].spec, x));
    pz_call* const c = pzi_eval_core(eval, &eval->pending_fault);
    PZ_TRY(c->ops->random(c, PZ_NORMAL, pzi_context_draw(eval->chain->context), 0, 0.0, 1.0, x));
  }
  return PZ_OK;
}

pz_status
pz_eval_sample(pz_eval* const eval, pz_state* const state)
{
  pz_tensor y;
  PZ_TRY(pzi_pending_begin(eval, state));
  const uint32_t last = eval->n_stages - 1;
  const pzi_eval_stage* const stage = &eval->stages[last];
  if (!stage->table->sample) {
    PZ_TRY(sample_originals(eval));
    return pzi_pending_commit(eval, state);
  }
  PZ_TRY(check_inverses(eval));
  PZ_TRY(pzi_pending_new(eval, &stage->plan->value, &y));
  pz_call* const c = pzi_eval_enter(eval, last, "sample", 0, &eval->step_fault, NULL, NULL, 0);
  c->draw = pzi_context_draw(eval->chain->context);
  pzi_pending_outputs(eval, c, last, &y, 1);
  const pz_status answer = stage->table->sample(c, eval->outputs);
  PZ_TRY(pzi_pending_end(eval, last, &y, 1, answer));
  /* The sample is a member up to rounding: PZ_CHAIN, so that no stage refuses it. */
  PZ_TRY(invert(eval, PZ_CHAIN, &y));
  return pzi_pending_commit(eval, state);
}
