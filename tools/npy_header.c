/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The header of a .npy file is a Python dictionary with three keys,
     {'descr': '<f8', 'fortran_order': False, 'shape': (8, 5, 3, 3), }
   This parser accepts exactly that form: keys in any order, single or double quotes, any white
   space, with or without a comma after the last item. Other Python expressions are errors. */

#include "npy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static const char native_order = '>';
static const char other_order = '<';
#else
static const char native_order = '<';
static const char other_order = '>';
#endif

typedef struct cursor {
  const char* begin;
  const char* at;
  const char* end;
  char* reason;
} cursor;

static bool PZ_PRINTF(2, 3) refuse(const cursor* const c, const char* const format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(c->reason, NPY_REASON_BYTES, format, args);
  va_end(args);
  return false;
}

static bool
refuse_broken(const cursor* const c, const char* const expected)
{
  return refuse(c, "broken header: expected %s at its byte %td", expected, c->at - c->begin);
}

static void
skip_space(cursor* const c)
{
  while (c->at < c->end && *c->at != '\0' && strchr(" \t\r\n\f\v", *c->at)) {
    ++c->at;
  }
}

/* Consumes `mark` if it is next. */
static bool
take(cursor* const c, const char mark)
{
  skip_space(c);
  if (c->at < c->end && *c->at == mark) {
    ++c->at;
    return true;
  }
  return false;
}

static bool
take_word(cursor* const c, const char* const word)
{
  const size_t length = strlen(word);
  skip_space(c);
  if ((size_t)(c->end - c->at) >= length && memcmp(c->at, word, length) == 0) {
    c->at += length;
    return true;
  }
  return false;
}

/* Reads a string without escapes, of less than `size` bytes. */
static bool
read_string(cursor* const c, char* const out, const size_t size)
{
  const char quote = take(c, '\'') ? '\'' : '"';
  if (quote == '"' && !take(c, '"')) {
    return refuse_broken(c, "a quoted string");
  }
  size_t n = 0;
  for (; c->at < c->end && *c->at != quote; ++c->at) {
    if (*c->at == '\\' || (unsigned char)*c->at < 0x20 || n + 1 >= size) {
      return refuse_broken(c, "a short plain string");
    }
    out[n++] = *c->at;
  }
  if (!take(c, quote)) {
    return refuse_broken(c, "a closing quote");
  }
  out[n] = '\0';
  return true;
}

/* Reads an extent; Python 2 wrote long ones with a final L. */
static bool
read_extent(cursor* const c, int64_t* const out)
{
  skip_space(c);
  if (c->at < c->end && *c->at == '-') {
    return refuse(c, "found a negative extent, expected 0 or more");
  }
  if (c->at >= c->end || *c->at < '0' || *c->at > '9') {
    return refuse_broken(c, "an extent");
  }
  int64_t n = 0;
  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; ++c->at) {
    const int digit = *c->at - '0';
    if (n > (INT64_MAX - digit) / 10) {
      return refuse(c, "found an extent of 2^63 or more, expected less");
    }
    n = 10 * n + digit;
  }
  if (c->at < c->end && *c->at == 'L') {
    ++c->at;
  }
  *out = n;
  return true;
}

/* Reads a tuple: (), (3,), (3, 4), (3, 4,), but not (3). */
static bool
read_shape(cursor* const c, pz_spec* const spec)
{
  if (!take(c, '(')) {
    return refuse_broken(c, "a shape in parentheses");
  }
  int32_t ndim = 0;
  bool comma = true;
  while (!take(c, ')')) {
    int64_t extent = 0;
    if (!comma) {
      return refuse_broken(c, "a comma");
    }
    if (!read_extent(c, &extent)) {
      return false;
    }
    if (ndim < PZ_MAX_DIMS) {
      spec->shape[ndim] = extent;
    }
    ++ndim;
    comma = take(c, ',');
  }
  if (ndim == 1 && !comma) {
    return refuse_broken(c, "a comma after the only extent, before this");
  }
  if (ndim > PZ_MAX_DIMS) {
    return refuse(c, "found %d dimensions, expected at most %d", (int)ndim, PZ_MAX_DIMS);
  }
  spec->ndim = ndim;
  return true;
}

/* Reports a type other than float32 and float64, by NumPy's name: kind and bits. */
static bool
refuse_type(const cursor* const c, const char* const code)
{
  static const struct {
    char kind;
    const char* name;
    int bits; /* per byte of the code's number; 0: the name has no number */
  } kinds[] = {
      {'i', "int", 8},  {'u', "uint", 8},       {'f', "float", 8},       {'c', "complex", 8},
      {'b', "bool", 0}, {'O', "object", 0},     {'S', "bytes", 0},       {'a', "bytes", 0},
      {'U', "str", 0},  {'M', "datetime64", 0}, {'m', "timedelta64", 0}, {'V', "void", 0},
  };
  char* rest = NULL;
  const long bytes = strtol(code + (*code != '\0'), &rest, 10);
  const bool plain = *rest == '\0' || *rest == '['; /* "M8[ns]" */
  for (size_t k = 0; plain && k < sizeof(kinds) / sizeof(kinds[0]); ++k) {
    if (kinds[k].kind == *code && kinds[k].bits == 0) {
      return refuse(c, "found %s, expected float32 or float64", kinds[k].name);
    }
    if (kinds[k].kind == *code && bytes > 0 && bytes < 100) {
      return refuse(c, "found %s%ld, expected float32 or float64", kinds[k].name,
                    kinds[k].bits * bytes);
    }
  }
  return refuse(c, "found type \"%s\", expected float32 or float64", code);
}

