/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "summary.h"

#include <math.h>

static double
mean_of(const double* const x, const long n)
{
  double sum = 0.0;
  for (long k = 0; k < n; ++k) {
    sum += x[k];
  }
  return sum / (double)n;
}

/* The mean of (x - centre)^2. */
static double
spread_of(const double* const x, const long n, const double centre)
{
  double sum = 0.0;
  for (long k = 0; k < n; ++k) {
    sum += (x[k] - centre) * (x[k] - centre);
  }
  return sum / (double)n;
}

summary
summarize(const double* const draws, const long chains, const long n)
{
  summary out = {.mean = mean_of(draws, chains * n)};
  const long length = n / SUMMARY_BATCHES;
  const long batches = chains * SUMMARY_BATCHES;
  const double pairs = (double)batches * (double)(batches - 1);
  double within = 0.0;
  double between = 0.0;
  out.variance = spread_of(draws, chains * n, out.mean);
  for (long b = 0; b < batches; ++b) {
    const double off = mean_of(draws + b * length, length) - out.mean;
    const double more = spread_of(draws + b * length, length, out.mean) - out.variance;
    out.mean_error += off * off;
    out.variance_error += more * more;
  }
  out.mean_error = sqrt(out.mean_error / pairs);
  out.variance_error = sqrt(out.variance_error / pairs);
  for (long c = 0; c < chains; ++c) {
    const double mean = mean_of(draws + c * n, n);
    within += spread_of(draws + c * n, n, mean) / (double)chains;
    between += (mean - out.mean) * (mean - out.mean) / (double)chains;
  }
  out.r_hat = sqrt(1.0 + between / within);
  return out;
}
