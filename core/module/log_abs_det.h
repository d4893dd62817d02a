/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The log |det| of a slot's chain and the inner chains of its originals. */

#ifndef PZI_LOG_ABS_DET_H
#define PZI_LOG_ABS_DET_H

#include "tree.h"

/* The number of its batch dimensions. PZ_UNSUPPORTED as pz_module_log_abs_det. */
pz_status pzi_log_abs_det_batch(const pz_slot* slot, int32_t* n_batch);

#endif /* PZI_LOG_ABS_DET_H */
