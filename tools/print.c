/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "print.h"

#include <utf8.h>

#include <stdio.h>
#include <string.h>

enum { SHOWN = 16 }; /* bytes of a character or an escape, with the final zero */

/* The first character of a text as it is printed. Returns its bytes in the text. */
static size_t
show(const char* const text, const size_t length, char out[SHOWN])
{
  uint32_t code = 0;
  const size_t n = pzi_utf8_decode(text, length, &code);
  if (n > 0 && pzi_utf8_is_printable(code)) {
    memcpy(out, text, n);
    out[n] = '\0';
  } else if (n <= 1) {
    snprintf(out, SHOWN, "\\x%02x", (unsigned)(unsigned char)*text);
  } else {
    snprintf(out, SHOWN, "\\u{%x}", (unsigned)code);
  }
  return n > 0 ? n : 1;
}

void
print_part(const char* const text, const size_t length)
{
  char shown[SHOWN];
  for (size_t i = 0; i < length;) {
    i += show(text + i, length - i, shown);
    fputs(shown, stdout);
  }
}

void
print_pieces(const char* const* pieces)
{
  for (; *pieces != NULL; ++pieces) {
    print_part(*pieces, strlen(*pieces));
  }
  putchar('\n');
}

void
print_quoted_to(FILE* const to, const char* const text)
{
  const size_t length = strlen(text);
  fputc('"', to);
  for (size_t i = 0; i < length;) {
    uint32_t code = 0;
    const size_t n = pzi_utf8_decode(text + i, length - i, &code);
    if (text[i] == '"' || text[i] == '\\') {
      fprintf(to, "\\%c", text[i]);
    } else if (n > 0 && pzi_utf8_is_printable(code)) {
      fwrite(text + i, 1, n, to);
    } else if (n > 0 && code >= 0x10000) {
      fprintf(to, "\\u%04x\\u%04x", 0xd800 + (unsigned)((code - 0x10000) >> 10),
              0xdc00 + (unsigned)(code & 0x3ff));
    } else {
      fprintf(to, "\\u%04x", n > 0 ? (unsigned)code : 0xfffdU);
    }
    i += n > 0 ? n : 1;
  }
  fputc('"', to);
}

void
print_quoted(const char* const text)
{
  print_quoted_to(stdout, text);
}

size_t
print_width(const char* const text)
{
  const size_t length = strlen(text);
  char shown[SHOWN];
  size_t width = 0;
  for (size_t i = 0; i < length;) {
    const size_t n = show(text + i, length - i, shown);
    width += n > 1 && shown[0] != '\\' ? 1 : strlen(shown);
    i += n;
  }
  return width;
}

void
print_into(char* const out, const size_t size, const char* const text)
{
  const size_t length = strlen(text);
  char shown[SHOWN];
  size_t at = 0;
  for (size_t i = 0; i < length;) {
    i += show(text + i, length - i, shown);
    const size_t n = strlen(shown);
    if (n >= size - at) {
      break;
    }
    memcpy(out + at, shown, n);
    at += n;
  }
  out[at] = '\0';
}
