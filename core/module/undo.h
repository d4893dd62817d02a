/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Undo log over several chains: their states are saved before a change and restored where it
   fails. */

#ifndef PZI_UNDO_H
#define PZI_UNDO_H

#include "tree.h"

/* The saved state of one chain. */
typedef struct pzi_past {
  pz_slot* slot;
  uint64_t version;
  uint64_t copied_version;
  uint64_t read_version;
  uint64_t* draws;
  pzi_storage** storages; /* in the chain's order; NULL where none was saved */
} pzi_past;

typedef struct pzi_pasts {
  pzi_past* lists;
  size_t n;
} pzi_pasts;

/* Saves a slot's chain and its inner chains: every tensor, or (`steps`) those that an update
   may write. PZ_INVALID while a tensor is open for writing. pzi_pasts_cleanup must follow, also
   on failure. */
pz_status pzi_pasts_add(pzi_pasts* pasts, pz_slot* slot, bool steps);

/* Restores what has changed since, with its version, so that values read before are current
   again. Chains around those saved are not told. */
void pzi_pasts_put_back(const pzi_pasts* pasts);
void pzi_pasts_cleanup(pzi_pasts* pasts);

/* The saved contents of a tensor; NULL where they were not saved. */
const pzi_storage* pzi_pasts_find(const pzi_pasts* pasts, const pz_slot* tensor);

#endif /* PZI_UNDO_H */
