/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Exponentials of small matrices, and their adjoints. */

#include "pair.h"

#include <math.h>
#include <stdlib.h>

static const uint32_t structures[] = {PZ_GENERAL, PZ_SKEW, PZ_SYMMETRIC, PZ_SPD};

/* Normal matrices of spectral norm about `size` for some, less for others. */
static double
make(pair* const r, operand* const x, const uint32_t in, const double size)
{
  const int64_t n = x->mat[0].rows;
  double* const a = reals(n * n);
  double largest = 0.0;
  for (int64_t k = 0; k < operand_matrices(x); ++k) {
    const double each = pair_pick(r, 3) == 0 ? size : size * pow(10.0, -(double)pair_pick(r, 10));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        const double sign = in == PZ_SKEW ? -1.0 : 1.0;
        const double lower = each * test_normal(&r->random) / sqrt((double)(4 * n));
        const double upper = each * test_normal(&r->random) / sqrt((double)(4 * n));
        a[j * n + i] = upper;
        a[i * n + j] = in == PZ_GENERAL ? lower : i == j && in == PZ_SKEW ? 0.0 : sign * upper;
      }
    }
    operand_set_matrix(x, k, a);
    const double norm = frobenius(n, a);
    largest = norm > largest ? norm : largest;
  }
  free(a);
  return largest;
}

/* What rounding errors may grow by: every squaring doubles them, from the bound of degree 18 on. */
static double
growth(const pair* const r, const double norm)
{
  return 1.0 + norm / (r->dtype == PZ_F32 ? 3.01 : 1.09);
}

/* Across lanes and not, whole groups and less. */
static int64_t
some_batch(pair* const r)
{
  static const int64_t batches[] = {1, 2, 7, 16, 33, 70};
  return batches[pair_pick(r, sizeof(batches) / sizeof(batches[0]))];
}

/* Largest |a_ij + sign a_ji - (b_ij + sign b_ji)| / 2 of a batch, over b's largest entry. */
static double
part_distance(const operand* const o, const double sign)
{
  const int64_t n = o->mat[0].rows;
  double distance = 0.0;
  double size = 0.0;
  for (int64_t k = 0; k < o->mat[0].batch; ++k) {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const double a = operand_get(o, TESTED, k, i, j) + sign * operand_get(o, TESTED, k, j, i);
        const double b = operand_get(o, REFERENCE, k, i, j);
        const double difference = a - (b + sign * operand_get(o, REFERENCE, k, j, i));
        distance = fabs(difference) > distance ? fabs(difference) : distance;
        size = fabs(b) > size ? fabs(b) : size;
      }
    }
  }
  return size > 0.0 ? 0.5 * distance / size : 0.5 * distance;
}

/* Nothing stands in for what a backend lacks. */
static bool
is_offered(const pair* const r)
{
  const pz_backend_ops* const ops = r->sides[TESTED].ops;
  return ops->exponential && ops->exponential_adjoint;
}

START_TEST(test_values)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; is_offered(r) && trial < 4 * pair_trials(); ++trial) {
    pair_trial(r, 0);
    const uint32_t in = structures[trial % 4];
    const int64_t n = 1 + pair_pick(r, PZ_EXPONENTIAL_ORDER);
    operand* const x = operand_in(r, n, n, some_batch(r));
    operand* const y = operand_out(r, n, n, x->mat[0].batch);
    const double norm = make(r, x, in, trial % 3 == 0 ? 0.5 : in == PZ_SKEW ? 30.0 : 4.0);
    RUN(r, exponential, in, AT(x), AT(y));
    expect_ok(r);
    expect_close(r, y, growth(r, norm) * operand_norm(y, REFERENCE));
    for (int64_t i = 0; in >= PZ_SYMMETRIC && in != PZ_SKEW && r->offered && i < n; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        if (operand_get(y, TESTED, 0, i, j) != operand_get(y, TESTED, 0, j, i)) {
          pair_fail(r, "entries (%lld, %lld) are not symmetric", (long long)i, (long long)j);
        }
      }
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_adjoints)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; is_offered(r) && trial < 4 * pair_trials(); ++trial) {
    pair_trial(r, 0);
    const uint32_t in = structures[trial % 4];
    const int64_t n = 1 + pair_pick(r, PZ_EXPONENTIAL_ORDER);
    operand* const x = operand_in(r, n, n, some_batch(r));
    operand* const gy = operand_in(r, n, n, x->mat[0].batch);
    operand* const gx = operand_out(r, n, n, x->mat[0].batch);
    const double norm = make(r, x, in, trial % 3 == 0 ? 0.5 : in == PZ_SKEW ? 300.0 : 4.0);
    RUN(r, exponential_adjoint, in, AT(x), AT(gy), AT(gx));
    if (in == PZ_GENERAL) {
      expect_ok(r);
      expect_close(r, gx, growth(r, norm) * operand_norm(gx, REFERENCE));
      continue;
    }
    expect_ok(r);
    const double found = r->offered ? part_distance(gx, in == PZ_SKEW ? -1.0 : 1.0) : 0.0;
    const double limit = 50.0 * (double)n * r->epsilon * growth(r, norm);
    if (!(found <= limit)) {
      pair_fail(r, "the part at relative distance %.3g, limit %.3g", found, limit);
    }
  }
  pair_close(r);
}
END_TEST

/* NaN and Inf stay in their own matrix and fill it. */
START_TEST(test_spoiled)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; is_offered(r) && trial < 2 * pair_trials(); ++trial) {
    pair_trial(r, 0);
    const int64_t n = 1 + pair_pick(r, PZ_EXPONENTIAL_ORDER);
    operand* const x = operand_in(r, n, n, some_batch(r));
    operand* const y = operand_out(r, n, n, x->mat[0].batch);
    const int64_t place = pair_pick(r, operand_matrices(x));
    (void)make(r, x, PZ_GENERAL, 2.0);
    operand_put(x, place, pair_pick(r, n), pair_pick(r, n), trial % 2 == 0 ? NAN : INFINITY);
    RUN(r, exponential, PZ_GENERAL, AT(x), AT(y));
    expect_ok(r);
    for (int64_t k = 0; r->offered && k < y->mat[0].batch; ++k) {
      const bool own = k == place || operand_matrices(x) == 1;
      for (int64_t i = 0; i < n * n; ++i) {
        if ((isfinite(operand_get(y, TESTED, k, i / n, i % n)) != 0) == own) {
          pair_fail(r, "entry %lld of matrix %lld, spoiled %lld", (long long)i, (long long)k,
                    (long long)place);
        }
      }
    }
  }
  pair_close(r);
}
END_TEST

TCase*
exponentials_case(void)
{
  TCase* const t = tcase_create("exponentials");
  tcase_add_loop_test(t, test_values, 0, 2);
  tcase_add_loop_test(t, test_adjoints, 0, 2);
  tcase_add_loop_test(t, test_spoiled, 0, 2);
  return t;
}
