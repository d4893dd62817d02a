/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Plans and values. */

#include "dense.h"
#include "outcome.h"
#include "rules.h"

#include <math.h>
#include <string.h>

static bool
same_bits(const int64_t n, const double* const a, const double* const b)
{
  return memcmp(a, b, (size_t)n * sizeof(*a)) == 0;
}

/* Planned from its own originals, the chain has the same value. */
void
rule_plan(trial* const t)
{
  pz_chain* other = NULL;
  const pz_status status = pz_chain_new(t->bench->context, t->text, NULL, 0, PZ_FROM_INPUT, t->spec,
                                        t->n_originals, &other);
  if (status == PZ_MISMATCH || status == PZ_UNSUPPORTED) {
    return; /* the shape of the value is not known from that of the originals */
  }
  outcome_expect_ok(status, "plan from the input");
  if (!pz_spec_equal(pz_chain_value(other), &t->y) ||
      pz_chain_value(other)->structure != t->y.structure) {
    outcome_breach("planned from its originals, the chain has another value");
  }
  pz_chain_free(other);
}

/* The value depends on x and the state alone, not on saving or what was computed before. */
void
rule_determined(trial* const t)
{
  const double* const x = trial_start(t);
  const double* const first = trial_forward(t);
  double* const elsewhere = trial_copy(t, t->n_x, x);
  for (int64_t k = 0; k < t->n_x; ++k) {
    elsewhere[k] *= 0.5;
  }
  trial_write(t, elsewhere);
  (void)trial_forward(t);
  trial_write(t, x);
  pz_tensor value;
  outcome_expect_ok(pz_eval_forward(t->eval, t->state, 0, NULL, &value), "forward without saving");
  trial_write(t, x);
  const double* const second = trial_forward(t);
  if (!same_bits(t->n_y, first, second)) {
    outcome_breach("two evaluations at the same originals differ by %.3g, expected the same bits",
                   largest_difference(t->n_y, first, second));
  }
}

/* float32 is float64 but for rounding, c = 100. */
void
rule_dtypes(trial* const t)
{
  trial wide;
  pz_spec given = t->given;
  if (t->y.dtype != PZ_F32) {
    return;
  }
  given.dtype = PZ_F64;
  const double* const x = trial_start(t);
  const double* const single = trial_forward(t);
  if (!trial_open(&wide, t->bench, t->text, &given)) {
    outcome_breach("float32 of this shape is taken, float64 is refused: %s", pz_error_message());
  }
  if (wide.n_x != t->n_x || wide.n_b != t->n_b) {
    outcome_breach("float32 and float64 have different tensors");
  }
  trial_write_buffers(&wide, trial_read_buffers(t));
  trial_write(&wide, x);
  const double* const twice = trial_forward(&wide);
  const double found = largest_difference(t->n_y, single, twice);
  const double allowed = 100.0 * trial_unit(t) * largest(t->n_y, twice);
  if (!(found <= allowed)) {
    outcome_breach("float32 differs from float64 by %.3g (allowed %.2g)", found, allowed);
  }
  trial_close(&wide);
}

/* Each entry of a batch is what it is alone, c = 100, if the parametrization says that it works on
   batches: with a density, or originals that have the same batch. A tensor that is taken as a whole
   is a remark. */
void
rule_batches(trial* const t)
{
  const int64_t batch = t->given.ndim > 0 ? t->given.shape[0] : 0;
  trial one;
  pz_spec density;
  if (t->given.ndim < 3 || batch < 2 || t->n_buffers > 0 || t->n_tensors != 1 ||
      t->spec[0].ndim < 1 || t->spec[0].shape[0] != batch) {
    return;
  }
  const double* const x = trial_start(t);
  const double* const y = trial_forward(t);
  pz_spec given = pz_spec_make(t->given.dtype, t->given.ndim - 1, t->given.shape + 1);
  for (int64_t m = 0; m < batch; ++m) {
    if (!trial_open(&one, t->bench, t->text, &given)) {
      return;
    }
    if (one.n_x * batch == t->n_x && one.n_y * batch == t->n_y) {
      trial_write(&one, x + m * one.n_x);
      const double* const alone = trial_forward(&one);
      const double found = largest_difference(one.n_y, alone, y + m * one.n_y);
      if (!(found <= 100.0 * trial_unit(t) * largest(one.n_y, alone))) {
        if (pz_chain_density(t->chain, &density) == PZ_OK) {
          outcome_breach("entry %lld of the batch differs by %.3g from that alone", (long long)m,
                         found);
        }
        outcome_remark(
            VERDICT_NOTE,
            "entry %lld of a batch is not what it is alone: the tensor counts as a whole",
            (long long)m);
        m = batch;
      }
    }
    trial_close(&one);
  }
}

/* ---- structure ------------------------------------------------------------------------------ */

/* Does entry (i, j) of an n x n matrix keep what is promised exactly? */
static bool
keeps(const uint32_t structure, const int64_t n, const double* const a, const int64_t i,
      const int64_t j)
{
  const double here = a[i * n + j];
  const double there = a[j * n + i];
  return structure == PZ_SYMMETRIC || structure == PZ_SPD ? here == there
         : structure == PZ_SKEW                           ? here == -there
         : structure == PZ_UPPER_TRIANGULAR               ? j >= i || here == 0.0
         : structure == PZ_LOWER_TRIANGULAR               ? j <= i || here == 0.0
         : structure == PZ_DIAGONAL                       ? i == j || here == 0.0
                                                          : true;
}

