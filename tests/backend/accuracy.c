/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What is known of a matrix may make its inverse faster, not worse. Skew matrices go through
   shifted_inverse twice, as skew and as any others: the error of the first, root mean square
   over a batch, stays within four times that of the second, and what n roundings of the result
   come to, eps sqrt(n) / 2 of its norm: elimination adds n terms to every entry one by one,
   where LAPACK adds their sum. Errors are those against elimination with pivoting in long
   double. Nor may threads change anything. */

#include "rig.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum family { FULL, GRADED, BANDED, LOW_RANK, FAMILIES } family;

/* A skew matrix of about norm `scale`. */
static void
make_skew(rig* const r, const family f, const int64_t n, const double scale, double* const a)
{
  double* const u = reals(2 * n);
  double* const v = u + n;
  for (int64_t i = 0; i < n; ++i) {
    u[i] = test_normal(&r->random);
    v[i] = test_normal(&r->random);
  }
  for (int64_t i = 0; i < n; ++i) {
    a[i * n + i] = 0.0;
    for (int64_t j = i + 1; j < n; ++j) {
      const double any = test_normal(&r->random) / sqrt((double)n);
      const double grade = pow(10.0, -3.0 * (double)(i + j) / (double)n);
      const double value[FAMILIES] = {any, any * grade, j - i <= 2 ? any : 0.0,
                                      (u[i] * v[j] - u[j] * v[i]) / (double)n + 1e-4 * any};
      a[i * n + j] = scale * value[f];
      a[j * n + i] = -a[i * n + j];
    }
  }
  free(u);
}

/* inverse <- (I - a)^-1 */
static void
invert_exactly(const int64_t n, const double* const a, double* const inverse)
{
  const int64_t width = 2 * n;
  long double* const m = malloc((size_t)(n * width) * sizeof(*m));
  ck_assert_ptr_nonnull(m);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      m[i * width + j] = (i == j ? 1.0L : 0.0L) - (long double)a[i * n + j];
      m[i * width + n + j] = i == j ? 1.0L : 0.0L;
    }
  }
  for (int64_t k = 0; k < n; ++k) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; ++i) {
      best = fabsl(m[i * width + k]) > fabsl(m[best * width + k]) ? i : best;
    }
    const long double pivot = m[best * width + k];
    for (int64_t j = 0; j < width; ++j) {
      const long double v = m[best * width + j];
      m[best * width + j] = m[k * width + j];
      m[k * width + j] = v / pivot;
    }
    for (int64_t i = 0; i < n; ++i) {
      const long double factor = i == k ? 0.0L : m[i * width + k];
      for (int64_t j = 0; j < width && factor != 0.0L; ++j) {
        m[i * width + j] -= factor * m[k * width + j];
      }
    }
  }
  for (int64_t e = 0; e < n * n; ++e) {
    inverse[e] = (double)m[e / n * width + n + e % n];
  }
  free(m);
}

/* Root mean square, over the batch, of the distance of y from (I - x)^-1. */
static double
error_of(const operand* const x, const operand* const y)
{
  const int64_t n = x->mat[0].rows;
  const int64_t batch = x->mat[0].batch;
  double* const a = reals(n * n);
  double* const exact = reals(n * n);
  double squares = 0.0;
  for (int64_t k = 0; k < batch; ++k) {
    operand_matrix(x, BEFORE, k, a);
    invert_exactly(n, a, exact);
    operand_matrix(y, TESTED, k, a);
    squares += pow(distance(n * n, a, exact), 2.0);
  }
  free(a);
  free(exact);
  return sqrt(squares / (double)batch);
}

