/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Gradients: with v = P_n(... P_1(x)), the gradient at v goes backward through the vjp of
   each stage, down to the first stage with a wanted tensor. Results stay pending and are
   written to the caller together at the end. */

#include "pending.h"

#include "check_tensor.h"
#include "overlap.h"
#include "queue_copy.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint32_t
trained(const pz_chain* const chain)
{
  return chain->n_role[PZ_ORIGINAL] + chain->n_role[PZ_OWN_PARAMETER];
}

static bool
wanted(const uint64_t want, const uint32_t place)
{
  return (want >> place & 1U) != 0;
}

static pz_status
check_call(const pz_eval* const eval, const pz_state* const state, const uint64_t want,
           const pz_tensor* const gradients)
{
  if (!eval || !state) {
    return pzi_fail(PZ_INVALID, "vjp: found a NULL argument");
  }
  const uint32_t n = trained(eval->chain);
  if ((n < 64 && want >> n != 0) || (want != 0 && !gradients)) {
    return pzi_fail(PZ_INVALID, "vjp: found want 0x%" PRIx64 "%s, expected %" PRIu32 " bits", want,
                    gradients ? "" : " without gradients", n);
  }
  if (eval->version == 0) {
    return pzi_fail(PZ_INVALID, "vjp: found no evaluation, expected a successful forward before");
  }
  if (eval->version != pz_state_version(state)) {
    return pzi_fail(PZ_STALE, "vjp: the state changed since forward");
  }
  if ((eval->flags & PZ_CALL_SAVING) == 0) {
    return pzi_fail(PZ_INVALID, "vjp: forward did not save, expected it with PZ_CALL_SAVING");
  }
  return PZ_OK;
}

static pz_status
check_tensors(const pz_eval* const eval, const pz_tensor* const gradient, const uint64_t want,
              const pz_tensor* const gradients)
{
  PZ_TRY(pzi_check_tensor(eval->queue, gradient, pz_chain_value(eval->chain), "gradient"));
  for (uint32_t k = 0; k < trained(eval->chain); ++k) {
    if (wanted(want, k)) {
      const pzi_chain_tensor* const known = &eval->chain->tensors[k];
      if (pzi_check_tensor(eval->queue, &gradients[k], &known->spec, "gradient") != PZ_OK) {
        char what[128]; /* formatted after a failure only: it takes time */
        snprintf(what, sizeof(what), "gradient of %.80s", known->name);
        return pzi_check_tensor(eval->queue, &gradients[k], &known->spec, what);
      }
      if (pzi_overlap_self(&gradients[k])) {
        return pzi_fail(PZ_INVALID, "gradient of %s: found strides that address an element twice",
                        known->name);
      }
    }
  }
  return PZ_OK;
}

/* The first stage with a wanted tensor: nothing before it is computed. */
static uint32_t
first_stage(const pz_chain* const chain, const uint64_t want)
{
  uint32_t first = chain->n_stages;
  for (uint32_t k = 0; k < trained(chain); ++k) {
    if (wanted(want, k) && chain->tensors[k].stage < first) {
      first = chain->tensors[k].stage;
    }
  }
  return first;
}

/* Memory for one gradient, or a tensor without data if it is not wanted. */
static pz_status
place_gradient(pz_eval* const eval, const pz_tensor* const like, const bool want,
               pz_tensor* const out)
{
  const pz_spec spec = pz_spec_of(like);
  if (want) {
    return pzi_pending_new(eval, &spec, out);
  }
  *out = *like;
  out->data = NULL;
  out->byte_offset = 0;
  return PZ_OK;
}

/* vjp of stage i: gradients of its originals and own parameters become pending, that of its
   input goes to `inner` if it is wanted. */
static pz_status
step_back(pz_eval* const eval, const uint32_t i, const uint64_t want, const bool want_inner,
          const pz_tensor* const gy, pz_tensor* const inner)
{
  const pzi_eval_stage* const stage = &eval->stages[i];
  const pzi_plan* const plan = stage->plan;
  pz_tensor gx[PZI_MAX_TENSORS];
  uint64_t bits = 0;
  const uint32_t n_x = plan->n_original + plan->n_parameter;
  for (uint32_t k = 0; k < n_x; ++k) {
    const bool parameter = k >= plan->n_original;
    const uint32_t place = parameter ? stage->first_parameter + k - plan->n_original : k;
    const bool is_inner = i > 0 && !parameter;
    const bool want_this = is_inner ? want_inner : wanted(want, place);
    PZ_TRY(place_gradient(eval, &stage->x[k], want_this, &gx[k]));
    if (want_this) {
      bits |= UINT64_C(1) << k;
      *(is_inner ? inner : &eval->pending[place]) = gx[k];
    }
  }
  PZ_TRY(pzi_eval_poison(eval, gx, n_x, &eval->fault));
  const uint32_t flags = eval->flags & ~(uint32_t)PZ_CALL_SAVING;
  pz_call* const c = pzi_eval_enter(eval, i, "vjp", flags, &eval->fault);
  c->want = bits;
  eval->activity.range = &stage->range;
  memcpy(eval->outputs, gx, n_x * sizeof(*gx));
  const pz_status answer = stage->table->vjp(c, stage->x, &stage->y, gy, eval->outputs);
  return pzi_eval_leave(eval, memcmp(eval->outputs, gx, n_x * sizeof(*gx)) != 0, answer);
}

