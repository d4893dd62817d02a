/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: covariance DEVICE: what is refused and with which words, matrices too large for answers in a
   file, batches with one bad matrix, and the moments of samples. */

#include <dense.h>
#include <rig.h>

#include <math.h>
#include <stdlib.h>

static const char* device;

static const char factor[] = "cholesky";
static const char covariance[] = "cholesky(of=covariance)";
static const char unit_factor[] = "correlation";
static const char correlation[] = "correlation(of=matrix)";

static const char rank_one[] = "psd(rank=1)";

static const int64_t two[] = {2, 2};

typedef struct refusal {
  const char* chain;
  double y[4];
  pz_status status;
  const char* message;
  double residual;
} refusal;

/* The distance 3e-16 is below 100 n eps. */
static const refusal refusals[] = {
    {factor, {1, 0.5, 2, 3}, PZ_OUTSIDE, "at distance 0.5 from a lower triangular matrix", 0.5},
    {factor, {1, 0, 2, -3}, PZ_OUTSIDE, "at distance 3 from a lower triangular matrix", 3.0},
    {factor, {1, 0, 2, 0}, PZ_SINGULAR, "with 0 on the diagonal, expected positive", 0.0},
    {factor, {1, 0, 2, -3e-16}, PZ_SINGULAR, "with -3e-16 on the diagonal", 3e-16},
    {factor, {1, 0, NAN, 1}, PZ_OUTSIDE, "an entry that is not finite", NAN},
    {factor, {1, 0, INFINITY, 1}, PZ_OUTSIDE, "an entry that is not finite", INFINITY},
    {covariance, {2, 1, 0, 2}, PZ_OUTSIDE, "at distance 0.5 from a symmetric matrix", 0.5},
    {covariance, {1, 2, 2, 1}, PZ_OUTSIDE, "at distance 1 from a positive definite matrix", 1.0},
    {covariance, {1, 1, 1, 1}, PZ_SINGULAR, "to 2, expected a positive definite matrix", 0.0},
    {covariance, {1, 0, 0, NAN}, PZ_OUTSIDE, "an entry that is not finite", NAN},
    {unit_factor,
     {1, 0, 0.6, 0.9},
     PZ_OUTSIDE,
     "from a lower triangular matrix with rows of norm 1",
     0.08166538263919678},
    {unit_factor, {1, 0, 1, 0}, PZ_SINGULAR, "with 0 on the diagonal, expected positive", 0.0},
    {unit_factor, {1, 0, NAN, 0}, PZ_OUTSIDE, "an entry that is not finite", NAN},
    {correlation, {1, 0.5, 0.5, 1.25}, PZ_OUTSIDE, "from a symmetric matrix with diagonal 1", 0.25},
    {correlation, {1, 1.5, 1.5, 1}, PZ_OUTSIDE, "at distance 0.5 from a positive definite", 0.5},
    {correlation, {1, -1, -1, 1}, PZ_SINGULAR, "to 2, expected a positive definite matrix", 0.0},
    {rank_one, {1, 0, 2, 4}, PZ_OUTSIDE, "at distance 1 from a symmetric matrix", 1.0},
    {rank_one, {4, 0, 0, 0.5}, PZ_OUTSIDE, "a positive semidefinite matrix of rank 1", 0.5},
    {rank_one, {1, 0, 0, -0.5}, PZ_OUTSIDE, "at distance 0.5 from a positive semidefinite", 0.5},
    {rank_one, {1, 0, 0, NAN}, PZ_OUTSIDE, "an entry that is not finite", NAN},
};

START_TEST(refused)
{
  const refusal* const one = &refusals[_i];
  double distance = -1.0;
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, one->chain, PZ_F64, 2, two);
  rig_initialize(&r, one->y);
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, one->y), one->status, one->message);
  ck_assert_ok(rig_residual(&r, one->y, &distance));
  ck_assert_msg(isnan(one->residual)
                    ? isnan(distance)
                    : distance == one->residual || fabs(distance - one->residual) <= 1e-15,
                "%s: residual %.17g", one->chain, distance);
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
      {factor, PZ_FROM_TENSOR, 3, 2, "found 3x2 matrices, expected square ones"},
      {correlation, PZ_FROM_TENSOR, 3, 2, "found 3x2 matrices, expected square ones"},
      {rank_one, PZ_FROM_TENSOR, 3, 2, "found 3x2 matrices, expected square ones"},
      {"psd(rank=3)", PZ_FROM_TENSOR, 2, 2, "order 2, expected at least the rank, 3"},
      {"psd(rank=2)", PZ_FROM_INPUT, 3, 1, "found 3x1 matrices, expected 2 columns"},
      {"psd", PZ_FROM_INPUT, 3, 1, "found 3x1 matrices, expected 3 columns"},
  };
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    const pz_spec spec = pz_spec_make(PZ_F64, 2, (const int64_t[]){all[k].rows, all[k].cols});
    ck_assert_fails(rig_try_chain(&r, all[k].chain, NULL, 0, all[k].direction, &spec, 1),
                    PZ_MISMATCH, all[k].message);
  }
  const pz_spec tall = pz_spec_make(PZ_F64, 2, (const int64_t[]){3000000000, 1});
  ck_assert_fails(rig_try_chain(&r, "psd(rank=1)", NULL, 0, PZ_FROM_INPUT, &tall, 1),
                  PZ_UNSUPPORTED,
                  "psd: plan: value: float64 3000000000x3000000000 is beyond any memory");
  rig_close(&r);
}
END_TEST

