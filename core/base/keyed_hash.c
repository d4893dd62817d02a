/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* SipHash-2-4 (Aumasson and Bernstein 2012): words of the text are added to a state of four words by
   two rounds each, and four rounds finish. Without the key, collisions cannot be predicted. */

#include "keyed_hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t
rotate(const uint64_t x, const int bits)
{
  return x << bits | x >> (64 - bits);
}

static inline void
run_rounds(uint64_t v[4], const int n)
{
  for (int k = 0; k < n; ++k) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
  }
}

/* The next 8 bytes, little endian. */
static inline uint64_t
load(const char* const text)
{
  uint64_t word;
  memcpy(&word, text, sizeof(word));
  return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

/* The next `n` < 8 bytes. */
static inline uint64_t
load_end(const char* const text, const size_t n)
{
  uint64_t word = 0;
  for (size_t k = 0; k < n; ++k) {
    word |= (uint64_t)(unsigned char)text[k] << 8 * k;
  }
  return word;
}

uint64_t
pzi_keyed_hash_siphash(const uint64_t key[2], const char* const text, const size_t length)
{
  uint64_t v[4] = {
      key[0] ^ UINT64_C(0x736f6d6570736575),
      key[1] ^ UINT64_C(0x646f72616e646f6d),
      key[0] ^ UINT64_C(0x6c7967656e657261),
      key[1] ^ UINT64_C(0x7465646279746573),
  };
  size_t at = 0;
  for (; length - at >= 8; at += 8) {
    const uint64_t word = load(text + at);
    v[3] ^= word;
    run_rounds(v, 2);
    v[0] ^= word;
  }
  const uint64_t last = load_end(text + at, length - at) | (uint64_t)length << 56;
  v[3] ^= last;
  run_rounds(v, 2);
  v[0] ^= last;
  v[2] ^= 0xff;
  run_rounds(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
pzi_keyed_hash_random(void)
{
  uint64_t bits = 0;
  if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits)) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    bits = ((uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec) ^
           ((uint64_t)getpid() << 32) ^ (uint64_t)(uintptr_t)&now;
  }
  return bits;
}

static uint64_t process_key[2];

static void
draw_key(void)
{
  process_key[0] = pzi_keyed_hash_random();
  process_key[1] = pzi_keyed_hash_random();
}

uint32_t
pzi_keyed_hash(const char* const text, const size_t length)
{
  static pthread_once_t drawn = PTHREAD_ONCE_INIT;
  (void)pthread_once(&drawn, draw_key);
  return (uint32_t)pzi_keyed_hash_siphash(process_key, text, length);
}
