/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The inside of states: one storage for each tensor of a chain's list, at the same place. */

#ifndef PZI_STATE_H
#define PZI_STATE_H

#include "chain.h"
#include "storage.h"

struct pz_state {
  pz_chain* chain;          /* retained */
  pz_queue* queue;          /* retained */
  _Atomic uint64_t version; /* from one counter for all states, so that equal versions mean
                               the same state */
  uint64_t* draws;          /* one random key per stage: drawn when the stage is added,
                               advanced by update, shared by copies */
  pzi_storage** storages;   /* as the chain's list */
};

/* A state for `chain`, which was made from the chain of `from` by appending or leaving out.
   Originals, and tensors and draws of the instances in both, share the storages of `from`;
   other tensors are zero, other draws fresh. `from` is unchanged; free it before the new
   state is written. */
pz_status pzi_state_adopt(pz_chain* chain, const pz_state* from, pz_state** out);

/* A state with tensors of zero and the given draw for each stage. A draw of 0 is replaced by
   a fresh one. */
pz_status pzi_state_with_draws(pz_chain* chain, pz_queue* queue, const uint64_t* draws,
                               pz_state** out);

/* A state with tensors of zero and the draws of `from`, whose chain has the same instances. */
pz_status pzi_state_like(pz_chain* chain, pz_queue* queue, const pz_state* from, pz_state** out);

/* A tensor of the state; role and index must exist. */
const pz_tensor* pzi_state_tensor(const pz_state* state, uint32_t role, uint32_t index);

/* Sets the version back. The state must hold, bit for bit, what it held at `version`. */
void pzi_state_restore_version(pz_state* state, uint64_t version);

/* Retains another storage of the same spec and queue for a tensor, releases the old one, and
   touches the state. Role and index must exist. */
void pzi_state_replace(pz_state* state, uint32_t role, uint32_t index, pzi_storage* storage);

#endif /* PZI_STATE_H */
