/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Updates of the state that parametrizations own. */

#ifndef PZI_UPDATE_H
#define PZI_UPDATE_H

#include "tree.h"

/* Updates the slot's chain and its inner chains, all or nothing. `reading`: only chains with an
   update whose value no scope caches. */
pz_status pzi_update_slot(pz_slot* slot, bool reading);

#endif /* PZI_UPDATE_H */
