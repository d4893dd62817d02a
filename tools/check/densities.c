/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| against the determinant of the Jacobian, which jvp gives column by column, and its
   gradient against differences. */

#include "dense.h"
#include "difference.h"
#include "outcome.h"
#include "rules.h"

#include <float.h>
#include <math.h>

static double*
log_abs_det(trial* const t)
{
  int64_t n = 0;
  (void)trial_forward(t);
  return trial_log_abs_det(t, &n);
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
  const double allowed =
      1e-8 * (fabs(expected) + frobenius(t->n_x, gx) * frobenius(t->n_x, dx)) +
      100.0 * DBL_EPSILON / difference_step * frobenius(n, g) * fmax(1.0, largest(n, value));
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

/* ---- the Jacobian ----------------------------------------------------------------------------- */

enum { MOST_COORDINATES = 40 };

/* Is entry `e` of a block whose last two extents are rows x cols one of its coordinates? */
static bool
is_coordinate(const uint32_t code, const int64_t rows, const int64_t cols, const int64_t e)
{
  const int64_t i = e / cols % rows;
  const int64_t j = e % cols;
  return code == PZ_ALL_ENTRIES      ? true
         : code == PZ_UPPER_TRIANGLE ? j >= i
         : code == PZ_LOWER_TRIANGLE ? j <= i
         : code == PZ_STRICT_LOWER   ? j < i
         : code == PZ_ALL_BUT_LAST   ? j < cols - 1
                                     : j > i; /* PZ_STRICT_UPPER, PZ_ROTATION */
}

static void
last_extents(const pz_spec* const spec, int64_t* const rows, int64_t* const cols)
{
  *cols = spec->ndim > 0 ? spec->shape[spec->ndim - 1] : 1;
  *rows = spec->ndim > 1 ? spec->shape[spec->ndim - 2] : 1;
}

/* The coordinates of dy at y, one after the other; returns their number. */
static int64_t
coordinates_of(const uint32_t code, const pz_spec* const spec, const int64_t n,
               const double* const y, const double* const dy, double* const out)
{
  int64_t rows = 1;
  int64_t cols = 1;
  int64_t found = 0;
  last_extents(spec, &rows, &cols);
  for (int64_t e = 0; e < n; ++e) {
    if (!is_coordinate(code, rows, cols, e)) {
      continue;
    }
    double value = dy[e];
    if (code == PZ_ROTATION) { /* entry (i, j) of Y^T dY */
      value = 0.0;
      for (int64_t k = 0; k < rows; ++k) {
        value += y[k * cols + e / cols] * dy[k * cols + e % cols];
      }
    }
    if (found < MOST_COORDINATES) {
      out[found] = value;
    }
    found += 1;
  }
  return found;
}

/* log |det| of an n x n matrix, which is overwritten. */
static double
log_determinant(const int64_t n, double* const a)
{
  double sum = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      pivot = fabs(a[i * n + k]) > fabs(a[pivot * n + k]) ? i : pivot;
    }
    for (int64_t j = 0; j < n; ++j) {
      const double other = a[k * n + j];
      a[k * n + j] = a[pivot * n + j];
      a[pivot * n + j] = other;
    }
    sum += log(fabs(a[k * n + k]));
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (int64_t j = k; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
      }
    }
  }
  return sum;
}

/* The first number of a batch, in the coordinates that the first and the last stage declare. The bound
   of 1e-9 for each entry leaves six digits to the conditioning of the map. */
void
rule_density_jacobian(trial* const t)
{
  pz_stage_info first = {.size = sizeof(first)};
  pz_stage_info last = {.size = sizeof(last)};
  int64_t n = 0;
  int64_t rows = 1;
  int64_t cols = 1;
  if (t->y.dtype != PZ_F64 || t->n_tensors != 1 || t->n_y == 0) {
    return;
  }
  const double* const x = trial_start(t);
  const double* const y = trial_forward(t);
  const double* const numbers = trial_log_abs_det(t, &n);
  if (!numbers || n == 0) {
    return;
  }
  outcome_expect_ok(pz_chain_stage(t->chain, 0, &first), "the first stage");
  outcome_expect_ok(pz_chain_stage(t->chain, pz_chain_length(t->chain) - 1, &last),
                    "the last stage");
  const int64_t n_x = t->n_x / n;
  const int64_t n_y = t->n_y / n;
  const uint32_t out = last.density_out;
  if (out >= PZ_OWN_COORDINATES || n_x > 2 * MOST_COORDINATES || n_y > 2 * MOST_COORDINATES ||
      !trial_jvp(t, x)) {
    return;
  }
  double jacobian[MOST_COORDINATES * MOST_COORDINATES];
  double* const dx = trial_numbers(t, t->n_x);
  int64_t columns = 0;
  int64_t coordinates = -1;
  last_extents(&t->spec[0], &rows, &cols);
  for (int64_t e = 0; e < n_x; ++e) {
    if (!is_coordinate(first.density_in, rows, cols, e)) {
      continue;
    }
    if (columns == MOST_COORDINATES) {
      return;
    }
    dx[e] = 1.0;
    coordinates =
        coordinates_of(out, &t->y, n_y, y, trial_jvp(t, dx), jacobian + columns * MOST_COORDINATES);
    dx[e] = 0.0;
    columns += 1;
  }
  if (columns > 0 && coordinates != columns) {
    outcome_breach("found %lld coordinates of x and %lld of the value, expected equally many",
                   (long long)columns, (long long)coordinates);
  }
  for (int64_t k = 1; k < columns; ++k) { /* side by side */
    for (int64_t i = 0; i < columns; ++i) {
      jacobian[k * columns + i] = jacobian[k * MOST_COORDINATES + i];
    }
  }
  const double expected = log_determinant(columns, jacobian);
  const double allowed = 1e-9 * (double)(1 + n_y) * fmax(1.0, fabs(expected));
  if (!(fabs(numbers[0] - expected) <= allowed)) {
    outcome_breach("log_abs_det gives %.12g, the Jacobian of jvp %.12g (allowed %.2g)", numbers[0],
                   expected, allowed);
  }
}
