/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* vjp and jvp against central differences and against each other. */

#include "dense.h"
#include "difference.h"
#include "outcome.h"
#include "rules.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What differences of fourth order leave of a slope, but for rounding. */
static const double slope_share = 1e-8;

/* What rounding of y leaves in <g, dy> by differences, c = 10: all there is where the value is
   constant. */
static double
noise(const trial* const t, const double* const y, const double* const g)
{
  return 10.0 * DBL_EPSILON / difference_step * largest(t->n_y, y) * frobenius(t->n_y, g);
}

/* May derivatives differ from those of forward? Default options are never such. */
static bool
is_surrogate(const trial* const t)
{
  return t->bench->surrogate && strcmp(t->text, t->bench->id) != 0;
}

/* Along a random direction, and along each entry of x where these are few. */
void
rule_vjp_differences(trial* const t)
{
  if (t->y.dtype != PZ_F64 || t->n_x == 0 || is_surrogate(t)) {
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
    const double allowed = slope_share * frobenius(t->n_y, g) * frobenius(t->n_y, dy) +
                           (k < 0 ? 0.0 : slope_share * largest(t->n_x, gx)) + noise(t, y, g);
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
  if (t->y.dtype != PZ_F64 || t->n_x == 0 || is_surrogate(t)) {
    return;
  }
  const double* const x = trial_start(t);
  const double* const dx = trial_normal(t, PZ_F64, t->n_x, 1.0);
  const double* const expected = difference(t, trial_forward, t->n_y, x, dx);
  const double* const y = trial_forward(t);
  const double* const dy = trial_jvp(t, dx);
  if (!dy) {
    outcome_remark(VERDICT_NOTE, "jvp of this chain is not supported");
    return;
  }
  const double found = largest_difference(t->n_y, dy, expected);
  const double allowed = slope_share * largest(t->n_y, expected) +
                         10.0 * DBL_EPSILON / difference_step * fmax(1.0, largest(t->n_y, y));
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
  const double size =
      frobenius(t->n_y, g) * frobenius(t->n_y, dy) + frobenius(t->n_x, gx) * frobenius(t->n_x, dx) +
      frobenius(t->n_y, g) * frobenius(t->n_y, y) * frobenius(t->n_x, dx) / frobenius(t->n_x, x);
  const double allowed = 1000.0 * pz_dtype_epsilon(t->y.dtype) * size;
  if (!(fabs(forth - back) <= allowed)) {
    outcome_breach("jvp gives <g, J dx> = %.12g, vjp <J^T g, dx> = %.12g (allowed %.2g)", forth,
                   back, allowed);
  }
}
