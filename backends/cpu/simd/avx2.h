/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Vectors of 32 bytes: AVX2. */

#ifndef CPU_AVX2_H
#define CPU_AVX2_H

#include "lane.h"

#include <immintrin.h>
#include <stdbool.h>

LANE_INLINE bool
lane_all(const lane_mask mask)
{
  return _mm256_movemask_epi8((__m256i)mask) == -1;
}

LANE_INLINE bool
lane_any(const lane_mask mask)
{
  return _mm256_testz_si256((__m256i)mask, (__m256i)mask) == 0;
}

LANE_INLINE lane
lane_root(const lane a)
{
#if CPU_REAL_BITS == 32
  return (lane)_mm256_sqrt_ps((__m256)a);
#else
  return (lane)_mm256_sqrt_pd((__m256d)a);
#endif
}

LANE_INLINE lane
lane_gather_quads(const real* const from, const int64_t step)
{
#if CPU_REAL_BITS == 32
  const __m256 v = _mm256_castps128_ps256(_mm_loadu_ps(from));
  return (lane)_mm256_insertf128_ps(v, _mm_loadu_ps(from + 4 * step), 1);
#else
  (void)step;
  return *(const quad_in_place*)from;
#endif
}

LANE_INLINE void
lane_scatter_quads(const lane v, real* const to, const int64_t step)
{
#if CPU_REAL_BITS == 32
  *(quad_in_place*)to = __builtin_shufflevector(v, v, 0, 1, 2, 3);
  *(quad_in_place*)(to + 4 * step) = __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
  (void)step;
  *(quad_in_place*)to = v;
#endif
}

#endif /* CPU_AVX2_H */
