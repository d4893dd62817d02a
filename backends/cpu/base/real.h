/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The element type and the set of instructions of one compilation. Sources below simd/ are
   compiled for both types, CPU_REAL_BITS 32 and 64, and for each set of instructions that the
   architecture may have, CPU_ISA (isa.c). `real` is then float or double, and names that cross
   files carry both: TYPED(gemm) is cpu_gemm_f32_avx2, say. */

#ifndef CPU_REAL_H
#define CPU_REAL_H

#include <float.h>
#include <math.h>

#if CPU_REAL_BITS == 32
typedef float real;
#define SQRT sqrtf
#define REAL_EPSILON FLT_EPSILON
#define REAL_MOST FLT_MAX
#define REAL_DTYPE PZ_F32
#elif CPU_REAL_BITS == 64
typedef double real;
#define SQRT sqrt
#define REAL_EPSILON DBL_EPSILON
#define REAL_MOST DBL_MAX
#define REAL_DTYPE PZ_F64
#else
#error "CPU_REAL_BITS is 32 or 64"
#endif

#define TYPED_NAME(name, bits, isa) cpu_##name##_f##bits##_##isa
#define TYPED_EXPANDED(name, bits, isa) TYPED_NAME(name, bits, isa)
#define TYPED(name) TYPED_EXPANDED(name, CPU_REAL_BITS, CPU_ISA)

/* What is compiled once for each type, with the portable instructions alone. */
#define TYPED_ONCE(name) TYPED_EXPANDED(name, CPU_REAL_BITS, portable)

/* Prototypes of operations as in pz_backend_ops. */
#define TYPED_OPERATION(name, ...) pz_status TYPED(name)(pz_backend_queue * q, __VA_ARGS__)
#define TYPED_ONCE_OPERATION(name, ...) \
  pz_status TYPED_ONCE(name)(pz_backend_queue * q, __VA_ARGS__)

static inline real
larger_real(const real a, const real b)
{
  return a > b ? a : b;
}

#endif /* CPU_REAL_H */
