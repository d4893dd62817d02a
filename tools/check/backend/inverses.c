/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Inverses and solutions: against the reference with the condition in the tolerance, and
   by residual, which needs neither. */

#include "pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ||a^-1||, Frobenius, by the reference's own inversion in double, infinite where a is singular;
   a is n x n row-major. */
static double
inverse_norm(pair* const r, const int64_t n, double* const a)
{
  const side* const s = &r->sides[REFERENCE];
  double* const inverse = reals(n * n);
  const pz_mat x = {.data = a,
                    .rows = n,
                    .cols = n,
                    .row_stride = n,
                    .col_stride = 1,
                    .batch = 1,
                    .batch_stride = n * n,
                    .dtype = PZ_F64};
  pz_mat y = x;
  y.data = inverse;
  const pz_status status =
      s->ops->shifted_inverse(s->queue, PZ_GENERAL, 0.0, 1.0, 0.0, 1.0, &x, &y, &s->fault);
  const double norm = frobenius(n * n, inverse);
  free(inverse);
  ck_assert(status == PZ_OK || status == PZ_SINGULAR);
  return status == PZ_OK ? norm : INFINITY;
}

typedef enum shape { ANY, SKEW, STRONGLY_SKEW, SYMMETRIC, POSITIVE, SHAPES } shape;

/* An n x n matrix of norm about 1, or far more if strongly skew; positive ones are 2 I and more. */
static void
draw(pair* const r, const shape s, const int64_t n, double* const a)
{
  const double scale = s == STRONGLY_SKEW ? 300.0 : 1.0 / sqrt((double)n);
  double* const t = reals(2 * n * n);
  double* const square = t + n * n;
  for (int64_t e = 0; e < n * n; ++e) {
    a[e] = scale * test_normal(&r->random);
  }
  transpose(n, n, a, t);
  product(n, n, n, a, t, square);
  for (int64_t e = 0; e < n * n; ++e) {
    const int64_t i = e / n;
    const int64_t j = e % n;
    const double mirrored = i <= j ? a[e] : a[j * n + i];
    const double sign = i < j ? 1.0 : i > j ? -1.0 : 0.0;
    const double value[SHAPES] = {a[e], sign * mirrored, sign * mirrored, mirrored,
                                  i <= j ? square[e] + (i == j ? 2.0 : 0.0) : mirrored};
    a[e] = value[s];
  }
  free(t);
}

/* ||m^-1|| (|gamma| ||I|| + |delta| ||a||) <= 20 n^(3/2) for m = gamma I + delta a, as it is for
   nine of ten random matrices: then rounding errors make no m singular. */
static bool
is_regular(pair* const r, const int64_t n, const double gamma, const double delta,
           const double* const a)
{
  double* const m = reals(n * n);
  for (int64_t e = 0; e < n * n; ++e) {
    m[e] = delta * a[e] + (e / n == e % n ? gamma : 0.0);
  }
  const double terms = fabs(gamma) * sqrt((double)n) + fabs(delta) * frobenius(n * n, a);
  const double found = terms * inverse_norm(r, n, m);
  free(m);
  return found <= 20.0 * (double)n * sqrt((double)n);
}

/* Gives x a structure such that gamma I + delta x is far from singular: skew matrices are where
   gamma is no less than 1, positive ones where neither their sum nor their difference vanishes,
   and others are drawn again until they are. */
static uint32_t
make_structured(pair* const r, operand* const x, const shape s, const double gamma,
                const double delta)
{
  static const uint32_t structure[SHAPES] = {PZ_GENERAL, PZ_SKEW, PZ_SKEW, PZ_SYMMETRIC, PZ_SPD};
  const int64_t n = x->mat[0].rows;
  double* const a = reals(n * n);
  for (int64_t k = 0; k < operand_matrices(x); ++k) {
    do {
      draw(r, s, n, a);
      operand_set_matrix(x, k, a);
      operand_matrix(x, BEFORE, k, a); /* as rounded */
    } while ((s == ANY || s == SYMMETRIC) && !is_regular(r, n, gamma, delta, a));
  }
  free(a);
  return structure[s];
}

/* ||m (y - alpha I)/beta - I|| <= 50 n eps ||m|| ||m^-1|| for each matrix, where m is
   gamma I + delta x; returns the largest ||beta m^-1|| ||m|| ||m^-1|| for the comparison. */
