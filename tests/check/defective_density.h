/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The second map of defective.c, with a density: y = e^x, log |det| = x for each entry. */

#ifndef DEFECTIVE_DENSITY_H
#define DEFECTIVE_DENSITY_H

#include "defective.h"

#ifndef OFF_DENSITY
#define OFF_DENSITY 0
#endif
#ifndef FACTOR_DENSITY
#define FACTOR_DENSITY 1
#endif

static pz_status
density_plan(pz_call* const c, const pz_spec* const given)
{
  PZ_TRY(pz_declare_original(c, NULL, given));
  PZ_TRY(pz_declare_density(c, 0, PZ_ALL_ENTRIES, PZ_ALL_ENTRIES));
  return pz_declare_value(c, given, PZ_GENERAL);
}

static pz_status
density_forward(pz_call* const c, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_launch(c, defective_exponential, pz_count(y), PZ_TENSORS(x, y), NULL, NULL);
}

static pz_status
density_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const gy, pz_tensor* const gx)
{
  (void)x;
  return pz_hadamard(c, 1.0, gy, y, 0.0, gx);
}

static pz_status
density_jvp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            const pz_tensor* const dx, pz_tensor* const dy)
{
  (void)x;
  return pz_hadamard(c, 1.0, dx, y, 0.0, dy);
}

static pz_status
log_abs_det(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
            pz_tensor* const out)
{
  (void)y;
#ifdef DEFECT_DENSITY_BATCH /* the number of the first entry for all */
  double* numbers = NULL;
  void* memory = NULL;
  PZ_TRY(pz_work_host(c, (size_t)(pz_count(x) + 1) * sizeof(double), &memory));
  numbers = (double*)memory;
  PZ_TRY(pz_read(c, x, numbers));
  for (int64_t k = 1; k < pz_count(x); ++k) {
    numbers[k] = numbers[0];
  }
  return pz_write(c, numbers, out);
#endif
  return pz_launch(c, defective_shifted, pz_count(out), PZ_TENSORS(x, out), PZ_REALS(OFF_DENSITY),
                   NULL);
}

static pz_status
log_abs_det_vjp(pz_call* const c, const pz_tensor* const x, const pz_tensor* const y,
                const pz_tensor* const g_out, pz_tensor* const gx)
{
  (void)x;
  (void)y;
  return pz_axpby(c, FACTOR_DENSITY, g_out, 0.0, gx);
}

static const pz_parametrization dense = {
    .size = sizeof(dense),
    .id = "dense",
    .summary = "Entries e^x",
    .plan = density_plan,
    .forward = density_forward,
    .vjp = density_vjp,
    .jvp = density_jvp,
    .log_abs_det = log_abs_det,
    .log_abs_det_vjp = log_abs_det_vjp,
};

#endif /* DEFECTIVE_DENSITY_H */
