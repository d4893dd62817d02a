/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Undo log over several chains: their states are saved before a change and restored where it
   fails. */

#ifndef PZI_UNDO_H
#define PZI_UNDO_H

#include "tree.h"

/* The saved state of one chain. */
typedef struct pzi_undo_chain {
  pz_slot* slot;
  uint64_t version;
  uint64_t copied_version;
  uint64_t read_version;
  uint64_t* draws;
  pzi_storage** storages; /* in the chain's order; NULL where none was saved */
} pzi_undo_chain;

typedef struct pzi_undo {
  pzi_undo_chain* lists;
  size_t n;
} pzi_undo;

/* Saves a slot's chain and its inner chains: every tensor, or (`steps`) those that an update
   may write. PZ_INVALID while a tensor is open for writing. One of the calls below must
   follow, also on failure. */
pz_status pzi_undo_add(pzi_undo* pasts, pz_slot* slot, bool steps);

/* Ends the log of a change that returned `status`, which is returned. After a failure the saved
   states are restored with their versions, so that values read before are current again; chains
   around those saved are not told. The second forgets the log without that. */
pz_status pzi_undo_end(pzi_undo* pasts, pz_status status);
void pzi_undo_cleanup(pzi_undo* pasts);

/* The saved contents of a tensor; NULL where they were not saved. */
const pzi_storage* pzi_undo_find(const pzi_undo* pasts, const pz_slot* tensor);

#endif /* PZI_UNDO_H */