static double
check_inverse(pair* const r, const operand* const x, const operand* const y, const double* const c)
{
  const int64_t n = x->mat[0].rows;
  double* const m = reals(n * n);
  double* const z = reals(n * n);
  double* const product_ = reals(n * n);
  double worst = 0.0;
  for (int64_t k = 0; k < x->mat[0].batch; ++k) {
    operand_matrix(x, BEFORE, k, m);
    for (int64_t e = 0; e < n * n; ++e) {
      m[e] = c[3] * m[e] + (e / n == e % n ? c[2] : 0.0);
    }
    const double norm = frobenius(n * n, m);
    const double inverse = inverse_norm(r, n, m);
    worst = fmax(worst, fabs(c[1]) * inverse * norm * inverse + fabs(c[0]));
    if (!r->offered) {
      continue;
    }
    operand_matrix(y, TESTED, k, z);
    for (int64_t e = 0; e < n * n; ++e) {
      z[e] = (z[e] - (e / n == e % n ? c[0] : 0.0)) / c[1];
    }
    product(n, n, n, m, z, product_);
    for (int64_t i = 0; i < n; ++i) {
      product_[i * n + i] -= 1.0;
    }
    const double limit =
        50.0 * (double)n * r->epsilon * (norm * inverse + norm * fabs(c[0] / c[1]));
    if (!(frobenius(n * n, product_) <= limit)) {
      pair_fail(r, "residual %.3g of inverse %lld, limit %.3g", frobenius(n * n, product_),
                (long long)k, limit);
    }
  }
  free(m);
  free(z);
  free(product_);
  return worst;
}

START_TEST(test_shifted_inverse)
{
  static const double cayley[4] = {-1.0, 2.0, 1.0, -1.0};
  static const double back[4] = {1.0, -2.0, 1.0, 1.0};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 3 * pair_trials(); ++trial) {
    pair_trial(r, trial / 3);
    const int64_t n = pair_size(r);
    const int64_t batch = pair_batch(r);
    const shape s = (shape)pair_pick(r, SHAPES);
    const double any[4] = {test_normal(&r->random), 1.0 + test_uniform(&r->random), 2.5,
                           0.5 + test_uniform(&r->random)};
    const double* const c = trial % 3 == 0 ? cayley : trial % 3 == 1 ? back : any;
    operand* const x = operand_in(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    const uint32_t in = make_structured(r, x, s, c[2], c[3]);
    RUN(r, shifted_inverse, in, c[0], c[1], c[2], c[3], AT(x), AT(y), FAULT);
    expect_ok(r);
    expect_close(r, y, check_inverse(r, x, y, c) * sqrt((double)batch));
  }
  pair_close(r);
}
END_TEST

/* Orders whose halves, and halves of halves, differ, each on a queue without memory of its own
   yet: what one order needs may not be what a smaller one left. */
START_TEST(test_unequal_halves)
{
  static const int64_t orders[] = {17, 33, 65, 129};
  for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); ++k) {
    pair it;
    pair* const r = &it;
    static const double c[4] = {-1.0, 2.0, 1.0, -1.0};
    const int64_t n = orders[k];
    pair_open(r, _i);
    operand* const x = operand_in(r, n, n, 5);
    operand* const y = operand_out(r, n, n, 5);
    const uint32_t in = make_structured(r, x, SKEW, c[2], c[3]);
    RUN(r, shifted_inverse, in, c[0], c[1], c[2], c[3], AT(x), AT(y), FAULT);
    expect_ok(r);
    expect_close(r, y, check_inverse(r, x, y, c) * sqrt(5.0));
    pair_close(r);
  }
}
END_TEST

/* Without pivoting these divide by zero: gamma I + delta x is an anti-diagonal or cyclic
   permutation, or the 2 x 2 matrix of ones less I. Small ones are right even if they are said to be
   skew, where the backend inverts them itself. */
