/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The chains and shapes that a parametrization is tried on. */

#ifndef TOOLS_CHECK_VARIANTS_H
#define TOOLS_CHECK_VARIANTS_H

#include "trial.h"

enum { VARIANT_CHAINS = 32, VARIANT_SHAPES = 33 };

typedef struct variants {
  uint32_t n;
  char chain[VARIANT_CHAINS][160];
} variants;

extern const pz_spec variant_shapes[VARIANT_SHAPES]; /* without dtypes */

/* The parametrization alone, with each choice and flag of its options and with the bounds of small
   numbers; and after skew and symmetric, if these are installed. */
void variants_of(const bench* b, variants* out);

/* Runs `body` on every chain, dtype and shape that is taken: each shape by some chains, if these are
   many. Counts trials and refusals. */
void on_every_trial(const bench* b, void (*body)(trial* t));

#endif /* TOOLS_CHECK_VARIANTS_H */
