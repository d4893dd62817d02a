/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rows by index, and portable kernels. */

#include "pair.h"

START_TEST(test_take_rows)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t rows = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t cols = pair_size(r);
    const int64_t batch = pair_batch(r);
    operand* const index = operand_index(r, n, rows);
    operand* const x = operand_in(r, rows, cols, batch);
    operand* const y = operand_out(r, n, cols, batch);
    RUN(r, take, AT(index), AT(x), AT(y), FAULT);
    expect_exact(r, y);
  }
  pair_close(r);
}
END_TEST

/* Repeated indices add up, or the last one counts. */
START_TEST(test_put_rows)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, trial / 2);
    const int64_t rows = pair_size(r);
    const int64_t n = pair_size(r);
    const int64_t cols = pair_size(r);
    const int64_t batch = pair_batch(r);
    const bool accumulate = trial % 2;
    operand* const index = operand_index(r, n, rows);
    operand* const x = operand_in(r, n, cols, batch);
    operand* const y = operand_inout(r, rows, cols, batch);
    RUN(r, put, accumulate, AT(index), AT(x), AT(y), FAULT);
    if (accumulate) {
      expect_close(r, y, operand_norm(x, BEFORE));
    } else {
      expect_exact(r, y);
    }
  }
  pair_close(r);
}
END_TEST

/* Refused, and then nothing was written by a backend that knows at once. */
START_TEST(test_out_of_range)
{
  static const int64_t bad[] = {-1, 5, INT64_MAX, INT64_MIN};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 8; ++trial) {
    pair_trial(r, 0);
    operand* const index = operand_index(r, 4, 5);
    operand* const x = operand_in(r, trial % 2 ? 4 : 5, 3, 2);
    operand* const y = operand_inout(r, trial % 2 ? 5 : 4, 3, 2);
    operand_put_integer(index, 3, bad[trial / 2]);
    if (trial % 2) {
      RUN(r, put, true, AT(index), AT(x), AT(y), FAULT);
    } else {
      RUN(r, take, AT(index), AT(x), AT(y), FAULT);
    }
    expect_refused(r, PZ_INVALID);
    for (int64_t i = 0; r->offered && i < y->mat[0].rows; ++i) {
      if (!(r->sides[TESTED].backend->flags & PZ_BACKEND_ASYNC)) {
        ck_assert(operand_get(y, TESTED, 1, i, 2) == operand_get(y, BEFORE, 1, i, 2));
      }
    }
  }
  pair_close(r);
}
END_TEST

PZ_KERNEL(soft_threshold, 2, 1, 0, PZ_TENSOR_ARG(0, x); PZ_TENSOR_ARG(1, y); PZ_REAL_ARG(0, t);
          y[i] = x[i] > t ? x[i] - t : (x[i] < -t ? x[i] + t : (real)0);)

/* One item per row, an integer argument, an argument that is not given. */
PZ_KERNEL(
    row_sums, 3, 2, 1, PZ_TENSOR_ARG(0, x); PZ_TENSOR_ARG(2, y); PZ_REAL_ARG(1, c);
    PZ_INTEGER_ARG(0, n); real sum = 0;
    for (pz_int j = 0; j < n; ++j) { sum += pz_sqrt(pz_abs(x[i * n + j])); } y[i] = c * sum;)

START_TEST(test_launch)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t m = pair_size(r);
    const int64_t n = pair_size(r);
    const double c[2] = {test_uniform(&r->random), test_normal(&r->random)};
    operand* const x = operand_flat(r, OPERAND_IN, r->dtype, m * n);
    operand* const y = operand_flat(r, OPERAND_OUT, r->dtype, m * n);
    operand* const sums = operand_flat(r, OPERAND_OUT, r->dtype, m);
    pz_mat two[2][2];
    pz_mat three[2][3];
    for (int k = 0; k < 2; ++k) {
      two[k][0] = x->mat[k];
      two[k][1] = y->mat[k];
      three[k][0] = x->mat[k];
      three[k][1] = (pz_mat){.data = NULL};
      three[k][2] = sums->mat[k];
    }
    RUN(r, launch, &soft_threshold, m * n, two[r->turn], c, NULL);
    expect_close(r, y, operand_norm(x, BEFORE));
    RUN(r, launch, &row_sums, m, three[r->turn], c, &n);
    expect_close(r, sums, 0.0);
  }
  pair_close(r);
}
END_TEST

