/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Eigenvalues and eigenvectors across lanes, in double whatever the type. */

#ifndef CPU_LANE_EIGEN_H
#define CPU_LANE_EIGEN_H

#include "real.h"
#include "tuning.h"

#include <stdbool.h>
#include <stdint.h>

/* EIGEN_LANES symmetric matrices of order n and what becomes of them: entry (i, j) of matrix k is
   x[(i * width + j) * EIGEN_LANES + k]. */
typedef struct eigen {
  int64_t n;
  int64_t width;   /* of rows: not a power of two, whose multiples caches keep few of */
  double* a;       /* n x n, overwritten */
  double* vectors; /* n x n, in rows */
  double* values;  /* 1 x n, in any order */
  double* work;
} eigen;

static inline int64_t
cpu_eigen_doubles(const int64_t n)
{
  return (2 * n * (n | 1) + (4 + 2 * EIGEN_ROTATIONS) * n) * EIGEN_LANES;
}

/* In memory for cpu_eigen_doubles(n), aligned to 64. */
static inline eigen
cpu_eigen_in(const int64_t n, double* const memory)
{
  const int64_t matrix = n * (n | 1) * EIGEN_LANES;
  const eigen e = {
      .n = n,
      .width = n | 1,
      .a = memory,
      .vectors = memory + matrix,
      .values = memory + 2 * matrix,
      .work = memory + 2 * matrix + n * EIGEN_LANES,
  };
  return e;
}

/* Diagonalizes EIGEN_VECTORS times as many, with vectors or without; flags[k] = 1 where a matrix is
   not finite or its eigenvalues did not converge. */
void TYPED_EXPANDED(diagonalize, 64, CPU_ISA)(const eigen* e, bool vectors, unsigned char* flags);

#endif /* CPU_LANE_EIGEN_H */
