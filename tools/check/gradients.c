/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Derivatives: vjp and jvp against central differences and against each other, log |det| against
   differences. */

#include "numbers.h"
#include "outcome.h"
#include "rules.h"

#include <float.h>
#include <string.h>

static const double h = 1e-5;

static double*
log_abs_det(trial* const t)
{
  int64_t n = 0;
  (void)trial_forward(t);
  return trial_log_abs_det(t, &n);
}

/* The derivative of what `measure` gives, n numbers, along dx, by central differences of fourth
   order; x is as before then. */
static double*
difference(trial* const t, double* (*const measure)(trial* t), const int64_t n,
           const double* const x, const double* const dx)
{
  static const double at[] = {-2.0, -1.0, 1.0, 2.0};
  static const double weight[] = {1.0, -8.0, 8.0, -1.0};
  double* const moved = trial_numbers(t, t->n_x);
  double* const out = trial_numbers(t, n);
  for (int p = 0; p < 4; ++p) {
    for (int64_t k = 0; k < t->n_x; ++k) {
      moved[k] = x[k] + at[p] * h * dx[k];
    }
    trial_write(t, moved);
    const double* const y = measure(t);
    for (int64_t k = 0; k < n; ++k) {
      out[k] += weight[p] / (12.0 * h) * y[k];
    }
  }
  trial_write(t, x);
  return out;
}

/* What rounding of y leaves in <g, dy> by differences, c = 10: all there is where the value is
   constant. */
static double
noise(const trial* const t, const double* const y, const double* const g)
{
  return 10.0 * DBL_EPSILON / h * largest(t->n_y, y) * norm(t->n_y, g);
}

/* Along a random direction, and along each entry of x where these are few. */
void
rule_vjp_differences(trial* const t)
{
  if (t->y.dtype != PZ_F64 || t->n_x == 0) {
    return;
  }
  const int64_t n_entries = t->n_x <= 30 ? t->n_x : 0;
  const double* const x = trial_start(t);
  const double* const g = trial_normal(t, PZ_F64, t->n_y, 1.0);
  const double* const y = trial_forward(t);
  const double* const gx = trial_vjp(t, g);
  double* const dx = trial_normal(t, PZ_F64, t->n_x, 1.0);
  for (int64_t k = -1; k < n_entries; ++k) {
    for (int64_t i = 0; i < t->n_x && k >= 0; ++i) {
      dx[i] = i == k ? 1.0 : 0.0;
    }
    const double* const dy = difference(t, trial_forward, t->n_y, x, dx);
    const double found = inner(t->n_x, gx, dx);
    const double expected = inner(t->n_y, g, dy);
    const double allowed = 1e-6 * norm(t->n_y, g) * norm(t->n_y, dy) +
                           (k < 0 ? 0.0 : 1e-6 * largest(t->n_x, gx)) + noise(t, y, g);
    if (!(fabs(found - expected) <= allowed)) {
      outcome_breach("along %s: vjp gives %.12g, differences of forward %.12g (allowed %.2g)",
                     k < 0 ? "a random direction" : "one entry", found, expected, allowed);
    }
  }
}

/* The same answer to the same gradient, also after another one: saved tensors are only read. */
void
rule_vjp_repeated(trial* const t)
{
  (void)trial_start(t);
  (void)trial_forward(t);
  const double* const g = trial_normal(t, t->y.dtype, t->n_y, 1.0);
  const double* const other = trial_normal(t, t->y.dtype, t->n_y, 1.0);
  const double* const first = trial_vjp(t, g);
  (void)trial_vjp(t, other);
  const double* const second = trial_vjp(t, g);
  if (memcmp(first, second, (size_t)t->n_x * sizeof(double)) != 0) {
    outcome_breach("a second vjp of the same gradient differs by %.3g, expected the same bits",
                   largest_difference(t->n_x, first, second));
  }
}

/* One gradient alone is what it is among all. */
void
rule_vjp_want(trial* const t)
{
  (void)trial_start(t);
  (void)trial_forward(t);
  const double* const g = trial_normal(t, t->y.dtype, t->n_y, 1.0);
  const double* const all = trial_vjp(t, g);
  int64_t first = 0;
  for (uint32_t k = 0; k < t->n_tensors && t->n_tensors > 1; ++k) {
    const int64_t n = pz_spec_count(&t->spec[k]);
    const double* const alone = trial_vjp_of(t, g, k);
    const double found = largest_difference(n, alone + first, all + first);
    if (!(found <= 10.0 * trial_unit(t) * largest(n, all + first))) {
      outcome_breach("the gradient of tensor %u alone differs by %.3g from that among all",
                     (unsigned)k, found);
    }
    first += n;
  }
}

