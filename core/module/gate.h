/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Calls on a tree of modules: many readers, or one exclusive call. One word at the root counts the
   readers, or marks an exclusive call. A call that finds a call of the other kind returns
   PZ_INVALID. It does not wait, because it could wait for its own thread. But an exclusive call that
   was refused leaves a mark, and readers that find it pause for at most some milliseconds: otherwise
   a host that tries again would never get in between many readers. The upper bits are the number of
   the last exclusive call, unique in the process. */

#ifndef PZI_GATE_H
#define PZI_GATE_H

#include "tree.h"

#define PZI_GATE_EXCLUSIVE (UINT64_C(1) << 22)
#define PZI_GATE_WANTED (UINT64_C(1) << 23) /* an exclusive call was refused because of readers */
#define PZI_GATE_CALL (UINT64_C(1) << 24)

static inline atomic_ullong*
pzi_gate_of(const pz_module* module)
{
  const pz_module* around;
  while ((around = atomic_load_explicit(&module->parent, memory_order_acquire))) {
    module = around;
  }
  return (atomic_ullong*)&module->gate;
}

static inline bool
pzi_gate_is_exclusive(const uint64_t gate)
{
  return (gate & PZI_GATE_EXCLUSIVE) != 0;
}

/* PZ_INVALID while an exclusive call runs. No exclusive call can begin before the read ends. */
pz_status pzi_gate_read_begin(const pz_module* module);
void pzi_gate_read_end(const pz_module* module);

/* Turns a read into an exclusive call; no other call can run in between. PZ_INVALID, with the read
   ended, where there are other readers. pzi_gate_exclusive_end ends it. */
pz_status pzi_gate_upgrade(const pz_module* module);

/* PZ_INVALID while any other call on the tree runs. The second is for calls that change a whole
   module: PZ_INVALID also where the module or a child is baked. */
pz_status pzi_gate_exclusive_begin(pz_module* module);
pz_status pzi_gate_exclusive_begin_live(pz_module* module);
void pzi_gate_exclusive_end(pz_module* module);

/* PZ_INVALID where the module is baked. */
pz_status pzi_gate_check_live(const pz_module* module);

#endif /* PZI_GATE_H */
