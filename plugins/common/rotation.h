/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Orthogonal matrices and rotations: signs, determinant, distance, nearest member, samples.

   Every orthogonal Q is C D, where D is a diagonal matrix of signs and C has no eigenvalue -1. C
   has determinant 1, so det Q is the product of the signs (rotation.c). */

#ifndef PLUGINS_COMMON_ROTATION_H
#define PLUGINS_COMMON_ROTATION_H

#include <parametrize/plugin.h>

/* The spec of one number (ndim 0) or a row of n numbers (ndim 1) for each matrix. */
static inline pz_spec
rotation_spec(const pz_tensor* const q, const int32_t ndim)
{
  return pz_spec_make(q->dtype, q->ndim - 2 + ndim, q->shape);
}

/* Factors Q + D = L U in place, for a contiguous batch of square matrices, and chooses the signs
   d (..., n). The strict lower triangle becomes that of L, which has a unit diagonal; the rest
   becomes U. */
pz_status rotation_eliminate(pz_call* c, pz_tensor* q, pz_tensor* d);

/* d (..., n) <- signs D such that Q D has no eigenvalue -1, for square q. */
pz_status rotation_signs(pz_call* c, const pz_tensor* q, pz_tensor* d);

/* out[k] <- the largest entry of |Q^T Q - I| for matrix k, out[batch + k] <- its determinant, 1 or
   -1, valid only if the first is small. `out` is host scratch; one read. */
pz_status rotation_defects(pz_call* c, const pz_tensor* q, const double** out);

/* The largest entry of |Q^T Q - I|. With `proper`, 2 for a reflection, its distance from every
   rotation in the spectral norm. */
pz_status rotation_residual(pz_call* c, bool proper, const pz_tensor* q, double* distance);

/* q <- q with column `place` multiplied by det q, for orthogonal q. */
pz_status rotation_make_proper(pz_call* c, int64_t place, pz_tensor* q);

/* q <- the orthogonal matrix nearest to a, U V^T of its singular value decomposition. With
   `proper`, the nearest rotation: the last column of U changes sign if det(U V^T) = -1. */
pz_status rotation_nearest(pz_call* c, bool proper, const pz_tensor* a, pz_tensor* q);

/* q <- the factor Q of a = Q R, where the diagonal of R is not negative, for square or tall a. */
pz_status rotation_q_factor(pz_call* c, const pz_tensor* a, pz_tensor* q);

/* q <- a uniform matrix with orthonormal columns, square or tall; with `proper` a uniform rotation.
   The random stream is c->draw. */
pz_status rotation_sample(pz_call* c, bool proper, pz_tensor* q);

#endif /* PLUGINS_COMMON_ROTATION_H */