/* A sum that cannot be computed in place is computed before anything is written. */
static pz_status
add_pending(pz_eval* const eval, const uint32_t k, const pz_tensor* const to)
{
  pz_tensor before;
  PZ_TRY(pzi_pending_input(eval, &eval->chain->tensors[k].spec, to, &before));
  pz_call* const c = pzi_eval_core(eval, &eval->fault);
  return c->ops->axpby(c, 1.0, &before, 1.0, &eval->pending[k]);
}

static pz_status
hand_over(pz_eval* const eval, const uint64_t want, const bool accumulate,
          const pz_tensor* const gradients)
{
  const uint32_t n = trained(eval->chain);
  bool to_host = false;
  for (uint32_t k = 0; k < n; ++k) {
    if (wanted(want, k)) {
      to_host = to_host || !pzi_check_owned(eval->queue, &gradients[k]);
      if (accumulate && !pzi_eval_ready(eval, &gradients[k])) {
        PZ_TRY(add_pending(eval, k, &gradients[k]));
      }
    }
  }
  if (to_host) {
    PZ_TRY(pzi_eval_fault(eval, &eval->fault));
  }
  for (uint32_t k = 0; k < n; ++k) {
    if (wanted(want, k)) {
      if (accumulate && pzi_eval_ready(eval, &gradients[k])) {
        pz_tensor sum = gradients[k];
        pz_call* const c = pzi_eval_core(eval, &eval->fault);
        PZ_TRY(c->ops->axpby(c, 1.0, &eval->pending[k], 1.0, &sum));
      } else {
        PZ_TRY(pzi_queue_copy(eval->queue, &eval->pending[k], &gradients[k]));
      }
    }
  }
  return PZ_OK;
}

/* The gradients of one cotangent. */
static pz_status
run_back(pz_eval* const eval, const pz_tensor* const cotangent, const uint32_t first,
         const uint64_t want, const bool accumulate, const pz_tensor* const gradients)
{
  pzi_tensor_arena_clear(&eval->temporary);
  pz_tensor gy;
  PZ_TRY(pzi_pending_input(eval, pz_chain_value(eval->chain), cotangent, &gy));
  pzi_eval_skip_folds(eval);
  for (uint32_t i = eval->chain->n_stages; i-- > first;) {
    pz_tensor inner = {0};
    PZ_TRY(step_back(eval, i, want, i > first, &gy, &inner));
    gy = inner;
    if (i > first && eval->stages[i].by != 0 && --i == 0) {
      eval->pending[0] = gy; // stage i returned the gradient of the triangle
    }
  }
  return hand_over(eval, want, accumulate, gradients);
}

pz_status
pz_eval_vjp(pz_eval* const eval, const pz_state* const state, const pz_tensor* const cotangents,
            const uint32_t n_cotangents, const uint64_t want, const bool accumulate,
            const pz_tensor* const gradients)
{
  PZ_TRY(check_call(eval, state, want, gradients));
  const size_t n = trained(eval->chain);
  for (uint32_t j = 0; j < n_cotangents; ++j) {
    PZ_TRY(check_tensors(eval, cotangents ? &cotangents[j] : NULL, want,
                         gradients ? &gradients[j * n] : NULL));
  }
  const uint32_t first = first_stage(eval->chain, want);
  for (uint32_t i = eval->chain->n_stages; i-- > first;) {
    if (!eval->stages[i].table->vjp) {
      return pzi_fail(PZ_UNSUPPORTED, "%s: has no vjp", eval->stages[i].table->id);
    }
  }
  for (uint32_t j = 0; j < n_cotangents; ++j) {
    PZ_TRY(run_back(eval, &cotangents[j], first, want, accumulate,
                    gradients ? &gradients[j * n] : NULL));
  }
  return PZ_OK;
}
