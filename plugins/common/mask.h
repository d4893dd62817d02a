/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Tensors that are zero where a mask is zero. */

#ifndef PLUGINS_COMMON_MASK_H
#define PLUGINS_COMMON_MASK_H

#include <parametrize/plugin.h>

/* What y has off the mask: the largest magnitude, NaN if one is, and the number of entries that are not 0. */
pz_status mask_off(pz_call* c, const pz_tensor* mask, const pz_tensor* y, double* most,
                   double* count);

#endif /* PLUGINS_COMMON_MASK_H */
