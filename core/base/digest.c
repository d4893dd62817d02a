/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Mixes every word into 64 bits (multiply and rotate, as xxHash does). */

#include "digest.h"

#include <string.h>

uint64_t
pzi_digest(const void* const data, const size_t n)
{
  const unsigned char* bytes = data;
  size_t left = n;
  uint64_t hash = 0x9e3779b97f4a7c15U ^ left;
  for (; left >= 8; left -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    word *= 0xc2b2ae3d27d4eb4fU;
    word = (word << 31 | word >> 33) * 0x9e3779b185ebca87U;
    hash = ((hash ^ word) << 27 | (hash ^ word) >> 37) * 0x9e3779b185ebca87U + 0x85ebca77c2b2ae63U;
  }
  for (; left > 0; --left, ++bytes) {
    hash = (hash ^ *bytes) * 0x9e3779b185ebca87U;
    hash ^= hash >> 29;
  }
  return hash ^ hash >> 32;
}
