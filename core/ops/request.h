/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A request: an operation with its matrices and numbers. */

#ifndef PZI_REQUEST_H
#define PZI_REQUEST_H

#include "op.h"

#include <parametrize/backend.h>

/* How an operation uses an operand. */
enum {
  PZI_READ = 1,
  PZI_WRITE = 2,
  PZI_UPDATE = PZI_READ | PZI_WRITE,
};

enum { PZI_MAX_MATS = 10 };

/* Operands are in the order of the backend's entry. A factor that the caller does not want has
   0 rows; the entry gets NULL for it. */
typedef struct pzi_request {
  pzi_op op;
  uint32_t n;
  uint32_t dtype; /* PZ_F32 or PZ_F64; of copies and random bits also PZ_I64 */
  int which;      /* triangle, axis, side, distribution, structure of x, accumulate */
  int sign;       /* sign, norm kind */
  int triangle;   /* of trmm and trsm */
  int diagonal;
  uint8_t access[PZI_MAX_MATS];
  pz_mat mat[PZI_MAX_MATS];
  double real[8];  /* the factors, in order; combine: those of x */
  double shift;    /* combine */
  int64_t integer; /* offset of triangle, n_items, number of rows */
  uint64_t key;
  uint64_t first;
  const pz_fault* fault;
  const pz_kernel* kernel;
  const pz_row_kernel* row_kernel;
  const double* reals;
  const int64_t* integers;
} pzi_request;

#endif /* PZI_REQUEST_H */
