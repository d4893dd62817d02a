/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "utf8.h"

#include <string.h>

size_t
pzi_utf8_decode(const char* const text, const size_t length, uint32_t* const code)
{
  const unsigned char* const s = (const unsigned char*)text;
  const unsigned char c = s[0];
  const size_t more = c < 0x80 ? 0 : c < 0xc2 ? 4 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 4;
  if (more == 4 || more > length - 1) {
    return 0;
  }
  uint32_t value = more == 0 ? c : c & (0x3fU >> more);
  for (size_t k = 1; k <= more; ++k) {
    if ((s[k] & 0xc0) != 0x80) {
      return 0;
    }
    value = value << 6 | (s[k] & 0x3fU);
  }
  /* overlong forms, surrogates, beyond U+10FFFF */
  if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) || (c == 0xf0 && s[1] < 0x90) ||
      (c == 0xf4 && s[1] > 0x8f)) {
    return 0;
  }
  *code = value;
  return more + 1;
}

bool
pzi_utf8_check(const char* const text, const size_t length)
{
  uint32_t code = 0;
  for (size_t i = 0; i < length;) {
    const size_t n = pzi_utf8_decode(text + i, length - i, &code);
    if (n == 0) {
      return false;
    }
    i += n;
  }
  return true;
}

bool
pzi_utf8_is_control(const uint32_t code)
{
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

bool
pzi_utf8_is_printable(const uint32_t code)
{
  static const struct {
    uint32_t first;
    uint32_t last;
  } hidden[] = {
      {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f},
      {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
  };
  for (size_t k = 0; k < sizeof(hidden) / sizeof(hidden[0]); ++k) {
    if (code >= hidden[k].first && code <= hidden[k].last) {
      return false;
    }
  }
  return !pzi_utf8_is_control(code);
}

void
pzi_utf8_clean(char* const text)
{
  const size_t length = strlen(text);
  size_t to = 0;
  for (size_t i = 0; i < length;) {
    uint32_t code = 0;
    const size_t n = pzi_utf8_decode(text + i, length - i, &code);
    if (n > 0 && pzi_utf8_is_printable(code)) {
      memmove(text + to, text + i, n);
      to += n;
    } else {
      text[to++] = n == 1 && code != 0x7f ? ' ' : '?';
    }
    i += n > 0 ? n : 1;
  }
  text[to] = '\0';
}
