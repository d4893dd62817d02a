/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A vector of lanes and its arithmetic. Small matrices go across lanes: a vector holds one entry of
   as many matrices as it has lanes, and every matrix goes through the same arithmetic, whatever its
   neighbours are. */

#ifndef CPU_LANE_H
#define CPU_LANE_H

#include "real.h"
#include "tuning.h"

#include <stdint.h>

/* Four neighbouring entries, for arithmetic that is to stay in registers; and the same as
   they lie anywhere among others, for loads and stores through a pointer. */
typedef real quad __attribute__((vector_size(4 * CPU_REAL_BITS / 8)));
typedef quad quad_in_place __attribute__((aligned(CPU_REAL_BITS / 8), may_alias));

#if CPU_REAL_BITS == 32
typedef int32_t lane_integer;
#else
typedef int64_t lane_integer;
#endif

typedef real lane __attribute__((vector_size(LANES * CPU_REAL_BITS / 8)));
typedef lane lane_in_place __attribute__((aligned(CPU_REAL_BITS / 8), may_alias));
/* What comparisons give: all bits, or none. */
typedef lane_integer lane_mask __attribute__((vector_size(LANES * CPU_REAL_BITS / 8)));
typedef lane_mask lane_mask_in_place __attribute__((aligned(CPU_REAL_BITS / 8), may_alias));
typedef lane_integer lane_mask_half __attribute__((vector_size(LANES * CPU_REAL_BITS / 16)));

#define LANE_INLINE static inline __attribute__((always_inline))

/* Before a loop of few steps, known when compiled, over what is to stay in registers. */
#if defined(__clang__)
#define LANE_UNROLL _Pragma("unroll")
#else
#define LANE_UNROLL _Pragma("GCC unroll 16")
#endif

LANE_INLINE lane
lane_of(const real value)
{
  return value - (lane){0};
}

LANE_INLINE lane
lane_select(const lane_mask mask, const lane a, const lane b)
{
  return (lane)((mask & (lane_mask)a) | (~mask & (lane_mask)b));
}

/* Where a > b. Registers may hold half of a vector, and compilers compare entry by entry then,
   unless they are given halves. */
LANE_INLINE lane_mask
lane_above(const lane a, const lane b)
{
#if CPU_REAL_BITS == 64 && !defined(__AVX2__)
  const lane_mask_half low =
      __builtin_shufflevector(a, a, 0, 1) > __builtin_shufflevector(b, b, 0, 1);
  const lane_mask_half high =
      __builtin_shufflevector(a, a, 2, 3) > __builtin_shufflevector(b, b, 2, 3);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3);
#else
  return (lane_mask)(a > b);
#endif
}

LANE_INLINE lane
lane_larger(const lane a, const lane b)
{
  return lane_select(lane_above(a, b), a, b);
}

LANE_INLINE lane
lane_magnitude(const lane a)
{
  const lane_mask sign = (lane_mask)(-(lane){0});
  return (lane)((lane_mask)a & ~sign);
}

#endif /* CPU_LANE_H */
