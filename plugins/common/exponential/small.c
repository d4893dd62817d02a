/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The exponential of small matrices. A pass over the batch for each product would cost more than
   the products, so the device evaluates the polynomial in a single pass, and once more for the
   adjoint. */

#include "exponential.h"

pz_status
expm_small(pz_call* const c, const uint32_t in, const pz_tensor* const x, pz_tensor* const y)
{
  return pz_rows(x) <= PZ_EXPONENTIAL_ORDER ? pz_exponential(c, in, x, y) : PZ_UNSUPPORTED;
}

pz_status
expm_small_vjp(pz_call* const c, const uint32_t in, const pz_tensor* const x,
               const pz_tensor* const gy, pz_tensor* const gx)
{
  return pz_rows(x) <= PZ_EXPONENTIAL_ORDER ? pz_exponential_adjoint(c, in, x, gy, gx)
                                            : PZ_UNSUPPORTED;
}
