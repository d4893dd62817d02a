/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), a block cipher of a
   counter. The same key and counter give the same bits on every device; ops.h states how
   the other distributions come from them. */

#include "reference.h"

#include <math.h>

// (c0, c1, c2, c3) <- (hi(B c2) ^ c1 ^ k0, lo(B c2), hi(A c0) ^ c3 ^ k1, lo(A c0)), ten
// times, the key advancing by two Weyl constants
static void
philox(const uint64_t key, const uint64_t block, uint32_t c[4])
{
  uint32_t k0 = (uint32_t)key;
  uint32_t k1 = (uint32_t)(key >> 32);
  c[0] = (uint32_t)block;
  c[1] = (uint32_t)(block >> 32);
  c[2] = 0;
  c[3] = 0;
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = (uint64_t)0xD2511F53U * c[0];
    const uint64_t b = (uint64_t)0xCD9E8D57U * c[2];
    c[0] = (uint32_t)(b >> 32) ^ c[1] ^ k0;
    c[1] = (uint32_t)b;
    c[2] = (uint32_t)(a >> 32) ^ c[3] ^ k1;
    c[3] = (uint32_t)a;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
}

/* The 64-bit word of element e: the first of its two lanes is the low half. */
static uint64_t
word_of(const uint64_t key, const uint64_t first, const int64_t e)
{
  uint32_t lanes[4];
  philox(key, first + (uint64_t)e / 2U, lanes);
  const int64_t lane = 2 * (e % 2);
  return (uint64_t)lanes[lane] | (uint64_t)lanes[lane + 1] << 32;
}

static double
uniform(const uint32_t dtype, const uint64_t word)
{
  return dtype == PZ_F32 ? (double)(word >> 40) * 0x1p-24 : (double)(word >> 11) * 0x1p-53;
}

// Box and Muller on the two halves of one word
static double
normal(const uint64_t word)
{
  const double u = ((double)(uint32_t)word + 0.5) * 0x1p-32;
  const double v = (double)(uint32_t)(word >> 32) * 0x1p-32;
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

/* The number of 53-bit integers that count as 1. */
static uint64_t
bernoulli_threshold(const double probability)
{
  if (!(probability > 0.0)) {
    return 0;
  }
  return probability >= 1.0 ? (uint64_t)1 << 53 : (uint64_t)ceil(probability * 0x1p53);
}

pz_status
pzi_reference_random(pz_backend_queue* const q, const pz_distribution kind, const uint64_t key,
                     const uint64_t first, const double a, const double b, const pz_mat* const y)
{
  const uint64_t threshold = kind == PZ_BERNOULLI ? bernoulli_threshold(a) : 0;
  (void)q;
  for (int64_t e = 0; e < y->cols; ++e) {
    const uint64_t word = word_of(key, first, e);
    switch (kind) {
    case PZ_BITS:
      *(uint64_t*)pzi_reference_place(y, 0, 0, e) = word;
      break;
    case PZ_UNIFORM:
      pzi_reference_put(y, 0, 0, e, a + (b - a) * uniform(y->dtype, word));
      break;
    case PZ_NORMAL:
      pzi_reference_put(y, 0, 0, e, a + b * normal(word));
      break;
    case PZ_BERNOULLI:
      pzi_reference_put(y, 0, 0, e, word >> 11 < threshold ? 1.0 : 0.0);
      break;
    }
  }
  return PZ_OK;
}
