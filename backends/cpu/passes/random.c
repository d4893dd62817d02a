/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), a block cipher of a
   counter: the same key and counter give the same bits on every device. Words are made by
   the piece, two from each block, then turned into the distribution asked for. */

#include "passes.h"

#include <string.h>

enum { PIECE = 128 }; /* words at a time, even */

// (c0, c1, c2, c3) <- (hi(B c2) ^ c1 ^ k0, lo(B c2), hi(A c0) ^ c3 ^ k1, lo(A c0)), ten
// times, the key advancing by two Weyl constants; lanes 0 and 1 are the first word
static void
philox(const uint64_t key, const uint64_t first, const int64_t n_blocks, uint64_t* const words)
{
  for (int64_t n = 0; n < n_blocks; ++n) {
    const uint64_t block = first + (uint64_t)n;
    uint32_t k0 = (uint32_t)key;
    uint32_t k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)block;
    uint32_t c1 = (uint32_t)(block >> 32);
    uint32_t c2 = 0;
    uint32_t c3 = 0;
    for (int round = 0; round < 10; ++round) {
      const uint64_t a = (uint64_t)0xD2511F53U * c0;
      const uint64_t b = (uint64_t)0xCD9E8D57U * c2;
      c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
      c1 = (uint32_t)b;
      c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
      c3 = (uint32_t)a;
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    words[2 * n] = (uint64_t)c0 | (uint64_t)c1 << 32;
    words[2 * n + 1] = (uint64_t)c2 | (uint64_t)c3 << 32;
  }
}

/* A number in [0, 1) that `real` holds exactly. */
static double
uniform(const uint64_t word)
{
#if CPU_REAL_BITS == 32
  return (double)(word >> 40) * 0x1p-24;
#else
  return (double)(word >> 11) * 0x1p-53;
#endif
}

// Box and Muller on the two halves of one word
static double
normal(const uint64_t word)
{
  const double u = ((double)(uint32_t)word + 0.5) * 0x1p-32;
  const double v = (double)(uint32_t)(word >> 32) * 0x1p-32;
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

/* How many of the 2^53 integers count as 1. */
static uint64_t
bernoulli_threshold(const double probability)
{
  if (!(probability > 0.0)) {
    return 0;
  }
  return probability >= 1.0 ? (uint64_t)1 << 53 : (uint64_t)ceil(probability * 0x1p53);
}

pz_status
TYPED_ONCE(random)(pz_backend_queue* const q, const pz_distribution kind, const uint64_t key,
                   const uint64_t first, const double a, const double b, const pz_mat* const y)
{
  (void)q;
  const uint64_t threshold = bernoulli_threshold(a);
  for (int64_t e = 0; e < y->cols; e += PIECE) {
    const int64_t n = smaller(PIECE, y->cols - e);
    uint64_t words[PIECE];
    philox(key, first + (uint64_t)e / 2U, (n + 1) / 2, words);
    char* const at = cpu_at(y, 0) + (size_t)e * pz_dtype_size(y->dtype);
    real* const to = (real*)(void*)at;
    switch (kind) {
    case PZ_BITS:
      memcpy(at, words, (size_t)n * sizeof(uint64_t));
      break;
    case PZ_UNIFORM:
      for (int64_t i = 0; i < n; ++i) {
        to[i] = (real)(a + (b - a) * uniform(words[i]));
      }
      break;
    case PZ_NORMAL:
      for (int64_t i = 0; i < n; ++i) {
        to[i] = (real)(a + b * normal(words[i]));
      }
      break;
    case PZ_BERNOULLI:
      for (int64_t i = 0; i < n; ++i) {
        to[i] = words[i] >> 11 < threshold ? 1 : 0;
      }
      break;
    }
  }
  return PZ_OK;
}
