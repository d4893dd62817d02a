/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain with a state and with the evaluation that runs it. */

#ifndef PZI_ENGINE_H
#define PZI_ENGINE_H

#include "chain.h"

/* All zero is empty. */
typedef struct pzi_engine {
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
} pzi_engine;

/* Makes the state and the evaluation of an engine whose chain is set. The state shares tensors with
   `from` (see pzi_state_adopt), or is new where that is NULL. `check_writes` is for
   pzi_eval_set_check_writes. pzi_engine_cleanup must follow, also on failure. */
pz_status pzi_engine_adopt(pzi_engine* engine, pz_queue* queue, const pz_state* from,
                           bool check_writes);

/* pz_eval_forward. On a synchronous device, where that waits for nothing, failures are reported now,
   and the evaluation has no value then. */
pz_status pzi_engine_forward(const pzi_engine* engine, uint32_t flags, pz_tensor* value);

void pzi_engine_cleanup(pzi_engine* engine);

#endif /* PZI_ENGINE_H */
