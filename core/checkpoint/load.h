/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Loads a file into a module. */

#ifndef PZI_LOAD_H
#define PZI_LOAD_H

#include "loading.h"

/* Runs a load that was initialized. Needs exclusive access to the module; calls no callback of
   the host. */
pz_status pzi_load(pzi_loading* l);

#endif /* PZI_LOAD_H */
