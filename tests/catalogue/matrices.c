/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* usage: matrices DEVICE: what maps by factors, nearest and stable matrices refuse and with which words,
   what they make of matrices that are singular, very large or very small, and entries that are not finite. */

#include <dense.h>
#include <rig.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char* device;

static const int64_t two[] = {2, 2};

typedef struct refusal {
  const char* chain;
  double y[4];
  pz_status status;
  const char* message;
  double residual;
} refusal;

static const refusal refusals[] = {
    {"low_rank(rank=1)", {2, 0, 0, 0.5}, PZ_OUTSIDE, "at distance 0.5 from the set", 0.5},
    {"fixed_rank(rank=1)", {2, 0, 0, 0.5}, PZ_OUTSIDE, "at distance 0.5 from the set", 0.5},
    {"fixed_rank", {2, 0, 0, 0}, PZ_SINGULAR, "from 0 to 2, expected as many positive", 0.0},
    {"general_linear", {2, 0, 0, -0.5}, PZ_OUTSIDE, "at distance 0.5 from the set", 0.5},
    {"general_linear", {1, 1, 1, 1}, PZ_SINGULAR, "expected an invertible matrix", 0.0},
    {"special_linear",
     {1, 0, 0, 1.5},
     PZ_OUTSIDE,
     "from the set",
     0.33736736}, /* log 1.5 / |(1, 1/1.5)| */
    {"special_linear", {0, 1, 1, 0}, PZ_OUTSIDE, "at distance 2 from the set", 2.0},
    {"almost_orthogonal(radius=0.25)", {1, 0, 0, 1.5}, PZ_OUTSIDE, "at distance 0.25 from", 0.25},
    {"almost_orthogonal(map=tanh)",
     {1, 0, 0, 1.5},
     PZ_SINGULAR,
     "less than the radius from 1",
     0.0},
    {"almost_orthogonal", {1, 0, 0, NAN}, PZ_OUTSIDE, "an entry that is not finite", NAN},
    {"grassmannian", {1, 0, 0, 2}, PZ_OUTSIDE, "with Q^T Q at distance 3 from the identity", 3.0},
    {"lu", {1, 2, 2, 4}, PZ_SINGULAR, "with the pivot 0, expected an invertible", 0.0},
    {"lu", {1, 2, INFINITY, 4}, PZ_OUTSIDE, "an entry that is not finite", INFINITY},
    {"polar", {1, 0, 0, 2}, PZ_OUTSIDE, "with Q^T Q at distance 3 from the identity", 3.0},
    {"polar", {1, 0, NAN, 1}, PZ_OUTSIDE, "an entry that is not finite", NAN},
    {"lipschitz", {0.5, 0, 0, -2}, PZ_OUTSIDE, "the spectral norm 2, expected at most 1", 1.0},
    {"doubly_stochastic", {0.5, 0.5, 0.5, 0.75}, PZ_OUTSIDE, "at distance 0.25 from", 0.25},
    {"doubly_stochastic", {1.5, -0.5, -0.5, 1.5}, PZ_OUTSIDE, "at distance 0.5 from", 0.5},
    {"doubly_stochastic", {1, 0, 0, 1}, PZ_SINGULAR, "the entry 0, expected positive ones", 0.0},
    {"hurwitz", {-1, 5, 0, 0.5}, PZ_OUTSIDE, "the real part 0.5", 0.5},
    {"hurwitz(alpha=1)", {-1, 5, 0, -2}, PZ_SINGULAR, "expected less than -1", 0.0},
    {"hurwitz", {0, 1, -1, 0}, PZ_SINGULAR, "the real part", 0.0},
    {"schur_stable", {0.5, 5, 0, -1.5}, PZ_OUTSIDE, "the spectral radius 1.5", 0.5},
    {"schur_stable", {1, 0, 0, NAN}, PZ_OUTSIDE, "an entry that is not finite", NAN},
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
                    : distance == one->residual || fabs(distance - one->residual) <= 1e-7,
                "%s: residual %.17g", one->chain, distance);
  rig_close(&r);
}
END_TEST

