/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inner chains follow a change of the tensors they compute. */

#ifndef PZI_HAND_DOWN_H
#define PZI_HAND_DOWN_H

#include "undo.h"

/* Assigns the tensors of the slot's chain to the inner chains on them, through their right
   inverses: tensors that differ from those saved, and (`originals`) all originals. */
pz_status pzi_hand_down(const pz_slot* slot, const pzi_undo* undo, bool originals);

#endif /* PZI_HAND_DOWN_H */
