/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The frame of exclusive calls on one tensor. */

#include "exclusive.h"

#include "gate.h"
#include "status.h"

pz_status
pzi_exclusive_call(pz_module* const module, const char* const name, pzi_finder* const find,
                   pzi_slot_call* const call, void* const user)
{
  PZ_TRY(pzi_gate_exclusive_begin(module));
  pz_slot* slot = NULL;
  pz_status status = find(module, name, &slot);
  if (status == PZ_OK) {
    status = pzi_fail_prefix(call(slot, user), "\"%s\"", name);
  }
  pzi_gate_exclusive_end(module);
  return status;
}
