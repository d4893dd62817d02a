/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A tall matrix is made orthogonal in memory of its own size: 30000 x 50 takes 6 MB, one of
   30000 x 30000 would take 3.6 GB. Prints what registering, reading and differentiating took:
   all resident memory of the process, and the time. The time is not judged: what works on
   30000 x 30000 takes minutes and ends at the limit of the case, 60 s. */

#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { ROWS = 30000, COLS = 50 };

static const char* const maps[] = {
    "orthogonal", "orthogonal(map=matrix_exp)", "orthogonal(map=cayley)",
    "orthogonal(map=householder,trivialization=0)", "orthogonal(map=cayley,trivialization=0)"};

static double
seconds(const clockid_t clock)
{
  struct timespec now;
  ck_assert_int_eq(clock_gettime(clock, &now), 0);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Resident memory is what the program asks for, and not what watches it. */
static bool
memory_counts(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return getenv("TEST_ALLOCATIONS") == NULL; /* set under valgrind */
#endif
}

static pz_tensor
matrix(void)
{
  static const int64_t shape[] = {ROWS, COLS};
  float* const data = malloc(ROWS * COLS * sizeof(*data));
  ck_assert_ptr_nonnull(data);
  for (int k = 0; k < ROWS * COLS; ++k) {
    data[k] = (float)sin(0.1 * k * (1.0 + k % 7));
  }
  return pz_host_tensor(PZ_F32, data, 2, shape);
}

START_TEST(tall_matrices_take_their_own_size)
{
  pz_tensor w = matrix();
  pz_tensor value;
  pz_tensor gradient;
  struct rusage usage;
  ck_assert_ok(pz_module_add(module, "weight", PZ_PARAMETER, &w));
  const double start = seconds(CLOCK_MONOTONIC);
  const double start_own = seconds(CLOCK_PROCESS_CPUTIME_ID);
  ck_assert_ok(pz_register_parametrization(module, "weight", maps[_i], NULL));
  ck_assert_ok(pz_module_get(module, "weight", &value));
  ck_assert_ok(pz_module_backward(module, "weight", &w));
  ck_assert_ok(pz_module_gradient(module, "parametrizations.weight.original", &gradient));
  const double took = seconds(CLOCK_MONOTONIC) - start;
  const double own = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_own;
  ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
  const double resident = (double)usage.ru_maxrss / 1024.0;
  printf("# %s: %d x %d in %.3f s, %.3f s of processors, at most %.0f MiB resident\n", maps[_i],
         ROWS, COLS, took, own, resident);
  if (memory_counts()) {
    ck_assert_double_le(resident, 200.0);
  }
  ck_assert_ok(pz_module_read(module, "weight", &w));
  ck_assert_double_le(host_orthogonality(&w), 10.0 * ROWS * 1.2e-7);
  free(w.data);
}
END_TEST

int
main(void)
{
  TCase* const tests = fixture_case("tall");
  tcase_add_loop_test(tests, tall_matrices_take_their_own_size, 0, sizeof(maps) / sizeof(maps[0]));
  return test_main_case(tests);
}
