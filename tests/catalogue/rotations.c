/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: rotations DEVICE: what is refused and with which words, extreme originals and values, and the
   moments of samples, for rotation3, pose3, pseudo_inertia and toeplitz. */

#include <dense.h>
#include <rig.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char* device;

static const char* const froms[] = {"rotation3", "rotation3(from=quaternion)",
                                    "rotation3(from=6d)"};

enum { FROMS = 3 };

typedef struct refusal {
  const char* chain;
  int64_t n;
  double y[16];
  pz_status status;
  const char* message;
} refusal;

static const refusal refusals[] = {
    {"rotation3", 3, {1, 0, 0, 0, 1, 0, 0, 0, 1.5}, PZ_OUTSIDE, "R^T R at distance 1.25 from"},
    {"rotation3",
     3,
     {1, 0, 0, 0, 1, 0, 0, 0, -1},
     PZ_OUTSIDE,
     "determinant -1, expected a rotation"},
    {"rotation3", 3, {NAN, 0, 0, 0, 1, 0, 0, 0, 1}, PZ_OUTSIDE, "R^T R at distance nan from"},
    {"pose3",
     4,
     {1, 0, 0, 5, 0, 1, 0, 6, 0, 0, 1, 7, 0, 0.5, 0, 1},
     PZ_OUTSIDE,
     "a last row at distance 0.5 from (0 0 0 1)"},
    {"pose3",
     4,
     {1, 0, 0, INFINITY, 0, 1, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1},
     PZ_OUTSIDE,
     "an entry that is not finite"},
    {"pose3", 4, {0, 1, 0, 5, 1, 0, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1}, PZ_OUTSIDE, "determinant -1"},
    {"pseudo_inertia",
     4,
     {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1},
     PZ_OUTSIDE,
     "at distance 1 from a positive definite matrix"},
    {"toeplitz", 2, {1, 2, 3, 1.5}, PZ_OUTSIDE, "entries at distance 0.25 from the means"},
    {"toeplitz(kind=hankel)", 2, {1, 2, 3, 4}, PZ_OUTSIDE, "entries at distance 0.5 from"},
    {"toeplitz(kind=circulant)", 2, {1, 2, 2, NAN}, PZ_OUTSIDE, "entries at distance nan from"},
};

START_TEST(refused)
{
  const refusal* const one = &refusals[_i];
  double distance = 0.0;
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, one->chain, PZ_F64, 2, (const int64_t[]){one->n, one->n});
  rig_initialize(&r, one->y);
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, one->y), one->status, one->message);
  ck_assert_ok(rig_residual(&r, one->y, &distance));
  ck_assert(!(distance <= 0.2));
  rig_close(&r);
}
END_TEST

START_TEST(refused_shapes)
{
  static const struct {
    const char* chain;
    pz_direction direction;
    int64_t rows;
    int64_t cols;
    const char* message;
  } all[] = {
      {"rotation3", PZ_FROM_TENSOR, 3, 2, "found 3x2 matrices, expected 3x3"},
      {"rotation3", PZ_FROM_INPUT, 5, 4, "found 4 numbers in the last dimension, expected 3"},
      {"pose3", PZ_FROM_TENSOR, 3, 3, "found 3x3 matrices, expected 4x4"},
      {"pseudo_inertia", PZ_FROM_INPUT, 5, 9, "found 9 numbers in the last dimension, expected 10"},
      {"toeplitz", PZ_FROM_TENSOR, 2, 3, "found 2x3 matrices, expected square ones, or the option"},
      {"toeplitz(rows=3)", PZ_FROM_TENSOR, 2, 3, "found 2 rows, expected rows=3"},
      {"toeplitz", PZ_FROM_INPUT, 5, 4, "found 4 numbers, expected an odd number, or the option"},
      {"toeplitz(rows=9)", PZ_FROM_INPUT, 5, 4, "found 4 numbers, expected at least 8 for rows=9"},
      {"toeplitz(kind=symmetric)", PZ_FROM_TENSOR, 2, 3,
       "found 2x3 matrices, expected square ones"},
  };
  const int64_t eight[PZ_MAX_DIMS] = {1, 1, 1, 1, 1, 1, 1, 3};
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    const pz_spec spec = pz_spec_make(PZ_F64, 2, (const int64_t[]){all[k].rows, all[k].cols});
    ck_assert_fails(rig_try_chain(&r, all[k].chain, NULL, 0, all[k].direction, &spec, 1),
                    PZ_MISMATCH, all[k].message);
  }
  const pz_spec most = pz_spec_make(PZ_F64, PZ_MAX_DIMS, eight);
  ck_assert_fails(rig_try_chain(&r, "rotation3", NULL, 0, PZ_FROM_INPUT, &most, 1), PZ_MISMATCH,
                  "found 8 dimensions, expected from 1 to 7");
  rig_close(&r);
}
END_TEST

/* Originals of any size give rotations, with finite gradients; those that are 0 by the convention of each
   map. Angles next to 0 and pi and at 2 pi are among them. */