START_TEST(refused_shapes)
{
  static const struct {
    const char* chain;
    int64_t rows;
    int64_t cols;
    const char* message;
  } all[] = {
      {"low_rank(rank=3)", 2, 4, "found 2x4 matrices and rank 3, expected at most 2"},
      {"fixed_rank(rank=3)", 2, 2, "found 2x2 matrices and rank 3, expected at most 2"},
      {"general_linear", 3, 2, "found 3x2 matrices, expected square ones"},
      {"special_linear", 2, 3, "found 2x3 matrices, expected square ones"},
      {"grassmannian", 2, 3, "found 2x3 matrices, expected no more columns than rows"},
      {"lu", 3, 2, "found 3x2 matrices, expected square ones"},
      {"doubly_stochastic", 3, 2, "found 3x2 matrices, expected square ones"},
      {"hurwitz", 3, 2, "found 3x2 matrices, expected square ones"},
      {"schur_stable", 3, 2, "found 3x2 matrices, expected square ones"},
  };
  rig r;
  rig_open(&r, NULL, device);
  for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); ++k) {
    const pz_spec spec = pz_spec_make(PZ_F64, 2, (const int64_t[]){all[k].rows, all[k].cols});
    ck_assert_fails(rig_try_chain(&r, all[k].chain, NULL, 0, PZ_FROM_TENSOR, &spec, 1), PZ_MISMATCH,
                    all[k].message);
  }
  rig_close(&r);
}
END_TEST

static const char* const chains[] = {
    "low_rank(rank=2)",
    "low_rank(frames=cayley,trivialization=0)",
    "low_rank(trivialization=0)",
    "fixed_rank",
    "general_linear",
    "general_linear(trivialization=0)",
    "special_linear",
    "almost_orthogonal",
    "almost_orthogonal(map=tanh,radius=1)",
    "grassmannian",
    "lu",
    "polar",
    "lipschitz(bound=0.5)",
    "doubly_stochastic(iterations=64)",
    "hurwitz(alpha=0.5)",
    "schur_stable",
};
enum { CHAINS = sizeof(chains) / sizeof(chains[0]), N = 4 };
static const int64_t four[] = {N, N};

/* Entry k of a matrix that is 0, singular, of equal singular values, graded, or far from full. */
static double
extreme(const int kind, const int64_t k, const double size)
{
  const int64_t i = k / N;
  const int64_t j = k % N;
  switch (kind) {
  case 0:
    return 0.0;
  case 1:
    return size;
  case 2:
    return i == j ? size : 0.0;
  case 3:
    return i == j ? -size : 0.0;
  case 4:
    return ((i + 2 * j) % 3 == 0 ? size : 1.0 / size) * (i < j ? -1.0 : 1.0);
  default:
    return j == i + 1 ? size : 0.0;
  }
}

/* Registers a. False if that needs Schur forms, which the reference lacks. */
static bool
registers(rig* const r, const char* const chain, const double* const a)
{
  const pz_status status = rig_assign(r, PZ_REGISTER, a);
  ck_assert_msg(status == PZ_OK || strstr(pz_error_message(), "schur of"), "%s: %s", chain,
                pz_error_message());
  return status == PZ_OK;
}

/* Any finite matrix registers. Its value is finite and in the set, unless steps to it are limited, and has
   finite gradients. */
