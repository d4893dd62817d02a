/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain for a slot is prepared beside the present one, then installed. */

#ifndef PZI_PREPARED_H
#define PZI_PREPARED_H

#include "rename.h"

typedef struct pzi_prepared {
  pzi_parametrized* parametrized;
  pzi_rename names; /* of slots that are moved from the present chain */
  bool* fresh;      /* the slot is new */
} pzi_prepared;

/* Prepares a chain from an engine, which is taken over and left empty on success. Slots of the
   present chain whose storage is in the new state will move to the new chain; other slots are
   created. The slot does not change before pzi_prepared_install. */
pz_status pzi_prepared_init(pz_slot* slot, pzi_engine* engine, pzi_prepared* out);
void pzi_prepared_cleanup(pzi_prepared* prepared);

/* Makes `storage` the memory of the first original. It must hold the elements of that original. */
void pzi_prepared_keep_memory(pzi_parametrized* parametrized, pzi_storage* storage);

/* Replaces the slot's chain by the prepared one. Cannot fail. */
void pzi_prepared_install(pz_slot* slot, pzi_prepared* prepared);

#endif /* PZI_PREPARED_H */
