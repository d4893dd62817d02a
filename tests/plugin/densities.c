/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* log |det| against the Jacobian that jvp gives in the coordinates of docs/densities.md, and against
   known answers. */

#include "density_known.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which entries of n x n matrices are coordinates. ROTATION: the strict triangle of Q^T dQ. FRAME:
   that and all entries of P^T dQ, (Q P) orthogonal, for n x k values. */
typedef enum coordinates { ALL, UPPER, STRICT_UPPER, STRICT_LOWER, ROTATION, FRAME } coordinates;

static const struct {
  const char* plugin;
  const char* chain;
  coordinates in;
  coordinates out;
} cases[] = {
    {"cayley", "cayley", ALL, ALL},
    {"cayley", "cayley(signs=1)", ALL, ALL},
    {"cayley", "skew,cayley", STRICT_UPPER, ROTATION},
    {"cayley", "skew(lower=1),cayley(signs=1)", STRICT_LOWER, ROTATION},
    {"matrix_exp", "matrix_exp", ALL, ALL},
    {"matrix_exp", "skew,matrix_exp", STRICT_UPPER, ROTATION},
    {"matrix_exp", "symmetric,matrix_exp", UPPER, UPPER},
    {"matrix_exp", "symmetric,matrix_exp,matrix_exp", UPPER, UPPER},
    {"orthogonal", "orthogonal(map=matrix_exp)", STRICT_LOWER, ROTATION},
    {"orthogonal", "orthogonal(map=matrix_exp,trivialization=0)", STRICT_LOWER, ROTATION},
    {"orthogonal", "orthogonal(map=cayley)", STRICT_LOWER, FRAME},
    {"orthogonal", "orthogonal(map=cayley,trivialization=0)", STRICT_LOWER, FRAME},
    {"skew", "skew", STRICT_UPPER, STRICT_UPPER},
    {"skew", "skew(lower=1)", STRICT_LOWER, STRICT_UPPER},
    {"symmetric", "symmetric", UPPER, UPPER},
    {"symmetric", "symmetric,symmetric(lower=1)", UPPER, UPPER},
};

static bool
counts(const coordinates which, const int64_t i, const int64_t j)
{
  return which == ALL ? true : which == UPPER ? i <= j : which == STRICT_LOWER ? i > j : i < j;
}

/* Columns k .. n - 1 of p (n x n) complete the columns q (n x k) to an orthogonal matrix. */
static void
complete(const int64_t n, const int64_t k, const double* const q, double* const p)
{
  int64_t have = k;
  for (int64_t i = 0; i < n; ++i) {
    memcpy(p + i * n, q + i * k, (size_t)k * sizeof(double));
  }
  for (int64_t e = 0; e < n && have < n; ++e) {
    double v[16] = {0};
    v[e] = 1.0;
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t j = 0; j < have; ++j) {
        double along = 0.0;
        for (int64_t i = 0; i < n; ++i) {
          along += v[i] * p[i * n + j];
        }
        for (int64_t i = 0; i < n; ++i) {
          v[i] -= along * p[i * n + j];
        }
      }
    }
    const double size = frobenius(n, v);
    for (int64_t i = 0; i < n && size > 0.1; ++i) {
      p[i * n + have] = v[i] / size;
    }
    have += size > 0.1;
  }
}

/* The coordinates of dy at y, both n x k with n >= k; returns how many. */
static int64_t
measure(const coordinates which, const int64_t n, const int64_t k, const double* const y,
        const double* const dy, double* const out)
{
  int64_t count = 0;
  double* const frame = reals(n * n);
  double* const turned = reals(n * n);
  double* const moved = reals(n * k);
  const bool turns = which >= ROTATION;
  memcpy(moved, dy, (size_t)(n * k) * sizeof(double));
  if (turns) {
    complete(n, k, y, frame);
    transpose(n, n, frame, turned);
    product(n, n, k, turned, dy, moved);
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < k; ++j) {
      if (turns ? i > j : counts(which, i, j)) {
        out[count++] = moved[i * k + j];
      }
    }
  }
  free(frame);
  free(turned);
  free(moved);
  return count;
}

/* The transpose of m x n numbers in place of them, if `wide`. */
static void
make_tall(const bool wide, const int64_t m, const int64_t n, double* const a)
{
  double* const t = reals(m * n);
  if (wide) {
    transpose(m, n, a, t);
    memcpy(a, t, (size_t)(m * n) * sizeof(double));
  }
  free(t);
}

/* c = 1e4 for each coordinate, at values of moderate condition. */
static void
jacobian(const char* const chain, const coordinates in, const coordinates out, const extents shape)
{
  const int64_t rows = shape.shape[0];
  const int64_t cols = shape.shape[1];
  const bool wide = rows < cols;
  const int64_t n = wide ? cols : rows;
  const int64_t k = wide ? rows : cols;
  rig r;
  pz_spec spec;
  subject_open(&r, chain, PZ_F64, shape);
  double* const x = rig_normal(&r, PZ_F64, r.n_x, 0.4);
  double* const dx = reals(r.n_x);
  double* const columns = reals(r.n_x * r.n_x);
  rig_write_originals(&r, x);
  double* const y = rig_forward(&r);
  double* const found = rig_log_abs_det(&r, &spec);
  ck_assert_msg(found || subject_lacks_schur(), "%s: %s", chain, pz_error_message());
  ck_assert_int_eq(spec.ndim, 0);
  make_tall(wide, rows, cols, y);
  int64_t count = 0;
  int64_t size = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < k; ++j) {
      if (counts(in, i, j)) {
        const int64_t place = wide ? j * n + i : i * k + j;
        dx[place] = 1.0;
        double* const dy = rig_jvp(&r, dx);
        ck_assert_msg(dy, "%s: %s", chain, pz_error_message());
        make_tall(wide, rows, cols, dy);
        size = measure(out, n, k, y, dy, columns + count * size);
        count += 1;
        dx[place] = 0.0;
        free(dy);
      }
    }
  }
  ck_assert_int_eq(count, size);
  const double expected = log(fabs(oracle_determinant(count, columns)));
  ck_assert_msg(!found || fabs(*found - expected) <= 1e4 * DBL_EPSILON * (double)(count + 1),
                "%s, %d x %d: %.15g, expected %.15g", chain, (int)rows, (int)cols,
                found ? *found : NAN, expected);
  free(x);
  free(y);
  free(dx);
  free(found);
  free(columns);
  rig_close(&r);
}

