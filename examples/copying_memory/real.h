/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The element type of the network: float, or double in the test that compares gradients with finite
   differences. */

#ifndef COPYING_MEMORY_REAL_H
#define COPYING_MEMORY_REAL_H

#include <parametrize/types.h>

#if defined(REAL_BITS) && REAL_BITS == 64
typedef double real;
#define REAL_DTYPE PZ_F64
#define real_gemm cblas_dgemm
#else
typedef float real;
#define REAL_DTYPE PZ_F32
#define real_gemm cblas_sgemm
#endif

#endif /* COPYING_MEMORY_REAL_H */
