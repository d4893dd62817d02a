/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "draws.h"

#include <math.h>

bool
test_takes(const int64_t k, const int64_t of)
{
  return test_thorough() || of <= 1 || (uint64_t)k % (uint64_t)of == test_seed() % (uint64_t)of;
}

uint64_t
test_bits(uint64_t* const state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

double
test_uniform(uint64_t* const state)
{
  return (double)(test_bits(state) >> 11) * 0x1p-53;
}

double
test_normal(uint64_t* const state)
{
  const double u = test_uniform(state);
  const double v = test_uniform(state);
  return sqrt(-2.0 * log1p(-u)) * cos(6.283185307179586 * v);
}

void
test_fill_normal(uint64_t* const state, const uint32_t dtype, const int64_t n, const double scale,
                 void* const out)
{
  for (int64_t k = 0; k < n; ++k) {
    test_put(dtype, out, k, scale * test_normal(state));
  }
}

double
test_at(const uint32_t dtype, const void* const data, const int64_t k)
{
  return dtype == PZ_F32 ? (double)((const float*)data)[k] : ((const double*)data)[k];
}

void
test_put(const uint32_t dtype, void* const data, const int64_t k, const double value)
{
  if (dtype == PZ_F32) {
    ((float*)data)[k] = (float)value;
  } else {
    ((double*)data)[k] = value;
  }
}

double
test_relative(const uint32_t dtype, const void* const a, const void* const b, const int64_t n)
{
  double difference = 0.0;
  double norm = 0.0;
  for (int64_t k = 0; k < n; ++k) {
    const double x = test_at(dtype, a, k);
    const double y = test_at(dtype, b, k);
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return difference == 0.0 ? 0.0 : sqrt(difference) / fmax(sqrt(norm), 1e-300);
}
