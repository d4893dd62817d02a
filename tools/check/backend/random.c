/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random numbers: published answers for the generator, its formulas spelled out a second
   time, and moments. */

#include "pair.h"

#include <math.h>

typedef struct lanes {
  uint32_t v[4];
} lanes;

/* Philox4x32-10 on a full counter and key. */
static lanes
philox(lanes c, uint32_t k0, uint32_t k1)
{
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = (uint64_t)0xD2511F53U * c.v[0];
    const uint64_t p1 = (uint64_t)0xCD9E8D57U * c.v[2];
    const lanes next = {{(uint32_t)(p1 >> 32) ^ c.v[1] ^ k0, (uint32_t)p1,
                         (uint32_t)(p0 >> 32) ^ c.v[3] ^ k1, (uint32_t)p0}};
    c = next;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return c;
}

static uint64_t
expected_word(const uint64_t key, const uint64_t first, const int64_t e)
{
  const uint64_t block = first + (uint64_t)(e / 2);
  const lanes counter = {{(uint32_t)block, (uint32_t)(block >> 32), 0, 0}};
  const lanes out = philox(counter, (uint32_t)key, (uint32_t)(key >> 32));
  return e % 2 ? out.v[2] | (uint64_t)out.v[3] << 32 : out.v[0] | (uint64_t)out.v[1] << 32;
}

/* The vectors of Random123's kat_vectors, which hold the formulas above to account; the
   first also through the operation. */
START_TEST(test_known_answers)
{
  static const lanes in[3] = {{{0, 0, 0, 0}},
                              {{0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU}},
                              {{0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}}};
  static const uint32_t keys[3][2] = {
      {0, 0}, {0xffffffffU, 0xffffffffU}, {0xa4093822U, 0x299f31d0U}};
  static const lanes out[3] = {{{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}},
                               {{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU}},
                               {{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U}}};
  pair it;
  pair* const r = &it;
  for (int k = 0; k < 3; ++k) {
    const lanes found = philox(in[k], keys[k][0], keys[k][1]);
    ck_assert_mem_eq(&found, &out[k], sizeof(found));
  }
  pair_open(r, 1);
  operand* const y = operand_flat(r, OPERAND_OUT, PZ_I64, 2);
  RUN_INTEGERS(r, random, PZ_BITS, 0, 0, 0.0, 0.0, AT(y));
  expect_ok(r);
  if (r->offered) {
    ck_assert_uint_eq((uint64_t)operand_integer(y, TESTED, 0), 0xe169c58d6627e8d5U);
    ck_assert_uint_eq((uint64_t)operand_integer(y, TESTED, 1), 0x9b00dbd8bc57ac4cU);
  }
  pair_close(r);
}
END_TEST

/* Block numbers that wrap included. */
START_TEST(test_raw_bits)
{
  static const uint64_t firsts[] = {0, 1, 0xffffffffU, 0xfffffffffffffffeU};
  pair it;
  pair* const r = &it;
  pair_open(r, 1);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r) + pair_pick(r, 3);
    const uint64_t key = test_bits(&r->random);
    const uint64_t first = trial % 5 < 4 ? firsts[trial % 5] : test_bits(&r->random);
    operand* const y = operand_flat(r, OPERAND_OUT, PZ_I64, n);
    RUN_INTEGERS(r, random, PZ_BITS, key, first, 0.0, 0.0, AT(y));
    expect_ok(r);
    for (int64_t e = 0; r->offered && e < n; ++e) {
      ck_assert_uint_eq((uint64_t)operand_integer(y, TESTED, e), expected_word(key, first, e));
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_bernoulli)
{
  static const double probabilities[] = {0.0, 1.0, 0.5, 0.2, 0x1p-53, 1.0 - 0x1p-53, -1.0, 2.0};
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const uint64_t key = test_bits(&r->random);
    // just above the integer of one element: that one is 1 too
    const uint64_t edge = expected_word(key, 7, pair_pick(r, n)) >> 11;
    const double p = trial < 8 ? probabilities[trial] : ((double)edge + 0.5) * 0x1p-53;
    operand* const y = operand_flat(r, OPERAND_OUT, r->dtype, n);
    RUN(r, random, PZ_BERNOULLI, key, 7, p, 0.0, AT(y));
    expect_ok(r);
    for (int64_t e = 0; r->offered && e < n; ++e) {
      const double bound = ceil(fmin(fmax(p, 0.0), 1.0) * 0x1p53);
      const double expected = (double)(expected_word(key, 7, e) >> 11) < bound ? 1.0 : 0.0;
      ck_assert(operand_get(y, TESTED, 0, 0, e) == expected);
    }
  }
  pair_close(r);
}
END_TEST

