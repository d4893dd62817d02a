/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Elements pass in blocks through float32, or float64 if they had that, so that they are rounded
   once. 2-byte types are rounded on the bits: add half a unit of the last kept place, minus one if
   that place is even. A carry goes into the exponent, as it should. A NaN keeps its upper payload
   and becomes quiet. */

#include "floats.h"

#include <float_convert.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 1024 };

typedef enum kind { F16, BF16, F32, F64, N_KINDS } kind;

static kind
kind_of(const char* const dtype)
{
  static const char* const names[N_KINDS] = {"F16", "BF16", "F32", "F64"};
  int k = 0;
  while (k < N_KINDS && strcmp(names[k], dtype) != 0) {
    ++k;
  }
  return (kind)k;
}

static size_t
size_of(const kind k)
{
  return k == F64 ? 8 : k == F32 ? 4 : 2;
}

bool
floats_known(const char* const dtype)
{
  return kind_of(dtype) != N_KINDS;
}

size_t
floats_size(const char* const dtype)
{
  return size_of(kind_of(dtype));
}

/* ---- rounding ------------------------------------------------------------------ */

static uint32_t
bits_of(const float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

static float
float_of(const uint32_t bits)
{
  float x;
  memcpy(&x, &bits, sizeof(x));
  return x;
}

/* The upper bits of `x` from bit `shift` on, rounded. */
static uint32_t
round_off(const uint32_t x, const unsigned shift)
{
  return (x + (1U << (shift - 1)) - 1 + (x >> shift & 1)) >> shift;
}

static uint16_t
half_from(const float x)
{
  const uint32_t bits = bits_of(x);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  /* Below 2^-14 the last place is 2^-24, as that of 0.5 in float32, which rounds the sum. */
  const float small = float_of(magnitude) + 0.5F;
  const uint32_t rounded = magnitude > 0x7f800000    ? 0x7e00 | (magnitude >> 13 & 0x3ff)
                           : magnitude >= 0x47800000 ? 0x7c00 /* 2^16 and more */
                           : magnitude < 0x38800000
                               ? bits_of(small) - 0x3f000000
                               : round_off(magnitude - (112U << 23), 13); /* the bias: 127, 15 */
  return (uint16_t)(sign | rounded);
}

static uint16_t
brain_from(const float x)
{
  const uint32_t bits = bits_of(x);
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : round_off(bits, 16));
}

/* A float32 that rounds to a 2-byte type as x does: if it is not x, then it is x without its last
   places, and odd. */
static float
odd_from(const double x)
{
  const float near = (float)x;
  const double back = (double)near;
  if (back == x || isnan(x)) {
    return near;
  }
  const uint32_t bits = bits_of(near);
  return float_of((fabs(back) > fabs(x) ? bits - 1 : bits) | 1);
}

/* ---- blocks ---------------------------------------------------------------------- */

/* Counts numbers that are not finite among at most BLOCK: their exponent is all ones. */
static void
count(const kind k, const void* const from, const size_t n, size_t* const nan,
      size_t* const infinite)
{
  uint32_t odd = 0;
  uint32_t infinities = 0;
  if (k == F64) {
    uint64_t bits[BLOCK] = {0};
    memcpy(bits, from, n * sizeof(*bits));
    for (size_t i = 0; i < n; ++i) {
      odd += (bits[i] & UINT64_MAX >> 1) >= UINT64_C(0x7ff) << 52;
      infinities += (bits[i] & UINT64_MAX >> 1) == UINT64_C(0x7ff) << 52;
    }
  } else if (k == F32) {
    uint32_t bits[BLOCK] = {0};
    memcpy(bits, from, n * sizeof(*bits));
    for (size_t i = 0; i < BLOCK; ++i) {
      odd += (bits[i] & 0x7fffffff) >= 0x7f800000;
      infinities += (bits[i] & 0x7fffffff) == 0x7f800000;
    }
  } else {
    uint16_t bits[BLOCK] = {0};
    uint16_t few = 0;
    uint16_t few_infinities = 0;
    const uint16_t all = k == F16 ? 0x7c00 : 0x7f80;
    memcpy(bits, from, n * sizeof(*bits));
    for (size_t i = 0; i < BLOCK; ++i) {
      few = (uint16_t)(few + ((bits[i] & 0x7fff) >= all));
      few_infinities = (uint16_t)(few_infinities + ((bits[i] & 0x7fff) == all));
    }
    odd = few;
    infinities = few_infinities;
  }
  *infinite += infinities;
  *nan += odd - infinities;
}

