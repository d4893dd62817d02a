/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "diet.h"

#include <math.h>
#include <string.h>

/* per mille, as isotopes are given: carbon 13, nitrogen 15, sulphur 34 */
static const double foods[FOODS][ISOTOPES] = {
    {-12.5, 4.0, 8.0},  /* grass */
    {-26.5, 3.0, 10.0}, /* shrubs */
    {-18.5, 9.0, 17.5}, /* algae */
    {-16.0, 13.0, 15.5} /* fish */
};

enum { ANIMALS = 30 };
static const double tissue[ANIMALS][ISOTOPES] = {
    {-17.58, 4.88, 10.22}, {-17.87, 5.94, 11.12}, {-16.46, 7.02, 10.15}, {-17.72, 5.95, 12.04},
    {-16.52, 7.18, 10.51}, {-17.27, 5.76, 9.77},  {-17.26, 6.72, 10.39}, {-17.1, 6.66, 12.8},
    {-17.02, 7.87, 14.19}, {-17.43, 6.63, 9.93},  {-17.11, 6.03, 10.71}, {-16.09, 5.34, 8.13},
    {-17.19, 6.65, 11.66}, {-15.86, 5.5, 7.89},   {-15.7, 7.93, 12.74},  {-16.65, 6.0, 11.1},
    {-15.74, 6.44, 9.28},  {-17.67, 5.5, 12.11},  {-16.52, 6.2, 12.04},  {-15.8, 6.93, 11.01},
    {-18.66, 4.96, 12.75}, {-15.54, 7.29, 12.13}, {-15.73, 7.85, 12.04}, {-17.54, 5.45, 9.57},
    {-17.96, 6.33, 11.08}, {-16.38, 6.3, 8.67},   {-17.3, 6.32, 10.95},  {-17.88, 6.09, 11.46},
    {-14.89, 8.28, 9.6},   {-17.95, 5.66, 10.41},
};

const char* const diet_names[DIET_MOMENTS] = {
    "theta grass", "theta shrubs", "theta algae", "theta fish", "s carbon",
    "s nitrogen",  "s sulphur",    "R N-C",       "R S-C",      "R S-N",
};

pz_status
diet_open(diet* const d, pz_context* const context, pz_queue* const queue)
{
  static const int64_t simplex[] = {FOODS};
  static const int64_t matrix[] = {ISOTOPES, ISOTOPES};
  PZ_TRY(parameter_open(&d->theta, context, queue, "simplex", 1, simplex));
  PZ_TRY(parameter_open(&d->s, context, queue, "positive", 1, matrix));
  return parameter_open(&d->L, context, queue, "correlation(of=factor)", 2, matrix);
}

void
diet_close(diet* const d)
{
  parameter_close(&d->theta);
  parameter_close(&d->s);
  parameter_close(&d->L);
}

int
diet_dimensions(const diet* const d)
{
  return d->theta.n + d->s.n + d->L.n;
}

static pz_status
forward(diet* const d, const double* const q, double* const log_density)
{
  PZ_TRY(parameter_forward(&d->theta, q, log_density));
  PZ_TRY(parameter_forward(&d->s, q + d->theta.n, log_density));
  return parameter_forward(&d->L, q + d->theta.n + d->s.n, log_density);
}

static pz_status
backward(diet* const d, double* const gradient)
{
  PZ_TRY(parameter_backward(&d->theta, gradient));
  PZ_TRY(parameter_backward(&d->s, gradient + d->theta.n));
  return parameter_backward(&d->L, gradient + d->theta.n + d->s.n);
}

/* Adds the log likelihood of one animal, z = L^-1 ((tissue - mean) / s), and its gradients. */
static double
add_animal(diet* const d, const double* const y, const double* const mean, double* const g_mean)
{
  const double* const s = d->s.y;
  const double(*const L)[ISOTOPES] = (const double(*)[ISOTOPES])d->L.y;
  double(*const gL)[ISOTOPES] = (double(*)[ISOTOPES])d->L.gy;
  double r[ISOTOPES];
  double z[ISOTOPES];
  double w[ISOTOPES]; /* L^-T z */
  double log_likelihood = 0.0;
  for (int i = 0; i < ISOTOPES; ++i) {
    r[i] = (y[i] - mean[i]) / s[i];
    z[i] = r[i];
    for (int j = 0; j < i; ++j) {
      z[i] -= L[i][j] * z[j];
    }
    z[i] /= L[i][i];
    log_likelihood -= z[i] * z[i] / 2.0 + log(s[i]) + log(L[i][i]);
  }
  for (int i = ISOTOPES - 1; i >= 0; --i) {
    w[i] = z[i];
    for (int j = i + 1; j < ISOTOPES; ++j) {
      w[i] -= L[j][i] * w[j];
    }
    w[i] /= L[i][i];
  }
  for (int i = 0; i < ISOTOPES; ++i) {
    g_mean[i] += w[i] / s[i];
    d->s.gy[i] += (w[i] * r[i] - 1.0) / s[i];
    for (int j = 0; j <= i; ++j) {
      gL[i][j] += w[i] * z[j];
    }
    gL[i][i] -= 1.0 / L[i][i];
  }
  return log_likelihood;
}

/* log density of theta, s and L, and its gradients into their gy */
static double
posterior(diet* const d)
{
  double mean[ISOTOPES] = {0.0};
  double g_mean[ISOTOPES] = {0.0};
  double out = 0.0;
  memset(d->s.gy, 0, sizeof(d->s.gy));
  memset(d->L.gy, 0, sizeof(d->L.gy));
  for (int i = 0; i < ISOTOPES; ++i) {
    for (int f = 0; f < FOODS; ++f) {
      mean[i] += d->theta.y[f] * foods[f][i];
    }
    out -= d->s.y[i] * d->s.y[i] / 8.0;
    d->s.gy[i] -= d->s.y[i] / 4.0;
    if (i > 0) { /* LKJ(2) as a density of L */
      const double diagonal = d->L.y[i * ISOTOPES + i];
      out += (ISOTOPES - i + 1) * log(diagonal);
      d->L.gy[i * ISOTOPES + i] += (ISOTOPES - i + 1) / diagonal;
    }
  }
  for (int a = 0; a < ANIMALS; ++a) {
    out += add_animal(d, tissue[a], mean, g_mean);
  }
  for (int f = 0; f < FOODS; ++f) {
    d->theta.gy[f] = 0.0;
    for (int i = 0; i < ISOTOPES; ++i) {
      d->theta.gy[f] += foods[f][i] * g_mean[i];
    }
  }
  return out;
}

double
diet_log_density(void* const user, const double* const q, double* const gradient)
{
  diet* const d = (diet*)user;
  double log_density = 0.0;
  if (forward(d, q, &log_density) != PZ_OK) {
    return -INFINITY;
  }
  log_density += posterior(d);
  return backward(d, gradient) == PZ_OK ? log_density : -INFINITY;
}

pz_status
diet_quantities(diet* const d, const double* const q, double* const out)
{
  double unused = 0.0;
  double* next = out;
  PZ_TRY(forward(d, q, &unused));
  for (int f = 0; f < FOODS; ++f) {
    *next++ = d->theta.y[f];
  }
  for (int i = 0; i < ISOTOPES; ++i) {
    *next++ = d->s.y[i];
  }
  for (int i = 1; i < ISOTOPES; ++i) {
    for (int j = 0; j < i; ++j) {
      *next = 0.0;
      for (int k = 0; k <= j; ++k) {
        *next += d->L.y[i * ISOTOPES + k] * d->L.y[j * ISOTOPES + k];
      }
      ++next;
    }
  }
  return PZ_OK;
}
