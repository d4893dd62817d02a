/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* How the compiler builds the C of a portable kernel (kernel.h), by attributes, so that one plain
   command line suffices:

   - Each loop is compiled for baseline x86-64, for AVX2 and for AVX-512, and the widest that the
     processor has is taken at each call. There is no ifunc: nothing of a plugin's file has to run
     when it is mapped.
   - a * b + c is never contracted to a fused multiplication and addition, so the results of the
     three are the same to the last bit.
   - Both sides of a conditional may be computed: no kernel reads floating-point exceptions. Without
     this permission GCC does not vectorise a loop with conditionals. */

#ifndef PARAMETRIZE_KERNEL_ISA_H
#define PARAMETRIZE_KERNEL_ISA_H

#include <parametrize/types.h>

/* PZ_INLINE_: inlined into each of the three. PZ_LOOP_: attributes of a function with a loop.
   PZ_UNCONTRACTED_: the first line of a function with arithmetic. PZ_INDEPENDENT_: before a loop
   whose turns may run in any order. PZ_ROLLED_: before a short loop with conditionals, of which GCC
   makes vectors unless it unrolls them first. PZ_APART_: a function that is not inlined.
   PZ_ON_LINE_: an array that begins a line of the cache. */
#if defined(__GNUC__)
#define PZ_APART_ __attribute__((noinline, unused)) static
#define PZ_ON_LINE_ __attribute__((aligned(64)))
#else
#define PZ_APART_ static
#define PZ_ON_LINE_
#endif
#if defined(__clang__)
#define PZ_INLINE_ static inline __attribute__((always_inline))
#define PZ_LOOP_
#define PZ_UNCONTRACTED_ _Pragma("clang fp contract(off)")
#define PZ_INDEPENDENT_
#define PZ_ROLLED_
#elif defined(__GNUC__)
#define PZ_INLINE_ static inline __attribute__((always_inline))
#define PZ_LOOP_ __attribute__((optimize("no-math-errno", "no-trapping-math", "fp-contract=off")))
#define PZ_UNCONTRACTED_
#define PZ_INDEPENDENT_ _Pragma("GCC ivdep")
#define PZ_ROLLED_ _Pragma("GCC unroll 1")
#else
#define PZ_INLINE_ static inline
#define PZ_LOOP_
#define PZ_UNCONTRACTED_
#define PZ_INDEPENDENT_
#define PZ_ROLLED_
#endif

/* A function that a vectorised loop calls for a whole vector: for conditionals with a rare side
   that cannot be vectorised. Only where the compiler can do that; without optimization GCC would
   keep the function, and its calls of the C library, in every file. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#define PZ_VECTOR_CALL_ __attribute__((simd("notinbranch"), noinline, unused)) static
#endif

/* PZ_FOR_ISAS_(LOOP, name, ...): LOOP(name_ISA_, attributes, wide, ...); wide is 0 for baseline x86-64,
   which is all there is without optimization. PZ_WIDEST_(name): the function that the processor can
   run. */
#if defined(__x86_64__) && defined(__GNUC__) && defined(__OPTIMIZE__)
#define PZ_AVX2_ __attribute__((target("avx2")))
#define PZ_AVX512_ __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw")))
#define PZ_FOR_ISAS_(LOOP, name, ...)                   \
  LOOP(name##_baseline_, PZ_LOOP_, 0, __VA_ARGS__)      \
  LOOP(name##_avx2_, PZ_LOOP_ PZ_AVX2_, 1, __VA_ARGS__) \
  LOOP(name##_avx512_, PZ_LOOP_ PZ_AVX512_, 1, __VA_ARGS__)
#define PZ_WIDEST_(name) \
  (pz_has_avx512_() ? name##_avx512_ : pz_has_avx2_() ? name##_avx2_ : name##_baseline_)

PZ_INLINE_ int
pz_has_avx2_(void)
{
  return __builtin_cpu_supports("avx2") != 0;
}

PZ_INLINE_ int
pz_has_avx512_(void)
{
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#else
#define PZ_FOR_ISAS_(LOOP, name, ...) LOOP(name##_baseline_, PZ_LOOP_, 1, __VA_ARGS__)
#define PZ_WIDEST_(name) name##_baseline_
#endif

#endif /* PARAMETRIZE_KERNEL_ISA_H */
