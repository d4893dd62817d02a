/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "fixed_order.h"

static pz_status
refuse(pz_call* const c, const pz_spec* const given, const int64_t order, const int64_t numbers)
{
  const int32_t n = given->ndim;
  if (c->direction == PZ_FROM_TENSOR) {
    return n < 2 ? pz_fail(c, PZ_MISMATCH, "found %d dimension%s, expected %lldx%lld matrices",
                           (int)n, n == 1 ? "" : "s", (long long)order, (long long)order)
                 : pz_fail(c, PZ_MISMATCH, "found %lldx%lld matrices, expected %lldx%lld",
                           (long long)given->shape[n - 2], (long long)given->shape[n - 1],
                           (long long)order, (long long)order);
  }
  return n == 0 || n == PZ_MAX_DIMS
             ? pz_fail(c, PZ_MISMATCH, "found %d dimensions, expected from 1 to %d", (int)n,
                       (int)PZ_MAX_DIMS - 1)
             : pz_fail(c, PZ_MISMATCH,
                       "found %lld numbers in the last dimension, expected %lld for each matrix",
                       (long long)given->shape[n - 1], (long long)numbers);
}

pz_status
fixed_order_plan(pz_call* const c, const pz_spec* const given, const int64_t order,
                 const int64_t numbers, const uint32_t structure)
{
  const bool from_tensor = c->direction == PZ_FROM_TENSOR;
  const int32_t batch = given->ndim - (from_tensor ? 2 : 1);
  pz_spec x = *given;
  pz_spec y = *given;
  if (batch < 0 || (!from_tensor && given->ndim == PZ_MAX_DIMS) ||
      given->shape[batch] != (from_tensor ? order : numbers) ||
      (from_tensor && given->shape[batch + 1] != order)) {
    return refuse(c, given, order, numbers);
  }
  x.ndim = batch + 1;
  x.shape[batch] = numbers;
  x.structure = PZ_GENERAL;
  y.ndim = batch + 2;
  y.shape[batch] = order;
  y.shape[batch + 1] = order;
  PZ_TRY(pz_declare_original(c, NULL, &x));
  return pz_declare_value(c, &y, structure);
}
