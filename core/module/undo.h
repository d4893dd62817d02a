/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Undo log over several chains and tensors: their contents are saved before a change and restored
   where it fails. */

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

/* The saved contents of one tensor outside the chains of the log. */
typedef struct pzi_undo_tensor {
  const pzi_storage* storage;
  pzi_storage* saved;
} pzi_undo_tensor;

typedef struct pzi_undo {
  pzi_undo_chain* chains;
  size_t n_chains;
  pzi_undo_tensor* tensors;
  size_t n_tensors;
} pzi_undo;

/* Saves a slot's chain and its inner chains: every tensor, or (`update`) only those that an update
   may write. PZ_INVALID while a tensor is open for writing. pzi_undo_end or pzi_undo_cleanup must
   follow, also on failure. */
pz_status pzi_undo_add_chain(pzi_undo* undo, pz_slot* slot, bool update);

/* Saves a tensor that a copy will overwrite. Saves nothing where that copy cannot fail, because the
   tensor is C-contiguous and in host memory. The storage must exist until the log ends.
   pzi_undo_end or pzi_undo_cleanup must follow, also on failure. */
pz_status pzi_undo_add_tensor(pzi_undo* undo, const pzi_storage* storage);

/* Ends the log of a change whose status was `status`, and returns that status. After a failed
   change it restores the saved tensors and the versions of the states, so that values that were
   read before the change are current again. It does not mark chains around the saved ones as
   changed. */
pz_status pzi_undo_end(pzi_undo* undo, pz_status status);

/* Ends the log and restores nothing. */
void pzi_undo_cleanup(pzi_undo* undo);

/* The saved contents of a tensor of a saved chain, or NULL. */
const pzi_storage* pzi_undo_find(const pzi_undo* undo, const pz_slot* tensor);

#endif /* PZI_UNDO_H */
