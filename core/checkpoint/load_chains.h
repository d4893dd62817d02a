/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Builds the chains of a load. */

#ifndef PZI_LOAD_CHAINS_H
#define PZI_LOAD_CHAINS_H

#include "loading.h"

/* Finds the slot of every chain. Builds the chain, with its tensors, for a plain slot; checks
   that a parametrized slot has the same chain. */
pz_status pzi_load_chains(pzi_loading* l);

#endif /* PZI_LOAD_CHAINS_H */
