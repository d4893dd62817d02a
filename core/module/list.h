/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A chain for a slot is prepared beside the present one, then installed. */

#ifndef PZI_LIST_H
#define PZI_LIST_H

#include "rename.h"

typedef struct pzi_prepared {
  pzi_list* list;
  pzi_names names; /* of slots that are moved from the present chain */
  bool* fresh;     /* the slot is new */
} pzi_prepared;

/* Prepares a chain, with its state and evaluation, taken over on success. Slots of the present
   chain whose storage is in the new state are moved to the new chain; others are created.
   Nothing changes until pzi_list_install. */
pz_status pzi_list_prepare(pz_slot* slot, pz_chain* chain, pz_state* state, pz_eval* eval,
                           pzi_prepared* out);
void pzi_list_discard(pzi_prepared* prepared);

/* Replaces the slot's chain by the prepared one. Cannot fail. */
void pzi_list_install(pz_slot* slot, pzi_prepared* prepared);

#endif /* PZI_LIST_H */