/* A value of lower rank comes back, with a column of zeros. */
START_TEST(lower_rank)
{
  static const double y[] = {4, -2, 2, -2, 1, -1, 2, -1, 1};
  static const int64_t shape[] = {3, 3};
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, "psd(rank=2)", PZ_F64, 2, shape);
  rig_initialize(&r, y);
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, y));
  double* const back = rig_forward(&r);
  for (int k = 0; k < 9; ++k) {
    ck_assert(fabs(back[k] - y[k]) <= 1e-14);
  }
  free(back);
  rig_close(&r);
}
END_TEST

/* A bad matrix of a batch has no part in the others. */
START_TEST(one_bad_matrix)
{
  static const double y[] = {4, 2, 2, 2, 1, 2, 2, 1, 9, 3, 3, 5};       /* the second one */
  static const double worse[] = {4, 2, 2, 2, 1, 2, 2, 1, -9, 3, 3, -5}; /* the third one */
  static const int64_t shape[] = {3, 2, 2};
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, covariance, PZ_F64, 3, shape);
  rig_initialize(&r, y);
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, y), PZ_OUTSIDE, "found matrix 1 of the batch");
  ck_assert_fails(rig_assign(&r, PZ_ASSIGN, worse), PZ_OUTSIDE, "found matrix 2 of the batch");
  ck_assert_ok(rig_assign(&r, PZ_REGISTER, y));
  double* const back = rig_forward(&r);
  for (int k = 0; k < 12; ++k) {
    const double expected = k / 4 == 1 ? 1.5 : y[k];
    ck_assert(fabs(back[k] - expected) <= (k / 4 == 1 ? 1e-7 : 1e-14));
  }
  free(back);
  rig_close(&r);
}
END_TEST

/* A matrix of which a work item takes one row, from the definition: L_ij = tanh x_ij / product over k < j of
   cosh x_ik, and in triangles log |det| = - sum of (i - j + 1) log cosh x_ij. */
/* The entry of a matrix that is singular, or nearly, or has rows of very different entries. */
static double
extreme(const int kind, const int64_t i, const int64_t j, const double size)
{
  switch (kind) {
  case 0:
    return size;
  case 1:
    return i == j ? size : size * (1.0 - 1e-7);
  case 2:
    return i == j ? 1.0 : -size;
  default:
    return (i + 2 * j) % 3 == 0 ? size : 1.0 / size;
  }
}

/* What is registered has a value that can be assigned. */
START_TEST(registered_values_come_back)
{
  enum { CHAINS = 5, SIZES = 4, KINDS = 4, N = 40 };
  static const char* const chains[CHAINS] = {factor, covariance, unit_factor, correlation, "psd"};
  static const double sizes[SIZES] = {1.0, 1e4, 1e30, 1e37};
  rig r;
  rig_open(&r, NULL, device);
  for (int k = 0; k < CHAINS * SIZES * KINDS * 2; ++k) {
    const char* const chain = chains[k % CHAINS];
    const double size = sizes[k / CHAINS % SIZES];
    for (int64_t n = 1; n <= N; n += 1 + n / 4) {
      double a[N * N];
      rig_from_tensor(&r, chain, k / (CHAINS * SIZES * KINDS) ? PZ_F64 : PZ_F32, 2,
                      (const int64_t[]){n, n});
      for (int64_t i = 0; i < n * n; ++i) {
        a[i] = extreme(k / (CHAINS * SIZES) % KINDS, i / n, i % n, size);
      }
      ck_assert_ok(rig_assign(&r, PZ_REGISTER, a));
      double* const y = rig_forward(&r);
      const pz_status status = rig_assign(&r, PZ_ASSIGN, y);
      ck_assert_msg(status == PZ_OK, "%s, n = %d, size %g, kind %d: %s", chain, (int)n, size,
                    k / (CHAINS * SIZES) % KINDS, pz_error_message());
      free(y);
    }
  }
  rig_close(&r);
}
END_TEST

