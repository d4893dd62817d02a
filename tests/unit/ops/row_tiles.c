/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Row kernels give a row the same bits by itself and side by side with others. */

#include "support.h"

#include <parametrize/row_kernel.h>

#include <math.h>
#include <string.h>

enum { ROWS = 40, LENGTH = 40 }; /* at most */

// clang-format off
PZ_ROW_KERNEL(all_statements, 3, 5, 1, 1,
  PZ_ROW_IN(0, x);
  PZ_VALUE_IN(1, v);
  PZ_ROW_IN(2, z);
  PZ_ROW_OUT(0, y);
  PZ_ROW_OUT(1, running);
  PZ_ROW_OUT(2, product);
  PZ_REAL_ARG(0, a);
  PZ_INTEGER_ARG(0, more);
  PZ_ROW_MAX(top, j, n, x[j][r]);
  PZ_ROW_SUM(squares, j, PZ_LENGTH_IN(2) * more, z[j / more][r] * x[0][r]);
  PZ_ROW_VALUE(factor, v[r] == (real)0 ? top[r] : a / v[r]);
  PZ_ROW_SCAN(running, j, n, x[j][r] * factor[r]);
  PZ_ROW_REVERSE_SCAN(y, j, n, running[j][r] - a);
  PZ_ROW_PRODUCT_SCAN(product, j, n, 1 + pz_tanh(x[j][r]));
  PZ_ROW_EACH(j, n) {
    y[j][r] = pz_exp(x[j][r] - top[r]) + y[n - 1 - j][r] * a;
  }
  PZ_ROW_NORM(size, scale, j, n, x[j][r]);
  PZ_VALUE_OUT(3, size[r] / scale[r]);
  PZ_VALUE_OUT(4, squares[r]);
)
// clang-format on

/* Rows with squares that overflow or vanish among others. */
static double
entry(const int64_t row, const int64_t k, const bool single)
{
  const double size = row == 3 ? (single ? 1e25 : 1e200) : row == 5 ? (single ? 1e-25 : 1e-200) : 1;
  return sin((double)k) * size;
}

static void
fill(void* const memory, const int64_t rows, const int64_t length, const bool single)
{
  for (int64_t k = 0; k < rows * length; ++k) {
    const double value = entry(k / length, k + length, single);
    if (single) {
      ((float*)memory)[k] = (float)value;
    } else {
      ((double*)memory)[k] = value;
    }
  }
}

static void
check_rows(const int64_t rows, const int64_t n, const bool single)
{
  static double memory[2][PZ_KERNEL_MAX_ARGS][ROWS * LENGTH];
  const pz_row_function function = single ? all_statements.f32 : all_statements.f64;
  const int64_t lengths[PZ_KERNEL_MAX_ARGS] = {n, 1, 5, n, n, n, 1, 1};
  const double real = 0.5;
  const int64_t integer = 9; /* terms of a sum: more than a row in a tile has entries */
  pz_row_span spans[2][PZ_KERNEL_MAX_ARGS];
  for (uint32_t k = 0; k < PZ_KERNEL_MAX_ARGS; ++k) {
    const bool input = k < all_statements.n_inputs;
    fill(memory[0][k], input ? rows : 0, lengths[k], single);
    for (int way = 0; way < 2; ++way) {
      spans[way][k] = (pz_row_span){
          .data = memory[input ? 0 : way][k],
          .stride = k == 2 ? 0 : lengths[k], // one row for all
          .length = lengths[k],
      };
    }
  }
  function(0, rows, spans[0], &real, &integer);
  for (int64_t row = 0; row < rows; ++row) {
    function(row, row + 1, spans[1], &real, &integer);
  }
  for (uint32_t k = all_statements.n_inputs; k < PZ_KERNEL_MAX_ARGS; ++k) {
    const size_t bytes = (size_t)(rows * lengths[k]) * (single ? sizeof(float) : sizeof(double));
    ck_assert_msg(memcmp(memory[0][k], memory[1][k], bytes) == 0,
                  "float%d, tensor %u: %lld rows of %lld entries depend on their neighbours",
                  single ? 32 : 64, (unsigned)k, (long long)rows, (long long)lengths[k]);
  }
}

START_TEST(test_same_bits)
{
  static const int64_t counts[] = {1, 7, 8, 15, 16, 17, 23, 24, 40};
  for (int64_t n = 1; n <= LENGTH; ++n) {
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); ++k) {
      check_rows(counts[k], n, _i == 0);
    }
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("row_tiles");
  tcase_add_loop_test(tcase, test_same_bits, 0, 2);
  return test_main_case(tcase);
}
