/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The derivative of exp at X along E, L(X, E), from the adjoint L(X^T, .):

     general X    L(X, E) = L(X^T, E^T)^T
     symmetric X  L(X, E) = L(X^T, E), whose symmetric part the adjoint gives
     skew X       L(X, E) = L(X^T, Y E) Y, the first factor skew, Y = exp(X)

   The last one: with the integral over s in [0, 1], L(X, E) Y^T is that of exp(sX) E exp(-sX), and
   so is L(X^T, Y E), because exp(-sX) Y E exp(-(1-s)X) = exp((1-s)X) E exp(-(1-s)X). */

#include "exponential.h"

pz_status
expm_tangent(pz_call* const c, const uint32_t in, const expm_adjoint vjp, const pz_tensor* const x,
             const pz_tensor* const y, const pz_tensor* const dx, pz_tensor* const dy)
{
  pz_tensor g;
  pz_tensor gx;
  pz_view view;
  if (expm_is_closed(in, pz_rows(x))) {
    return expm_closed_tangent(c, in, x, y, dx, dy);
  }
  PZ_TRY(pz_work_like(c, x, &g));
  PZ_TRY(pz_work_like(c, x, &gx));
  if (in == PZ_SYMMETRIC || in == PZ_SPD) {
    PZ_TRY(vjp(c, x, dx, &gx));
    return pz_symmetrize(c, 0.5, 1, &gx, dy);
  }
  if (in == PZ_SKEW) {
    PZ_TRY(pz_gemm(c, PZ_N, PZ_N, 1.0, y, dx, 0.0, &g));
    PZ_TRY(vjp(c, x, &g, &gx));
    PZ_TRY(pz_symmetrize(c, 0.5, -1, &gx, &g));
    return pz_gemm(c, PZ_N, PZ_N, 1.0, &g, y, 0.0, dy);
  }
  PZ_TRY(pz_copy(c, pz_view_transposed(&view, dx), &g));
  PZ_TRY(vjp(c, x, &g, &gx));
  return pz_copy(c, pz_view_transposed(&view, &gx), dy);
}
