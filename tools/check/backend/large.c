/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Matrices larger than the blocks that backends divide them into: as the reference has them, and the
   same bits for any number of threads. */

#include "pair.h"

#include <stdlib.h>
#include <string.h>

typedef enum operation {
  GEMM,
  COLUMN,
  ROW,
  SYRK,
  TRMM,
  TRSM,
  INVERSE,
  SKEW_INVERSE,
  ADJOINT,
  SOLVE,
  SOLVE_DEFINITE,
  POTRF,
  QR,
  OPERATIONS
} operation;

/* 2 I and at most 1/2 more in a row: positive definite with either triangle. */
static operand*
regular(pair* const r, const int64_t n)
{
  operand* const a = operand_new(r, OPERAND_INOUT, r->dtype, n, n, 1);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const double any = (test_uniform(&r->random) - 0.5) / (double)n + (i == j ? 2.0 : 0.0);
      operand_put(a, 0, i, j, j < i ? operand_get(a, BEFORE, 0, j, i) : any);
    }
  }
  a->role = OPERAND_IN;
  return a;
}

/* Runs it on fresh operands of r; what is written. */
static operand*
run(pair* const r, const operation op)
{
  const int64_t n = 290;
  const pz_side where = (pz_side)pair_pick(r, 2);
  const pz_triangle triangle = (pz_triangle)pair_pick(r, 2);
  operand* const a = op >= TRMM && op <= POTRF ? regular(r, n) : NULL;
  operand* y = NULL;
  switch (op) {
  case GEMM: {
    operand* const u = operand_in(r, 130, 300, 1);
    operand* const v = operand_in(r, 300, 530, 1);
    y = operand_inout(r, 130, 530, 1);
    RUN(r, gemm, 1.5, AT(u), AT(v), 0.5, AT(y));
    break;
  }
  case COLUMN: {
    operand* const u = operand_in(r, 701, 400, 1);
    operand* const v = operand_in(r, 400, 1, 1);
    y = operand_out(r, 701, 1, 1);
    RUN(r, gemm, 1.5, AT(u), AT(v), 0.0, AT(y));
    break;
  }
  case ROW: {
    operand* const u = operand_in(r, 1, 400, 1);
    operand* const v = operand_in(r, 400, 701, 1);
    y = operand_inout(r, 1, 701, 1);
    RUN(r, gemm, 1.5, AT(u), AT(v), 0.5, AT(y));
    break;
  }
  case SYRK: {
    operand* const u = operand_in(r, 190, 300, 1);
    y = operand_out(r, 190, 190, 1);
    RUN(r, syrk, 1.5, AT(u), 0.0, AT(y));
    break;
  }
  case TRMM:
  case TRSM:
    y = operand_inout(r, where == PZ_LEFT ? n : 530, where == PZ_LEFT ? 530 : n, 1);
    if (op == TRMM) {
      RUN(r, trmm, where, triangle, PZ_NON_UNIT, 1.5, AT(a), AT(y));
    } else {
      RUN(r, trsm, where, triangle, PZ_NON_UNIT, 1.5, AT(a), AT(y), FAULT);
    }
    break;
  case INVERSE:
    y = operand_out(r, n, n, 1);
    RUN(r, shifted_inverse, PZ_GENERAL, -1.0, 2.0, 1.0, -1.0, AT(a), AT(y), FAULT);
    break;
  case SKEW_INVERSE: // the triangle is taken for the whole
    y = operand_out(r, n, n, 1);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        operand_put(a, 0, j, i, i == j ? 0.0 : -operand_get(a, BEFORE, 0, i, j));
      }
    }
    RUN(r, shifted_inverse, PZ_SKEW, -1.0, 2.0, 1.0, -1.0, AT(a), AT(y), FAULT);
    break;
  case ADJOINT: {
    operand* const g = operand_in(r, n, n, 1);
    y = operand_out(r, n, n, 1);
    RUN(r, shifted_inverse_adjoint, PZ_GENERAL, -1.0, 2.0, -1.0, AT(a), AT(g), AT(y));
    break;
  }
  case SOLVE:
  case SOLVE_DEFINITE: {
    operand* const b = operand_in(r, n, 130, 1);
    y = operand_out(r, n, 130, 1);
    RUN(r, solve, op == SOLVE ? PZ_GENERAL : PZ_SPD, AT(a), AT(b), AT(y), FAULT);
    break;
  }
  case POTRF:
    y = operand_out(r, n, n, 1);
    RUN(r, potrf, triangle, AT(a), AT(y), FAULT);
    break;
  case QR: {
    operand* const u = operand_in(r, 310, 140, 1);
    operand* const basis = operand_out(r, 310, 140, 1);
    y = operand_out(r, 140, 140, 1);
    RUN(r, qr, AT(u), AT(basis), AT(y));
    break;
  }
  case OPERATIONS:
    break;
  }
  return y;
}

START_TEST(test_large)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int op = 0; op < OPERATIONS; ++op) {
    if (!test_takes(_i + op, 2)) {
      continue;
    }
    const uint64_t random = r->random;
    double* kept = NULL;
    for (int threads = 1; threads <= 3; threads += 2) {
      loop_use_threads(threads);
      pair_trial(r, 0);
      r->random = random; /* the same operands */
      operand* const y = run(r, (operation)op);
      if (op == QR) { /* signs are open */
        expect_ok(r);
      } else {
        expect_close(r, y, operand_norm(y, REFERENCE));
      }
      const int64_t size = y->mat[0].rows * y->mat[0].cols;
      double* const found = reals(size);
      operand_matrix(y, TESTED, 0, found);
      if (kept && r->offered && memcmp(found, kept, (size_t)size * sizeof(double)) != 0) {
        pair_fail(r, "with %d threads other results than with one", threads);
      }
      free(kept);
      kept = found;
    }
    free(kept);
  }
  loop_use_threads(1);
  pair_close(r);
}
END_TEST

TCase*
large_case(void)
{
  TCase* const t = tcase_create("large");
  // elsewhere transfers and compilations would take minutes
  if (pair_in_host_memory()) {
    tcase_add_loop_test(t, test_large, 0, 2);
  }
  return t;
}
