/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The device asked for, and one whose memory is behind handles, against the reference. */

#include "dense.h"
#include "outcome.h"
#include "rules.h"

#include <math.h>

/* Compares values after calls that change originals and buffers: these themselves may differ, by signs
   for example. */
static trial_call
seen_by(const trial_call call)
{
  return call >= CALL_ASSIGN ? CALL_FORWARD : call;
}

/* What rounding may leave in the result of a call: c = 100 for values, 1000 for derivatives. */
static double
allowed_of(const trial* const t, const trial_call call, const double size)
{
  return call == CALL_FORWARD ? 100.0 * trial_unit(t) * fmax(1e-3, size)
         : call == CALL_LOG_ABS_DET
             ? 100.0 * pz_dtype_epsilon(t->y.dtype) * (double)(1 + t->n_y) * fmax(1.0, size)
             : 1000.0 * trial_unit(t) * fmax(1.0, size);
}

/* The answers to one call: with the same originals and buffers, if it changes them. */
static pz_status
answer(trial* const t, const trial_call call, const double* const in, const double* const x,
       const double* const buffers, double** const out)
{
  if (call == CALL_FORWARD || call >= CALL_ASSIGN) {
    trial_write(t, x);
    trial_write_buffers(t, buffers);
  }
  PZ_TRY(trial_make(t, call, in, out));
  if (seen_by(call) != call) {
    *out = trial_forward(t);
  }
  return PZ_OK;
}

static void
compare(trial* const t, const char* const name)
{
  trial base;
  const double* in[TRIAL_CALLS];
  bool inverts = true;
  if (!trial_open(&base, t->bench->reference, t->text, &t->given)) {
    outcome_breach("this shape is taken on %s and refused on reference: %s", name,
                   pz_error_message());
  }
  const double* const x = trial_start(&base);
  const double* const buffers = trial_read_buffers(&base);
  trial_inputs(&base, in);
  for (trial_call k = 0; k < TRIAL_CALLS; ++k) {
    double* expected = NULL;
    double* out = NULL;
    if (k == CALL_SAMPLE || k == CALL_INIT || (k >= CALL_ASSIGN && !t->alone) ||
        (k > CALL_ASSIGN && k < CALL_UPDATE && !inverts)) {
      continue; /* what a random draw, a projection or a guess makes of rounding is not comparable */
    }
    const pz_status right = answer(&base, k, in[k], x, buffers, &expected);
    const pz_status status = answer(t, k, in[k], x, buffers, &out);
    if (right == PZ_UNSUPPORTED || status == PZ_UNSUPPORTED) {
      inverts = inverts && k != CALL_ASSIGN;
      continue; /* a device may lack a library */
    }
    if (right != status) {
      outcome_breach("%s: found \"%s\" on %s and \"%s\" on reference", trial_call_name(k),
                     pz_status_text(status), name, pz_status_text(right));
    }
    const trial_call seen = seen_by(k);
    const int64_t n = trial_n_out(t, seen);
    const double size = right == PZ_OK ? largest(n, expected) : NAN;
    const double found = isfinite(size) ? largest_difference(n, expected, out) : 0.0;
    const double allowed = allowed_of(t, seen, size);
    if (!(found <= allowed) && isfinite(size)) {
      outcome_breach("%s%s differs by %.3g between %s and reference (allowed %.2g)",
                     seen != k ? "the value after " : "", trial_call_name(k), found, name, allowed);
    }
  }
  trial_close(&base);
}

/* What a device computes is what the reference computes, for the same originals and buffers. Random
   draws and signs are in the buffers, which both have from the reference. */
void
rule_devices(trial* const t)
{
  trial handles;
  compare(t, pz_queue_device(t->bench->queue, NULL));
  if (trial_open(&handles, t->bench->handles, t->text, &t->given)) {
    compare(&handles, "a device whose memory is behind handles");
  }
  trial_close(&handles);
}
