/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What several chains of draws say about one quantity. */

#ifndef SAMPLER_SUMMARY_H
#define SAMPLER_SUMMARY_H

enum { SUMMARY_BATCHES = 20 }; /* of a chain; a batch is long against the correlation of draws */

typedef struct summary {
  double mean;
  double mean_error; /* standard errors, from the means of batches */
  double variance;
  double variance_error;
  double r_hat; /* Gelman and Rubin: 1 where the chains agree */
} summary;

/* `draws` holds n draws of each chain, one chain after the other; n is a multiple of the batches. */
summary summarize(const double* draws, long chains, long n);

#endif /* SAMPLER_SUMMARY_H */
