/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Walks over slots. A walk ends at the first call that fails. */

#ifndef PZI_WALK_H
#define PZI_WALK_H

#include "tree.h"

typedef pz_status pzi_visit(pz_slot* slot, void* user);

/* The slots of the module and its children, plain or parametrized, without the tensors of
   chains. */
pz_status pzi_walk_slots(pz_module* module, pzi_visit* visit, void* user);

/* The parametrized slots: this slot and the tensors of its chain; or all of a module and its
   children. An outer chain comes before the inner ones. */
pz_status pzi_walk_parametrized_of(pz_slot* slot, pzi_visit* visit, void* user);
pz_status pzi_walk_parametrized(pz_module* module, pzi_visit* visit, void* user);

/* The slots whose tensor is stored: of one slot; or of a module and its children, in the order
   of pz_module_tensor. */
pz_status pzi_walk_stored_of(pz_slot* slot, pzi_visit* visit, void* user);
pz_status pzi_walk_stored(pz_module* module, pzi_visit* visit, void* user);

#endif /* PZI_WALK_H */