START_TEST(log_abs_det_is_that_of_the_jacobian)
{
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    if (strcmp(cases[k].plugin, subject_plugin) != 0) {
      continue;
    }
    for (int64_t n = 1; n <= 5; ++n) {
      jacobian(cases[k].chain, cases[k].in, cases[k].out, (extents){2, {n, n}});
    }
    if (cases[k].out == FRAME) {
      jacobian(cases[k].chain, cases[k].in, cases[k].out, (extents){2, {5, 2}});
      jacobian(cases[k].chain, cases[k].in, cases[k].out, (extents){2, {3, 1}});
      jacobian(cases[k].chain, cases[k].in, cases[k].out, (extents){2, {2, 4}});
    }
  }
}
END_TEST

/* c = 1e4, relative to the largest entry. */
static void
expect(const known_density* const k, const char* const what, const int64_t n,
       const double* const found, const double* const expected, const uint32_t dtype)
{
  const double tolerance = 1e4 * pz_dtype_epsilon(dtype) * fmax(1.0, largest(n, expected));
  const double off = largest_difference(n, found, expected);
  ck_assert_msg(off <= tolerance, "%s, %d x %d, log |det| %g: %s: %g > %g", k->chain, k->rows,
                k->cols, k->log_abs_det, what, off, tolerance);
}

START_TEST(known_answers)
{
  for (size_t i = 0; i < sizeof(density_known) / sizeof(density_known[0]); ++i) {
    const known_density* const k = &density_known[i];
    const extents shape = {2, {k->rows, k->cols}};
    const double one = 1.0;
    rig r;
    pz_spec spec;
    if (strcmp(k->plugin, subject_plugin) != 0) {
      continue;
    }
    subject_open(&r, k->chain, PZ_F64, shape);
    rig_write_originals(&r, k->x);
    free(rig_forward(&r));
    double* const dy = rig_jvp(&r, k->dx);
    double* const numbers = rig_log_abs_det(&r, &spec);
    ck_assert_msg(numbers || subject_lacks_schur(), "%s", pz_error_message());
    expect(k, "jvp", r.n_y, dy, k->jvp, PZ_F64);
    if (numbers) {
      expect(k, "log |det|", 1, numbers, &k->log_abs_det, PZ_F64);
    }
    double* const gx = rig_log_abs_det_gradients(&r, &one);
    ck_assert_int_eq(gx == NULL, isnan(k->gradient[0]));
    if (gx) {
      expect(k, "gradient", r.n_x, gx, k->gradient, PZ_F64);
    }
    free(dy);
    free(numbers);
    free(gx);
    rig_close(&r);
  }
}
END_TEST

/* Empty matrices have determinant 1, and a batch may be empty. */
START_TEST(empty_matrices)
{
  static const extents shapes[] = {{3, {2, 0, 0}}, {3, {0, 2, 2}}, {2, {0, 0}}};
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); ++s) {
      rig r;
      pz_spec spec;
      if (strcmp(cases[k].plugin, subject_plugin) != 0) {
        continue;
      }
      subject_open(&r, cases[k].chain, PZ_F64, shapes[s]);
      free(rig_forward(&r));
      double* const found = rig_log_abs_det(&r, &spec);
      ck_assert_msg(found, "%s: %s", cases[k].chain, pz_error_message());
      ck_assert_int_eq(spec.ndim, shapes[s].ndim - 2);
      ck_assert(largest(pz_spec_count(&spec), found) == 0.0);
      free(found);
      rig_close(&r);
    }
  }
}
END_TEST

/* Large originals: log |det| and its gradient are finite, or -inf where rotations fold over. */
START_TEST(large_originals)
{
  static const double scales[] = {1e2, 1e6};
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); ++k) {
    const bool exponential = strstr(cases[k].chain, "matrix_exp") != NULL;
    for (int s = 0; s < 2; ++s) {
      const double one = 1.0;
      rig r;
      pz_spec spec;
      if (strcmp(cases[k].plugin, subject_plugin) != 0 || exponential) {
        continue;
      }
      subject_open(&r, cases[k].chain, PZ_F64, (extents){2, {4, 4}});
      double* const x = rig_normal(&r, PZ_F64, r.n_x, scales[s]);
      rig_write_originals(&r, x);
      free(rig_forward(&r));
      double* const found = rig_log_abs_det(&r, &spec);
      double* const gx = rig_log_abs_det_gradients(&r, &one);
      ck_assert_msg(found && isfinite(*found), "%s", cases[k].chain);
      ck_assert_msg(gx && isfinite(largest(r.n_x, gx)), "%s", cases[k].chain);
      free(x);
      free(found);
      free(gx);
      rig_close(&r);
    }
  }
}
END_TEST

TCase*
tests_densities(void)
{
  TCase* const tests = subject_case("densities");
  tcase_add_test(tests, log_abs_det_is_that_of_the_jacobian);
  tcase_add_test(tests, known_answers);
  tcase_add_test(tests, empty_matrices);
  tcase_add_test(tests, large_originals);
  return tests;
}
