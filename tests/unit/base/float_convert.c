/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Conversions between widths: known bits, every 16-bit number, and round trips. */

#include "float_convert.h"

#include <support.h>

#include <math.h>
#include <string.h>

static uint32_t
bits32(const float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

static uint64_t
bits64(const double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

START_TEST(narrowing_rounds_once_to_nearest_even)
{
  static const struct {
    uint64_t from;
    uint32_t to;
  } known[] = {
      {UINT64_C(0x0000000000000000), 0x00000000}, {UINT64_C(0x8000000000000000), 0x80000000},
      {UINT64_C(0x3ff0000000000000), 0x3f800000}, {UINT64_C(0x3fb999999999999a), 0x3dcccccd},
      {UINT64_C(0x3ff0000010000000), 0x3f800000}, /* 1 + 2^-24, a tie: down to even */
      {UINT64_C(0x3ff0000010000001), 0x3f800001}, /* just above it */
      {UINT64_C(0x3ff0000030000000), 0x3f800002}, /* 1 + 3 2^-24, a tie: up to even */
      {UINT64_C(0x3ff000002fffffff), 0x3f800001}, /* just below it */
      {UINT64_C(0x47efffffe0000000), 0x7f7fffff}, /* the largest float32 */
      {UINT64_C(0x47efffffefffffff), 0x7f7fffff}, /* the last that rounds to it */
      {UINT64_C(0x47effffff0000000), 0x7f800000}, /* the first that does not */
      {UINT64_C(0x7fefffffffffffff), 0x7f800000}, {UINT64_C(0xffefffffffffffff), 0xff800000},
      {UINT64_C(0x3810000000000000), 0x00800000}, /* 2^-126, the least normal */
      {UINT64_C(0x380fffffc0000000), 0x007fffff}, /* the largest subnormal */
      {UINT64_C(0x380fffffe0000000), 0x00800000}, /* a tie between these */
      {UINT64_C(0x36a0000000000000), 0x00000001}, /* 2^-149 */
      {UINT64_C(0x3690000000000000), 0x00000000}, /* half of it, a tie: to zero */
      {UINT64_C(0x3690000000000001), 0x00000001}, {UINT64_C(0x0000000000000001), 0x00000000},
      {UINT64_C(0x8000000000000001), 0x80000000}, {UINT64_C(0x7ff0000000000000), 0x7f800000},
      {UINT64_C(0xfff0000000000000), 0xff800000}, {UINT64_C(0x7ff8000000000000), 0x7fc00000},
      {UINT64_C(0xfff8000000000000), 0xffc00000}, {UINT64_C(0x7ff4000000000000), 0x7fa00000},
      {UINT64_C(0x7ff0000000000001), 0x7fc00000}, /* a NaN whose payload has no place */
  };
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    uint32_t to = 0;
    pzi_float_convert_f64_to_f32(&known[k].from, &to, 1);
    ck_assert_msg(to == known[k].to, "%016llx: found %08x, expected %08x",
                  (unsigned long long)known[k].from, (unsigned)to, (unsigned)known[k].to);
  }
}
END_TEST

START_TEST(widening_a_float_is_exact)
{
  static const struct {
    uint32_t from;
    uint64_t to;
  } known[] = {
      {0x00000000, UINT64_C(0x0000000000000000)}, {0x80000000, UINT64_C(0x8000000000000000)},
      {0x00000001, UINT64_C(0x36a0000000000000)}, {0x807fffff, UINT64_C(0xb80fffffc0000000)},
      {0x7f7fffff, UINT64_C(0x47efffffe0000000)}, {0x3dcccccd, UINT64_C(0x3fb99999a0000000)},
      {0x7f800000, UINT64_C(0x7ff0000000000000)}, {0xff800000, UINT64_C(0xfff0000000000000)},
      {0x7fc00000, UINT64_C(0x7ff8000000000000)}, {0xff800001, UINT64_C(0xfff0000020000000)},
  };
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    uint64_t to = 0;
    pzi_float_convert_f32_to_f64(&known[k].from, &to, 1);
    ck_assert_msg(to == known[k].to, "%08x: found %016llx, expected %016llx",
                  (unsigned)known[k].from, (unsigned long long)to, (unsigned long long)known[k].to);
  }
}
END_TEST

START_TEST(every_pattern_of_bits_returns)
{
  /* Every 1021st of 2^32: all exponents and signs, NaNs of both kinds among them. */
  enum { MANY = 4096 };
  static uint32_t from[MANY];
  static uint32_t back[MANY];
  static double wide[MANY];
  uint32_t next = 0;
  for (int block = 0; block < 1028; ++block) {
    for (int k = 0; k < MANY; ++k, next += 1021) {
      from[k] = next;
    }
    pzi_float_convert_f32_to_f64(from, wide, MANY);
    pzi_float_convert_f64_to_f32(wide, back, MANY);
    ck_assert_mem_eq(from, back, sizeof(from));
  }
}
END_TEST

