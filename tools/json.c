/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "json.h"

#include <utf8.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void
print_quoted(const char* const text)
{
  const size_t length = strlen(text);
  putchar('"');
  for (size_t i = 0; i < length;) {
    const unsigned char c = (unsigned char)text[i];
    uint32_t code = 0;
    const size_t n = pzi_utf8_decode(text + i, length - i, &code);
    if (n == 0) {
      fputs("\\ufffd", stdout);
    } else if (c == '"' || c == '\\') {
      printf("\\%c", c);
    } else if (c < 0x20 || c == 0x7f) {
      printf("\\u%04x", (unsigned)c);
    } else {
      (void)fwrite(text + i, 1, n, stdout);
    }
    i += n > 0 ? n : 1;
  }
  putchar('"');
}

/* What stands before an element. */
static void
begin(json* const j, const char* const key)
{
  const bool inside = j->depth > 0;
  if (inside && j->some[j->depth - 1]) {
    putchar(',');
  }
  if (inside && j->bracket[j->depth - 1] == '[') {
    printf("\n%*s", 2 * j->depth, "");
  } else if (inside && j->some[j->depth - 1]) {
    putchar(' ');
  }
  if (inside) {
    j->some[j->depth - 1] = true;
  }
  if (key) {
    print_quoted(key);
    fputs(": ", stdout);
  }
}

void
json_open(json* const j, const char* const key, const char bracket)
{
  begin(j, key);
  putchar(bracket);
  j->bracket[j->depth] = bracket;
  j->some[j->depth] = false;
  j->depth += 1;
}

void
json_close(json* const j)
{
  j->depth -= 1;
  const bool is_array = j->bracket[j->depth] == '[';
  if (is_array && j->some[j->depth]) {
    printf("\n%*s", 2 * j->depth, "");
  }
  putchar(is_array ? ']' : '}');
  if (j->depth == 0) {
    putchar('\n');
  }
}

void
json_text(json* const j, const char* const key, const char* const text)
{
  begin(j, key);
  if (text) {
    print_quoted(text);
  } else {
    fputs("null", stdout);
  }
}

void
json_number(json* const j, const char* const key, const double number)
{
  begin(j, key);
  if (isfinite(number)) {
    printf("%.17g", number);
  } else {
    fputs("null", stdout);
  }
}

void
json_flag(json* const j, const char* const key, const bool flag)
{
  begin(j, key);
  fputs(flag ? "true" : "false", stdout);
}

void
json_shape(json* const j, const char* const key, const pz_spec* const spec)
{
  begin(j, key);
  putchar('[');
  for (int32_t i = 0; i < spec->ndim; ++i) {
    printf("%s%" PRId64, i > 0 ? ", " : "", spec->shape[i]);
  }
  putchar(']');
}
