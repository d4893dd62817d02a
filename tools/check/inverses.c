/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Right inverses, residuals and samples. */

#include "numbers.h"
#include "outcome.h"
#include "rules.h"

/* A value that is assigned comes back, c = 100; so does one that is registered or handed down. After
   another stage that need not be so: a projection loses what the stage before it needs. */
void
rule_round_trip(trial* const t)
{
  static const struct {
    pz_intent intent;
    const char* name;
  } intents[] = {{PZ_ASSIGN, "assign"}, {PZ_REGISTER, "register"}, {PZ_CHAIN, "chain"}};
  if (!t->alone) {
    return;
  }
  (void)trial_start(t);
  const double* const y = trial_forward(t);
  for (int k = 0; k < 3; ++k) {
    const pz_status status = trial_assign(t, intents[k].intent, y);
    if (status == PZ_UNSUPPORTED) {
      return;
    }
    if (status != PZ_OK) {
      outcome_breach("%s of the chain's own value: found \"%s\" (%s)", intents[k].name,
                     pz_status_text(status), pz_error_message());
    }
    const double* const back = trial_forward(t);
    const double found = largest_difference(t->n_y, y, back);
    const double allowed = 100.0 * trial_unit(t) * fmax(1.0, largest(t->n_y, y));
    if (!(found <= allowed)) {
      outcome_breach("%s of the chain's own value: forward then differs by %.3g (allowed %.2g)",
                     intents[k].name, found, allowed);
    }
  }
}

/* Values and samples are finite and lie in the set, c = 100, or 10 where originals are large. What
   an update estimates is in the set only as far as the estimate is right. */
void
rule_members(trial* const t)
{
  static const char* const names[] = {"a value", "a sample"};
  for (int k = 0; k < 2; ++k) {
    double distance = -1.0;
    if (k == 0) {
      (void)trial_start(t);
    } else {
      const pz_status status = pz_eval_sample(t->eval, t->state);
      if (status == PZ_UNSUPPORTED) {
        return;
      }
      outcome_expect_ok(status, "sample");
    }
    const double* const y = trial_forward(t);
    const double* const x = trial_read(t);
    if (!all_finite(t->n_y, y)) {
      outcome_breach("%s has an entry that is not finite", names[k]);
    }
    const pz_status status = trial_residual(t, y, &distance);
    if (status == PZ_UNSUPPORTED) {
      continue;
    }
    outcome_expect_ok(status, "residual");
    const int64_t n = t->y.ndim > 0 ? t->y.shape[t->y.ndim - 1] : 1;
    const double allowed =
        100.0 * trial_unit(t) * fmax(1.0, largest(t->n_y, y)) +
        10.0 * pz_dtype_epsilon(t->y.dtype) * (double)(n * n) * largest(t->n_x, x);
    if (!(distance >= 0.0)) {
      outcome_breach("the residual of %s is %g, expected 0 or more", names[k], distance);
    }
    if (!(distance <= allowed) && (t->bench->flags & PZ_HAS_UPDATE) == 0) {
      outcome_breach("the residual of %s is %.3g (allowed %.2g)", names[k], distance, allowed);
    }
  }
}

/* A value moved away from the set has a residual, or the move stays in the set: then assigning it
   gives it back. A residual that is always 0 hides values outside. The moves are as large as the value,
   so a thousandth of that is far above rounding and far below a move. */
void
rule_outsiders(trial* const t)
{
  double distance = 0.0;
  if (t->n_y == 0 || !t->alone) {
    return;
  }
  (void)trial_start(t);
  double* const y = trial_forward(t);
  const double size = fmax(1.0, largest(t->n_y, y));
  const double* const step = trial_normal(t, t->y.dtype, t->n_y, size);
  for (int64_t k = 0; k < t->n_y; ++k) {
    y[k] = t->y.dtype == PZ_F32 ? (double)(float)(y[k] + step[k]) : y[k] + step[k];
  }
  if (trial_residual(t, y, &distance) != PZ_OK || distance > 1e-3 * size || isnan(distance)) {
    return;
  }
  const pz_status status = trial_assign(t, PZ_ASSIGN, y);
  if (status != PZ_OK) {
    return; /* refused all the same */
  }
  const double* const back = trial_forward(t);
  const double found = largest_difference(t->n_y, y, back);
  if (!(found <= 1e-2 * size)) {
    outcome_breach("a tensor at distance %.3g from its value has residual %.3g and can be assigned",
                   found, distance);
  }
}

/* Whatever tensor is registered gives finite originals, or a clear answer that there are none. The
   value of large ones may overflow. */
void
rule_registers(trial* const t)
{
  for (int k = 0; k < 3; ++k) {
    static const double scales[] = {1.0, 1e-3, 1e4};
    const double* const y = trial_normal(t, t->y.dtype, t->n_y, scales[k]);
    const pz_status status = trial_assign(t, PZ_REGISTER, y);
    if (status == PZ_SINGULAR || status == PZ_UNSUPPORTED || (!t->alone && status == PZ_OUTSIDE)) {
      continue;
    }
    if (status != PZ_OK) {
      outcome_breach("register of a tensor of size %g: found \"%s\" (%s), expected originals",
                     scales[k], pz_status_text(status), pz_error_message());
    }
    if (!all_finite(t->n_x, trial_read(t))) {
      outcome_breach("register of a tensor of size %g: an original is not finite", scales[k]);
    }
    if (scales[k] <= 1.0 && !all_finite(t->n_y, trial_forward(t))) {
      outcome_breach("register of a tensor of size %g: the value is not finite", scales[k]);
    }
  }
}
