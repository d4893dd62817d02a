/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "sorted_names.h"

#include <stdlib.h>
#include <string.h>

static int
by_text(const void* const a, const void* const b)
{
  return strcmp(*(const char* const*)a, *(const char* const*)b);
}

const char*
pzi_sorted_names_sort(const char** const names, const size_t n)
{
  if (n > 0) {
    qsort(names, n, sizeof(*names), by_text);
  }
  for (size_t k = 1; k < n; ++k) {
    if (strcmp(names[k - 1], names[k]) == 0) {
      return names[k];
    }
  }
  return NULL;
}

bool
pzi_sorted_names_has(const char* const* const names, const size_t n, const char* const name)
{
  return n > 0 && bsearch(&name, names, n, sizeof(*names), by_text) != NULL;
}