START_TEST(test_no_worse_for_being_skew)
{
  static const double scales[] = {1e-6, 1e-3, 1e-1, 1.0, 3.0, 10.0, 30.0, 1e2, 1e3, 1e4};
  static const int64_t orders[] = {2, 3, 4, 5, 8, 13, 16, 17, 31, 32, 33, 48, 65};
  enum { N_SCALES = sizeof(scales) / sizeof(scales[0]) };
  enum { N_ORDERS = sizeof(orders) / sizeof(orders[0]) };
  enum { BATCH = 35 };
  rig it;
  rig* const r = &it;
  rig_open(r, _i % 2);
  for (int trial = _i / 2; trial < N_SCALES * N_ORDERS; trial += 2) {
    rig_trial(r, 0);
    const int64_t n = orders[trial % N_ORDERS];
    const double scale = scales[trial / N_ORDERS];
    const family f = (family)rig_pick(r, FAMILIES);
    operand* const x = operand_new(r, OPERAND_INOUT, r->dtype, n, n, BATCH);
    operand* const fast = operand_out(r, n, n, BATCH);
    operand* const safe = operand_out(r, n, n, BATCH);
    double* const a = reals(n * n);
    x->role = OPERAND_IN;
    for (int64_t k = 0; k < BATCH; ++k) {
      make_skew(r, f, n, scale, a);
      for (int64_t e = 0; e < n * n; ++e) {
        operand_put(x, k, e / n, e % n, a[e]);
      }
    }
    free(a);
    RUN(r, shifted_inverse, PZ_SKEW, 0.0, 1.0, 1.0, -1.0, AT(x), AT(fast), FAULT);
    expect_ok(r);
    const double found = r->offered ? error_of(x, fast) : 0.0; // the next run clears it
    RUN(r, shifted_inverse, PZ_GENERAL, 0.0, 1.0, 1.0, -1.0, AT(x), AT(safe), FAULT);
    expect_ok(r);
    if (!r->offered) {
      break;
    }
    const double expected = error_of(x, safe);
    const double norm = operand_norm(safe, TESTED) / sqrt((double)BATCH);
    const double floor = 0.5 * sqrt((double)n) * r->epsilon * norm;
    if (!(found <= 4.0 * expected + floor)) {
      rig_fail(r, "error %.3g of family %d at scale %g, that of the pivoted route %.3g, floor %.3g",
               found, (int)f, scale, expected, floor);
    }
  }
  rig_close(r);
}
END_TEST

/* Tells OpenBLAS, where it is in this process, and with it the cpu backend. */
static void
use_threads(const int n)
{
  void* const address = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
  void (*function)(int);
  if (address) {
    memcpy(&function, &address, sizeof(function));
    function(n);
  }
}

/* Fills `out` with the batch that the last run of the tested side made. */
static void
keep(const operand* const y, double* const out)
{
  const int64_t n = y->mat[0].rows;
  for (int64_t k = 0; k < y->mat[0].batch; ++k) {
    operand_matrix(y, TESTED, k, out + k * n * n);
  }
}

/* Batches large enough to be shared among threads come out bit for bit the same however many
   there are. */
START_TEST(test_threads_change_nothing)
{
  static const int64_t orders[] = {3, 8, 13, 16, 27, 32};
  rig it;
  rig* const r = &it;
  rig_open(r, _i);
  for (int trial = 0; trial < 6; ++trial) {
    rig_trial(r, 0);
    const int64_t n = orders[trial];
    const int64_t batch = 400000 / (n * n * n) + 1003;
    operand* const x = operand_in(r, n, n, batch);
    operand* const g = operand_in(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    double* const results = reals(2 * n * n * batch);
    double* const again = results + n * n * batch;
    for (int op = 0; op < 5; ++op) {
      for (int threads = 1; threads <= 3; ++threads) {
        use_threads(threads);
        switch (op) {
        case 0:
          RUN(r, shifted_inverse, PZ_GENERAL, -1.0, 2.0, 30.0, -1.0, AT(x), AT(y), FAULT);
          break;
        case 1:
          RUN(r, shifted_inverse, PZ_SKEW, -1.0, 2.0, 30.0, -1.0, AT(x), AT(y), FAULT);
          break;
        case 2:
          RUN(r, shifted_inverse_adjoint, PZ_GENERAL, -1.0, 2.0, -1.0, AT(x), AT(g), AT(y));
          break;
        case 3:
          RUN(r, gemm, 1.5, AT(x), AT(g), 0.0, AT(y));
          break;
        default:
          RUN(r, fold, PZ_UPPER, -1, AT(x), AT(y));
          break;
        }
        expect_ok(r);
        keep(y, threads == 1 ? results : again);
        if (r->offered && threads > 1 &&
            memcmp(results, again, (size_t)(n * n * batch) * sizeof(double)) != 0) {
          rig_fail(r, "with %d threads other results than with one", threads);
        }
      }
    }
    use_threads(1);
    free(results);
  }
  rig_close(r);
}
END_TEST

TCase*
accuracy_case(void)
{
  TCase* const t = tcase_create("accuracy");
  tcase_add_loop_test(t, test_no_worse_for_being_skew, 0, 4);
  tcase_add_loop_test(t, test_threads_change_nothing, 0, 2);
  return t;
}
