/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The host's locale may have a decimal comma. Reals are printed and read in the C locale, and the
   thread's locale is restored. */

#include "text.h"

#include "status.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
pzi_text_add(pzi_text* const text, const char* const string)
{
  const size_t length = strlen(string);
  if (text->failed) {
    return;
  }
  if (length >= text->capacity - text->length) { /* including the final zero */
    const size_t capacity = 2 * text->capacity + length + 1;
    char* const data = realloc(text->data, capacity);
    if (!data) {
      text->failed = true;
      return;
    }
    text->data = data;
    text->capacity = capacity;
  }
  memcpy(text->data + text->length, string, length + 1);
  text->length += length;
}

pz_status
pzi_text_finish(pzi_text* const text, char** const out)
{
  pzi_text_add(text, ""); /* allocates an empty string */
  const pzi_text built = *text;
  *text = (pzi_text){0};
  if (built.failed) {
    free(built.data);
    return pzi_no_memory(built.capacity);
  }
  *out = built.data;
  return PZ_OK;
}

const char*
pzi_text_from_real(const double value, char buffer[PZI_TEXT_REAL])
{
  const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  const locale_t before = c ? uselocale(c) : (locale_t)0;
  for (int digits = 15; digits <= 17; ++digits) {
    snprintf(buffer, PZI_TEXT_REAL, "%.*g", digits, value);
    if (strtod(buffer, NULL) == value) {
      break;
    }
  }
  if (c) {
    uselocale(before);
    freelocale(c);
  }
  return buffer;
}

bool
pzi_text_to_real(const char* const text, double* const out)
{
  const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (!c) {
    return false;
  }
  char* end = NULL;
  errno = 0;
  const double value = strtod_l(text, &end, c);
  const bool overflow = errno == ERANGE && isinf(value);
  freelocale(c);
  if (end == text || *end != '\0' || overflow) {
    return false;
  }
  *out = value;
  return true;
}

bool
pzi_text_to_integer(const char* const text, int64_t* const out)
{
  const char* digits = text + (*text == '-' || *text == '+');
  const bool hexadecimal = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
  char* end = NULL;
  errno = 0;
  const long long value = strtoll(text, &end, hexadecimal ? 16 : 10);
  if (end == text || *end != '\0' || errno == ERANGE) {
    return false;
  }
  *out = (int64_t)value;
  return true;
}