/* The value that 16 bits stand for, by the definition of the format. */
static double
meaning(const uint16_t half, const int exponent_bits, const int mantissa_bits)
{
  const int exponent = half >> mantissa_bits & ((1 << exponent_bits) - 1);
  const int mantissa = half & ((1 << mantissa_bits) - 1);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  double value = INFINITY;
  if (exponent == 0) {
    value = ldexp(mantissa, 1 - bias - mantissa_bits);
  } else if (exponent != (1 << exponent_bits) - 1) {
    value = ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits);
  }
  return half >> 15 ? -value : value;
}

static void
check_all_16(void (*const to_f32)(const void*, void*, size_t),
             void (*const to_f64)(const void*, void*, size_t), const int exponent_bits)
{
  enum { ALL = 1 << 16 };
  static uint16_t from[ALL];
  static float narrow[ALL];
  static double wide[ALL];
  const int mantissa_bits = 15 - exponent_bits;
  for (int k = 0; k < ALL; ++k) {
    from[k] = (uint16_t)k;
  }
  to_f32(from, narrow, ALL);
  to_f64(from, wide, ALL);
  for (int k = 0; k < ALL; ++k) {
    const int magnitude = k & 0x7fff;
    const int infinite = ((1 << exponent_bits) - 1) << mantissa_bits;
    if (magnitude > infinite) { /* a NaN keeps its bits at the top */
      const uint32_t mantissa = (uint32_t)(magnitude - infinite);
      const uint32_t sign = (uint32_t)k >> 15;
      ck_assert_uint_eq(bits32(narrow[k]),
                        sign << 31 | 0x7f800000U | mantissa << (23 - mantissa_bits));
      ck_assert_uint_eq(bits64(wide[k]), (uint64_t)sign << 63 | UINT64_C(0x7ff) << 52 |
                                             (uint64_t)mantissa << (52 - mantissa_bits));
    } else {
      const double expected = meaning((uint16_t)k, exponent_bits, mantissa_bits);
      ck_assert_uint_eq(bits64(wide[k]), bits64(expected)); /* signs of zeros too */
      ck_assert_uint_eq(bits64((double)narrow[k]), bits64(expected));
    }
  }
}

START_TEST(every_16_bit_number_has_its_value)
{
  check_all_16(pzi_float_convert_f16_to_f32, pzi_float_convert_f16_to_f64, 5);
  check_all_16(pzi_float_convert_bf16_to_f32, pzi_float_convert_bf16_to_f64, 8);
}
END_TEST

START_TEST(known_halves)
{
  static const uint16_t f16[] = {0x3c00, 0x3555, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x8001, 0x7c00};
  static const uint32_t from_f16[] = {0x3f800000, 0x3eaaa000, 0x477fe000, 0x38800000,
                                      0x387fc000, 0x33800000, 0xb3800000, 0x7f800000};
  static const uint16_t bf16[] = {0x3f80, 0x4049, 0x7f7f, 0x0080, 0x0001, 0xff80};
  static const uint32_t from_bf16[] = {0x3f800000, 0x40490000, 0x7f7f0000,
                                       0x00800000, 0x00010000, 0xff800000};
  uint32_t to[8];
  pzi_float_convert_f16_to_f32(f16, to, 8);
  ck_assert_mem_eq(to, from_f16, sizeof(from_f16));
  pzi_float_convert_bf16_to_f32(bf16, to, 6);
  ck_assert_mem_eq(to, from_bf16, sizeof(from_bf16));
}
END_TEST

START_TEST(nothing_needs_to_be_aligned)
{
  unsigned char from[1 + 3 * 2] = {0xee, 0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00};
  unsigned char to[1 + 3 * 8 + 1];
  double values[3];
  memset(to, 0x5a, sizeof(to));
  pzi_float_convert_f16_to_f64(from + 1, to + 1, 3);
  memcpy(values, to + 1, sizeof(values));
  ck_assert_double_eq(values[0], 1.0);
  ck_assert_double_eq(values[1], -2.0);
  ck_assert_double_eq(values[2], ldexp(1.0, -24));
  ck_assert_uint_eq(to[0], 0x5a); /* and nothing beside is written */
  ck_assert_uint_eq(to[sizeof(to) - 1], 0x5a);
}
END_TEST

int
main(void)
{
  TCase* const tcase = tcase_create("convert");
  tcase_add_test(tcase, narrowing_rounds_once_to_nearest_even);
  tcase_add_test(tcase, widening_a_float_is_exact);
  tcase_add_test(tcase, every_pattern_of_bits_returns);
  tcase_add_test(tcase, every_16_bit_number_has_its_value);
  tcase_add_test(tcase, known_halves);
  tcase_add_test(tcase, nothing_needs_to_be_aligned);
  return test_main_case(tcase);
}
