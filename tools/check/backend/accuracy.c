/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* What is known of a matrix may make its inverse faster, not worse. Skew matrices go through
   shifted_inverse twice, as skew and as any others, in one batch and one by one. Where the results
   differ at all, each has an error against elimination with pivoting in long double, divided by
   eps |A^-1| and by the condition number |A| |A^-1| / n (Frobenius norms). Of the first, the root
   mean square over a batch stays within twice that of the second, and the largest within twice the
   largest of the second and 8. Nor may threads change anything, nor what else is in the batch. */

#include "pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum family { FULL, GRADED, BANDED, LOW_RANK, FAMILIES } family;

/* A skew matrix of about norm `scale`. */
static void
make_skew(pair* const r, const family f, const int64_t n, const double scale, double* const a)
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

/* Fills `out` with the batch that the last run of the tested side made. */
static void
keep(const operand* const y, double* const out)
{
  const int64_t n = y->mat[0].rows;
  for (int64_t k = 0; k < y->mat[0].batch; ++k) {
    operand_matrix(y, TESTED, k, out + k * n * n);
  }
}

/* Of one route, over the matrices of a batch that the routes do not agree about. */
typedef struct errors {
  double squares;
  double most;
} errors;

static void
add_error(errors* const e, const double error)
{
  e->squares += error * error;
  e->most = fmax(e->most, error);
}

/* Holds inverses of I - x by one route against those by the other. */
static void
compare(const pair* const r, const operand* const x, const double* const fast,
        const double* const safe)
{
  enum { ENOUGH = 32 }; /* for a mean that says something */
  const int64_t n = x->mat[0].rows;
  const int64_t size = n * n;
  double* const a = reals(2 * size);
  double* const exact = a + size;
  errors found = {0.0, 0.0};
  errors expected = {0.0, 0.0};
  int count = 0;
  for (int64_t k = 0; k < x->mat[0].batch; ++k) {
    if (memcmp(fast + k * size, safe + k * size, (size_t)size * sizeof(double)) == 0) {
      continue;
    }
    operand_matrix(x, BEFORE, k, a);
    invert_exactly(n, a, exact);
    const double norm = frobenius(size, exact);
    const double condition = hypot(sqrt((double)n), frobenius(size, a)) * norm / (double)n;
    const double unit = r->epsilon * norm * condition;
    add_error(&found, distance(size, fast + k * size, exact) / unit);
    add_error(&expected, distance(size, safe + k * size, exact) / unit);
    count += 1;
  }
  free(a);
  if (count >= ENOUGH && !(found.squares <= 4.0 * expected.squares)) {
    pair_fail(r, "error %.3g, that of the pivoted route %.3g, over %d matrices",
              sqrt(found.squares / count), sqrt(expected.squares / count), count);
  }
  if (!(found.most <= 2.0 * expected.most + 8.0)) {
    pair_fail(r, "largest error %.3g, that of the pivoted route %.3g", found.most, expected.most);
  }
}

/* (I - x)^-1 of a batch at once, or of every matrix by itself. */
static pz_status
invert(const side* const s, const bool at_once, const uint32_t in, const pz_mat* const x,
       const pz_mat* const y)
{
  if (!s->ops->shifted_inverse) {
    return PZ_UNSUPPORTED;
  }
  if (at_once) {
    return s->ops->shifted_inverse(s->queue, in, 0.0, 1.0, 1.0, -1.0, x, y, &s->fault);
  }
  const uint64_t size = pz_dtype_size(x->dtype);
  for (int64_t k = 0; k < y->batch; ++k) {
    pz_mat from = *x;
    pz_mat to = *y;
    from.batch = 1;
    to.batch = 1;
    from.byte_offset += (uint64_t)(k * x->batch_stride) * size;
    to.byte_offset += (uint64_t)(k * y->batch_stride) * size;
    PZ_TRY(s->ops->shifted_inverse(s->queue, in, 0.0, 1.0, 1.0, -1.0, &from, &to, &s->fault));
  }
  return PZ_OK;
}

static void
run_inverse(pair* const r, const bool at_once, const uint32_t in, const operand* const x,
            const operand* const y)
{
  r->op = "shifted_inverse";
  while (pair_step(r)) {
    r->result = invert(&r->sides[r->turn], at_once, in, AT(x), AT(y));
  }
  expect_ok(r);
}

