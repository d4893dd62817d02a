/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Values of slots: computed, cached, checked. */

#ifndef PZI_VALUE_H
#define PZI_VALUE_H

#include "tree.h"

/* The slot's tensor, computed where it is not current. Inside pzi_read_begin or
   pzi_alone_begin. */
pz_status pzi_slot_value(pz_slot* slot, pz_tensor* out);

/* Updates the copies of inner values in the state of the slot's chain, which pzi_slot_value
   does itself. Inside pzi_alone_begin, or with the chain's mutex locked. */
pz_status pzi_value_refresh_inner(const pz_slot* slot);

/* Is the cached value of the chain current? With the mutex locked or inside
   pzi_alone_begin. */
bool pzi_value_is_current(const pzi_parametrized* list);

/* Must a read be exclusive: does each read compute (PZ_CACHE_SCOPED outside a scope), or make a
   step (PZ_UPDATE_ON_READ)? */
bool pzi_reads_alone(const pz_slot* slot);
bool pzi_steps_on_read(const pz_slot* slot);

/* Does a read cache the value? */
bool pzi_keeps_value(const pz_slot* slot);

/* Does a scope cache the values? */
bool pzi_in_scope(const pz_module* module);

/* Does a map of the slot's chain, or of an inner chain, have an update? */
bool pzi_has_own_steps(const pzi_parametrized* list); /* of this chain alone */
bool pzi_has_steps(const pz_slot* slot);

/* Waits for the device and reports faults of the slot's chain and its inner chains. */
pz_status pzi_check_device(const pz_slot* slot);

/* In check mode: PZ_STALE names a tensor whose contents differ from those the value was
   computed from. */
pz_status pzi_check_digests(const pz_slot* slot);

#endif /* PZI_VALUE_H */
