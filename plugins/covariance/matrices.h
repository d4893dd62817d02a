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

/* 100 n eps: a member may be as far from the set as that times its largest entry. */
double matrices_tolerance(const pz_tensor* a);

/* For assignments. PZ_OUTSIDE: a matrix is not finite, or too far from the set. PZ_SINGULAR: a triangular
   one has a zero on the diagonal. Eigenvalues are not computed. */
pz_status matrices_check(pz_call* c, const matrices* set, const pz_tensor* a);

/* In right inverses: l <- a itself, or the lower triangular factor of symmetric a. A matrix that is
   assigned is refused by matrices_check, or because it has no factor. One that is registered loses what is
   not in the set:
   - the other triangle, or half the difference from the transposed matrix;
   - entries of a factor's diagonal that are not positive become sqrt(eps) max(1, largest entry), and in
     rows of norm 1 those that underflow become the least that do not;
   - of a matrix without a factor, eigenvalues below sqrt(eps) times the largest become that, or all
     become sqrt(eps) if none is positive;
   - pivots below 2 n eps of their entry of the diagonal become that. */
pz_status matrices_inverse(pz_call* c, const matrices* set, const pz_tensor* a, pz_tensor* l);

/* The eigenvalues of the symmetric part of a, in ascending order, and the vectors unless v is NULL. w, in
   scratch, is for matrices_roots: divided by a power of two, so that it does not overflow. *out has them
   on the host. */
pz_status matrices_spectra(pz_call* c, const pz_tensor* a, pz_tensor* w, pz_tensor* v,
                           const double** out);

/* root, in scratch, <- the roots of eigenvalues, from w. Those below a share of the largest first become that,
   or all become `least` if none is positive. */
pz_status matrices_roots(pz_call* c, double share, double least, const pz_tensor* w,
                         pz_tensor* root);

/* Derivatives of L L^T for triangular L: gl, in scratch, <- the gradient of L; dy <- the derivative along
   dl, which is overwritten. */
pz_status matrices_square_vjp(pz_call* c, pz_triangle triangle, const pz_tensor* l,
                              const pz_tensor* g, pz_tensor* gl);
pz_status matrices_square_jvp(pz_call* c, pz_triangle triangle, const pz_tensor* l, pz_tensor* dl,
                              pz_tensor* dy);

extern const pz_parametrization matrices_correlation;
extern const pz_parametrization matrices_psd;
extern const pz_parametrization matrices_pseudo_inertia;

#endif /* PLUGINS_COVARIANCE_MATRICES_H */
