/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Lowering: which strided tensors are matrices of a backend, and which are not. */

#include "lower.h"

#include <support.h>

/* What is lowered names the same elements; what is not has a reason. */
START_TEST(test_lowering)
{
  static const struct {
    int64_t shape[4];
    int64_t strides[4];
    bool lowers;
  } cases[] = {
      {{2, 3, 4, 5}, {60, 20, 5, 1}, true},  /* contiguous */
      {{2, 3, 4, 5}, {60, 20, 1, 4}, true},  /* by columns */
      {{2, 3, 4, 5}, {90, 30, 7, 1}, true},  /* padded */
      {{2, 3, 4, 5}, {70, 20, 5, 1}, false}, /* two batch strides */
      {{1, 3, 4, 5}, {70, 20, 5, 1}, true},  /* of which one is idle */
      {{2, 3, 4, 5}, {0, 0, 5, 1}, true},    /* one matrix again and again */
      {{2, 3, 4, 5}, {0, 20, 5, 1}, false},  /* three, twice */
      {{2, 3, 4, 5}, {60, 20, 5, 2}, false}, /* no unit stride */
      {{2, 3, 4, 1}, {24, 8, 2, 1}, true},   /* columns may have a stride */
      {{2, 3, 1, 5}, {30, 10, 1, 2}, true},  /* rows as well */
      {{2, 3, 4, 5}, {60, 20, -5, 1}, false}, {{2, 3, 4, 5}, {60, 20, 1, 1}, false}, /* windows */
      {{2, 3, 4, 5}, {60, 20, 0, 1}, false},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    for (int transposed = 0; transposed <= 1; ++transposed) {
      pz_tensor t = pz_host_tensor(PZ_F32, NULL, 4, cases[k].shape);
      pz_mat m;
      t.strides = cases[k].strides;
      t.byte_offset = 4096;
      ck_assert_msg(pzi_lower(&t, PZI_AS_MATRIX, transposed, &m) == cases[k].lowers, "case %zu", k);
      if (!cases[k].lowers) {
        continue;
      }
      const int64_t* const n = cases[k].shape;
      const int64_t* const s = cases[k].strides;
      ck_assert_int_eq(m.batch, n[0] * n[1]);
      ck_assert(m.row_stride == 1 || m.col_stride == 1);
      for (int64_t e = 0; e < n[0] * n[1] * n[2] * n[3]; ++e) {
        const int64_t c = e % n[3];
        const int64_t r = e / n[3] % n[2];
        const int64_t b = e / n[3] / n[2];
        const int64_t expected = b / n[1] * s[0] + b % n[1] * s[1] + r * s[2] + c * s[3];
        const int64_t found = b * m.batch_stride + (transposed ? c : r) * m.row_stride +
                              (transposed ? r : c) * m.col_stride;
        if (found != expected) {
          ck_abort_msg("case %zu: element at %lld, expected %lld", k, (long long)found,
                       (long long)expected);
        }
      }
    }
  }
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("lower");
  tcase_add_test(tcase, test_lowering);
  return test_main_case(tcase);
}
