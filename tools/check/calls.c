/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rules about what callbacks do, which a witness sees (witness.h). */

#include "dense.h"
#include "outcome.h"
#include "rules.h"
#include "witness.h"

#include <limits.h>
#include <math.h>

static bool
changes_state(const trial_call call)
{
  return call >= CALL_ASSIGN;
}

/* ---- bounds ----------------------------------------------------------------------------------- */

/* Is `b` what `a` is, but for rounding? What is not finite in `a` says nothing. */
static bool
agrees(const trial* const t, const int64_t n, const double* const a, const double* const b)
{
  const double size = largest(n, a);
  return !isfinite(size) || largest_difference(n, a, b) <= 100.0 * trial_unit(t) * fmax(1.0, size);
}

/* The answers of all calls, from the beginning. */
static void
answer_all(trial* const t, pz_status status[TRIAL_CALLS], double* out[TRIAL_CALLS])
{
  const double* in[TRIAL_CALLS];
  const double* const x = trial_start(t);
  const double* const buffers = trial_read_buffers(t);
  trial_inputs(t, in);
  for (trial_call k = 0; k < TRIAL_CALLS; ++k) {
    if (changes_state(k)) {
      trial_write(t, x);
      trial_write_buffers(t, buffers);
    }
    status[k] = trial_make(t, k, in[k], &out[k]);
  }
}

/* With every tensor between guards, of two kinds, callbacks write none of them, and give what they give
   without: what they read beyond a tensor, or in one that is not written yet, would show. */
void
rule_bounds(trial* const t)
{
  static const double fillers[] = {NAN, 12345.5};
  pz_status expected[TRIAL_CALLS];
  double* right[TRIAL_CALLS];
  if (t->n_y > 1000) {
    return;
  }
  answer_all(t, expected, right);
  for (int run = 0; run < 2; ++run) {
    trial one;
    pz_status status[TRIAL_CALLS];
    double* out[TRIAL_CALLS];
    witness_now.guards = true;
    witness_now.filler = fillers[run];
    (void)trial_open(&one, t->bench, t->text, &t->given);
    answer_all(&one, status, out);
    for (trial_call k = 0; k < TRIAL_CALLS; ++k) {
      const int64_t n = trial_n_out(t, k);
      if (status[k] != expected[k]) {
        outcome_breach(
            "%s: with other numbers behind tensors, in outputs and scratch, found \"%s\" "
            "(%s), otherwise \"%s\"",
            trial_call_name(k), pz_status_text(status[k]), pz_error_message(),
            pz_status_text(expected[k]));
      }
      if (status[k] == PZ_OK && !agrees(t, n, right[k], out[k])) {
        outcome_breach("%s: with other numbers behind tensors, in outputs and scratch, the result "
                       "differs by %.3g, expected that none of them is read",
                       trial_call_name(k), largest_difference(n, right[k], out[k]));
      }
    }
    trial_close(&one);
  }
  witness_now.guards = false;
}

/* ---- waits ------------------------------------------------------------------------------------- */

/* Makes every call that may run once for each step of a training. A call waits for the device fewer than
   `waits` times, and forward, vjp and jvp move fewer than `most` numbers at once. */
static void
count_waits(trial* const t, const unsigned waits, const int64_t most)
{
  const double* in[TRIAL_CALLS];
  (void)trial_start(t);
  trial_inputs(t, in);
  for (trial_call k = 0; k < CALL_RESIDUAL; ++k) {
    witness_now.waits = 0;
    witness_now.most = 0;
    if (trial_make(t, k, in[k], NULL) != PZ_OK) {
      continue;
    }
    if (witness_now.waits >= waits) {
      outcome_breach("%s waits %u times for the device (read, write or schur), expected a number "
                     "that does not grow with the batch",
                     trial_call_name(k), witness_now.waits);
    }
    if (k <= CALL_JVP && witness_now.most >= most) {
      outcome_breach("%s moves %lld numbers at once between the device and the host for a value of "
                     "%lld, expected operations or kernels on the device",
                     trial_call_name(k), (long long)witness_now.most, (long long)t->n_y);
    }
  }
}

/* The device is waited for a fixed number of times, not once for each matrix or vector; and no tensor
   goes to the host as a whole. A few numbers for each matrix do: of small ones, these may be many. */
void
rule_waits(trial* const t)
{
  enum { MANY = 100, LARGE = 100 };
  trial wide;
  pz_spec given = t->given;
  if (t->y.dtype != PZ_F64 || given.ndim < 1 || t->n_y == 0 || t->n_y > 300) {
    return;
  }
  if (given.ndim <= 2 && t->n_y >= LARGE) {
    count_waits(t, UINT_MAX, t->n_y);
  }
  given.shape[0] *= MANY;
  if (given.ndim >= 2 && trial_open(&wide, t->bench, t->text, &given)) {
    count_waits(&wide, MANY, INT64_MAX);
    trial_close(&wide);
  }
}

/* ---- memory --------------------------------------------------------------------------------------- */

/* A request that is refused ends the call with PZ_NO_MEMORY, or the callback does without and gives the
   same. The next call is as good as ever. */
void
rule_memory(trial* const t)
{
  enum { REFUSALS = 12 }; /* of each call, spread over its requests */
  const double* in[TRIAL_CALLS];
  if (t->n_y == 0 || t->n_y > 100 || t->y.dtype != PZ_F64) {
    return;
  }
  const double* const x = trial_start(t);
  const double* const buffers = trial_read_buffers(t);
  trial_inputs(t, in);
  for (trial_call k = 0; k < TRIAL_CALLS; ++k) {
    double* expected = NULL;
    witness_now.requests = 0;
    if (trial_make(t, k, in[k], &expected) != PZ_OK) {
      continue;
    }
    const unsigned n = witness_now.requests;
    const unsigned step = (n + REFUSALS - 1) / REFUSALS;
    for (unsigned refuse = 1; refuse <= n + step && n > 0; refuse += step) {
      double* out = NULL;
      if (changes_state(k)) {
        trial_write(t, x);
        trial_write_buffers(t, buffers);
      }
      if (k != CALL_FORWARD && !changes_state(k)) {
        (void)trial_forward(t);
      }
      witness_now.requests = 0;
      witness_now.refuse = refuse;
      const pz_status status = trial_make(t, k, in[k], &out);
      witness_now.refuse = 0;
      if (status != PZ_OK && !(status == PZ_NO_MEMORY && refuse <= n)) {
        outcome_breach("%s: request %u of %u is answered with PZ_NO_MEMORY, found \"%s\" (%s)",
                       trial_call_name(k), refuse, n, pz_status_text(status), pz_error_message());
      }
      if (status == PZ_OK && k != CALL_UPDATE && !agrees(t, trial_n_out(t, k), expected, out)) {
        outcome_breach("%s: request %u of %u is answered with PZ_NO_MEMORY, found success and a "
                       "result that differs by %.3g",
                       trial_call_name(k), refuse, n,
                       largest_difference(trial_n_out(t, k), expected, out));
      }
    }
    trial_write(t, x);
    trial_write_buffers(t, buffers);
    (void)trial_forward(t);
  }
}