static bool
read_type(cursor* const c, npy_layout* const out)
{
  char text[64];
  skip_space(c);
  if (c->at < c->end && (*c->at == '[' || *c->at == '(')) {
    return refuse(c, "found a structured type, expected float32 or float64");
  }
  if (!read_string(c, text, sizeof(text))) {
    return false;
  }
  const char order = *text;
  const char* const code = text + (order != '\0' && strchr("<>=|", order) ? 1 : 0);
  if (strcmp(code, "f4") == 0) {
    out->spec.dtype = PZ_F32;
  } else if (strcmp(code, "f8") == 0) {
    out->spec.dtype = PZ_F64;
  } else {
    return refuse_type(c, code);
  }
  out->swapped = order == other_order;
  return true;
}

static bool
read_flag(cursor* const c, bool* const out)
{
  *out = take_word(c, "True");
  return *out || take_word(c, "False") || refuse_broken(c, "True or False");
}

bool
npy_parse(const char* const text, const size_t length, npy_layout* const out,
          char reason[NPY_REASON_BYTES])
{
  static const char* const keys[] = {"descr", "fortran_order", "shape"};
  cursor c = {text, text, text + length, reason};
  bool seen[3] = {false, false, false};
  bool comma = true;
  memset(out, 0, sizeof(*out));
  if (!take(&c, '{')) {
    return refuse_broken(&c, "a dictionary");
  }
  while (!take(&c, '}')) {
    char key[32];
    size_t k = 0;
    if (!comma) {
      return refuse_broken(&c, "a comma");
    }
    if (!read_string(&c, key, sizeof(key))) {
      return false;
    }
    while (k < 3 && strcmp(key, keys[k]) != 0) {
      ++k;
    }
    if (k == 3 || seen[k]) {
      return refuse(&c, "broken header: %s key \"%s\"", k == 3 ? "unknown" : "repeated", key);
    }
    seen[k] = true;
    if (!take(&c, ':')) {
      return refuse_broken(&c, "a colon");
    }
    if (!(k == 0   ? read_type(&c, out)
          : k == 1 ? read_flag(&c, &out->fortran_order)
                   : read_shape(&c, &out->spec))) {
      return false;
    }
    comma = take(&c, ',');
  }
  skip_space(&c);
  if (c.at != c.end) {
    return refuse_broken(&c, "its end");
  }
  for (size_t k = 0; k < 3; ++k) {
    if (!seen[k]) {
      return refuse(&c, "broken header: key \"%s\" is missing", keys[k]);
    }
  }
  return true;
}

bool
npy_bytes(const pz_spec* const spec, size_t* const out)
{
  const int64_t limit = INT64_C(1) << 62;
  int64_t bytes = (int64_t)pz_dtype_size(spec->dtype);
  for (int32_t i = 0; i < spec->ndim; ++i) {
    if (spec->shape[i] == 0) {
      *out = 0;
      return true;
    }
  }
  for (int32_t i = 0; i < spec->ndim; ++i) {
    if (spec->shape[i] >= limit / bytes) {
      return false;
    }
    bytes *= spec->shape[i];
  }
  *out = (size_t)bytes;
  return true;
}

size_t
npy_header(const pz_spec* const spec, char out[NPY_HEADER_BYTES])
{
  enum { PREFIX = 10, ALIGNMENT = 64 };
  char* const text = out + PREFIX;
  const size_t room = NPY_HEADER_BYTES - PREFIX;
  /* At most 51 + 8 * 21 + 5 bytes before the padding. */
  size_t n = (size_t)snprintf(text, room, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                              native_order, spec->dtype == PZ_F32 ? "f4" : "f8");
  for (int32_t i = 0; i < spec->ndim; ++i) {
    n += (size_t)snprintf(text + n, room - n, "%s%lld%s", i > 0 ? " " : "",
                          (long long)spec->shape[i],
                          i + 1 < spec->ndim || spec->ndim == 1 ? "," : "");
  }
  n += (size_t)snprintf(text + n, room - n, "), }");
  while ((PREFIX + n + 1) % ALIGNMENT != 0) {
    text[n++] = ' ';
  }
  text[n++] = '\n';
  memcpy(out, "\x93NUMPY\x01\x00", 8);
  out[8] = (char)(n & 0xff);
  out[9] = (char)(n >> 8);
  return PREFIX + n;
}
