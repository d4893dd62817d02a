/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A change of an inner chain's value goes through the right inverse of that chain to its tensors,
   and so on inwards. */

#include "hand_down.h"

#include "path.h"
#include "slot.h"
#include "status.h"
#include "storage_copy.h"

pz_status
pzi_hand_down(const pz_slot* const slot, const pzi_undo* const undo, const bool originals)
{
  char path[PZI_PATH_TEXT];
  for (uint32_t k = 0; k < slot->parametrized->n_tensors; ++k) {
    pz_slot* const tensor = slot->parametrized->tensors[k];
    pzi_parametrized* const inner = tensor->parametrized;
    bool moved = originals && tensor->role == PZ_ORIGINAL;
    if (inner && !moved) {
      PZ_TRY(pzi_storage_copy_differs(slot->module->queue, tensor->storage,
                                      pzi_undo_find(undo, tensor), &moved));
    }
    if (inner && moved) {
      inner->copied_version = 0;
      pzi_parametrized_changed(inner, false);
      PZ_TRY(pzi_fail_prefix(pz_eval_assign(inner->engine.eval, inner->engine.state, PZ_CHAIN,
                                            &tensor->storage->tensor),
                             "\"%s\"", pzi_path_text(tensor, path)));
      PZ_TRY(pzi_hand_down(tensor, undo, true));
    }
  }
  return PZ_OK;
}
