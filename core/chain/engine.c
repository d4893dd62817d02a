/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of an engine: the chain is given, the state and the evaluation are made for it. */

#include "engine.h"

#include "eval.h"
#include "state.h"

pz_status
pzi_engine_adopt(pzi_engine* const engine, pz_queue* const queue, const pz_state* const from,
                 const bool check_writes)
{
  PZ_TRY(from ? pzi_state_adopt(engine->chain, from, &engine->state)
              : pz_state_new(engine->chain, queue, &engine->state));
  PZ_TRY(pz_eval_new(engine->chain, queue, &engine->eval));
  pzi_eval_set_check_writes(engine->eval, check_writes);
  return PZ_OK;
}

pz_status
pzi_engine_forward(const pzi_engine* const engine, const uint32_t flags, pz_tensor* const value)
{
  PZ_TRY(pzi_eval_forward(engine->eval, engine->state, flags, NULL, value));
  const pz_status status = engine->eval->queue->async ? PZ_OK : pz_eval_check(engine->eval);
  if (status != PZ_OK) {
    pzi_eval_invalidate(engine->eval);
  }
  return status;
}

void
pzi_engine_cleanup(pzi_engine* const engine)
{
  pz_eval_free(engine->eval);
  pz_state_free(engine->state);
  pz_chain_free(engine->chain);
  *engine = (pzi_engine){0};
}
