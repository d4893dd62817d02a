/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Summaries of more draws than an int counts. All draws are 0 but for one, in pages that are read and
   never written, so they take no memory. */

#include "summary.h"

#include "support.h"

#include <math.h>
#include <sys/mman.h>

START_TEST(test_more_than_an_int)
{
  const long chains = 108000;
  const long n = 20000;
  const size_t total = (size_t)(chains * n);
  double* const draws = mmap(NULL, total * sizeof(double), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ck_assert_ptr_ne(draws, MAP_FAILED);
  draws[total - 1] = (double)total;
  const summary s = summarize(draws, chains, n);
  /* the mean is 1, the mean square is total, and one chain has it all */
  ck_assert_double_eq_tol(s.mean, 1.0, 1e-12);
  ck_assert_double_eq_tol(s.variance, (double)total - 1.0, 1e-3);
  ck_assert_double_eq_tol(s.mean_error, 1.0, 1e-6);
  const double r_hat = sqrt(1.0 + (double)(chains - 1) / (double)(chains * (n - 1)));
  ck_assert_double_eq_tol(s.r_hat, r_hat, 1e-9);
  (void)munmap(draws, total * sizeof(double));
}
END_TEST

int
main(void)
{
  TCase* const tests = tcase_create("summary");
  tcase_set_timeout(tests, 0);
  tcase_add_test(tests, test_more_than_an_int);
  return test_main_case(tests);
}
