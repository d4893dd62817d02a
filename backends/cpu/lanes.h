/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Small matrices across lanes: a vector holds one entry of as many matrices as it has lanes,
   and every matrix goes through the same arithmetic, whatever its neighbours are.

   Entries get there by transposing: four runs of four entries are four vectors that hold one
   entry of four matrices each, in every quarter of a wide vector at a time. A run whose length
   is no multiple of four ends with four entries of which some come twice. */

#ifndef CPU_LANES_H
#define CPU_LANES_H

#include "typed.h"

#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* As many quads as the registers hold. */
#if defined(__AVX512F__)
enum { LANES = 64 / (CPU_REAL_BITS / 8), LANE_TILE_ROWS = 4 };
#define LANE_QUADS (16 / (CPU_REAL_BITS / 8))
#elif defined(__AVX2__)
enum { LANES = 32 / (CPU_REAL_BITS / 8), LANE_TILE_ROWS = 2 };
#define LANE_QUADS (8 / (CPU_REAL_BITS / 8))
#else
enum { LANES = 4, LANE_TILE_ROWS = 2 };
#define LANE_QUADS 1
#endif

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

/* Does the mask hold for every lane? */
LANE_INLINE bool
lane_all(const lane_mask mask)
{
#if defined(__AVX512F__) && CPU_REAL_BITS == 32
  return _mm512_cmpeq_epi32_mask((__m512i)mask, _mm512_setzero_si512()) == 0;
#elif defined(__AVX512F__)
  return _mm512_cmpeq_epi64_mask((__m512i)mask, _mm512_setzero_si512()) == 0;
#elif defined(__AVX2__)
  return _mm256_movemask_epi8((__m256i)mask) == -1;
#else
  bool all = true;
  for (int64_t k = 0; k < LANES; ++k) {
    all = all && mask[k] != 0;
  }
  return all;
#endif
}

/* Square roots; NaN of what is below zero. */
LANE_INLINE lane
lane_root(const lane a)
{
#if defined(__AVX512F__) && CPU_REAL_BITS == 32
  return (lane)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX512F__)
  return (lane)_mm512_sqrt_pd((__m512d)a);
#elif defined(__AVX2__) && CPU_REAL_BITS == 32
  return (lane)_mm256_sqrt_ps((__m256)a);
#elif defined(__AVX2__)
  return (lane)_mm256_sqrt_pd((__m256d)a);
#else
  lane root;
  for (int64_t k = 0; k < LANES; ++k) {
    root[k] = SQRT(a[k]);
  }
  return root;
#endif
}

/* Is any lane's mask set? */
LANE_INLINE bool
lane_any(const lane_mask mask)
{
#if defined(__AVX512F__)
  return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX2__)
  return _mm256_testz_si256((__m256i)mask, (__m256i)mask) == 0;
#else
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}

/* ---- between memory and lanes ------------------------------------------------ */

/* Matrices as memory shows them: `runs` of `length` elements `step` apart, the next matrix
   `batch_step` further. */
typedef struct lane_layout {
  int64_t runs;
  int64_t length;
  int64_t step;
  int64_t batch_step;
  int64_t element_step; /* 1, or of operands without runs */
} lane_layout;

LANE_INLINE lane_layout
lane_layout_of(const pz_mat* const m)
{
  const bool by_row = cpu_runs_by_row(m);
  const int64_t runs = by_row ? m->rows : m->cols;
  lane_layout l = {
      .runs = runs,
      .length = by_row ? m->cols : m->rows,
      .step = by_row ? m->row_stride : m->col_stride,
      .batch_step = m->batch_stride,
      .element_step = by_row ? m->col_stride : m->row_stride,
  };
  if (l.element_step == 1 && (l.step == l.length || runs == 1)) { /* a single run */
    l.length *= runs;
    l.runs = 1;
  }
  return l;
}

LANE_INLINE bool
lane_is_one_run(const lane_layout* const l)
{
  return l->runs == 1 && l->element_step == 1;
}

#define LANE_QUAD_LOW(k) 4 * k, LANES + 4 * k, 4 * k + 1, LANES + 4 * k + 1
#define LANE_QUAD_HIGH(k) 4 * k + 2, LANES + 4 * k + 2, 4 * k + 3, LANES + 4 * k + 3
#define LANE_PAIR_LOW(k) 4 * k, 4 * k + 1, LANES + 4 * k, LANES + 4 * k + 1
#define LANE_PAIR_HIGH(k) 4 * k + 2, 4 * k + 3, LANES + 4 * k + 2, LANES + 4 * k + 3
#if LANE_QUADS == 4
#define LANE_EACH(part) part(0), part(1), part(2), part(3)
#elif LANE_QUADS == 2
#define LANE_EACH(part) part(0), part(1)
#else
#define LANE_EACH(part) part(0)
#endif

