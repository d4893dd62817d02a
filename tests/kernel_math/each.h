/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A kernel for each function of kernel_math.h, compiled as that of a plugin is. */

#ifndef TEST_KERNEL_MATH_EACH_H
#define TEST_KERNEL_MATH_EACH_H

#include <parametrize/kernel.h>

enum { BASELINE, AVX2, AVX512, N_ISAS };

typedef struct each {
  const pz_kernel* kernel;
  /* by dtype (0: float, 1: double) and instruction set; NULL where there is none */
  pz_kernel_function loops[2][N_ISAS];
} each;

extern const each each_function[]; /* the last has no kernel */
/* Exchanges the entries of each pair of argument 0 into argument 1, one after the other. */
extern const each each_swap;

#endif /* TEST_KERNEL_MATH_EACH_H */
