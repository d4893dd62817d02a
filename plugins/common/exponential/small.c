/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential of small matrices: closed forms, or a polynomial. A pass over the batch for each
   product would cost more than the products, so the device evaluates the polynomial in a single
   pass, and once more for the adjoint. */

#include "exponential.h"

pz_status
expm_small(pz_call* const c, const uint32_t in, const pz_tensor* const x, pz_tensor* const y)
{
  return expm_is_closed(in, pz_rows(x))       ? expm_closed(c, in, x, y)
         : pz_rows(x) <= PZ_EXPONENTIAL_ORDER ? pz_exponential(c, in, x, y)
                                              : PZ_UNSUPPORTED;
}

pz_status
expm_small_vjp(pz_call* const c, const uint32_t in, const pz_tensor* const x,
               const pz_tensor* const gy, pz_tensor* const gx)
{
  return expm_is_closed(in, pz_rows(x))       ? expm_closed_vjp(c, in, x, gy, gx)
         : pz_rows(x) <= PZ_EXPONENTIAL_ORDER ? pz_exponential_adjoint(c, in, x, gy, gx)
                                              : PZ_UNSUPPORTED;
}
