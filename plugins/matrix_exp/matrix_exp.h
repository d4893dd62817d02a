/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parts of the matrix exponential: one file for each method. */

#ifndef MATRIX_EXP_H
#define MATRIX_EXP_H

#include "exponential/exponential.h"

#include <parametrize/plugin.h>

static inline bool
expm_is_symmetric(const uint32_t structure)
{
  return structure == PZ_SYMMETRIC || structure == PZ_SPD;
}

/* Of orders 2 and 3, x may be one triangle. */
static inline bool
expm_is_skew(const uint32_t structure)
{
  return (structure & ~(uint32_t)PZ_BY_TRIANGLE) == PZ_SKEW;
}

/* ---- density.c: log |det| ------------------------------------------------------- */

pz_status expm_log_abs_det(pz_call* c, const pz_tensor* x, pz_tensor* out);
pz_status expm_log_abs_det_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* g_out,
                               pz_tensor* gx);

/* ---- symmetric.c: symmetric matrices, by eigenvalues or products ---------------- */

pz_status expm_symmetric(pz_call* c, const pz_tensor* x, pz_tensor* y);
pz_status expm_symmetric_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* gy, pz_tensor* gx);

/* ---- spectral.c: symmetric matrices by their eigenvalues --------------------- */

pz_status expm_spectral(pz_call* c, const pz_tensor* x, pz_tensor* y);
pz_status expm_spectral_vjp(pz_call* c, const pz_tensor* gy, pz_tensor* gx);

/* The logarithm of a positive definite matrix, after the checks of c->intent. */
pz_status expm_log_definite(pz_call* c, const pz_tensor* y, pz_tensor* x);

/* The larger of the distances from the symmetric and from the semidefinite matrices. */
pz_status expm_definite_residual(pz_call* c, const pz_tensor* y, double* distance);

/* ---- logarithm.c: by the real Schur form ------------------------------------- */

/* The skew logarithm of a rotation, after the checks of c->intent. */
pz_status expm_log_rotation(pz_call* c, const pz_tensor* y, pz_tensor* x);

/* The principal logarithm; PZ_SINGULAR if there is none. */
pz_status expm_log_general(pz_call* c, const pz_tensor* y, pz_tensor* x);

#endif /* MATRIX_EXP_H */
