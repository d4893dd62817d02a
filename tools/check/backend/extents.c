/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Extents that a grid of groups cannot hold: GPUs take 65535 groups in the second and third
   dimension, so kernels go round. */

#include "pair.h"

#include <math.h>

enum { MOST_GROUPS = 65535, TILE = 32 };

START_TEST(test_many_matrices)
{
  pair it;
  pair* const r = &it;
  const int64_t batch = MOST_GROUPS + 4321;
  pair_open(r, _i);
  pair_trial(r, 0);
  operand* const x = operand_in(r, 3, 3, batch);
  operand* const g = operand_in(r, 3, 3, batch);
  operand* const y = operand_out(r, 3, 3, batch);
  operand* const n = operand_out(r, 3, 1, batch);
  RUN(r, copy, AT(x), AT(y));
  expect_exact(r, y);
  RUN(r, fold, PZ_UPPER, -1, AT(x), AT(y));
  expect_exact(r, y);
  RUN(r, gemm, 1.0, AT(x), AT(g), 0.0, AT(y));
  expect_close(r, y, operand_norm(x, BEFORE) * 10.0);
  RUN(r, norm, PZ_NORM_TWO, PZ_OVER_COLS, AT(x), AT(n));
  expect_close(r, n, 0.0);
  // I + 30 - x: well-conditioned for normal x
  RUN(r, shifted_inverse, PZ_GENERAL, -1.0, 2.0, 30.0, -1.0, AT(x), AT(y), FAULT);
  expect_ok(r);
  expect_close(r, y, sqrt(3.0 * (double)batch));
  pair_close(r);
}
END_TEST

/* Contiguous elements as a matrix of 5 columns, whose rows or columns are runs. */
static const pz_mat*
five_columns(const pz_mat* const flat, const bool along_rows, pz_mat* const out)
{
  *out = *flat;
  out->rows = flat->cols / 5;
  out->cols = 5;
  out->row_stride = along_rows ? 5 : 1;
  out->col_stride = along_rows ? 1 : out->rows;
  return out;
}

/* On devices with queues of their own, where there may be such grids. */
START_TEST(test_many_rows)
{
  pair it;
  pair* const r = &it;
  const int64_t rows = (int64_t)MOST_GROUPS * TILE + 77;
  pair_open(r, 0);
  if (r->sides[TESTED].backend->flags & PZ_BACKEND_ASYNC) {
    pz_mat from;
    pz_mat to;
    operand* const a = operand_in(r, rows, 1, 1);
    operand* const b = operand_in(r, 1, 2, 1);
    operand* const c = operand_out(r, rows, 2, 1);
    RUN(r, gemm, 1.0, AT(a), AT(b), 0.0, AT(c));
    expect_exact(r, c);
    pair_trial(r, 0);
    operand* const x = operand_flat(r, OPERAND_IN, PZ_F32, 5 * rows);
    operand* const y = operand_flat(r, OPERAND_OUT, PZ_F32, 5 * rows);
    RUN(r, copy, five_columns(AT(x), false, &from), five_columns(AT(y), true, &to));
    expect_exact(r, y);
  }
  pair_close(r);
}
END_TEST

TCase*
extents_case(void)
{
  TCase* const t = tcase_create("extents");
  tcase_add_loop_test(t, test_many_matrices, 0, 2);
  tcase_add_test(t, test_many_rows);
  return t;
}
