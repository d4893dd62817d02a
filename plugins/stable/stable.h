/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Stable matrices A (stable.c), and spectra on every device, by powers: no eigenvalues are computed
   (spectra.c). Numbers are one for each matrix of the batch, on the host. */

#ifndef PLUGINS_STABLE_STABLE_H
#define PLUGINS_STABLE_STABLE_H

#include <parametrize/plugin.h>

/* Host scratch for one number for each matrix of t. */
pz_status stable_numbers(pz_call* c, const pz_tensor* t, double** out);

/* Multiplies the matrices of t by their factors. */
pz_status stable_scale(pz_call* c, const double* factor, pz_tensor* t);

/* Divides the matrices of t by their norms, which it returns; zeros remain. */
pz_status stable_divide(pz_call* c, pz_tensor* t, double* norm);

/* The spectral radius, and the largest real part of the eigenvalues; NaN of matrices that are not
   finite. */
pz_status stable_radius(pz_call* c, const pz_tensor* a, double* out);
pz_status stable_abscissa(pz_call* c, const pz_tensor* a, double* out);

/* p <- the solution of a p + p a^T = -2 I for a with eigenvalues left of 0 and norm around 1. */
pz_status stable_lyapunov(pz_call* c, const pz_tensor* a, pz_tensor* p);

/* ---- stable.c ------------------------------------------------------------------------------- */

/* What is registered lies inside by a share of 1 / STABLE_MARGIN. */
enum { STABLE_MARGIN = 1000 };

pz_status stable_plan(pz_call* c, const pz_spec* given);

/* a <- A; what it saves first is for the derivatives. */
pz_status stable_a(pz_call* c, const pz_tensor* x, pz_tensor* a);
pz_status stable_a_vjp(pz_call* c, const pz_tensor* g, pz_tensor* gx);
pz_status stable_a_jvp(pz_call* c, const pz_tensor* dx, pz_tensor* da);

/* Subtracts by[k] times the identity from matrix k. */
pz_status stable_move_left(pz_call* c, const double* by, pz_tensor* a);

/* x <- the original of a, which is overwritten. A registered matrix whose original is out of reach of the
   dtype, because its eigenvectors are nearly parallel, moves left until it is not. */
pz_status stable_a_inverse(pz_call* c, pz_tensor* a, pz_tensor* x);

/* Unless they are registered: PZ_OUTSIDE, or PZ_SINGULAR, where a matrix is not finite, or is assigned and its
   number is not below the limit. */
pz_status stable_refuse(pz_call* c, const pz_tensor* y, const char* what, double limit,
                        const double* found);

/* How far the numbers that `measure` finds are above the limit. */
pz_status stable_residual(pz_call* c, const pz_tensor* y, double limit,
                          pz_status (*measure)(pz_call* c, const pz_tensor* a, double* out),
                          double* distance);

/* ---- density.c -------------------------------------------------------------------------------- */

enum { STABLE_L, STABLE_SHIFTED, STABLE_Q }; /* saved by stable_a, SHIFTED is S - I */

/* out <- log |det dA/dx| for all entries. */
pz_status stable_log_abs_det(pz_call* c, const pz_tensor* x, double* out);

/* gx <- g_out times its gradient, and that of what has the gradient `more`^T at A unless that is NULL. */
pz_status stable_log_abs_det_vjp(pz_call* c, const pz_tensor* x, const pz_tensor* more,
                                 const pz_tensor* g_out, pz_tensor* gx);

extern const pz_parametrization stable_hurwitz;

#endif /* PLUGINS_STABLE_STABLE_H */
