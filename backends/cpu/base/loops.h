/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Loops over operands of equal shape. */

#ifndef CPU_LOOPS_H
#define CPU_LOOPS_H

#include <parametrize/backend.h>

#include <stdint.h>

enum { CPU_MAX_OPERANDS = 9 };

/* Three nested loops, outer to inner, over operands of equal extents; the innermost runs
   along the last operand's shortest stride, and loops that memory does not interrupt are
   merged. */
typedef struct cpu_loops {
  uint32_t n_operands;
  int64_t extent[3];
  int64_t stride[CPU_MAX_OPERANDS][3];
  char* first[CPU_MAX_OPERANDS];
} cpu_loops;

/* `operands` have the last one's extents, or strides of zero where they repeat. */
void cpu_loops_init(cpu_loops* l, uint32_t n_operands, const pz_mat* const* operands);

#endif /* CPU_LOOPS_H */
