/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Readers and exclusive calls of a tree of modules. */

#include "gate.h"

#include "status.h"

#include <time.h>

/* Pauses until the exclusive call that was refused has come again, or is not to be expected. */
static void
give_way(atomic_ullong* const gate)
{
  enum { PAUSES = 100 };
  const struct timespec pause = {.tv_nsec = 100000};
  for (int k = 0; k < PAUSES; ++k) {
    if ((atomic_load_explicit(gate, memory_order_relaxed) & PZI_GATE_WANTED) == 0) {
      return;
    }
    (void)nanosleep(&pause, NULL);
  }
  atomic_fetch_and_explicit(gate, ~(unsigned long long)PZI_GATE_WANTED, memory_order_relaxed);
}

pz_status
pzi_gate_read_begin(const pz_module* const module)
{
  if (!module) {
    return pzi_fail(PZ_INVALID, "found no module");
  }
  atomic_ullong* gate = pzi_gate_of(module);
  unsigned long long before = atomic_fetch_add_explicit(gate, 1, memory_order_acquire);
  if ((before & PZI_GATE_WANTED) != 0 && !pzi_gate_is_exclusive(before)) {
    atomic_fetch_sub_explicit(gate, 1, memory_order_relaxed);
    give_way(gate);
    gate = pzi_gate_of(module);
    before = atomic_fetch_add_explicit(gate, 1, memory_order_acquire);
  }
  if (pzi_gate_is_exclusive(before)) {
    atomic_fetch_sub_explicit(gate, 1, memory_order_relaxed);
    return pzi_fail(PZ_INVALID,
                    "found the module in an exclusive call, on another thread or around "
                    "this one, expected none");
  }
  return PZ_OK;
}

void
pzi_gate_read_end(const pz_module* const module)
{
  atomic_fetch_sub_explicit(pzi_gate_of(module), 1, memory_order_release);
}

/* Makes the gate exclusive if it has exactly `readers` readers, or else asks new ones to pause. */
static bool
take_exclusively(atomic_ullong* const gate, const uint64_t readers)
{
  unsigned long long now = atomic_load_explicit(gate, memory_order_relaxed);
  for (;;) {
    const unsigned long long plain = now & ~(unsigned long long)PZI_GATE_WANTED;
    const bool alone = plain % PZI_GATE_CALL == readers;
    if (!alone && pzi_gate_is_exclusive(now)) {
      return false;
    }
    if (atomic_compare_exchange_weak_explicit(
            gate, &now, alone ? plain - readers + PZI_GATE_EXCLUSIVE : now | PZI_GATE_WANTED,
            memory_order_acquire, memory_order_relaxed)) {
      return alone;
    }
  }
}

pz_status
pzi_gate_upgrade(const pz_module* const module)
{
  atomic_ullong* const gate = pzi_gate_of(module);
  if (!take_exclusively(gate, 1)) {
    atomic_fetch_sub_explicit(gate, 1, memory_order_release);
    return pzi_fail(PZ_INVALID, "a read that is exclusive (PZ_CACHE_SCOPED outside a scope, or "
                                "PZ_UPDATE_ON_READ) while readers are on the module");
  }
  return PZ_OK;
}

pz_status
pzi_gate_exclusive_begin(pz_module* const module)
{
  if (!module) {
    return pzi_fail(PZ_INVALID, "found no module");
  }
  atomic_ullong* const gate = pzi_gate_of(module);
  if (!take_exclusively(gate, 0)) {
    return pzi_fail(PZ_INVALID, "an exclusive call while %s on the module",
                    pzi_gate_is_exclusive(atomic_load_explicit(gate, memory_order_relaxed))
                        ? "another exclusive call is"
                        : "readers are");
  }
  return PZ_OK;
}

void
pzi_gate_exclusive_end(pz_module* const module)
{
  static atomic_ullong calls = 1;
  atomic_ullong* const gate = pzi_gate_of(module);
  const uint64_t before = atomic_load_explicit(gate, memory_order_relaxed) / PZI_GATE_CALL;
  const uint64_t number = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(gate, (number - before) * PZI_GATE_CALL - PZI_GATE_EXCLUSIVE,
                            memory_order_release);
}

pz_status
pzi_gate_exclusive_begin_live(pz_module* const module)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  if (module->n_baked == 0) {
    return PZ_OK;
  }
  const bool baked = module->baked;
  pzi_gate_exclusive_end(module);
  return pzi_fail(PZ_INVALID, "%s baked; pz_module_unbake first",
                  baked ? "the module is" : "a part of the module is");
}

pz_status
pzi_gate_check_live(const pz_module* const module)
{
  return module->baked ? pzi_fail(PZ_INVALID, "the module is baked; pz_module_unbake first")
                       : PZ_OK;
}
