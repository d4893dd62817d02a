/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Strict UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF. */

#include "utf8.h"

bool
pzi_utf8_is_valid(const char* const text, const size_t length)
{
  const unsigned char* const s = (const unsigned char*)text;
  for (size_t i = 0; i < length;) {
    const unsigned char c = s[i];
    const size_t more = c < 0x80   ? 0
                        : c < 0xc2 ? 4
                        : c < 0xe0 ? 1
                        : c < 0xf0 ? 2
                        : c < 0xf5 ? 3
                                   : 4;
    if (more == 4 || more > length - i - 1) {
      return false;
    }
    for (size_t k = 1; k <= more; ++k) {
      if ((s[i + k] & 0xc0) != 0x80) {
        return false;
      }
    }
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) ||
        (c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}
