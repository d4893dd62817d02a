/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The No-U-Turn sampler (Hoffman and Gelman 2014) for a density on R^n, with what Stan does today:
   draws weighted by their energy and the generalized criterion of a turn (Betancourt 2017), step size
   by dual averaging, and a diagonal metric from windows of the warm-up that double in length. */

#ifndef SAMPLER_NUTS_H
#define SAMPLER_NUTS_H

#include <stdbool.h>
#include <stdint.h>

enum { NUTS_MAX = 32 }; /* dimensions */

/* log density of q up to a constant, and its gradient; -Inf or NaN where it cannot be computed. */
typedef double (*nuts_density)(void* user, const double* q, double* gradient);

typedef struct nuts_random {
  uint64_t state;
} nuts_random;

typedef struct nuts {
  nuts_density density;
  void* user;
  int n;
  nuts_random random;
  double step;
  double variance[NUTS_MAX]; /* the metric: the posterior's, as far as it is known */
  double energy;             /* where the current trajectory began */
  double acceptance;         /* of the last trajectory, the mean */
  int64_t evaluations;
  int divergences;
} nuts;

/* In (0, 1); and standard normal. */
double nuts_uniform(nuts_random* random);
double nuts_normal(nuts_random* random);

/* Warms up from q, which becomes a draw; then each call of nuts_next replaces q by the next draw. */
void nuts_warm_up(nuts* s, double* q, int draws);
void nuts_next(nuts* s, double* q);

#endif /* SAMPLER_NUTS_H */
