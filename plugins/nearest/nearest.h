/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#ifndef PLUGINS_NEAREST_NEAREST_H
#define PLUGINS_NEAREST_NEAREST_H

#include <parametrize/plugin.h>

/* lipschitz(by=aol), for matrices that are not empty. */
pz_status aol_forward(pz_call* c, double bound, const pz_tensor* x, pz_tensor* y);
pz_status aol_vjp(pz_call* c, double bound, const pz_tensor* g, pz_tensor* gx);
pz_status aol_jvp(pz_call* c, double bound, const pz_tensor* dx, pz_tensor* dy);
pz_status aol_right_inverse(pz_call* c, double bound, const pz_tensor* y, pz_tensor* x);
pz_status aol_residual(pz_call* c, double bound, const pz_tensor* y, double* distance);

extern const pz_parametrization nearest_doubly_stochastic;

#endif /* PLUGINS_NEAREST_NEAREST_H */
