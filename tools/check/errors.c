/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "errors.h"

#include "dense.h"
#include "outcome.h"
#include "trial.h"

#include <math.h>

static double
relative(const int64_t n, const double* const found, const double* const expected)
{
  const double size = largest(n, expected);
  return size > 0.0 ? largest_difference(n, found, expected) / size : 0.0;
}

/* float32 of one shape, against float64 of the same originals and buffers. */
static void
measure(trial* const t, trial* const wide, const int at, error_curves* const out)
{
  const double* const x = trial_start(t);
  trial_write_buffers(wide, trial_read_buffers(t));
  trial_write(wide, x);
  const double* const y = trial_forward(t);
  out->of[ERROR_VALUE][at] = relative(t->n_y, y, trial_forward(wide));
  const double* const g = trial_normal(t, PZ_F32, t->n_y, 1.0);
  if (t->bench->flags & PZ_HAS_VJP) {
    const double* const gx = trial_vjp(t, g);
    out->of[ERROR_GRADIENT][at] = relative(t->n_x, gx, trial_vjp(wide, g));
  }
  if (trial_assign(t, PZ_ASSIGN, y) == PZ_OK) {
    out->of[ERROR_ROUND][at] = relative(t->n_y, trial_forward(t), y);
  }
}

void
errors_measure(const bench* const b, error_curves* const out)
{
  static const int64_t sizes[ERROR_SIZES] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96};
  for (int k = 0; k < ERROR_SIZES; ++k) {
    const int64_t shape[] = {sizes[k], sizes[k]};
    out->n[k] = sizes[k];
    for (int kind = 0; kind < ERROR_KINDS; ++kind) {
      out->of[kind][k] = NAN;
    }
    bool taken = false;
    for (int32_t ndim = 2; ndim >= 1 && !taken; --ndim) {
      trial t;
      trial wide;
      const pz_spec single = pz_spec_make(PZ_F32, ndim, shape);
      const pz_spec twice = pz_spec_make(PZ_F64, ndim, shape);
      taken = trial_open(&t, b, b->id, &single);
      if (taken && trial_open(&wide, b, b->id, &twice)) {
        measure(&t, &wide, k, out);
        trial_close(&wide);
        outcome_now->trials += 1;
      }
      trial_close(&t);
    }
  }
}
