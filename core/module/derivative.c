/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Derivatives belong to the value of the last read, whose evaluation may have to run again: a read
   in evaluation mode saves nothing. */

#include "derivative.h"

#include "eval.h"
#include "slot.h"
#include "status.h"
#include "value.h"
#include "walk.h"

static pz_status
check_contents(pz_slot* const slot, void* const user)
{
  (void)user;
  return pzi_value_check_digests(slot);
}

pz_status
pzi_derivative_check_read(pz_slot* const slot)
{
  PZ_TRY(pzi_slot_check_closed(slot));
  if (slot->parametrized->read_version == 0) {
    return pzi_fail(PZ_STALE, "the value was not read yet");
  }
  if (slot->parametrized->read_version != pz_state_version(slot->parametrized->engine.state)) {
    return pzi_fail(PZ_STALE, "something changed since the value was read");
  }
  return pzi_walk_parametrized_of(slot, check_contents, NULL);
}

pz_status
pzi_derivative_evaluate(const pz_slot* const slot)
{
  pzi_parametrized* const parametrized = slot->parametrized;
  const uint64_t version = pz_state_version(parametrized->engine.state);
  uint32_t flags = 0;
  if (pzi_eval_version(parametrized->engine.eval, &flags) == version && (flags & PZ_CALL_SAVING)) {
    return PZ_OK;
  }
  const uint32_t training = slot->module->training ? PZ_CALL_TRAINING : 0;
  pz_tensor value;
  PZ_TRY(pzi_value_refresh_inner(slot));
  pzi_parametrized_changed(parametrized, false); /* forward overwrites it */
  return pzi_engine_forward(&parametrized->engine, training | PZ_CALL_SAVING, &value);
}