/* In every quarter, four vectors of four entries as four vectors of one entry each; its own
   inverse. */
LANE_INLINE void
lane_transpose(lane* const v)
{
  const lane ab0 = __builtin_shufflevector(v[0], v[1], LANE_EACH(LANE_QUAD_LOW));
  const lane ab1 = __builtin_shufflevector(v[0], v[1], LANE_EACH(LANE_QUAD_HIGH));
  const lane cd0 = __builtin_shufflevector(v[2], v[3], LANE_EACH(LANE_QUAD_LOW));
  const lane cd1 = __builtin_shufflevector(v[2], v[3], LANE_EACH(LANE_QUAD_HIGH));
  v[0] = __builtin_shufflevector(ab0, cd0, LANE_EACH(LANE_PAIR_LOW));
  v[1] = __builtin_shufflevector(ab0, cd0, LANE_EACH(LANE_PAIR_HIGH));
  v[2] = __builtin_shufflevector(ab1, cd1, LANE_EACH(LANE_PAIR_LOW));
  v[3] = __builtin_shufflevector(ab1, cd1, LANE_EACH(LANE_PAIR_HIGH));
}

/* Four entries of the matrices r, 4 + r, ... that lie `step` apart; and back. Intrinsics make
   the compiler insert from memory, which needs no shuffle. */
LANE_INLINE lane
lane_gather_quads(const real* const from, const int64_t step)
{
#if LANE_QUADS == 4
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(from));
  v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 4 * step), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 8 * step), 2);
  return (lane)_mm512_insertf32x4(v, _mm_loadu_ps(from + 12 * step), 3);
#elif LANE_QUADS == 2 && CPU_REAL_BITS == 64
  const __m512d v = _mm512_castpd256_pd512(_mm256_loadu_pd(from));
  return (lane)_mm512_insertf64x4(v, _mm256_loadu_pd(from + 4 * step), 1);
#elif LANE_QUADS == 2
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
#if LANE_QUADS == 1
  (void)step;
  *(quad_in_place*)to = v;
#else
  *(quad_in_place*)to = __builtin_shufflevector(v, v, 0, 1, 2, 3);
  *(quad_in_place*)(to + 4 * step) = __builtin_shufflevector(v, v, 4, 5, 6, 7);
#if LANE_QUADS == 4
  *(quad_in_place*)(to + 8 * step) = __builtin_shufflevector(v, v, 8, 9, 10, 11);
  *(quad_in_place*)(to + 12 * step) = __builtin_shufflevector(v, v, 12, 13, 14, 15);
#endif
#endif
}

/* Four entries of LANES matrices `step` apart. */
LANE_INLINE void
lane_load_quad(const real* const from, const int64_t step, lane* const to)
{
  lane v[4];
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    v[k] = lane_gather_quads(from + k * step, step);
  }
  lane_transpose(v);
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    to[k] = v[k];
  }
}

LANE_INLINE void
lane_store_quad(const lane* const from, real* const to, const int64_t step)
{
  lane v[4];
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    v[k] = from[k];
  }
  lane_transpose(v);
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    lane_scatter_quads(v[k], to + k * step, step);
  }
}

/* Of LANE_QUADS vectors the first quarters or halves, the second ones and so on; its own
   inverse. */
