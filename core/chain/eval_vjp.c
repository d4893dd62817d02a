/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Gradients: with v = P_n(... P_1(x)), the gradient at v goes backward through the vjp of
   each stage, down to the first stage with a wanted tensor. */

#include "eval_back.h"

#include "check_tensor.h"
#include "pending.h"
#include "status.h"

/* The gradients of one cotangent; `into` as in pzi_back_stage. */
static pz_status
run_back(pz_eval* const eval, const pz_tensor* const cotangent, const uint32_t first,
         const uint64_t want, const bool accumulate, const pz_tensor* const gradients,
         const pz_tensor* const into)
{
  pzi_tensor_arena_clear(&eval->temporary);
  pz_tensor gy;
  PZ_TRY(pzi_pending_input(eval, pz_chain_value(eval->chain), cotangent, &gy));
  PZ_TRY(pzi_eval_lead(eval, eval->stages[eval->n_stages - 1].out, true, NULL, &gy, &gy));
  pzi_eval_skip_folds(eval);
  for (uint32_t i = eval->n_stages; i-- > first;) {
    pz_tensor inner = {0};
    PZ_TRY(pzi_back_stage(eval, i, want, i > first, &gy, NULL, into, &inner));
    gy = inner;
    if (i > first && eval->stages[i].by != 0 && --i == 0) {
      // stage i returned the gradient of the triangle
      PZ_TRY(pzi_eval_unread(eval, 0, &gy, &eval->pending[0]));
    }
  }
  return pzi_back_hand_over(eval, want, accumulate, gradients);
}

pz_status
pz_eval_vjp(pz_eval* const eval, const pz_state* const state, const pz_tensor* const cotangents,
            const uint32_t n_cotangents, const uint64_t want, const bool accumulate,
            const pz_tensor* const gradients)
{
  PZ_TRY(pzi_back_check_want(eval, want, gradients, "vjp"));
  PZ_TRY(pzi_back_check_saved(eval, state, "vjp"));
  const size_t n = pzi_back_trained(eval->chain);
  for (uint32_t j = 0; j < n_cotangents; ++j) {
    PZ_TRY(pzi_check_tensor(eval->queue, cotangents ? &cotangents[j] : NULL,
                            pz_chain_value(eval->chain), "gradient"));
    PZ_TRY(pzi_back_check_gradients(eval, want, gradients ? &gradients[j * n] : NULL));
  }
  const uint32_t first = pzi_back_first(eval->chain, want);
  for (uint32_t i = eval->n_stages; i-- > first;) {
    if (!eval->stages[i].table->vjp) {
      return pzi_fail(PZ_UNSUPPORTED, "%s: has no vjp", eval->stages[i].table->id);
    }
  }
  pz_tensor into[PZI_MAX_TENSORS];
  const bool direct = !accumulate && want != 0;
  for (uint32_t j = 0; j < n_cotangents; ++j) {
    const pz_tensor* const to = gradients ? &gradients[j * n] : NULL;
    if (direct) {
      pzi_back_direct(eval, &cotangents[j], n_cotangents - j, want, to, into);
    }
    PZ_TRY(run_back(eval, &cotangents[j], first, want, accumulate, to, direct ? into : NULL));
  }
  return PZ_OK;
}