START_TEST(test_needs_pivots)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int64_t n = 2; n <= 40; ++n) {
    for (int kind = 0; kind < (n <= 16 && !pair_is_routed() ? 4 : 2); ++kind) {
      const bool cyclic = kind % 2 != 0;
      const uint32_t in = kind < 2 ? PZ_GENERAL : PZ_SKEW;
      pair_trial(r, 0);
      operand* const x = operand_in(r, n, n, 2);
      operand* const y = operand_out(r, n, n, 2);
      operand_fill(x, 0.0);
      for (int64_t k = 0; k < operand_matrices(x); ++k) {
        for (int64_t i = 0; i < n; ++i) {
          const int64_t j = cyclic ? (i + 1) % n : n - 1 - i;
          operand_put(x, k, i, i, 1.0);
          operand_put(x, k, i, j, (i == j ? 1.0 : 0.0) + 1.0);
        }
      }
      // I - x = -permutation, so y = -I - 2 permutation^T
      RUN(r, shifted_inverse, in, -1.0, 2.0, 1.0, -1.0, AT(x), AT(y), FAULT);
      expect_exact(r, y);
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_singular)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const int64_t batch = 3;
    const int64_t place = pair_pick(r, batch);
    const int64_t dead = pair_pick(r, n);
    operand* const x = operand_inout(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    operand* const b = operand_in(r, n, 2, batch);
    operand* const z = operand_out(r, n, 2, batch);
    x->role = OPERAND_IN;
    for (int64_t k = 0; k < batch; ++k) {
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          // rows of 2 I and at most 1/2 more; a column of zeros stays one through any elimination
          const double value = (test_uniform(&r->random) - 0.5) / (double)n;
          operand_put(x, k, i, j, k == place && j == dead ? 0.0 : value + (i == j ? 2.0 : 0.0));
        }
      }
    }
    RUN(r, shifted_inverse, PZ_GENERAL, 0.5, 1.0, 0.0, 1.0, AT(x), AT(y), FAULT);
    expect_singular(r, y, place, 10.0 * sqrt((double)n));
    RUN(r, solve, PZ_GENERAL, AT(x), AT(b), AT(z), FAULT);
    expect_singular(r, z, place, 10.0 * operand_norm(b, BEFORE));
  }
  pair_close(r);
}
END_TEST

START_TEST(test_solve)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 3 * pair_trials(); ++trial) {
    pair_trial(r, trial / 3);
    const int64_t n = pair_size(r);
    const int64_t cols = pair_size(r);
    const int64_t batch = pair_batch(r);
    const shape s = pair_pick(r, 2) ? ANY : POSITIVE;
    operand* const a = operand_in(r, n, n, batch);
    operand* const b = operand_in(r, n, cols, batch);
    operand* const x = operand_out(r, n, cols, batch);
    const uint32_t in = make_structured(r, a, s, 0.0, 1.0);
    RUN(r, solve, in, AT(a), AT(b), AT(x), FAULT);
    expect_ok(r);
    double* const at = reals(n * n);
    double* const xt = reals(n * cols);
    double* const bt = reals(n * cols);
    double* const ax = reals(n * cols);
    double worst = 0.0;
    for (int64_t k = 0; r->offered && k < batch; ++k) {
      operand_matrix(a, BEFORE, k, at);
      operand_matrix(b, BEFORE, k, bt);
      operand_matrix(x, TESTED, k, xt);
      product(n, n, cols, at, xt, ax);
      const double norm = frobenius(n * n, at);
      const double residual = distance(n * cols, ax, bt);
      // backward stable, whatever the condition: ||a x - b|| <= c n eps ||a|| ||x||
      const double limit = 50.0 * (double)n * r->epsilon * norm * frobenius(n * cols, xt);
      if (!(residual <= limit)) {
        pair_fail(r, "residual %.3g of solution %lld, limit %.3g", residual, (long long)k, limit);
      }
      worst = fmax(worst, norm * inverse_norm(r, n, at));
    }
    expect_close(r, x, worst * operand_norm(x, REFERENCE));
    free(at);
    free(xt);
    free(bt);
    free(ax);
  }
  pair_close(r);
}
END_TEST

/* Batches large enough to go together: every matrix comes out as it should, whatever its
   neighbours are, and NaN or Inf stays in its own. */
START_TEST(test_batches)
{
  static const double cayley[4] = {-1.0, 2.0, 1.0, -1.0};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 8 * pair_trials(); ++trial) {
    pair_trial(r, 0);
    const int64_t n = pair_small_order(r);
    const int64_t batch = pair_small_batch(r);
    const shape s = (shape)pair_pick(r, SHAPES);
    const bool spoiled = pair_pick(r, 4) == 0;
    operand* const x = operand_in(r, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    const uint32_t in = make_structured(r, x, s, cayley[2], cayley[3]);
    if (spoiled) {
      const int64_t place = pair_pick(r, operand_matrices(x));
      operand_put(x, place, pair_pick(r, n), pair_pick(r, n), trial % 2 ? NAN : INFINITY);
      RUN(r, shifted_inverse, in, cayley[0], cayley[1], cayley[2], cayley[3], AT(x), AT(y), FAULT);
      expect_ok(r);
      expect_spoiled(r, y, operand_matrices(x) == 1 ? -1 : place);
      continue;
    }
    RUN(r, shifted_inverse, in, cayley[0], cayley[1], cayley[2], cayley[3], AT(x), AT(y), FAULT);
    expect_ok(r);
    expect_close(r, y, check_inverse(r, x, y, cayley) * sqrt((double)batch));
  }
  pair_close(r);
}
END_TEST

