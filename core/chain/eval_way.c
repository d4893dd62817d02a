/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Between stages that read differently, tensors change their shape, and are copied only where
   entries move. The way is a permutation, so gradients go back along it, and tangents forward. */

#include "eval.h"

#include "thread_queues.h"

/* One turn, forward or backward; `to` is a spec of the chain. */
static pz_status
take_turn(pz_eval* const eval, const pzi_turn* const turn, const pz_spec* const to,
          pz_tensor* const kept, pz_tensor* const t)
{
  pz_tensor y = *t;
  if (turn->moves) {
    if (kept && kept->shape) {
      y = *kept;
    } else {
      PZ_TRY(pzi_tensor_arena_take(kept ? &eval->values : &eval->temporary, to, &y));
    }
    PZ_TRY(pzi_turn_copy(turn, pzi_thread_queue(eval->queue), t, &y));
    if (kept) {
      *kept = y;
    }
  }
  *t = y;
  t->ndim = to->ndim;
  t->shape = to->shape;
  return PZ_OK;
}

pz_status
pzi_eval_lead(pz_eval* const eval, const pzi_way* const way, const bool backward,
              pz_tensor* const kept, const pz_tensor* const from, pz_tensor* const out)
{
  pz_tensor t = *from;
  for (uint32_t k = 0; way && k < way->n; ++k) {
    const pzi_turn* const turn = &way->turns[backward ? way->n - 1 - k : k];
    const pzi_turn inverse = backward ? pzi_turn_inverse(turn) : (pzi_turn){0};
    PZ_TRY(take_turn(eval, backward ? &inverse : turn, backward ? &turn->from : &turn->to,
                     kept ? &kept[k] : NULL, &t));
  }
  *out = t;
  return PZ_OK;
}

pz_status
pzi_eval_read(pz_eval* const eval, const uint32_t k, pz_tensor* const kept,
              const pz_tensor* const original, pz_tensor* const out)
{
  const pzi_way* const read = eval->chain->read;
  *out = *original;
  return read ? pzi_eval_lead(eval, &read[k], false, kept, original, out) : PZ_OK;
}

pz_status
pzi_eval_unread(pz_eval* const eval, const uint32_t k, const pz_tensor* const x,
                pz_tensor* const out)
{
  const pzi_way* const read = eval->chain->read;
  *out = *x;
  return read ? pzi_eval_lead(eval, &read[k], true, NULL, x, out) : PZ_OK;
}