void
rule_jvp_differences(trial* const t)
{
  if (t->y.dtype != PZ_F64 || t->n_x == 0) {
    return;
  }
  const double* const x = trial_start(t);
  const double* const dx = trial_normal(t, PZ_F64, t->n_x, 1.0);
  const double* const expected = difference(t, trial_forward, t->n_y, x, dx);
  const double* const y = trial_forward(t);
  const double* const dy = trial_jvp(t, dx);
  if (!dy) {
    outcome_note("jvp of this chain is not supported");
    return;
  }
  const double found = largest_difference(t->n_y, dy, expected);
  const double allowed =
      1e-6 * largest(t->n_y, expected) + 10.0 * DBL_EPSILON / h * fmax(1.0, largest(t->n_y, y));
  if (!(found <= allowed)) {
    outcome_breach("jvp differs from differences of forward by %.3g (allowed %.2g)", found,
                   allowed);
  }
}

/* <g, J dx> = <J^T g, dx> to rounding, c = 1000. Where J dx is far smaller than |y| |dx| / |x|, as of
   a constant value, rounding is relative to that. */
void
rule_jvp_adjoint(trial* const t)
{
  const double* const x = trial_start(t);
  const double* const dx = trial_normal(t, t->y.dtype, t->n_x, 1.0);
  const double* const g = trial_normal(t, t->y.dtype, t->n_y, 1.0);
  const double* const y = trial_forward(t);
  const double* const dy = trial_jvp(t, dx);
  if (!dy || t->n_x == 0) {
    return;
  }
  const double* const gx = trial_vjp(t, g);
  const double forth = inner(t->n_y, g, dy);
  const double back = inner(t->n_x, gx, dx);
  const double size = norm(t->n_y, g) * norm(t->n_y, dy) + norm(t->n_x, gx) * norm(t->n_x, dx) +
                      norm(t->n_y, g) * norm(t->n_y, y) * norm(t->n_x, dx) / norm(t->n_x, x);
  const double allowed = 1000.0 * pz_dtype_epsilon(t->y.dtype) * size;
  if (!(fabs(forth - back) <= allowed)) {
    outcome_breach("jvp gives <g, J dx> = %.12g, vjp <J^T g, dx> = %.12g (allowed %.2g)", forth,
                   back, allowed);
  }
}

/* The gradient of <g, log |det|>; each number of a batch depends on its own entry only, which the
   weights g tell apart. */
void
rule_density_differences(trial* const t)
{
  int64_t n = 0;
  if (t->y.dtype != PZ_F64 || t->n_x == 0) {
    return;
  }
  const double* const x = trial_start(t);
  (void)trial_forward(t);
  const double* const value = trial_log_abs_det(t, &n);
  if (!value || n == 0) {
    return;
  }
  const double* const g = trial_normal(t, PZ_F64, n, 1.0);
  const double* const dx = trial_normal(t, PZ_F64, t->n_x, 1.0);
  const double* const gx = trial_log_abs_det_vjp(t, g);
  if (!gx) {
    return;
  }
  const double* const dl = difference(t, log_abs_det, n, x, dx);
  const double found = inner(t->n_x, gx, dx);
  const double expected = inner(n, g, dl);
  const double allowed = 1e-6 * (fabs(expected) + norm(t->n_x, gx) * norm(t->n_x, dx)) +
                         100.0 * DBL_EPSILON / h * norm(n, g) * fmax(1.0, largest(n, value));
  if (!(fabs(found - expected) <= allowed)) {
    outcome_breach("log_abs_det_vjp gives %.12g, differences of log_abs_det %.12g (allowed %.2g)",
                   found, expected, allowed);
  }
}

/* The numbers of a batch are those of its entries alone, c = 100 for each entry of a value. */
void
rule_density_batches(trial* const t)
{
  int64_t n = 0;
  pz_spec spec;
  if (t->given.ndim < 1 || t->given.shape[0] == 0 || t->n_buffers > 0 ||
      pz_chain_density(t->chain, &spec) != PZ_OK || spec.ndim == 0 ||
      spec.shape[0] != t->given.shape[0]) {
    return;
  }
  const double* const x = trial_start(t);
  (void)trial_forward(t);
  const double* const numbers = trial_log_abs_det(t, &n);
  const int64_t batch = t->given.shape[0];
  pz_spec given = pz_spec_make(t->given.dtype, t->given.ndim, t->given.shape);
  given.shape[0] = 1;
  for (int64_t m = 0; numbers && m < batch; ++m) {
    trial one;
    int64_t n_one = 0;
    if (!trial_open(&one, t->bench, t->text, &given) || one.n_x * batch != t->n_x ||
        t->n_tensors != 1) {
      trial_close(&one);
      return;
    }
    trial_write(&one, x + m * one.n_x);
    (void)trial_forward(&one);
    const double* const alone = trial_log_abs_det(&one, &n_one);
    const double allowed =
        100.0 * pz_dtype_epsilon(t->y.dtype) * (double)one.n_y * fmax(1.0, largest(n, numbers));
    const double found =
        alone && n_one * batch == n ? largest_difference(n_one, alone, numbers + m * n_one) : NAN;
    if (!(found <= allowed)) {
      outcome_breach("log |det| of entry %lld of the batch differs by %.3g from that alone",
                     (long long)m, found);
    }
    trial_close(&one);
  }
}
