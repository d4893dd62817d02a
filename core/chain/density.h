/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Which log |det| of stages and chains may be added. */

#ifndef PZI_DENSITY_H
#define PZI_DENSITY_H

#include "chain.h"

/* The number of batch dimensions of a chain's log |det|. PZ_UNSUPPORTED as pz_chain_density. */
pz_status pzi_density_batch(const pz_chain* chain, int32_t* n_batch);

/* The spec of one number for each of the first n_batch extents of the last map's value. */
pz_spec pzi_density_spec(const pz_chain* chain, int32_t n_batch);

/* The number of batch dimensions of a stage. */
int32_t pzi_density_stage_batch(const pzi_plan* plan);

/* PZ_UNSUPPORTED unless the coordinates of the first chain's value are those of the originals of
   the second, one of which it is, and both have the n_batch batch dimensions of their sum in
   common. */
pz_status pzi_density_check_meeting(const pz_chain* inner, const pz_chain* outer, uint32_t original,
                                    int32_t n_batch);

#endif /* PZI_DENSITY_H */
