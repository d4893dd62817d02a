/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: recursions DEVICE: rows of coefficients that are computed one by one and in blocks. */

#include <rig.h>

#include <stdlib.h>
#include <string.h>

static const char* device;

enum { N = 37, MOST = 17 };

/* The value, the gradient and the derivative of so many rows, of which row k has the numbers of row k of
   any other number of rows. */
static void
run(rig* const r, const int64_t rows, const double* const x, const double* const g, double* out[3])
{
  rig_from_tensor(r, "stationary", PZ_F64, 2, (const int64_t[]){rows, N});
  rig_write_originals(r, x);
  out[0] = rig_forward(r);
  out[1] = rig_gradients(r, g);
  out[2] = rig_jvp(r, g);
}

START_TEST(rows_do_not_depend_on_their_number)
{
  const bool exact = strcmp(device, "cpu") == 0 || strcmp(device, "reference") == 0;
  double* all[3];
  rig r;
  rig_open(&r, NULL, device);
  double* const x = rig_normal(&r, PZ_F64, MOST * N, 0.5);
  double* const g = rig_normal(&r, PZ_F64, MOST * N, 1.0);
  run(&r, MOST, x, g, all);
  for (int64_t rows = 1; rows < MOST; ++rows) {
    double* some[3];
    run(&r, rows, x, g, some);
    for (int k = 0; k < 3; ++k) {
      const bool same = memcmp(some[k], all[k], (size_t)(rows * N) * sizeof(double)) == 0;
      const bool close = test_relative(PZ_F64, some[k], all[k], rows * N) <= 1e-13;
      ck_assert_msg(exact ? same : close, "%d rows give other numbers than %d", (int)rows, MOST);
      free(some[k]);
    }
  }
  for (int k = 0; k < 3; ++k) {
    free(all[k]);
  }
  free(x);
  free(g);
  rig_close(&r);
}
END_TEST

/* A single series, the usual case, saves its own coefficients alone. */
START_TEST(one_row_takes_the_memory_of_one)
{
  enum { ORDER = 400 };
  pz_eval_usage usage = {.size = sizeof(usage)};
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, "stationary", PZ_F64, 1, (const int64_t[]){ORDER});
  rig_fill(&r, 0.1);
  free(rig_forward(&r));
  ck_assert_ok(pz_eval_memory(r.eval, &usage));
  ck_assert_uint_ge(usage.saved_bytes, ORDER * (ORDER + 1) / 2 * sizeof(double));
  ck_assert_uint_le(usage.saved_bytes, (uint64_t)ORDER * ORDER * sizeof(double));
  rig_close(&r);
}
END_TEST

int
main(const int argc, char** const argv)
{
  TCase* const tcase = tcase_create("recursions");
  device = argc > 1 ? argv[1] : "reference";
  if (test_skips_device(device)) {
    return 0;
  }
  tcase_add_test(tcase, rows_do_not_depend_on_their_number);
  tcase_add_test(tcase, one_row_takes_the_memory_of_one);
  return test_main_case(tcase);
}
