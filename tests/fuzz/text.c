/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Mutations of text. A piece is a run of letters and digits, or one other byte; cuts are
   made between pieces only, so that words and numbers stay whole. */

#include "fuzz.h"

#include <string.h>

uint64_t
fuzz_bits(uint64_t* const random)
{
  uint64_t z = (*random += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

size_t
fuzz_below(uint64_t* const random, const size_t n)
{
  return (size_t)(fuzz_bits(random) % n);
}

size_t
fuzz_any_seed(uint8_t* const out, const size_t most, uint64_t* const random)
{
  static uint8_t seed[FUZZ_MOST];
  size_t n = 0;
  while (fuzz.seed(n, seed) > 0) {
    ++n;
  }
  const size_t size = fuzz.seed(fuzz_below(random, n), seed);
  const size_t kept = size < most ? size : most;
  memcpy(out, seed, kept);
  return kept;
}

static bool
is_word(const uint8_t c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The first place from `at` on where one piece ends and another begins. */
static size_t
boundary(const uint8_t* const data, const size_t size, size_t at)
{
  while (at > 0 && at < size && is_word(data[at - 1]) && is_word(data[at])) {
    ++at;
  }
  return at;
}

static size_t
any_boundary(const uint8_t* const data, const size_t size, uint64_t* const random)
{
  return boundary(data, size, fuzz_below(random, size + 1));
}

/* Replaces bytes [begin, end) by `n` others; nothing happens where there is no room. */
static size_t
splice(uint8_t* const data, const size_t size, const size_t most, const size_t begin,
       const size_t end, const void* const bytes, const size_t n)
{
  if (size - (end - begin) + n > most) {
    return size;
  }
  memmove(data + begin + n, data + end, size - end);
  memcpy(data + begin, bytes, n);
  return size - (end - begin) + n;
}

/* A number of the text, [*begin, *end); false where there is none. */
static bool
any_number(const uint8_t* const data, const size_t size, uint64_t* const random,
           size_t* const begin, size_t* const end)
{
  size_t at = size > 0 ? fuzz_below(random, size) : 0;
  for (size_t k = 0; k < size; ++k, at = at + 1 < size ? at + 1 : 0) {
    if (data[at] >= '0' && data[at] <= '9' && (at == 0 || !is_word(data[at - 1]))) {
      *begin = at;
      for (*end = at; *end < size && data[*end] >= '0' && data[*end] <= '9'; ++*end) {
      }
      return true;
    }
  }
  return false;
}

static size_t
change_number(uint8_t* const data, const size_t size, const size_t most, uint64_t* const random)
{
  static const char* const limits[] = {
      "0",
      "1",
      "2",
      "7",
      "8",
      "255",
      "256",
      "65536",
      "2147483647",
      "2147483648",
      "4294967295",
      "4294967296",
      "4611686018427387904",
      "9007199254740992",
      "9007199254740993",
      "9223372036854775807",
      "9223372036854775808",
      "18446744073709551615",
      "18446744073709551616",
      "-1",
      "-0",
      "1.5",
      "1e3",
      "1e300",
      "1e-400",
      "0x10",
      "00",
  };
  size_t begin;
  size_t end;
  char text[32];
  if (!any_number(data, size, random, &begin, &end)) {
    return size;
  }
  if (end - begin < 19 && fuzz_below(random, 2) == 0) {
    uint64_t value = 0;
    for (size_t k = begin; k < end; ++k) {
      value = 10 * value + (uint64_t)(data[k] - '0');
    }
    const uint64_t step = 1 + fuzz_below(random, 8);
    value = fuzz_below(random, 2) == 0 ? value + step : value - (value < step ? value : step);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
  } else {
    snprintf(text, sizeof(text), "%s",
             limits[fuzz_below(random, sizeof(limits) / sizeof(limits[0]))]);
  }
  return splice(data, size, most, begin, end, text, strlen(text));
}

/* Copies a stretch of the text to another place, over what is there or between it. */
static size_t
copy_stretch(uint8_t* const data, const size_t size, const size_t most, uint64_t* const random)
{
  uint8_t kept[512];
  const size_t from = any_boundary(data, size, random);
  const size_t length = boundary(data, size, from + fuzz_below(random, size - from + 1)) - from;
  const size_t n = length < sizeof(kept) ? length : sizeof(kept);
  memcpy(kept, data + from, n);
  const size_t begin = any_boundary(data, size, random);
  const size_t end = fuzz_below(random, 2) == 0
                         ? begin
                         : boundary(data, size, begin + fuzz_below(random, size - begin + 1));
  return splice(data, size, most, begin, end, kept, n);
}

size_t
fuzz_mutate_text(uint8_t* const data, const size_t size, const size_t most,
                 const char* const* const words, uint64_t* const random)
{
  size_t n_words = 0;
  while (words[n_words]) {
    ++n_words;
  }
  const char* const word = words[fuzz_below(random, n_words)];
  const size_t begin = any_boundary(data, size, random);
  size_t end = begin < size ? boundary(data, size, begin + 1) : begin;
  switch (fuzz_below(random, 8)) {
  case 0:
    return fuzz_mutate_bytes(data, size, most, random);
  case 1:
    return splice(data, size, most, begin, begin, word, strlen(word));
  case 2:
    return splice(data, size, most, begin, end, word, strlen(word));
  case 3:
    return splice(data, size, most, begin, end, "", 0);
  case 4:
    end = boundary(data, size, begin + fuzz_below(random, size - begin + 1));
    return splice(data, size, most, begin, end, "", 0);
  case 5:
    return copy_stretch(data, size, most, random);
  default:
    return change_number(data, size, most, random);
  }
}