LANE_INLINE void
lane_transpose_quads(lane* const v)
{
#define QUAD(k) 4 * (k), 4 * (k) + 1, 4 * (k) + 2, 4 * (k) + 3
#if LANE_QUADS == 4
  const lane even1 = __builtin_shufflevector(v[0], v[1], QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  const lane odd1 = __builtin_shufflevector(v[0], v[1], QUAD(1), QUAD(3), QUAD(5), QUAD(7));
  const lane even2 = __builtin_shufflevector(v[2], v[3], QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  const lane odd2 = __builtin_shufflevector(v[2], v[3], QUAD(1), QUAD(3), QUAD(5), QUAD(7));
  v[0] = __builtin_shufflevector(even1, even2, QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  v[1] = __builtin_shufflevector(odd1, odd2, QUAD(0), QUAD(2), QUAD(4), QUAD(6));
  v[2] = __builtin_shufflevector(even1, even2, QUAD(1), QUAD(3), QUAD(5), QUAD(7));
  v[3] = __builtin_shufflevector(odd1, odd2, QUAD(1), QUAD(3), QUAD(5), QUAD(7));
#elif LANE_QUADS == 2
  const lane first = __builtin_shufflevector(v[0], v[1], QUAD(0), QUAD(2));
  v[1] = __builtin_shufflevector(v[0], v[1], QUAD(1), QUAD(3));
  v[0] = first;
#else
  (void)v;
#endif
#undef QUAD
}

/* LANES entries of LANES matrices, a whole vector of each matrix at a time: where matrices lie
   a power of two apart, the nearest cache could not hold so many lines until the next quad. */
LANE_INLINE void
lane_load_line(const real* const from, const int64_t step, lane* const to)
{
  lane v[LANE_QUADS][4];
  LANE_UNROLL
  for (int64_t k = 0; k < 4; ++k) {
    lane row[LANE_QUADS];
    LANE_UNROLL
    for (int64_t j = 0; j < LANE_QUADS; ++j) {
      row[j] = *(const lane_in_place*)(from + (4 * j + k) * step);
    }
    lane_transpose_quads(row);
    LANE_UNROLL
    for (int64_t j = 0; j < LANE_QUADS; ++j) {
      v[j][k] = row[j];
    }
  }
  LANE_UNROLL
  for (int64_t j = 0; j < LANE_QUADS; ++j) {
    lane_transpose(v[j]);
    LANE_UNROLL
    for (int64_t k = 0; k < 4; ++k) {
      to[4 * j + k] = v[j][k];
    }
  }
}

/* Place of the quad of a run after the one at `place`: some come twice at the end. */
LANE_INLINE int64_t
lane_next_quad(const int64_t place, const int64_t length)
{
  return place + 4 == length ? length : smaller(place + 4, length - 4);
}

/* Run by run, the entries of `count` matrices, at most LANES, that begin at `from`. The
   remaining lanes repeat the last one. */
void TYPED(lane_load)(const lane_layout* l, int64_t count, const real* from, lane* to);

/* Where an entry that is written comes from: its place among the lanes, and its sign: 1, -1, or
   0 for zero, whatever there is. */
typedef struct lane_pick {
  int32_t place;
  int32_t sign;
} lane_pick;

/* Writes entry e of `count` matrices from lanes e, or as pick[e] says. */
void TYPED(lane_store)(const lane_layout* l, int64_t count, const lane_pick* pick, const lane* from,
                       real* to);

/* The same for matrices whose n^2 entries, known when compiled, are a single run as a rule. */
LANE_INLINE void
lane_load_square(const int64_t n, const lane_layout* const l, const int64_t count,
                 const real* const from, lane* const to)
{
  if (n * n < 4 || count != LANES || !lane_is_one_run(l)) {
    TYPED(lane_load)(l, count, from, to);
    return;
  }
  LANE_UNROLL
  for (int64_t e = 0; e < n * n; e = lane_next_quad(e, n * n)) {
    lane_load_quad(from + e, l->batch_step, to + e);
  }
}

LANE_INLINE void
lane_store_square(const int64_t n, const lane_layout* const l, const int64_t count,
                  const lane* const from, real* const to)
{
  if (n * n < 4 || count != LANES || !lane_is_one_run(l)) {
    TYPED(lane_store)(l, count, NULL, from, to);
    return;
  }
  LANE_UNROLL
  for (int64_t e = 0; e < n * n; e = lane_next_quad(e, n * n)) {
    lane_store_quad(from + e, to + e, l->batch_step);
  }
}

/* Load and store `count` matrices of m from `first` on. */
LANE_INLINE void
lane_load_matrices(const pz_mat* const m, const int64_t first, const int64_t count, lane* const to)
{
  const lane_layout l = lane_layout_of(m);
  TYPED(lane_load)(&l, count, view_of(m, first).data, to);
}

LANE_INLINE void
lane_store_matrices(const pz_mat* const m, const int64_t first, const int64_t count,
                    const lane* const from)
{
  const lane_layout l = lane_layout_of(m);
  TYPED(lane_store)(&l, count, NULL, from, view_of(m, first).data);
}

/* ---- batches ------------------------------------------------------------------- */

/* Do so many matrices fill lanes enough? */
static inline bool
lanes_are_filled(const int64_t n_matrices)
{
  return 2 * n_matrices >= LANES;
}

/* `count` matrices, as many as there are lanes at most, from `first` on; `memory` is the thread's own. */
typedef void lane_group(const void* context, int64_t first, int64_t count, lane* memory);

/* Calls `group` for a whole batch, on threads with `vectors` of memory each; one matrix takes
   about so many nanoseconds. */
pz_status TYPED(lane_loop)(pz_backend_queue* q, int64_t n_matrices, int64_t lanes, int64_t vectors,
                           double nanoseconds, lane_group* group, const void* context);

/* flags[k] = 1 where lane k is set, else 0. */
static inline void
lane_flag(const lane_mask mask, const int64_t count, unsigned char* const flags)
{
  if (lane_all(~mask)) { // as a rule
    memset(flags, 0, (size_t)count);
    return;
  }
  for (int64_t k = 0; k < count; ++k) {
    flags[k] = mask[k] != 0;
  }
}

#endif /* CPU_LANES_H */
