/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* orthogonal far from the origin, and on tensors at the ends of the range. */

#include "members.h"
#include "oracle.h"
#include "subject.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAR_SHAPES = 8 };
static const extents far_shapes[FAR_SHAPES] = {
    {2, {5, 3}},   {2, {3, 5}}, {2, {4, 2}}, {2, {8, 3}},
    {2, {30, 10}}, {2, {7, 6}}, {2, {9, 1}}, {3, {2, 12, 4}},
};

static const char cayley[] = "orthogonal(map=cayley,trivialization=0,signs=0)";

/* Normal originals; with `thin` only the rows below the square block, of rank one. */
static double*
originals(rig* const r, const tall s, const bool thin, const double scale)
{
  double* const x = rig_normal(r, r->x.dtype, r->n_x, scale);
  for (int64_t b = 0; thin && b < s.batch; ++b) {
    for (int64_t i = 0; i < s.n; ++i) {
      for (int64_t j = 0; j < s.k; ++j) {
        *tall_at(s, x, b, i, j) = i < s.k ? 0.0 : ldexp(scale, (int)((3 * i + 2 * j) % 5 - 2));
      }
    }
  }
  for (int64_t k = 0; k < r->n_x; ++k) {
    x[k] = r->x.dtype == PZ_F32 ? (double)(float)x[k] : x[k];
  }
  return x;
}

/* out (n x n) <- tall matrix b of x with zeros in further columns. */
static void
extend(const tall s, double* const x, const int64_t b, double* const out)
{
  memset(out, 0, (size_t)(s.n * s.n) * sizeof(double));
  for (int64_t i = 0; i < s.n; ++i) {
    for (int64_t j = 0; j < s.k; ++j) {
      out[i * s.n + j] = *tall_at(s, x, b, i, j);
    }
  }
}

/* The value and the gradient are those of the square matrix extended by zeros, whose value is
   within 10 n eps (1 + |X|_1) of the exact one, as is the value of x. */
static void
check(const extents shape, const uint32_t dtype, const bool thin, const double scale)
{
  const tall s = tall_of(shape);
  const int64_t size = s.n * s.n;
  rig r;
  rig square;
  subject_open(&r, cayley, dtype, shape);
  subject_open(&square, cayley, dtype, (extents){3, {s.batch, s.n, s.n}});
  double* const x = originals(&r, s, thin, scale);
  double* const g = rig_normal(&r, dtype, r.n_y, 1.0);
  double* const all_x = reals(s.batch * size);
  double* const all_g = reals(s.batch * size);
  double* const a = reals(size);
  double* const q = reals(size);
  for (int64_t b = 0; b < s.batch; ++b) {
    extend(s, x, b, all_x + b * size);
    extend(s, g, b, all_g + b * size);
  }
  rig_write(&r, PZ_ORIGINAL, 0, x);
  rig_write(&square, PZ_ORIGINAL, 0, all_x);
  double* const y = rig_forward(&r);
  double* const gx = rig_vjp(&r, g, 0);
  free(rig_forward(&square));
  double* const all_gx = rig_vjp(&square, all_g, 0);
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t i = 0; i < s.n; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        const double each = i == j ? 0.0 : all_x[b * size + i * s.n + j] / 2.0;
        a[i * s.n + j] = each;
        a[j * s.n + i] = -each;
      }
    }
    oracle_cayley(s.n, a, q);
    const double bound =
        10.0 * (double)s.n * pz_dtype_epsilon(dtype) * (1.0 + oracle_one_norm(1, s.n, a));
    double value = 0.0;
    double gradient = 0.0;
    for (int64_t i = 0; i < s.n; ++i) {
      for (int64_t j = 0; j < s.k; ++j) {
        const double off = fabs(*tall_at(s, y, b, i, j) - q[i * s.n + j]);
        const double away = fabs(*tall_at(s, gx, b, i, j) - all_gx[b * size + i * s.n + j]);
        value = !(off <= value) ? off : value;
        gradient = i > j && !(away <= gradient) ? away : gradient;
      }
    }
    /* |gX| is at most that of G, whose norm is about sqrt(n k) */
    ck_assert_msg(value <= bound && gradient <= bound * sqrt((double)(s.n * s.k)),
                  "%d x %d, float%d, scale %g, thin %d: value off by %g, gradient by %g, of %g",
                  (int)s.rows, (int)s.cols, dtype == PZ_F32 ? 32 : 64, scale, thin, value, gradient,
                  bound);
  }
  free(x);
  free(g);
  free(y);
  free(gx);
  free(all_x);
  free(all_g);
  free(all_gx);
  free(a);
  free(q);
  rig_close(&square);
  rig_close(&r);
}

START_TEST(tall_transforms_do_not_square_the_condition)
{
  static const double scales[] = {1.0, 30.0, 1e3, 1e6};
  for (int k = 0; k < FAR_SHAPES; ++k) {
    for (int j = 0; j < 16; ++j) {
      if (test_takes(k + j, 2)) {
        check(far_shapes[k], j % 2 ? PZ_F64 : PZ_F32, j / 2 % 2 != 0, scales[j / 4]);
      }
    }
  }
}
END_TEST

/* Every tensor of finite entries registers as its factor Q, whatever its scale: the value is that of
   the tensor of scale 1. */
START_TEST(tensors_of_any_scale_register)
{
  static const char* const chains[] = {"orthogonal", "orthogonal(map=cayley,trivialization=0)",
                                       "orthogonal(map=householder,trivialization=0)"};
  static const int exponents[2][2] = {{-110, 115}, {-900, 900}};
  for (int m = 0; m < 3; ++m) {
    for (int k = 0; k < 12; ++k) {
      const uint32_t dtype = k % 2 ? PZ_F64 : PZ_F32;
      const tall s = tall_of(far_shapes[k / 4]);
      rig r;
      subject_open(&r, chains[m], dtype, far_shapes[k / 4]);
      double* const x = rig_normal(&r, dtype, r.n_y, 1.0);
      ck_assert_ok(rig_assign(&r, PZ_REGISTER, x));
      double* const expected = rig_forward(&r);
      for (int64_t i = 0; i < r.n_y; ++i) {
        x[i] = ldexp(x[i], exponents[k % 2][k / 2 % 2]);
      }
      ck_assert_ok(rig_assign(&r, PZ_REGISTER, x));
      double* const found = rig_forward(&r);
      const double off = largest_difference(r.n_y, found, expected);
      ck_assert_msg(off <= 100.0 * tall_unit(dtype, s), "%s, %d: %g", chains[m], k, off);
      free(x);
      free(expected);
      free(found);
      rig_close(&r);
    }
  }
}
END_TEST

TCase*
tests_orthogonal_far(void)
{
  TCase* const tests = subject_case("orthogonal far out");
  tcase_add_test(tests, tall_transforms_do_not_square_the_condition);
  tcase_add_test(tests, tensors_of_any_scale_register);
  return tests;
}
