/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Values of slots: computed, cached, checked. */

#ifndef PZI_VALUE_H
#define PZI_VALUE_H

#include "tree.h"

/* The slot's tensor; computes it if it is not current. Inside pzi_gate_read_begin or
   pzi_gate_exclusive_begin. */
pz_status pzi_value_get(pz_slot* slot, pz_tensor* out);

/* Updates the copies of inner values in the state of the slot's chain, which pzi_value_get
   does itself. Inside pzi_gate_exclusive_begin, or with the chain's mutex locked. */
pz_status pzi_value_refresh_inner(const pz_slot* slot);

/* Is the cached value of the chain current? With the mutex locked or inside
   pzi_gate_exclusive_begin. */
bool pzi_value_is_current(const pzi_parametrized* parametrized);

/* Must a read be exclusive, because it computes the value each time (PZ_CACHE_SCOPED outside a
   scope), or because it updates (PZ_UPDATE_ON_READ)? */
bool pzi_value_read_computes(const pz_slot* slot);
bool pzi_value_read_updates(const pz_slot* slot);

/* Does a read cache the value? */
bool pzi_value_read_caches(const pz_slot* slot);

/* Does a scope cache the values? */
bool pzi_value_in_scope(const pz_module* module);

/* Does a stage of the chain have an update? Inner chains do not count. */
bool pzi_value_has_own_update(const pzi_parametrized* parametrized);

/* Waits for the device and reports faults of the slot's chain and its inner chains. */
pz_status pzi_value_check_device(const pz_slot* slot);

/* In check mode: PZ_STALE names a tensor whose contents differ from those the value was
   computed from. */
pz_status pzi_value_check_digests(const pz_slot* slot);

#endif /* PZI_VALUE_H */
