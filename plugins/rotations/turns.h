/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rotations of space by unit quaternions q = (w, v), scalar first, with tensors of one q for each matrix.
   Rotation vectors may be the first three of `step` numbers each, and a rotation the upper left block of a
   larger matrix. */

#ifndef PLUGINS_ROTATIONS_TURNS_H
#define PLUGINS_ROTATIONS_TURNS_H

#include <parametrize/plugin.h>

/* q from rotation vectors x, and derivatives; q is what the first gave. */
pz_status turns_of_vector(pz_call* c, int64_t step, const pz_tensor* x, pz_tensor* q);
pz_status turns_of_vector_vjp(pz_call* c, int64_t step, const pz_tensor* x, const pz_tensor* q,
                              const pz_tensor* gq, pz_tensor* gx);
pz_status turns_of_vector_jvp(pz_call* c, int64_t step, const pz_tensor* x, const pz_tensor* q,
                              const pz_tensor* dx, pz_tensor* dq);

/* q <- x / |x|, and out <- the derivative along dx, which is its own adjoint. x = 0 gives the identity
   and derivatives 0. */
pz_status turns_of_quaternion(pz_call* c, const pz_tensor* x, pz_tensor* q);
pz_status turns_of_quaternion_slope(pz_call* c, const pz_tensor* x, const pz_tensor* q,
                                    const pz_tensor* dx, pz_tensor* out);

/* The rotations R of q, and derivatives; they do not touch what is beside R. */
pz_status turns_matrix(pz_call* c, const pz_tensor* q, pz_tensor* y);
pz_status turns_matrix_vjp(pz_call* c, const pz_tensor* q, const pz_tensor* g, pz_tensor* gq);
pz_status turns_matrix_jvp(pz_call* c, const pz_tensor* q, const pz_tensor* dq, pz_tensor* dy);

/* log |det| in rotation coordinates, 2 log |sin(t/2) / (t/2)| for the angle t, and its gradient times
   `factor`, which overwrites the rotation vectors in gx. */
pz_status turns_log_abs_det(pz_call* c, int64_t step, const pz_tensor* x, pz_tensor* out);
pz_status turns_log_abs_det_vjp(pz_call* c, double factor, int64_t step, const pz_tensor* x,
                                const pz_tensor* g_out, pz_tensor* gx);

/* used <- rotations r after the checks of c->intent, or the nearest rotations, in scratch. */
pz_status turns_admit(pz_call* c, const pz_tensor* r, pz_tensor* used);

/* x <- rotation vectors, of angles up to pi. */
pz_status turns_vector(pz_call* c, const pz_tensor* r, pz_tensor* x);

/* Rotations r from two columns x (columns.c), and derivatives. The first fills `sizes`, three numbers for
   each, for the others. */
pz_status columns_value(pz_call* c, const pz_tensor* x, pz_tensor* sizes, pz_tensor* r);
pz_status columns_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* sizes, const pz_tensor* r,
                      const pz_tensor* g, pz_tensor* gx);
pz_status columns_jvp(pz_call* c, const pz_tensor* x, const pz_tensor* sizes, const pz_tensor* r,
                      const pz_tensor* dx, pz_tensor* dr);

extern const pz_parametrization rotations_pose3;

#endif /* PLUGINS_ROTATIONS_TURNS_H */