// u in [0, 1) exactly; a + (b - a) u to rounding
START_TEST(test_uniform_distribution)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const uint64_t key = test_bits(&r->random);
    const double a = trial % 2 ? test_normal(&r->random) : 0.0;
    const double b = trial % 2 ? a + test_uniform(&r->random) : 1.0;
    operand* const y = operand_flat(r, OPERAND_OUT, r->dtype, n);
    RUN(r, random, PZ_UNIFORM, key, 0, a, b, AT(y));
    expect_close(r, y, fabs(a) + fabs(b));
    for (int64_t e = 0; r->offered && e < n; ++e) {
      const uint64_t w = expected_word(key, 0, e);
      const double u = _i == 0 ? (double)(w >> 40) * 0x1p-24 : (double)(w >> 11) * 0x1p-53;
      const double found = operand_get(y, TESTED, 0, 0, e);
      const double slack = trial % 2 ? 4.0 * r->epsilon * (fabs(a) + fabs(b)) : 0.0;
      ck_assert_msg(fabs(found - (a + (b - a) * u)) <= slack, "%.17g", found);
    }
  }
  pair_close(r);
}
END_TEST

START_TEST(test_normal_distribution)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  for (int trial = 0; trial < pair_trials(); ++trial) {
    pair_trial(r, trial);
    const int64_t n = pair_size(r);
    const uint64_t key = test_bits(&r->random);
    const double mean = test_normal(&r->random);
    const double deviation = test_uniform(&r->random);
    operand* const y = operand_flat(r, OPERAND_OUT, r->dtype, n);
    RUN(r, random, PZ_NORMAL, key, 3, mean, deviation, AT(y));
    expect_ok(r);
    for (int64_t e = 0; r->offered && e < n; ++e) {
      const uint64_t w = expected_word(key, 3, e);
      const double radius = sqrt(-2.0 * log(((double)(uint32_t)w + 0.5) * 0x1p-32));
      const double angle = 6.283185307179586 * ((double)(w >> 32) * 0x1p-32);
      const double expected = mean + deviation * radius * cos(angle);
      // a few roundings of numbers below 6.8 deviations
      const double slack = 16.0 * r->epsilon * (fabs(mean) + 6.8 * deviation);
      ck_assert_msg(fabs(operand_get(y, TESTED, 0, 0, e) - expected) <= slack, "%.17g",
                    operand_get(y, TESTED, 0, 0, e) - expected);
    }
  }
  pair_close(r);
}
END_TEST

/* First and second moments of 2^16 numbers within six standard errors. */
START_TEST(test_moments)
{
  pair it;
  pair* const r = &it;
  pair_open(r, _i);
  const int64_t n = 65536;
  const double mean[4] = {0.0, 0.5, 0.0, 0.25};
  const double variance[4] = {0.0, 1.0 / 12.0, 1.0, 0.1875};
  for (int kind = PZ_UNIFORM; kind <= PZ_BERNOULLI; ++kind) {
    pair_trial(r, 0);
    operand* const y = operand_flat(r, OPERAND_OUT, r->dtype, n);
    const double a = kind == PZ_BERNOULLI ? 0.25 : 0.0;
    RUN(r, random, (pz_distribution)kind, test_seed(), 0, a, 1.0, AT(y));
    expect_ok(r);
    double sum = 0.0;
    double squares = 0.0;
    for (int64_t e = 0; r->offered && e < n; ++e) {
      const double x = operand_get(y, TESTED, 0, 0, e) - mean[kind];
      sum += x;
      squares += x * x;
    }
    const double error = 6.0 / sqrt((double)n);
    if (r->offered) {
      ck_assert_double_le(fabs(sum / (double)n), error * sqrt(variance[kind]));
      // the fourth moment is at most three squared variances in all three
      ck_assert_double_le(fabs(squares / (double)n - variance[kind]),
                          error * sqrt(2.0) * variance[kind]);
    }
  }
  pair_close(r);
}
END_TEST

TCase*
random_case(void)
{
  TCase* const t = tcase_create("random");
  tcase_add_test(t, test_known_answers);
  tcase_add_test(t, test_raw_bits);
  tcase_add_loop_test(t, test_bernoulli, 0, 2);
  tcase_add_loop_test(t, test_uniform_distribution, 0, 2);
  tcase_add_loop_test(t, test_normal_distribution, 0, 2);
  tcase_add_loop_test(t, test_moments, 0, 2);
  return t;
}
