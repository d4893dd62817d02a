/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Copies of structs whose first word is their size. */

#include "sized_struct.h"

#include "status.h"

#include <inttypes.h>
#include <string.h>

/* The first two words: the size, and flags, a type or a reserved word. */
enum { HEADER = 2 * sizeof(uint32_t), LARGEST = 1 << 16 };

static uint32_t
size_of(const void* const sized)
{
  uint32_t size = 0;
  memcpy(&size, sized, sizeof(size));
  return size;
}

pz_status
pzi_struct_check(const void* const to, const char* const what)
{
  if (!to) {
    return pzi_fail(PZ_INVALID, "found no %s", what);
  }
  const uint32_t size = size_of(to);
  if (size < HEADER || size > LARGEST) {
    return pzi_fail(PZ_INVALID, "%s: found size %" PRIu32 ", expected sizeof the struct", what,
                    size);
  }
  return PZ_OK;
}

pz_status
pzi_struct_read(void* const to, const size_t bytes, const size_t reserved, const void* const from,
                const char* const what)
{
  PZ_TRY(pzi_struct_check(from, what));
  const size_t size = size_of(from);
  const unsigned char* const byte = from;
  for (size_t k = bytes; k < size; ++k) {
    if (byte[k] != 0) {
      return pzi_fail(PZ_UNSUPPORTED,
                      "%s: byte %zu of %zu is set, but version %d.%d knows only %zu", what, k, size,
                      PZ_VERSION_MAJOR, PZ_VERSION_MINOR, bytes);
    }
  }
  memset(to, 0, bytes);
  memcpy(to, from, size < bytes ? size : bytes);
  uint32_t word = 0;
  memcpy(&word, (const char*)to + reserved, sizeof(word));
  return word == 0 ? PZ_OK
                   : pzi_fail(PZ_UNSUPPORTED,
                              "%s: found %" PRIu32 " in a reserved field, expected 0", what, word);
}

pz_status
pzi_struct_check_reserved(const void* const reserved, const size_t bytes, const char* const what,
                          const size_t index)
{
  const unsigned char* const byte = reserved;
  for (size_t k = 0; k < bytes; ++k) {
    if (byte[k] != 0) {
      return pzi_fail(PZ_INVALID, "%s %zu: its reserved bytes are not zero", what, index);
    }
  }
  return PZ_OK;
}

void
pzi_struct_write(void* const to, const void* const from, const size_t bytes)
{
  const uint32_t size = size_of(to);
  memset(to, 0, size);
  memcpy(to, from, size < bytes ? size : bytes);
  memcpy(to, &size, sizeof(size));
}
