/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What do these animals eat? Three stable isotopes were measured in each of 30 animals. Four kinds of
   food have known isotopes F, and a diet mixes them in unknown proportions:

     tissue_i ~ normal(theta^T F, diag(s) R diag(s))        R = L L^T
     theta ~ uniform on the simplex     s ~ half-normal(2)     R ~ LKJ(2) */

#ifndef SAMPLER_DIET_H
#define SAMPLER_DIET_H

#include "parameter.h"

enum { FOODS = 4, ISOTOPES = 3, DIET_MOMENTS = FOODS + ISOTOPES + 3 };

typedef struct diet {
  parameter theta; /* simplex */
  parameter s;     /* positive */
  parameter L;     /* Cholesky factor of a correlation matrix */
} diet;

/* On failure, diet_close frees what there is. */
pz_status diet_open(diet* d, pz_context* context, pz_queue* queue);
void diet_close(diet* d);
int diet_dimensions(const diet* d);

/* A nuts_density; `user` is a diet. -Inf if a chain fails. */
double diet_log_density(void* user, const double* q, double* gradient);

/* The quantities to report at q: theta, s, and the correlations of R. */
extern const char* const diet_names[DIET_MOMENTS];
pz_status diet_quantities(diet* d, const double* q, double* out);

#endif /* SAMPLER_DIET_H */