START_TEST(test_no_worse_for_being_skew)
{
  static const double scales[] = {1e-6, 1e-3, 1e-1, 1.0, 2.0, 3.0, 10.0, 30.0, 1e2, 1e3, 1e4};
  static const int64_t orders[] = {2, 3, 4, 5, 8, 13, 16, 17, 31, 33, 65};
  enum { N_SCALES = sizeof(scales) / sizeof(scales[0]) };
  enum { N_ORDERS = sizeof(orders) / sizeof(orders[0]) };
  pair it;
  pair* const r = &it;
  pair_open(r, _i % 2);
  const bool offered =
      r->sides[TESTED].ops->shifted_inverse && r->sides[TESTED].ops != r->sides[REFERENCE].ops;
  for (int trial = _i / 2; offered && trial < N_SCALES * N_ORDERS; trial += 2) {
    if (!test_takes(trial / 2, 4)) {
      continue;
    }
    pair_trial(r, 0);
    const int64_t n = orders[trial % N_ORDERS];
    const int64_t batch = n <= 17 ? 128 : n <= 33 ? 64 : 32;
    const double scale = scales[trial / N_ORDERS];
    const family f = (family)pair_pick(r, FAMILIES);
    const bool at_once = pair_pick(r, 3) > 0;
    operand* const x = operand_new(r, OPERAND_INOUT, r->dtype, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    double* const fast = reals(2 * batch * n * n);
    double* const safe = fast + batch * n * n;
    double* const a = reals(n * n);
    x->role = OPERAND_IN;
    for (int64_t k = 0; k < batch; ++k) {
      make_skew(r, f, n, scale, a);
      for (int64_t e = 0; e < n * n; ++e) {
        operand_put(x, k, e / n, e % n, a[e]);
      }
    }
    free(a);
    run_inverse(r, at_once, PZ_SKEW, x, y);
    keep(y, fast);
    run_inverse(r, at_once, PZ_GENERAL, x, y);
    keep(y, safe);
    if (r->offered) {
      compare(r, x, fast, safe);
    }
    free(fast);
  }
  pair_close(r);
}
END_TEST

static const int64_t orders_shared[] = {3, 8, 13, 16, 27, 32};
enum { N_SHARED = sizeof(orders_shared) / sizeof(orders_shared[0]) };
enum { N_SHARING = 7 }; /* operations that share a batch among threads */

/* Batches large enough to be shared among threads come out bit for bit the same however many
   there are. */
START_TEST(test_threads_change_nothing)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i % 2);
  pair_trial(r, 0);
  const int64_t n = orders_shared[_i / 2];
  const int64_t batch = 5000000 / (n * n * (n + 8)) + 35;
  operand* const x = operand_in(r, n, n, batch);
  operand* const g = operand_in(r, n, n, batch);
  operand* const e = operand_in(r, n, n, batch);
  operand* const y = operand_out(r, n, n, batch);
  double* const results = reals(2 * n * n * batch);
  double* const again = results + n * n * batch;
  for (int64_t k = 0; k < operand_matrices(e); ++k) { /* few squarings */
    for (int64_t i = 0; i < n * n; ++i) {
      operand_put(e, k, i / n, i % n, 0.1 / (double)n * operand_get(e, BEFORE, k, i / n, i % n));
    }
  }
  const bool another = r->sides[TESTED].ops != r->sides[REFERENCE].ops;
  for (int op = 0; another && op < N_SHARING; ++op) {
    if (!test_takes(_i + op, N_SHARING)) {
      continue;
    }
    for (int threads = 1; threads <= 3; threads += 2) {
      loop_use_threads(threads);
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
      case 4:
        RUN(r, exponential, PZ_GENERAL, AT(e), AT(y));
        break;
      case 5:
        RUN(r, exponential_adjoint, PZ_GENERAL, AT(e), AT(g), AT(y));
        break;
      default:
        RUN(r, fold, PZ_UPPER, -1, AT(x), AT(y));
        break;
      }
      expect_ok(r);
      keep(y, threads == 1 ? results : again);
      if (r->offered && threads > 1 &&
          memcmp(results, again, (size_t)(n * n * batch) * sizeof(double)) != 0) {
        pair_fail(r, "with %d threads other results than with one", threads);
      }
    }
  }
  loop_use_threads(1);
  free(results);
  pair_close(r);
}
END_TEST

/* A matrix far from I whose neighbour is not finite is inverted as without it, bit for bit. */
START_TEST(test_neighbours_change_nothing)
{
  static const int64_t orders[] = {2, 3, 4, 5, 8, 13, 17};
  const int64_t batch = 37;
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (size_t trial = 0; trial < sizeof(orders) / sizeof(orders[0]); ++trial) {
    pair_trial(r, 0);
    const int64_t n = orders[trial];
    const int64_t place = pair_pick(r, batch);
    operand* const x = operand_new(r, OPERAND_INOUT, r->dtype, n, n, batch);
    operand* const y = operand_out(r, n, n, batch);
    double* const clean = reals(2 * batch * n * n);
    double* const spoiled = clean + batch * n * n;
    double* const a = reals(n * n);
    x->role = OPERAND_IN;
    for (int64_t k = 0; k < batch; ++k) {
      make_skew(r, FULL, n, 1e4, a);
      operand_set_matrix(x, k, a);
    }
    run_inverse(r, true, PZ_SKEW, x, y);
    keep(y, clean);
    operand_put(x, place, n - 1, 0, NAN);
    operand_put(x, place, 0, n - 1, NAN);
    run_inverse(r, true, PZ_SKEW, x, y);
    keep(y, spoiled);
    for (int64_t k = 0; r->offered && k < batch; ++k) {
      if (k != place &&
          memcmp(clean + k * n * n, spoiled + k * n * n, (size_t)(n * n) * sizeof(double)) != 0) {
        pair_fail(r, "matrix %lld changes with matrix %lld", (long long)k, (long long)place);
      }
    }
    free(a);
    free(clean);
  }
  pair_close(r);
}
END_TEST

TCase*
accuracy_case(void)
{
  TCase* const t = tcase_create("accuracy");
  tcase_add_loop_test(t, test_no_worse_for_being_skew, 0, 4);
  if (pair_in_host_memory()) {
    tcase_add_loop_test(t, test_threads_change_nothing, 0, 2 * N_SHARED);
    tcase_add_loop_test(t, test_neighbours_change_nothing, 0, 2);
  }
  return t;
}
