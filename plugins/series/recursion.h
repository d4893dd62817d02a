/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* From the partial autocorrelations of an autoregression to its coefficients and back, for rows of
   the last dimension. Tensors are not empty. */

#ifndef PLUGINS_SERIES_RECURSION_H
#define PLUGINS_SERIES_RECURSION_H

#include <parametrize/plugin.h>

static inline int64_t
recursion_order(const pz_tensor* const x)
{
  return x->shape[x->ndim - 1];
}

/* a <- the coefficients of r. With PZ_CALL_SAVING, r has to be the first saved tensor; the second one
   is saved here. */
pz_status recursion_up(pz_call* c, const pz_tensor* r, pz_tensor* a);

/* gr <- the gradient at r for g at a, and da <- the derivative along dr, from what was saved. */
pz_status recursion_adjoint(pz_call* c, const pz_tensor* g, pz_tensor* gr);
pz_status recursion_tangent(pz_call* c, const pz_tensor* dr, pz_tensor* da);

/* r <- scratch with partial autocorrelations below 1 in magnitude of a, or of a shrunk until they are;
   beyond <- scratch, for each row by how much the first one found is not below 1, else -1. */
pz_status recursion_down(pz_call* c, const pz_tensor* a, pz_tensor* r, pz_tensor* beyond);

#endif /* PLUGINS_SERIES_RECURSION_H */
