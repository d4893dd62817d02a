/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Members of the simplex along `dim`, whatever the map. */

#ifndef PLUGINS_SIMPLEX_H
#define PLUGINS_SIMPLEX_H

#include <parametrize/plugin.h>

/* In right inverses: p <- y with its entries that are not positive sqrt(eps) times the largest, or
   all 1 without one that is; the scale of p is any. Refuses what an assignment must not assign. */
pz_status simplex_member(pz_call* c, int32_t dim, const pz_tensor* y, pz_tensor* p);

/* The largest distance of the vectors of y from the simplex. */
pz_status simplex_distance(pz_call* c, int32_t dim, const pz_tensor* y, double* distance);

/* Uniform vectors, of c->draw. */
pz_status simplex_uniform(pz_call* c, int32_t dim, pz_tensor* y);

#endif /* PLUGINS_SIMPLEX_H */
