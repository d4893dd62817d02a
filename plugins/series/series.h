/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Recursions in time that do not grow. */

#ifndef PLUGINS_SERIES_H
#define PLUGINS_SERIES_H

#include <parametrize/plugin.h>

/* In residual: the largest entry of `beyond`, at least 0. Each is the distance of a modulus beyond 1,
   negative inside. */
pz_status series_distance(pz_call* c, const pz_tensor* beyond, double* distance);

/* In right inverses: refuses what is beyond the bound by more than `tolerance` (PZ_OUTSIDE), or on it
   (PZ_SINGULAR), or not a number. `what` names the entry: "a partial autocorrelation". */
pz_status series_check(pz_call* c, const char* what, double tolerance, const pz_tensor* beyond);

extern const pz_parametrization stable_diagonal;

#endif /* PLUGINS_SERIES_H */