/* Converts to float32, or float64 for F64; n is at most BLOCK. */
static void
widen(const kind from, const void* const x, const size_t n, void* const out)
{
  switch (from) {
  case F16:
    pzi_float_convert_f16_to_f32(x, out, n);
    break;
  case BF16:
    pzi_float_convert_bf16_to_f32(x, out, n);
    break;
  default:
    memcpy(out, x, n * size_of(from));
    break;
  }
}

/* Converts BLOCK elements: loops of a fixed length become vector instructions. */
static void
narrow(const kind to, const float* const x, const size_t n, void* const out)
{
  uint16_t bits[BLOCK];
  if (to == F32) {
    memcpy(out, x, n * sizeof(*x));
    return;
  }
  if (to == F16) {
    for (size_t i = 0; i < BLOCK; ++i) {
      bits[i] = half_from(x[i]);
    }
  } else {
    for (size_t i = 0; i < BLOCK; ++i) {
      bits[i] = brain_from(x[i]);
    }
  }
  memcpy(out, bits, n * sizeof(*bits));
}

static void
convert_block(const kind from, const void* const x, const kind to, void* const out, const size_t n)
{
  float single[BLOCK] = {0.0F}; /* all of it is converted */
  double wide[BLOCK];
  if (from == F64) {
    memcpy(wide, x, n * sizeof(*wide));
    if (to == F32) {
      pzi_float_convert_f64_to_f32(wide, out, n);
      return;
    }
    for (size_t i = 0; i < n; ++i) {
      single[i] = odd_from(wide[i]);
    }
    narrow(to, single, n, out);
    return;
  }
  widen(from, x, n, single);
  if (to == F64) {
    pzi_float_convert_f32_to_f64(single, out, n);
  } else {
    narrow(to, single, n, out);
  }
}

void
floats_count(const char* const dtype, const void* const from, const size_t n, floats_odd* const odd)
{
  const kind k = kind_of(dtype);
  for (size_t i = 0; i < n; i += BLOCK) {
    count(k, (const char*)from + i * size_of(k), n - i < BLOCK ? n - i : BLOCK, &odd->nan,
          &odd->infinite);
  }
}

void
floats_read(const char* const dtype, const void* const from, const size_t n, double* const to)
{
  floats_odd odd;
  floats_convert(dtype, from, "F64", to, n, &odd);
}

void
floats_convert(const char* const from_dtype, const void* const from, const char* const to_dtype,
               void* const to, const size_t n, floats_odd* const odd)
{
  const kind a = kind_of(from_dtype);
  const kind b = kind_of(to_dtype);
  floats_odd before = {0};
  floats_odd after = {0};
  for (size_t i = 0; i < n; i += BLOCK) {
    const size_t some = n - i < BLOCK ? n - i : BLOCK;
    const char* const x = (const char*)from + i * size_of(a);
    char* const y = (char*)to + i * size_of(b);
    count(a, x, some, &before.nan, &before.infinite);
    if (a == b) {
      memmove(y, x, some * size_of(a));
    } else {
      convert_block(a, x, b, y, some);
    }
    if (size_of(b) < size_of(a) || (a == BF16 && b == F16)) { // a range that is smaller
      count(b, y, some, &after.nan, &after.infinite);
    } else {
      after = before;
    }
  }
  odd->nan += before.nan;
  odd->infinite += before.infinite;
  odd->beyond += after.infinite - before.infinite;
}
