/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Elements are read with memcpy, which compilers turn into plain loads. NaNs are converted as
   bits, since the processor's conversion makes signalling NaNs quiet. */

#include "float_convert.h"

#include <stdint.h>
#include <string.h>

enum { CHUNK = 64 };

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
  const float small = (float)(int32_t)mantissa * 0x1p-24F;
  uint32_t small_bits;
  memcpy(&small_bits, &small, sizeof(small));
  const uint32_t normal = (exponent + (exponent == 31 ? 224U : 112U)) << 23 | mantissa << 13;
  const uint32_t bits = (exponent == 0 ? small_bits : normal) | sign;
  float y;
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

/* Runs a function of CHUNK elements over all; the last ones are padded. Loops of a fixed length on
   arrays of their own become vector instructions. */
static void
from_16(const void* const from, void* const to, const size_t n,
        void (*const chunk)(const uint16_t* from, float* to))
{
  uint16_t bits[CHUNK] = {0};
  float x[CHUNK];
  for (size_t k = 0; k < n; k += CHUNK) {
    const size_t some = n - k < CHUNK ? n - k : CHUNK;
    memcpy(bits, (const char*)from + k * sizeof(*bits), some * sizeof(*bits));
    chunk(bits, x);
    memcpy((char*)to + k * sizeof(*x), x, some * sizeof(*x));
  }
}

static void
half_chunk(const uint16_t* const from, float* const to)
{
  for (size_t k = 0; k < CHUNK; ++k) {
    to[k] = widen_half(from[k]);
  }
}

static void
brain_chunk(const uint16_t* const from, float* const to)
{
  for (size_t k = 0; k < CHUNK; ++k) {
    to[k] = widen_brain(from[k]);
  }
}

void
pzi_float_convert_f16_to_f32(const void* const from, void* const to, const size_t n)
{
  from_16(from, to, n, half_chunk);
}

void
pzi_float_convert_bf16_to_f32(const void* const from, void* const to, const size_t n)
{
  from_16(from, to, n, brain_chunk);
}

/* Converts a 16-bit format to float64. */
static void
from_16_to_f64(const void* const from, void* const to, const size_t n, float (*const one)(uint16_t))
{
  for (size_t k = 0; k < n; ++k) {
    uint16_t bits;
    memcpy(&bits, (const char*)from + k * sizeof(bits), sizeof(bits));
    const double y = widen(one(bits));
    memcpy((char*)to + k * sizeof(y), &y, sizeof(y));
  }
}

void
pzi_float_convert_f16_to_f64(const void* const from, void* const to, const size_t n)
{
  from_16_to_f64(from, to, n, widen_half);
}

void
pzi_float_convert_bf16_to_f64(const void* const from, void* const to, const size_t n)
{
  from_16_to_f64(from, to, n, widen_brain);
}