// clang-format off
/* Sums and largest entries, running sums from both ends, in place and read by other work items, running
   products, and numbers per row. */
PZ_ROW_KERNEL(blend, 2, 5, 1, 1,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, v);
  PZ_ROW_OUT(0, y);
  PZ_ROW_OUT(1, running);
  PZ_ROW_OUT(3, rest);
  PZ_REAL_ARG(0, a);
  PZ_INTEGER_ARG(0, shift);
  PZ_ROW_EACH(j, n) {
    rest[n - 1 - j][r] = a + x[n - 1 - j][r];
  }
  PZ_ROW_REVERSE_SCAN(rest, j, n, rest[j][r] - a);
  PZ_ROW_OUT(4, product);
  PZ_ROW_PRODUCT_SCAN(product, j, n, 1 + pz_tanh(x[j][r]) / (real)n);
  PZ_ROW_SCAN(running, j, n, x[j][r] + v[r]);
  PZ_ROW_MAX(top, j, n, pz_abs(x[j][r]));
  PZ_ROW_SUM(total, j, n, a * x[j][r]);
  PZ_ROW_NORM(size, scale, j, n, x[j][r]);
  PZ_ROW_EACH(j, n) {
    y[j][r] = running[(j + shift) % n][r] / (1 + top[r]);
  }
  PZ_VALUE_OUT(2, total[r] * pz_unit_scale(top[r]) + size[r] / scale[r]);
)
// clang-format on

START_TEST(test_launch_rows)
{
  static const int64_t lengths[] = {1, 3, 16, 37, 130, 700};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials() + 6; ++trial) {
    pair_trial(r, trial);
    const int64_t rows = pair_size(r);
    const int64_t n = lengths[trial % 6];
    const int64_t shift = n / 2;
    const double a = test_normal(&r->random);
    operand* const x = operand_flat(r, OPERAND_IN, r->dtype, rows * n);
    operand* const v = operand_flat(r, OPERAND_IN, r->dtype, rows);
    operand* const y = operand_flat(r, OPERAND_OUT, r->dtype, rows * n);
    operand* const running = operand_flat(r, OPERAND_OUT, r->dtype, rows * n);
    operand* const number = operand_flat(r, OPERAND_OUT, r->dtype, rows);
    operand* const rest = operand_flat(r, OPERAND_OUT, r->dtype, rows * n);
    operand* const product = operand_flat(r, OPERAND_OUT, r->dtype, rows * n);
    operand* const all[] = {x, v, y, running, number, rest, product};
    pz_mat mats[2][7];
    for (int turn = 0; turn < 2; ++turn) {
      for (int k = 0; k < 7; ++k) {
        pz_mat* const m = &mats[turn][k];
        *m = all[k]->mat[turn];
        m->cols = m->cols / rows;
        m->rows = rows;
        m->row_stride = k == 1 && trial % 2 ? 0 : m->cols; /* one number for all rows */
      }
    }
    RUN(r, launch_rows, &blend, rows, mats[r->turn], &a, &shift);
    expect_close(r, y, operand_norm(running, TESTED));
    expect_close(r, running, (double)n * operand_norm(x, BEFORE));
    expect_close(r, product, 0.0);
    expect_close(r, rest, (double)n * (fabs(a) + operand_norm(x, BEFORE)));
    expect_close(r, number, operand_norm(x, BEFORE));
  }
  pair_close(r);
}
END_TEST

TCase*
rows_case(void)
{
  TCase* const t = tcase_create("rows");
  tcase_add_loop_test(t, test_take_rows, 0, 2);
  tcase_add_loop_test(t, test_put_rows, 0, 2);
  tcase_add_loop_test(t, test_out_of_range, 0, 2);
  tcase_add_loop_test(t, test_launch, 0, 2);
  tcase_add_loop_test(t, test_launch_rows, 0, 2);
  return t;
}
