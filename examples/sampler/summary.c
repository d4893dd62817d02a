/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "summary.h"

#include <math.h>

static double
mean_of(const double* const x, const int n)
{
  double sum = 0.0;
  for (int k = 0; k < n; ++k) {
    sum += x[k];
  }
  return sum / n;
}

/* The mean of (x - centre)^2. */
static double
spread_of(const double* const x, const int n, const double centre)
{
  double sum = 0.0;
  for (int k = 0; k < n; ++k) {
    sum += (x[k] - centre) * (x[k] - centre);
  }
  return sum / n;
}

summary
summarize(const double* const draws, const int chains, const int n)
{
  summary out = {.mean = mean_of(draws, chains * n)};
  const int length = n / SUMMARY_BATCHES;
  const int batches = chains * SUMMARY_BATCHES;
  double within = 0.0;
  double between = 0.0;
  out.variance = spread_of(draws, chains * n, out.mean);
  for (int b = 0; b < batches; ++b) {
    const double off = mean_of(draws + b * length, length) - out.mean;
    const double more = spread_of(draws + b * length, length, out.mean) - out.variance;
    out.mean_error += off * off;
    out.variance_error += more * more;
  }
  out.mean_error = sqrt(out.mean_error / batches / (batches - 1));
  out.variance_error = sqrt(out.variance_error / batches / (batches - 1));
  for (int c = 0; c < chains; ++c) {
    const double mean = mean_of(draws + c * n, n);
    within += spread_of(draws + c * n, n, mean) / chains;
    between += (mean - out.mean) * (mean - out.mean) / chains;
  }
  out.r_hat = sqrt(1.0 + between / within);
  return out;
}
