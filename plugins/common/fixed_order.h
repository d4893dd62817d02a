/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices of a fixed order from a row of numbers each. */

#ifndef PLUGINS_COMMON_FIXED_ORDER_H
#define PLUGINS_COMMON_FIXED_ORDER_H

#include <parametrize/plugin.h>

/* In plan: declares originals (..., numbers) and values (..., order, order) of this structure, or refuses
   what is given. */
pz_status fixed_order_plan(pz_call* c, const pz_spec* given, int64_t order, int64_t numbers,
                           uint32_t structure);

/* The spec of a row of so many numbers for each matrix. */
static inline pz_spec
fixed_order_row(const pz_tensor* const matrices, const int64_t numbers)
{
  pz_spec spec = pz_spec_make(matrices->dtype, matrices->ndim - 1, matrices->shape);
  spec.shape[spec.ndim - 1] = numbers;
  return spec;
}

#endif /* PLUGINS_COMMON_FIXED_ORDER_H */
