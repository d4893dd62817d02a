/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "json.h"

#include "print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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
json_extents(json* const j, const char* const key, const int32_t n, const int64_t* const extents)
{
  begin(j, key);
  putchar('[');
  for (int32_t i = 0; i < n; ++i) {
    printf("%s%" PRId64, i > 0 ? ", " : "", extents[i]);
  }
  putchar(']');
}

void
json_shape(json* const j, const char* const key, const pz_spec* const spec)
{
  json_extents(j, key, spec->ndim, spec->shape);
}
