/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Positive definite matrices and their lower triangular factors: distances, checks, factorization. */

#ifndef PLUGINS_COVARIANCE_MATRICES_H
#define PLUGINS_COVARIANCE_MATRICES_H

#include <parametrize/plugin.h>

/* A set of matrices. */
typedef struct matrices {
  const char* name; /* of a member, with its article */
  bool symmetric;   /* else lower triangular, with a positive diagonal */
  bool definite;    /* positive definite, if symmetric */
  bool unit;        /* a diagonal of ones, or of triangular ones rows of norm 1 */
} matrices;

/* The largest distance of a matrix from the set; NaN if one contains a NaN. */
pz_status matrices_residual(pz_call* c, const matrices* set, const pz_tensor* a, double* distance);

/* 100 n eps, and for an assignment: refuses (PZ_OUTSIDE) a matrix that is not finite, or farther from the
   set than that times its largest entry, and (PZ_SINGULAR) a triangular one with a zero on the diagonal.
   It does not look at eigenvalues. */
double matrices_tolerance(const pz_tensor* a);
pz_status matrices_check(pz_call* c, const matrices* set, const pz_tensor* a);

/* The eigenvalues of the symmetric part of a, in ascending order, in scratch and on the host, and the
   vectors unless v is NULL. */
pz_status matrices_spectra(pz_call* c, const pz_tensor* a, pz_tensor* w, pz_tensor* v,
                           const double** out);

/* root, in scratch, <- the roots of eigenvalues, of which those below a share of the largest become that,
   or all `least` if none is positive. */
pz_status matrices_roots(pz_call* c, double share, double least, const pz_tensor* w,
                         pz_tensor* root);

/* In right inverses: l <- the lower triangular factor of a, or of a triangular set a itself. What is
   assigned is checked, and refused if it has no factor. Otherwise the triangle or the symmetric part is taken, entries of the diagonal that are not
   positive become sqrt(eps) max(1, largest entry), and where there is no factor eigenvalues below sqrt(eps)
   times the largest become that, or all sqrt(eps) if none is positive. */
pz_status matrices_inverse(pz_call* c, const matrices* set, const pz_tensor* a, pz_tensor* l);

/* Derivatives of L L^T for triangular L: gl <- the gradient of L, in scratch; dy from dl, which is
   overwritten. */
pz_status matrices_square_vjp(pz_call* c, const pz_tensor* l, const pz_tensor* g, pz_tensor* gl);
pz_status matrices_square_jvp(pz_call* c, const pz_tensor* l, pz_tensor* dl, pz_tensor* dy);

extern const pz_parametrization matrices_correlation;
extern const pz_parametrization matrices_psd;

#endif /* PLUGINS_COVARIANCE_MATRICES_H */
