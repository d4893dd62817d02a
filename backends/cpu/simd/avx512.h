/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Vectors of 64 bytes: AVX-512. */

#ifndef CPU_AVX512_H
#define CPU_AVX512_H

#include "lane.h"

#include <immintrin.h>
#include <stdbool.h>

LANE_INLINE bool
lane_all(const lane_mask mask)
{
#if CPU_REAL_BITS == 32
  return _mm512_cmpeq_epi32_mask((__m512i)mask, _mm512_setzero_si512()) == 0;
#else
  return _mm512_cmpeq_epi64_mask((__m512i)mask, _mm512_setzero_si512()) == 0;
#endif
}

LANE_INLINE bool
lane_any(const lane_mask mask)
{
  return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
}

LANE_INLINE lane
lane_root(const lane a)
{
#if CPU_REAL_BITS == 32
  return (lane)_mm512_sqrt_ps((__m512)a);
#else
  return (lane)_mm512_sqrt_pd((__m512d)a);
#endif
}

LANE_INLINE lane
lane_gather_quads(const real* const from, const int64_t step)
{
#if CPU_REAL_BITS == 32
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(from));
  v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 4 * step), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 8 * step), 2);
  return (lane)_mm512_insertf32x4(v, _mm_loadu_ps(from + 12 * step), 3);
#else
  const __m512d v = _mm512_castpd256_pd512(_mm256_loadu_pd(from));
  return (lane)_mm512_insertf64x4(v, _mm256_loadu_pd(from + 4 * step), 1);
#endif
}

LANE_INLINE void
lane_scatter_quads(const lane v, real* const to, const int64_t step)
{
  *(quad_in_place*)to = __builtin_shufflevector(v, v, 0, 1, 2, 3);
  *(quad_in_place*)(to + 4 * step) = __builtin_shufflevector(v, v, 4, 5, 6, 7);
#if CPU_REAL_BITS == 32
  *(quad_in_place*)(to + 8 * step) = __builtin_shufflevector(v, v, 8, 9, 10, 11);
  *(quad_in_place*)(to + 12 * step) = __builtin_shufflevector(v, v, 12, 13, 14, 15);
#endif
}

#endif /* CPU_AVX512_H */
