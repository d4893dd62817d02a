/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Right inverses, residuals and samples. */

#include "dense.h"
#include "outcome.h"
#include "rules.h"

#include <math.h>

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
    if (status == PZ_UNSUPPORTED && k == 0) {
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
    if (!isfinite(largest(t->n_y, y))) {
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

/* Ways out of a set, none of which ends on the edge of one. */
typedef enum push {
  PUSH_AT_RANDOM,
  PUSH_SIGN,
  PUSH_DOUBLE,
  PUSH_HALF,
  PUSH_LARGE,
  PUSH_ONE_ENTRY,
  PUSH_LAST_ENTRY, /* of the last matrix or vector of a batch */
  PUSH_REVERSED,
  PUSHES,
} push;

static const char* const push_names[PUSHES] = {
    [PUSH_AT_RANDOM] = "moved at random",
    [PUSH_SIGN] = "with the other sign",
    [PUSH_DOUBLE] = "doubled",
    [PUSH_HALF] = "halved",
    [PUSH_LARGE] = "times 64",
    [PUSH_ONE_ENTRY] = "with another first entry",
    [PUSH_LAST_ENTRY] = "with another last entry",
    [PUSH_REVERSED] = "in reversed order",
};

static double*
pushed(trial* const t, const push way, const double* const y)
{
  static const double factor[PUSHES] = {
      [PUSH_AT_RANDOM] = 1.0,  [PUSH_SIGN] = -1.0,   [PUSH_DOUBLE] = 2.0,
      [PUSH_HALF] = 0.5,       [PUSH_LARGE] = 64.0,  [PUSH_ONE_ENTRY] = 1.0,
      [PUSH_LAST_ENTRY] = 1.0, [PUSH_REVERSED] = 1.0};
  const double size = fmax(1.0, largest(t->n_y, y));
  double* const out =
      way == PUSH_AT_RANDOM ? trial_normal(t, t->y.dtype, t->n_y, size) : trial_numbers(t, t->n_y);
  for (int64_t k = 0; k < t->n_y; ++k) {
    out[k] += factor[way] * y[way == PUSH_REVERSED ? t->n_y - 1 - k : k];
    const int64_t entry = way == PUSH_ONE_ENTRY ? 0 : way == PUSH_LAST_ENTRY ? t->n_y - 1 : -1;
    out[k] += k == entry ? -3.0 * size : 0.0;
    out[k] = t->y.dtype == PZ_F32 ? (double)(float)out[k] : out[k];
  }
  return out;
}

/* Which tensors are in the set is known from assigning them: those that come back are. All others are
   refused, unless a tag says that they are projected, and have a residual beyond rounding. One that is
   blind, to a sign or a scale for example, hides values outside. Pushes are as large as the value, so a
   hundredth of that is far above rounding and far below a push. Beyond rounding is 10 n eps of the value,
   as the mean of a row moves by a 1/n of a push: 100 n eps of float32 exceed that from n = 300 on. */
void
rule_outsiders(trial* const t)
{
  if (t->n_y == 0 || !t->alone) {
    return;
  }
  const double* const x = trial_start(t);
  const double* const buffers = trial_read_buffers(t);
  const double* const y = trial_forward(t);
  for (push way = 0; way < PUSHES; ++way) {
    double distance = 0.0;
    const double* const value = pushed(t, way, y);
    const double size = fmax(1.0, largest(t->n_y, value));
    const double rounding = 100.0 * trial_unit(t) * size;
    trial_write(t, x);
    trial_write_buffers(t, buffers);
    const bool measured = trial_residual(t, value, &distance) == PZ_OK;
    const pz_status status = trial_assign(t, PZ_ASSIGN, value);
    bool back = false;
    if (status == PZ_OK) {
      const double found = largest_difference(t->n_y, value, trial_forward(t));
      if (!(found <= 1e-2 * size) && !t->bench->projects) {
        outcome_breach("the value %s is assigned without complaint, and forward then differs by "
                       "%.3g: expected PZ_OUTSIDE, or the tag \"projects\"",
                       push_names[way], found);
      }
      back = found <= rounding;
      if (back && measured && !(distance <= 1e-2 * size)) {
        outcome_breach("the value %s can be assigned and comes back, and has residual %.3g",
                       push_names[way], distance);
      }
    }
    const bool outside =
        status == PZ_OUTSIDE || (way == PUSH_AT_RANDOM && t->n_x < t->n_y && !back);
    if (measured && outside && distance <= 10.0 * trial_unit(t) * largest(t->n_y, value)) {
      outcome_breach("the value %s is outside the set, and its residual is %.3g", push_names[way],
                     distance);
    }
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
    if (!isfinite(largest(t->n_x, trial_read(t)))) {
      outcome_breach("register of a tensor of size %g: an original is not finite", scales[k]);
    }
    if (scales[k] <= 1.0 && !isfinite(largest(t->n_y, trial_forward(t)))) {
      outcome_breach("register of a tensor of size %g: the value is not finite", scales[k]);
    }
  }
}
