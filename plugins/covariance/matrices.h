/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Positive definite matrices and their lower triangular factors: distances, checks, factorization. */

#ifndef PLUGINS_COVARIANCE_MATRICES_H
#define PLUGINS_COVARIANCE_MATRICES_H

#include <parametrize/plugin.h>

/* A set of matrices. */
typedef struct matrices {
  const char* name; /* of a member, with its article */
  bool positive;    /* symmetric positive definite; else lower triangular, diagonal > 0 */
  bool unit;        /* with a diagonal of ones; else with rows of norm 1 */
} matrices;

/* The largest distance of a matrix from the set; NaN if one contains a NaN. */
pz_status matrices_residual(pz_call* c, const matrices* set, const pz_tensor* a, double* distance);

/* In right inverses: l <- the lower triangular factor of a, or of a triangular set a itself. An assigned
   matrix is refused if it is not finite or farther from the set than 100 n eps times its largest entry
   (PZ_OUTSIDE), or if a triangular one has a zero on the diagonal or a symmetric one has no factor
   (PZ_SINGULAR). Otherwise the triangle or the symmetric part is taken, entries of the diagonal that are not
   positive become sqrt(eps) max(1, largest entry), and where there is no factor eigenvalues below sqrt(eps)
   times the largest become that, or all sqrt(eps) if none is positive. */
pz_status matrices_inverse(pz_call* c, const matrices* set, const pz_tensor* a, pz_tensor* l);

/* Derivatives of L L^T for triangular L: gl <- the gradient of L, in scratch; dy from dl, which is
   overwritten. */
pz_status matrices_square_vjp(pz_call* c, const pz_tensor* l, const pz_tensor* g, pz_tensor* gl);
pz_status matrices_square_jvp(pz_call* c, const pz_tensor* l, pz_tensor* dl, pz_tensor* dy);

extern const pz_parametrization matrices_correlation;

#endif /* PLUGINS_COVARIANCE_MATRICES_H */
