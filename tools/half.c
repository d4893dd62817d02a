/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Rounds on the bits: adds half a unit of the last kept place, minus one if that place is even. A
   carry goes into the exponent, as it should. A NaN keeps its upper payload and becomes quiet. */

#include "half.h"

#include <string.h>

static uint32_t
bits_of(const float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

/* The upper bits of `x` from bit `shift` on, rounded. */
static uint32_t
round_off(const uint32_t x, const unsigned shift)
{
  return (x + (1U << (shift - 1)) - 1 + (x >> shift & 1)) >> shift;
}

uint16_t
half_from_float(const float x)
{
  const uint32_t bits = bits_of(x);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t exponent = magnitude >> 23;
  if (magnitude > 0x7f800000) {
    return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  }
  if (exponent >= 127 + 16) { /* 2^16 and more */
    return (uint16_t)(sign | 0x7c00);
  }
  if (exponent >= 127 - 14) { /* normal: the bias goes from 127 to 15 */
    return (uint16_t)(sign | round_off(magnitude - (112U << 23), 13));
  }
  if (exponent < 127 - 25) { /* less than 2^-25, half of the smallest */
    return (uint16_t)sign;
  }
  /* Multiples of 2^-24; the significand counts 2^(exponent - 150). */
  const uint32_t significand = (magnitude & 0x7fffff) | 0x800000;
  return (uint16_t)(sign | round_off(significand, 126 - exponent));
}

uint16_t
bfloat_from_float(const float x)
{
  const uint32_t bits = bits_of(x);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    return (uint16_t)(bits >> 16 | 0x40);
  }
  return (uint16_t)round_off(bits, 16);
}
