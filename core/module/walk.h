/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Walks over slots. A walk ends at the first call that fails. */

#ifndef PZI_WALK_H
#define PZI_WALK_H

#include "tree.h"

typedef pz_status pzi_visit(pz_slot* slot, void* user);

/* The slots of the module and its children, plain or parametrized, without the tensors of
   chains. */
pz_status pzi_each_slot(pz_module* module, pzi_visit* visit, void* user);

/* The parametrized slots: this slot and the tensors of its chain; or all of a module and its
   children. An outer chain comes before the inner ones. */
pz_status pzi_each_list_of(pz_slot* slot, pzi_visit* visit, void* user);
pz_status pzi_each_list(pz_module* module, pzi_visit* visit, void* user);

/* The slots whose tensor is stored: of one slot; or of a module and its children, in the order
   of pz_module_tensor. */
pz_status pzi_each_stored_of(pz_slot* slot, pzi_visit* visit, void* user);
pz_status pzi_each_stored(pz_module* module, pzi_visit* visit, void* user);

/* Is a tensor of the slot's chain parametrized? */
bool pzi_is_nested(const pz_slot* slot);

/* Does the slot's tensor, or one that it is computed from, require a gradient? */
bool pzi_wants_gradient(const pz_slot* slot);

#endif /* PZI_WALK_H */
