/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* One allocation for each text; all are freed together. */

#include "texts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char*
texts_add(texts* const t, const char* const format, ...)
{
  char* text = NULL;
  va_list args;
  if (t->n == t->room) {
    const size_t room = t->room ? 2 * t->room : 64;
    void* const grown = realloc(t->all, room * sizeof(*t->all));
    if (grown == NULL) {
      t->failed = true;
      return "";
    }
    t->all = grown;
    t->room = room;
  }
  va_start(args, format);
  const int length = vasprintf(&text, format, args);
  va_end(args);
  if (length < 0) {
    t->failed = true;
    return "";
  }
  t->all[t->n++] = text;
  return text;
}

static const char*
show_extents(texts* const t, const size_t n, const int64_t* const extents)
{
  enum { MOST = 64 };
  char text[MOST * 24];
  size_t length = 0;
  for (size_t i = 0; i < n && i < MOST; ++i) {
    length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%" PRId64, i ? "x" : "",
                               extents[i]);
  }
  return n == 0 ? "scalar" : texts_add(t, "%s", text);
}

const char*
texts_shape(texts* const t, const pz_spec* const spec)
{
  return show_extents(t, (size_t)spec->ndim, spec->shape);
}

const char*
texts_extents(texts* const t, const pz_file_tensor_info* const tensor)
{
  return tensor->extents ? show_extents(t, tensor->n_extents, tensor->extents)
                         : texts_shape(t, &tensor->spec);
}

bool
texts_has_word(const char* const words, const char* const word)
{
  const size_t length = strlen(word);
  for (const char* at = words; length > 0 && (at = strstr(at, word)) != NULL; at += length) {
    const bool begins = at == words || at[-1] == ' ';
    if (begins && (at[length] == ' ' || at[length] == '\0')) {
      return true;
    }
  }
  return false;
}

void
texts_cleanup(texts* const t)
{
  for (size_t k = 0; k < t->n; ++k) {
    free(t->all[k]);
  }
  free(t->all);
  memset(t, 0, sizeof(*t));
}
