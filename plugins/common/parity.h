/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Distances from the symmetric and the skew-symmetric matrices: parity +1 and -1. */

#ifndef PLUGINS_COMMON_PARITY_H
#define PLUGINS_COMMON_PARITY_H

#include <parametrize/plugin.h>

/* PZ_OUTSIDE unless every matrix is finite and a member up to rounding, that is, its distance is at
   most 100 n eps times its largest entry. */
pz_status parity_check(pz_call* c, int parity, const pz_tensor* a);

/* The largest distance in the batch; NaN if a matrix contains a NaN. */
pz_status parity_residual(pz_call* c, int parity, const pz_tensor* a, double* distance);

#endif /* PLUGINS_COMMON_PARITY_H */
