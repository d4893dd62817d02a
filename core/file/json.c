/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The parser is cJSON. It recurses, allocates tens of bytes per value, and finds members by
   linear search. Therefore a text is scanned before it is parsed, and readers of large objects
   iterate over the members. */

#include "json.h"

#include "sorted_names.h"
#include "status.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cJSON stores the position of its last error in a global variable. */
static pthread_mutex_t parser = PTHREAD_MUTEX_INITIALIZER;

static bool
is_digit(const char c)
{
  return c >= '0' && c <= '9';
}

static pz_status
scan(const char* const text, const size_t length, const uint32_t depth_max,
     const pzi_json_numbers numbers, const char* const what)
{
  if (length == 0 || text[0] != '{') {
    return pzi_fail(PZ_IO, "%s does not begin with \"{\"", what);
  }
  if (!pzi_utf8_check(text, length)) {
    return pzi_fail(PZ_IO, "%s is not UTF-8", what);
  }
  bool in_string = false;
  uint32_t depth = 0;
  size_t n_values = 0;
  for (size_t i = 0; i < length; ++i) {
    const char c = text[i];
    if ((unsigned char)c < 0x20 && (in_string || !strchr("\t\n\r", c) || c == '\0')) {
      return pzi_fail(PZ_IO, "%s holds control byte 0x%02x at %zu", what, (unsigned)c, i);
    }
    if (in_string) {
      if (c == '\\') {
        if (length - i > 5 && memcmp(text + i + 1, "u0000", 5) == 0) {
          return pzi_fail(PZ_IO, "%s holds an escaped zero at %zu", what, i);
        }
        ++i;
      }
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == ',') {
      ++n_values;
    } else if (c == '{' || c == '[') {
      ++n_values;
      if (++depth > depth_max) {
        return pzi_fail(PZ_IO, "%s is nested deeper than %" PRIu32 " at %zu", what, depth_max, i);
      }
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    } else if (numbers == PZI_JSON_WHOLE_NUMBERS &&
               (c == '-' || c == '.' || ((c == 'e' || c == 'E') && is_digit(text[i - 1])))) {
      return pzi_fail(PZ_IO, "%s holds a number at %zu that is not a whole one without a sign",
                      what, i);
    }
  }
  /* A tensor of eight dimensions takes about five bytes per value. */
  if (n_values > length / 4 + 64) {
    return pzi_fail(PZ_IO, "%s holds %zu values in %zu bytes", what, n_values, length);
  }
  return PZ_OK;
}

pz_status
pzi_json_parse(const char* const text, const size_t length, const uint32_t depth,
               const pzi_json_numbers numbers, const char* const what, cJSON** const out)
{
  const char* end = NULL;
  PZ_TRY(scan(text, length, depth, numbers, what));
  pthread_mutex_lock(&parser);
  errno = 0; /* cJSON itself does not say whether it failed for lack of memory */
  cJSON* const document = cJSON_ParseWithLengthOpts(text, length, &end, 0);
  const bool shortage = !document && errno == ENOMEM;
  pthread_mutex_unlock(&parser);
  if (shortage) {
    return pzi_no_memory(length);
  }
  if (!document) {
    return pzi_fail(PZ_IO, "%s is not JSON at byte %zu", what, end ? (size_t)(end - text) : 0);
  }
  for (; end < text + length; ++end) {
    if (!strchr(" \t\n\r", *end)) {
      cJSON_Delete(document);
      return pzi_fail(PZ_IO, "%s has extra bytes after its end, at byte %zu", what,
                      (size_t)(end - text));
    }
  }
  *out = document;
  return PZ_OK;
}

pz_status
pzi_json_unique(const cJSON* const object)
{
  enum { FEW = 16 };
  const char* few[FEW];
  const size_t n = (size_t)cJSON_GetArraySize(object);
  const char** const names = n <= FEW ? few : malloc(n * sizeof(*names));
  if (!names) {
    return pzi_no_memory(n * sizeof(*names));
  }
  size_t k = 0;
  const cJSON* item;
  cJSON_ArrayForEach(item, object)
  {
    names[k++] = item->string;
  }
  const char* const twice = pzi_sorted_names_sort(names, k);
  if (names != few) {
    free(names);
  }
  return twice ? pzi_fail(PZ_IO, "\"%.100s\" appears twice", twice) : PZ_OK;
}

bool
pzi_json_count(const cJSON* const item, uint64_t* const out)
{
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0 && item->valuedouble <= 0x1p53)) {
    return false;
  }
  *out = (uint64_t)item->valuedouble;
  return (double)*out == item->valuedouble;
}

pz_status
pzi_json_extents(const cJSON* const array, const size_t most, int64_t* const out, size_t* const n)
{
  if (!cJSON_IsArray(array)) {
    return pzi_fail(PZ_IO, "\"shape\" is not an array");
  }
  *n = 0;
  const cJSON* item;
  cJSON_ArrayForEach(item, array)
  {
    uint64_t extent;
    if (*n == most) {
      return pzi_fail(PZ_IO, "\"shape\" has more than %zu dimensions", most);
    }
    if (!pzi_json_count(item, &extent)) {
      return pzi_fail(PZ_IO, "an extent is not an integer from 0 to 2^53");
    }
    out[(*n)++] = (int64_t)extent;
  }
  return PZ_OK;
}

pz_status
pzi_json_shape(const cJSON* const array, pz_spec* const out)
{
  size_t n = 0;
  PZ_TRY(pzi_json_extents(array, PZ_MAX_DIMS, out->shape, &n));
  out->ndim = (int32_t)n;
  return PZ_OK;
}

void
pzi_json_add_text(pzi_text* const json, const char* const text)
{
  pzi_text_add(json, "\"");
  for (const char* at = text; *at != '\0';) {
    /* a run without escapes, in pieces that fit */
    char piece[256];
    size_t n = 0;
    while (n < sizeof(piece) - 1 && (unsigned char)at[n] >= 0x20 && at[n] != '"' && at[n] != '\\') {
      piece[n] = at[n];
      ++n;
    }
    if (n == 0) {
      const unsigned char c = (unsigned char)*at;
      snprintf(piece, sizeof(piece), c < 0x20 ? "\\u%04x" : "\\%c", (unsigned)c);
      ++at;
    } else {
      piece[n] = '\0';
      at += n;
    }
    pzi_text_add(json, piece);
  }
  pzi_text_add(json, "\"");
}

void
pzi_json_add_count(pzi_text* const json, const uint64_t value)
{
  char digits[24];
  snprintf(digits, sizeof(digits), "%" PRIu64, value);
  pzi_text_add(json, digits);
}

void
pzi_json_add_extents(pzi_text* const json, const size_t n, const int64_t* const extents)
{
  pzi_text_add(json, "[");
  for (size_t i = 0; i < n; ++i) {
    pzi_text_add(json, i > 0 ? "," : "");
    pzi_json_add_count(json, (uint64_t)extents[i]);
  }
  pzi_text_add(json, "]");
}