/* The same of orders that backends take in panels or blocks. */
START_TEST(test_spoiled)
{
  static const int64_t orders[] = {33, 64, 100};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 12; ++trial) {
    pair_trial(r, 0);
    const int64_t n = orders[trial % 3];
    const shape s = (shape)pair_pick(r, SHAPES);
    operand* const x = operand_in(r, n, n, 2);
    operand* const y = operand_out(r, n, n, 2);
    const uint32_t in = make_structured(r, x, s, 1.0, -1.0);
    const int64_t place = pair_pick(r, operand_matrices(x));
    operand_put(x, place, pair_pick(r, n), pair_pick(r, n), trial < 6 ? INFINITY : NAN);
    RUN(r, shifted_inverse, in, -1.0, 2.0, 1.0, -1.0, AT(x), AT(y), FAULT);
    expect_ok(r);
    expect_spoiled(r, y, operand_matrices(x) == 1 ? -1 : place);
  }
  pair_close(r);
}
END_TEST

/* Between the skew parts of y as tested and of a batch of matrices in rows. */
static double
skew_distance(const operand* const y, const double* a)
{
  const int64_t n = y->mat[0].rows;
  double squares = 0.0;
  for (int64_t k = 0; k < y->mat[0].batch; ++k, a += n * n) {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        const double found = operand_get(y, TESTED, k, i, j) - operand_get(y, TESTED, k, j, i);
        const double difference = found - (a[i * n + j] - a[j * n + i]);
        squares += difference * difference / 2.0;
      }
    }
  }
  return sqrt(squares);
}

START_TEST(test_adjoint)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < 6 * pair_trials(); ++trial) {
    pair_trial(r, trial / 6);
    const bool many = trial % 2 == 0;
    const int64_t n = many ? pair_small_order(r) : pair_size(r);
    const int64_t batch = many ? pair_small_batch(r) : pair_batch(r);
    const double alpha = test_normal(&r->random);
    const double beta = 0.5 + test_uniform(&r->random);
    const double delta = test_normal(&r->random);
    operand* const y = operand_in(r, n, n, batch);
    operand* const gy = operand_in(r, n, n, batch);
    operand* const gx = operand_out(r, n, n, batch);
    const double norm = operand_norm(y, BEFORE) + fabs(alpha) * sqrt((double)(n * batch));
    const double scale = fabs(delta / beta) * norm * norm * operand_norm(gy, BEFORE);
    RUN(r, shifted_inverse_adjoint, PZ_GENERAL, alpha, beta, delta, AT(y), AT(gy), AT(gx));
    expect_ok(r);
    expect_close(r, gx, scale);
    // known to be skew: the same skew part
    double* const expected = reals(n * n * batch);
    for (int64_t k = 0; k < batch; ++k) {
      operand_matrix(gx, REFERENCE, k, expected + k * n * n);
    }
    operand* const skew = operand_out(r, n, n, batch);
    RUN(r, shifted_inverse_adjoint, PZ_SKEW, alpha, beta, delta, AT(y), AT(gy), AT(skew));
    expect_ok(r);
    const double found = r->offered ? skew_distance(skew, expected) : 0.0;
    const double limit = 50.0 * (double)n * r->epsilon * scale;
    if (!(found <= limit)) {
      pair_fail(r, "skew part at distance %.3g, limit %.3g", found, limit);
    }
    free(expected);
  }
  pair_close(r);
}
END_TEST

TCase*
inverses_case(void)
{
  TCase* const t = tcase_create("inverses");
  tcase_add_loop_test(t, test_shifted_inverse, 0, 2);
  tcase_add_loop_test(t, test_unequal_halves, 0, 2);
  tcase_add_loop_test(t, test_needs_pivots, 0, 2);
  tcase_add_loop_test(t, test_singular, 0, 2);
  tcase_add_loop_test(t, test_solve, 0, 2);
  tcase_add_loop_test(t, test_batches, 0, 2);
  tcase_add_loop_test(t, test_spoiled, 0, 2);
  tcase_add_loop_test(t, test_adjoint, 0, 2);
  return t;
}
