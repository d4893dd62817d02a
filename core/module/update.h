/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Updates: steps of the maps' own state. */

#ifndef PZI_UPDATE_H
#define PZI_UPDATE_H

#include "tree.h"

/* One step of the slot's chain and its inner chains, all or nothing. `reading`: only of those
   that have an update, and whose value no scope caches. */
pz_status pzi_update_slot(pz_slot* slot, bool reading);

#endif /* PZI_UPDATE_H */
