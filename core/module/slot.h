/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Slots and the chains on them, which are one recursive type. */

#ifndef PZI_SLOT_H
#define PZI_SLOT_H

#include "storage.h"
#include "tree.h"

/* An empty slot whose path is `path`, taken over on success; the name is its end. */
pz_status pzi_slot_new(pz_module* module, char* path, size_t name_offset, pz_slot** out);

/* Appends a slot to a module. The name is free and valid. The storage may be NULL for a while; it
   is taken over on success. */
pz_status pzi_slot_add(pz_module* module, const char* name, pzi_storage* storage, pz_slot** out);

/* Frees a slot with its chain, or keeps an empty slot if a host has a handle. */
void pzi_slot_free(pz_slot* slot);

/* Frees a chain with the slots of its tensors. The second function keeps the slots, which have
   moved. */
void pzi_parametrized_free(pzi_parametrized* parametrized);
void pzi_parametrized_free_shell(pzi_parametrized* parametrized);

/* Replaces the storage of a slot, and in the state of the outer chain. `storage` is taken over. */
void pzi_slot_put(pz_slot* slot, pzi_storage* storage);

/* Marks the value of the slot's chain, and of all chains around it, as outdated. `touch`: marks
   their states as changed too. The second function marks one chain alone. */
void pzi_slot_changed(pz_slot* slot, bool touch);
void pzi_parametrized_changed(pzi_parametrized* parametrized, bool touch);

/* The spec of the tensor that readers of the slot get. */
pz_spec pzi_slot_spec(const pz_slot* slot);

/* Is a tensor of the slot's chain parametrized? */
bool pzi_slot_is_nested(const pz_slot* slot);

/* Does the slot's tensor, or one that it is computed from, require a gradient? */
bool pzi_slot_wants_gradient(const pz_slot* slot);

/* PZ_INVALID while the slot, or a tensor that its value depends on, is open for writing. */
pz_status pzi_slot_check_closed(const pz_slot* slot);

#endif /* PZI_SLOT_H */