/* The largest entry of A^T A - I, or A A^T - I for a wide matrix. */
static double
off_orthogonal(const int64_t rows, const int64_t cols, const double* const a)
{
  const bool wide = cols > rows;
  const int64_t n = wide ? rows : cols;
  double most = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = i == j ? -1.0 : 0.0;
      for (int64_t k = 0; k < (wide ? cols : rows); ++k) {
        sum += wide ? a[i * cols + k] * a[j * cols + k] : a[k * cols + i] * a[k * cols + j];
      }
      most = fabs(sum) > most || isnan(sum) ? fabs(sum) : most;
    }
  }
  return most;
}

/* Whether Cholesky's pivots of A + slack I are positive. `a` is overwritten. */
static bool
is_positive(const int64_t n, double* const a, const double slack)
{
  for (int64_t k = 0; k < n; ++k) {
    const double pivot = a[k * n + k] + slack;
    if (!(pivot > 0.0)) {
      return false;
    }
    for (int64_t i = k + 1; i < n; ++i) {
      for (int64_t j = k + 1; j < n; ++j) {
        a[i * n + j] -= a[i * n + k] * a[k * n + j] / pivot;
      }
    }
  }
  return true;
}

/* The value has the structure that plan declared: to the bit, or orthogonal and positive definite
   to n eps, c = 100. Later stages and operations rely on it. */
void
rule_structure(trial* const t)
{
  const uint32_t structure = t->y.structure;
  if (structure == PZ_GENERAL || t->y.ndim < 2) {
    return;
  }
  const int64_t rows = t->y.shape[t->y.ndim - 2];
  const int64_t cols = t->y.shape[t->y.ndim - 1];
  const int64_t n = rows * cols;
  (void)trial_start(t);
  double* const y = trial_forward(t);
  for (int64_t m = 0; n > 0 && m < t->n_y / n; ++m) {
    double* const a = y + m * n;
    if (structure == PZ_ORTHOGONAL) {
      const double found = off_orthogonal(rows, cols, a);
      const double allowed =
          100.0 * (double)(rows > cols ? rows : cols) * pz_dtype_epsilon(t->y.dtype);
      if (!(found <= allowed)) {
        outcome_breach("plan promises orthogonal values, |A^T A - I| is %.3g (allowed %.2g)", found,
                       allowed);
      }
      continue;
    }
    for (int64_t i = 0; i < rows && rows == cols; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        if (!keeps(structure, cols, a, i, j)) {
          outcome_breach("plan promises structure %u, but entries (%lld, %lld) and its mirror are "
                         "%.17g and %.17g",
                         (unsigned)structure, (long long)i, (long long)j, a[i * cols + j],
                         a[j * cols + i]);
        }
      }
    }
    const double slack = 100.0 * trial_unit(t) * largest(n, a);
    if (structure == PZ_SPD && !is_positive(rows, a, slack)) {
      outcome_breach("plan promises positive definite values, and this one is not");
    }
  }
}

/* ---- purity -------------------------------------------------------------------------------------- */

/* forward, vjp, jvp and residual write nothing but their outputs. */
void
rule_pure(trial* const t)
{
  double distance = 0.0;
  const double* const x = trial_start(t);
  const double* const before = trial_read_buffers(t);
  const double* const y = trial_forward(t);
  const double* const g = trial_normal(t, t->y.dtype, t->n_y, 1.0);
  if (t->bench->flags & PZ_HAS_VJP) {
    (void)trial_vjp(t, g);
  }
  (void)trial_jvp(t, x);
  (void)trial_residual(t, y, &distance);
  if (!same_bits(t->n_x, x, trial_read(t))) {
    outcome_breach("an original or own parameter was changed by forward, vjp, jvp or residual");
  }
  if (!same_bits(t->n_b, before, trial_read_buffers(t))) {
    outcome_breach("a buffer was changed by forward, vjp, jvp or residual");
  }
}

/* What is not finite ends, and stays visible; the evaluation is as good as new afterwards. */
void
rule_not_finite(trial* const t)
{
  static const double bad[] = {NAN, INFINITY, -INFINITY, 1e30};
  double distance = 0.0;
  const double* const x = trial_start(t);
  const double* const good = trial_forward(t);
  for (int k = 0; k < 5 && t->n_x > 0; ++k) {
    double* const spoiled = trial_copy(t, t->n_x, x);
    double* const value = trial_copy(t, t->n_y, good);
    for (int64_t i = 0; i < t->n_x; i += k == 4 ? 1 : 2) {
      spoiled[i] = bad[k % 4];
    }
    for (int64_t i = 0; i < t->n_y; i += k == 4 ? 1 : 2) {
      value[i] = bad[k % 4];
    }
    pz_tensor out;
    trial_write(t, spoiled);
    (void)pz_eval_forward(t->eval, t->state, PZ_CALL_SAVING, NULL, &out);
    (void)trial_residual(t, value, &distance);
    (void)trial_assign(t, PZ_REGISTER, value);
    (void)trial_assign(t, PZ_ASSIGN, value);
  }
  if (t->n_buffers > 0) {
    return; /* an assignment may have moved them */
  }
  trial_write(t, x);
  const double* const again = trial_forward(t);
  if (!same_bits(t->n_y, good, again)) {
    outcome_breach("after values that are not finite, forward differs by %.3g",
                   largest_difference(t->n_y, good, again));
  }
}