START_TEST(large)
{
  enum { N = 200 };
  static const int64_t shape[] = {N, N};
  static double expected[N * N];
  double sum = 0.0;
  pz_spec spec;
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, unit_factor, PZ_F64, 2, shape);
  double* const x = rig_normal(&r, PZ_F64, (int64_t)N * N, 0.5);
  rig_initialize(&r, x);
  rig_write_originals(&r, x);
  for (int i = 0; i < N; ++i) {
    double left = 1.0;
    for (int j = 0; j < i; ++j) {
      expected[i * N + j] = tanh(x[i * N + j]) * left;
      left /= cosh(x[i * N + j]);
      sum -= (i - j + 1) * log(cosh(x[i * N + j]));
    }
    expected[i * N + i] = left;
  }
  double* const y = rig_forward(&r);
  double* const log_det = rig_log_abs_det(&r, &spec);
  for (int k = 0; k < N * N; ++k) {
    ck_assert(fabs(y[k] - expected[k]) <= 1e-13 * fabs(expected[k]));
  }
  ck_assert(fabs(log_det[0] - sum) <= 1e-12 * fabs(sum));
  ck_assert_ok(rig_assign(&r, PZ_ASSIGN, y));
  double* const back = rig_read_originals(&r);
  for (int k = 0; k < N * N; ++k) {
    const double original = k % N < k / N ? x[k] : 0.0;
    ck_assert(fabs(back[k] - original) <= 1e-12);
  }
  free(x);
  free(y);
  free(log_det);
  free(back);
  rig_close(&r);
}
END_TEST

/* Mean and variance of the entries of many samples of order 3, at (1, 1), (2, 1), (3, 1) and (3, 2). A uniform
   correlation has variance 1/4, as Beta(3/2, 3/2) on (-1, 1); entries of a Wishart matrix with 6 degrees of
   freedom and mean I have 1/3 on the diagonal and 1/6 beside it. 5 standard errors. */
START_TEST(moments)
{
  enum { SAMPLES = 20000 };
  static const int64_t shape[] = {SAMPLES, 3, 3};
  static const struct {
    const char* chain;
    int entry;
    double mean;
    double variance;
    double error; /* of the variance, a standard error times the root of SAMPLES */
  } all[] = {
      {"cholesky(of=covariance)", 0, 1.0, 1.0 / 3.0, 0.75},
      {"cholesky(of=covariance)", 3, 0.0, 1.0 / 6.0, 0.4},
      {"cholesky(of=covariance)", 6, 0.0, 1.0 / 6.0, 0.4},
      {"cholesky(of=covariance)", 7, 0.0, 1.0 / 6.0, 0.4},
      {"correlation(of=matrix)", 3, 0.0, 0.25, 0.25},
      {"correlation(of=matrix)", 6, 0.0, 0.25, 0.25},
      {"correlation(of=matrix)", 7, 0.0, 0.25, 0.25},
  };
  rig r;
  double mean = 0.0;
  double variance = 0.0;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, all[_i].chain, PZ_F64, 3, shape);
  ck_assert_ok(pz_eval_sample(r.eval, r.state));
  double* const y = rig_forward(&r);
  for (int k = 0; k < SAMPLES; ++k) {
    mean += y[9 * k + all[_i].entry] / SAMPLES;
  }
  for (int k = 0; k < SAMPLES; ++k) {
    variance += pow(y[9 * k + all[_i].entry] - mean, 2) / SAMPLES;
  }
  ck_assert_msg(fabs(mean - all[_i].mean) <= 5.0 * sqrt(all[_i].variance / SAMPLES), "mean %g",
                mean);
  ck_assert_msg(fabs(variance - all[_i].variance) <= 5.0 * all[_i].error / sqrt(SAMPLES),
                "variance %g", variance);
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
  TCase* const tcase = tcase_create("covariance");
  tcase_add_loop_test(tcase, refused, 0, sizeof(refusals) / sizeof(refusals[0]));
  tcase_add_test(tcase, refused_shapes);
  tcase_add_test(tcase, lower_rank);
  tcase_add_test(tcase, one_bad_matrix);
  tcase_add_test(tcase, registered_values_come_back);
  tcase_add_test(tcase, large);
  tcase_add_loop_test(tcase, moments, 0, 7);
  return test_main_case(tcase);
}
