/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Recursions in time that do not grow, and matrices of shifts in time. */

#ifndef PLUGINS_SERIES_H
#define PLUGINS_SERIES_H

#include <parametrize/plugin.h>

/* In residual: the largest entry of `beyond`, at least 0. Each entry is the distance from a bound,
   negative inside. */
pz_status series_distance(pz_call* c, const pz_tensor* beyond, double* distance);

/* An open bound from above, and how messages name a value on it and what is followed by a value. */
typedef struct series_bound {
  const char* on;    /* "a modulus of 1" */
  const char* entry; /* "a modulus of" */
  double at;
} series_bound;

/* In right inverses: refuses what is beyond the bound by more than `tolerance` (PZ_OUTSIDE), on it
   (PZ_SINGULAR), or not a number. */
pz_status series_check(pz_call* c, const series_bound* bound, double tolerance,
                       const pz_tensor* beyond);

extern const pz_parametrization series_toeplitz;
extern const pz_parametrization stable_diagonal;

#endif /* PLUGINS_SERIES_H */