START_TEST(extreme_originals)
{
  enum { CASES = 12 };
  static const int64_t numbers[FROMS] = {3, 4, 6};
  static const double sizes[CASES] = {
      0.0, 1e-45, 1e-30, 1e-9, 1e-4, 1.0, 3.14159265358979323846, 6.28318530717958647693,
      1e3, 1e9,   1e30,  3e38};
  const uint32_t dtype = _i / FROMS == 0 ? PZ_F32 : PZ_F64;
  const int64_t n = numbers[_i % FROMS];
  const double tolerance = 100.0 * pz_dtype_epsilon(dtype);
  double x[CASES * 6] = {0};
  double distance = NAN;
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, froms[_i % FROMS], dtype, 3, (const int64_t[]){CASES, 3, 3});
  double* const g = rig_normal(&r, dtype, CASES * 9, 1.0);
  rig_initialize(&r, g);
  for (int k = 0; k < CASES; ++k) {
    x[n * k + 1] = sizes[k];
    x[n * k + n - 1] = k % 2 == 0 ? 0.0 : -0.5 * sizes[k];
  }
  rig_write_originals(&r, x);
  double* const y = rig_forward(&r);
  ck_assert_ok(rig_residual(&r, y, &distance));
  ck_assert_msg(distance <= tolerance, "%s: residual %g", froms[_i % FROMS], distance);
  double* const gx = rig_gradients(&r, g);
  for (int64_t k = 0; k < CASES * n; ++k) {
    ck_assert_msg(isfinite(gx[k]) || sizes[k / n] < 1e-37, "%s: gradient %lld is %g",
                  froms[_i % FROMS], (long long)k, gx[k]);
  }
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, y));
  double* const back = rig_forward(&r);
  ck_assert(largest_difference(CASES * 9, y, back) <= tolerance);
  free(g);
  free(y);
  free(gx);
  free(back);
  rig_close(&r);
}
END_TEST

/* What is not finite shows in its own matrix, and only there. */
START_TEST(not_finite)
{
  static const double bad[] = {NAN, INFINITY};
  static const char* const chains[] = {"rotation3", "rotation3(from=quaternion)",
                                       "rotation3(from=6d)", "pose3", "pseudo_inertia"};
  static const int64_t numbers[] = {3, 4, 6, 6, 10};
  for (int k = 0; k < 5; ++k) {
    const int64_t n = k < 3 ? 3 : 4;
    double x[30];
    int seen[3] = {0};
    rig r;
    rig_open(&r, NULL, device);
    rig_from_tensor(&r, chains[k], PZ_F64, 3, (const int64_t[]){3, n, n});
    double* const start = rig_normal(&r, PZ_F64, 3 * n * n, 1.0);
    rig_initialize(&r, start);
    for (int i = 0; i < 30; ++i) {
      x[i] = 0.1 * (1 + i % 7);
    }
    x[numbers[k]] = bad[_i]; /* the first number of the second matrix */
    rig_write_originals(&r, x);
    double* const y = rig_forward(&r);
    for (int64_t i = 0; i < 3 * n * n; ++i) {
      seen[i / (n * n)] |= !isfinite(y[i]);
    }
    ck_assert_msg(!seen[0] && seen[1] && !seen[2], "%s", chains[k]);
    free(start);
    free(y);
    rig_close(&r);
  }
}
END_TEST

/* Registration takes the nearest rotation of each matrix that is none, of any rank; members stay. */
START_TEST(nearest)
{
  static const double given[] = {0, 0,  0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, -1e-3,
                                 0, -1, 0, 1, 0, 0, 0, 0, 1, 1, 2, 3, 2, 4, 6, 3, 6, 9};
  double distance = NAN;
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, froms[_i], PZ_F64, 3, (const int64_t[]){4, 3, 3});
  rig_initialize(&r, given);
  ck_assert_ok(rig_assign(&r, PZ_REGISTER, given));
  double* const y = rig_forward(&r);
  ck_assert_ok(rig_residual(&r, y, &distance));
  ck_assert(distance <= 1e-14);
  for (int k = 0; k < 9; ++k) {
    ck_assert(fabs(y[9 + k] - (k % 4 == 0)) <= 1e-14);
    ck_assert(fabs(y[18 + k] - given[18 + k]) <= 1e-14);
  }
  free(y);
  rig_close(&r);
}
END_TEST

/* Entries of uniform rotations have mean 0 and variance 1/3, and the trace has mean 0 and variance 1. 5 standard
   errors. */
START_TEST(uniform_samples)
{
  enum { SAMPLES = 20000 };
  double mean[10] = {0};
  double square[10] = {0};
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, froms[_i], PZ_F64, 3, (const int64_t[]){SAMPLES, 3, 3});
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  double* const y = rig_forward(&r);
  for (int64_t i = 0; i < SAMPLES; ++i) {
    const double* const m = y + 9 * i;
    for (int k = 0; k < 10; ++k) {
      const double entry = k < 9 ? m[k] : m[0] + m[4] + m[8];
      mean[k] += entry / SAMPLES;
      square[k] += entry * entry / SAMPLES;
    }
  }
  for (int k = 0; k < 10; ++k) {
    const double variance = k < 9 ? 1.0 / 3.0 : 1.0;
    ck_assert(fabs(mean[k]) <= 5.0 * sqrt(variance / SAMPLES));
    ck_assert(fabs(square[k] - variance) <= 5.0 * 2.0 * variance / sqrt(SAMPLES));
  }
  free(y);
  rig_close(&r);
}
END_TEST

int
main(const int argc, char** const argv)
{
  device = argc > 1 ? argv[1] : "reference";
  if (test_skips_device(device)) {
    return EXIT_SUCCESS;
  }
  TCase* const tcase = tcase_create("rotations");
  tcase_add_loop_test(tcase, refused, 0, sizeof(refusals) / sizeof(refusals[0]));
  tcase_add_test(tcase, refused_shapes);
  tcase_add_loop_test(tcase, extreme_originals, 0, 2 * FROMS);
  tcase_add_loop_test(tcase, not_finite, 0, 2);
  tcase_add_loop_test(tcase, nearest, 0, FROMS);
  tcase_add_loop_test(tcase, uniform_samples, 0, FROMS);
  return test_main_case(tcase);
}
