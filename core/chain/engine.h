/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An engine of a chain: with a state, and the evaluation that runs it. */

#ifndef PZI_ENGINE_H
#define PZI_ENGINE_H

#include "chain.h"

/* All zero is empty. */
typedef struct pzi_engine {
  pz_chain* chain;
  pz_state* state;
  pz_eval* eval;
} pzi_engine;

/* Gives an engine that has its chain a state, which shares tensors with `from` (see
   pzi_state_adopt) or is new (NULL), and an evaluation. `marks`: see pzi_eval_set_check_writes. What was made
   before a failure stays, for pzi_engine_cleanup. */
pz_status pzi_engine_adopt(pzi_engine* engine, pz_queue* queue, const pz_state* from, bool marks);

void pzi_engine_cleanup(pzi_engine* engine);

#endif /* PZI_ENGINE_H */
