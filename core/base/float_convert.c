/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Elements are read with memcpy, which compilers turn into plain loads. NaNs are converted as
   bits, since the processor's conversion makes signalling NaNs quiet. */

#include "float_convert.h"

#include <stdint.h>
#include <string.h>

/* ---- one element ------------------------------------------------------------- */

static double
widen(const float x)
{
  uint32_t bits;
  double y = (double)x;
  memcpy(&bits, &x, sizeof(bits));
  if ((bits & UINT32_C(0x7fffffff)) > UINT32_C(0x7f800000)) {
    const uint64_t nan = (uint64_t)(bits >> 31) << 63 | UINT64_C(0x7ff) << 52 |
                         (uint64_t)(bits & UINT32_C(0x7fffff)) << 29;
    memcpy(&y, &nan, sizeof(y));
  }
  return y;
}

static float
narrow(const double x)
{
  uint64_t bits;
  float y = (float)x;
  memcpy(&bits, &x, sizeof(bits));
  if ((bits & (UINT64_MAX >> 1)) > UINT64_C(0x7ff) << 52) {
    const uint32_t payload = (uint32_t)(bits >> 29) & UINT32_C(0x7fffff);
    const uint32_t nan = (uint32_t)(bits >> 63) << 31 | UINT32_C(0x7f800000) |
                         (payload ? payload : UINT32_C(0x400000)); /* zero would be infinity */
    memcpy(&y, &nan, sizeof(y));
  }
  return y;
}

/* Five bits of exponent, ten of mantissa; the smallest positive number is 2^-24. */
static float
widen_half(const uint16_t half)
{
  const uint32_t sign = (uint32_t)(half >> 15) << 31;
  const uint32_t exponent = half >> 10 & 31U;
  const uint32_t mantissa = half & 1023U;
  float y = (float)mantissa * 0x1p-24F;
  uint32_t bits = (exponent + 112U) << 23 | mantissa << 13;
  if (exponent == 0) {
    memcpy(&bits, &y, sizeof(bits));
  } else if (exponent == 31) {
    bits = UINT32_C(0x7f800000) | mantissa << 13;
  }
  bits |= sign;
  memcpy(&y, &bits, sizeof(y));
  return y;
}

/* bfloat16 is the upper half of a float32. */
static float
widen_brain(const uint16_t half)
{
  const uint32_t bits = (uint32_t)half << 16;
  float y;
  memcpy(&y, &bits, sizeof(y));
  return y;
}

/* ---- arrays ------------------------------------------------------------------ */

void
pzi_float_convert_f32_to_f64(const void* const from, void* const to, const size_t n)
{
  for (size_t k = 0; k < n; ++k) {
    float x;
    memcpy(&x, (const char*)from + k * sizeof(x), sizeof(x));
    const double y = widen(x);
    memcpy((char*)to + k * sizeof(y), &y, sizeof(y));
  }
}

void
pzi_float_convert_f64_to_f32(const void* const from, void* const to, const size_t n)
{
  for (size_t k = 0; k < n; ++k) {
    double x;
    memcpy(&x, (const char*)from + k * sizeof(x), sizeof(x));
    const float y = narrow(x);
    memcpy((char*)to + k * sizeof(y), &y, sizeof(y));
  }
}

/* Converts a 16-bit format to float32 or float64. */
static void
from_16(const void* const from, void* const to, const size_t n, float (*const one)(uint16_t),
        const size_t size)
{
  for (size_t k = 0; k < n; ++k) {
    uint16_t bits;
    memcpy(&bits, (const char*)from + k * sizeof(bits), sizeof(bits));
    const float x = one(bits);
    const double y = widen(x);
    memcpy((char*)to + k * size, size == sizeof(x) ? (const void*)&x : &y, size);
  }
}

void
pzi_float_convert_f16_to_f32(const void* const from, void* const to, const size_t n)
{
  from_16(from, to, n, widen_half, sizeof(float));
}

void
pzi_float_convert_bf16_to_f32(const void* const from, void* const to, const size_t n)
{
  from_16(from, to, n, widen_brain, sizeof(float));
}

void
pzi_float_convert_f16_to_f64(const void* const from, void* const to, const size_t n)
{
  from_16(from, to, n, widen_half, sizeof(double));
}

void
pzi_float_convert_bf16_to_f64(const void* const from, void* const to, const size_t n)
{
  from_16(from, to, n, widen_brain, sizeof(double));
}
