/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Orthogonal matrices and rotations: signs, determinant, distance, nearest member, samples.

   Every orthogonal Q is C D, with D a diagonal of signs and C without the eigenvalue -1. C has
   determinant 1, so det Q is the product of the signs (rotation.c). */

#ifndef PLUGINS_COMMON_ROTATION_H
#define PLUGINS_COMMON_ROTATION_H

#include <parametrize/plugin.h>

/* The spec of one number per matrix, and of one row of n numbers per matrix. */
static inline pz_spec
rotation_spec(const pz_tensor* const q, const int32_t ndim)
{
  return pz_spec_make(q->dtype, q->ndim - 2 + ndim, q->shape);
}

/* Eliminates Q + D in place of Q, a contiguous batch of square matrices, choosing the signs
   d (..., n): the strict lower triangle becomes that of unit lower L, the rest the upper
   triangular U, L U = Q + D. */
pz_status rotation_eliminate(pz_call* c, pz_tensor* q, pz_tensor* d);

/* d (..., n) <- the signs D for square q that make Q D free of the eigenvalue -1. */
pz_status rotation_signs(pz_call* c, const pz_tensor* q, pz_tensor* d);

/* For each matrix the largest entry of |Q^T Q - I|, then for each its determinant, 1 or
   -1, which means something only where the first is small; in host scratch, one read. */
pz_status rotation_defects(pz_call* c, const pz_tensor* q, const double** out);

/* The largest entry of |Q^T Q - I|; with `proper` 2 for a reflection, its distance from
   every rotation in the spectral norm. */
pz_status rotation_residual(pz_call* c, bool proper, const pz_tensor* q, double* distance);

/* q <- q with column `place` multiplied by det q, for orthogonal q. */
pz_status rotation_make_proper(pz_call* c, int64_t place, pz_tensor* q);

/* The orthogonal matrix nearest to each a, U V^T of its singular value decomposition;
   with `proper` the nearest rotation, where the direction of the smallest singular value
   changes sign if the determinant asks for it. */
pz_status rotation_nearest(pz_call* c, bool proper, const pz_tensor* a, pz_tensor* q);

/* q <- the factor Q of a = Q R with R's diagonal not negative, for square or tall a. */
pz_status rotation_q_factor(pz_call* c, const pz_tensor* a, pz_tensor* q);

/* A uniform matrix with orthonormal columns, square or tall; with `proper` a uniform
   rotation. From c->draw. */
pz_status rotation_sample(pz_call* c, bool proper, pz_tensor* q);

#endif /* PLUGINS_COMMON_ROTATION_H */
