/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An array of n elements has at least the capacity of the next power of two. */

#include "array.h"

#include "status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 8 };

static size_t
capacity_of(const size_t n)
{
  size_t capacity = n > 0 ? FEWEST : 0;
  while (capacity < n) {
    capacity = capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * capacity;
  }
  return capacity;
}

pz_status
pzi_array_reserve(void* const array, const size_t n, const size_t more, const size_t size)
{
  void* data = NULL;
  if (more <= capacity_of(n) - n) {
    return PZ_OK;
  }
  const size_t capacity = capacity_of(n + more);
  if (n + more < n || capacity > SIZE_MAX / size) {
    return pzi_no_memory(SIZE_MAX);
  }
  memcpy(&data, array, sizeof(data)); /* pointers to objects have one representation */
  data = realloc(data, capacity * size);
  if (!data) {
    return pzi_no_memory(capacity * size);
  }
  memcpy(array, &data, sizeof(data));
  return PZ_OK;
}
