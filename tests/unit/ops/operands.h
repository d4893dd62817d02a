/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What the cases of operations share. */

#ifndef TEST_OPS_OPERANDS_H
#define TEST_OPS_OPERANDS_H

#include "cases.h"

/* Batch dimensions followed by up to two more (-1: none). */
typedef struct extents {
  int32_t ndim;
  int64_t shape[PZ_MAX_DIMS];
} extents;

extents under(int32_t nb, const int64_t* batch, int64_t rows, int64_t cols);

#define IN(e) runner_input(runner, (e).ndim, (e).shape, NULL)
#define INOUT(e) runner_inout(runner, (e).ndim, (e).shape, NULL)
#define OUT(e) runner_output(runner, (e).ndim, (e).shape)
#define OP(name, ...) ck_assert_ok(runner->call.ops->name(&runner->call, __VA_ARGS__))

/* n x n matrices from normal ones: kind 's' symmetric, 'k' skew, 'p' positive definite, 'd'
   with a diagonal of about 3 sqrt(n); to be freed. */
double* square_values(op_runner* runner, const extents* e, char kind);
pz_tensor* square_input(op_runner* runner, const extents* e, char kind);

/* In factors.c. */
void case_inverses(op_runner* runner, int32_t nb, const int64_t* batch, int64_t n);
void case_factorizations(op_runner* runner, int32_t nb, const int64_t* batch, int64_t n);

#endif /* TEST_OPS_OPERANDS_H */