START_TEST(extremes_register)
{
  enum { KINDS = 6, SIZES = 5 };
  static const double sizes[SIZES] = {1.0, 1e-30, 1e-4, 1e4, 1e30};
  const char* const chain = chains[_i];
  rig r;
  rig_open(&r, NULL, device);
  for (int k = 0; k < KINDS * SIZES * 2; ++k) {
    const uint32_t dtype = k / (KINDS * SIZES) ? PZ_F64 : PZ_F32;
    const double size = sizes[k / KINDS % SIZES];
    double a[N * N];
    double g[N * N];
    double distance = -1.0;
    rig_from_tensor(&r, chain, dtype, 2, four);
    for (int64_t e = 0; e < (int64_t)N * N; ++e) {
      a[e] = extreme(k % KINDS, e, size);
      g[e] = 1.0;
    }
    rig_initialize(&r, a);
    if (!registers(&r, chain, a)) {
      continue;
    }
    double* const y = rig_forward(&r);
    double* const gx = rig_gradients(&r, g);
    ck_assert_msg(isfinite(largest((int64_t)N * N, y)), "%s, kind %d, size %g: the value", chain,
                  k % KINDS, size);
    ck_assert_msg(!isnan(largest(r.n_x, gx)), "%s, kind %d, size %g: the gradient", chain,
                  k % KINDS, size);
    ck_assert_ok(rig_residual(&r, y, &distance));
    ck_assert_msg(strstr(chain, "iterations") ||
                      distance <=
                          1e3 * pz_dtype_epsilon(dtype) * fmax(1.0, largest((int64_t)N * N, y)),
                  "%s, kind %d, size %g: residual %g", chain, k % KINDS, size, distance);
    free(y);
    free(gx);
  }
  rig_close(&r);
}
END_TEST

/* An entry that is not finite stays visible in the value, and is refused when it is assigned. */
START_TEST(not_finite_is_visible)
{
  static const double bad[] = {NAN, INFINITY};
  rig r;
  rig_open(&r, NULL, device);
  for (int k = 0; k < 2; ++k) {
    double a[2 * N * N];
    static const int64_t shape[] = {2, N, N};
    rig_from_tensor(&r, chains[_i], PZ_F64, 3, shape);
    for (int e = 0; e < 2 * N * N; ++e) {
      a[e] = e % (N + 1) == 0 ? 1.0 : 0.25;
    }
    a[N * N + 1] = bad[k];
    rig_initialize(&r, a);
    if (!registers(&r, chains[_i], a)) {
      continue;
    }
    double* const y = rig_forward(&r);
    ck_assert_msg(isfinite(largest((int64_t)N * N, y)), "%s: the other matrix", chains[_i]);
    ck_assert_msg(!isfinite(largest((int64_t)N * N, y + N * N)), "%s hides an entry", chains[_i]);
    ck_assert_int_eq(rig_assign(&r, PZ_ASSIGN, a), PZ_OUTSIDE);
    free(y);
  }
  rig_close(&r);
}
END_TEST

/* Wide logits take many steps; sums are right then too. */
START_TEST(wide_logits_balance)
{
  enum { MANY = 8 };
  static const int64_t shape[] = {3, MANY, MANY};
  rig r;
  rig_open(&r, NULL, device);
  rig_from_tensor(&r, "doubly_stochastic", PZ_F64, 3, shape);
  double* const x = rig_normal(&r, PZ_F64, 3 * (int64_t)MANY * MANY, 5.0);
  double distance = -1.0;
  rig_initialize(&r, x);
  rig_write_originals(&r, x);
  double* const y = rig_forward(&r);
  ck_assert_ok(rig_residual(&r, y, &distance));
  ck_assert_msg(distance <= 1e-14, "residual %g", distance);
  free(x);
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
  TCase* const tcase = tcase_create("matrices");
  tcase_add_loop_test(tcase, refused, 0, sizeof(refusals) / sizeof(refusals[0]));
  tcase_add_test(tcase, refused_shapes);
  tcase_add_loop_test(tcase, extremes_register, 0, CHAINS);
  tcase_add_loop_test(tcase, not_finite_is_visible, 0, CHAINS);
  tcase_add_test(tcase, wide_logits_balance);
  return test_main_case(tcase);
}
