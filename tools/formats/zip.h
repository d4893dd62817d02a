/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Archives of stored entries, as torch.save writes them. Everything in them is untrusted. */

#ifndef TOOLS_ZIP_H
#define TOOLS_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why an archive is refused. */
typedef struct zip_error {
  char text[256];
} zip_error;

/* One entry; `name` is not closed by a zero. */
typedef struct zip_entry {
  const char* name;
  size_t n_name;
  const unsigned char* data;
  uint64_t bytes;
  uint32_t crc;
} zip_entry;

typedef struct zip {
  zip_entry* entries; /* sorted by name */
  size_t n;
} zip;

/* Reads the directory of an archive of `size` bytes in memory, which must outlive it. Refuses entries
   that are compressed or encrypted, lie outside of the archive, or have one name. Clean up after
   success. */
bool zip_open(const void* bytes, size_t size, zip* out, zip_error* error);
void zip_close(zip* z);

/* The entry of a name, or NULL. */
const zip_entry* zip_find(const zip* z, const char* name, size_t n_name);

/* Does the checksum fit the data? */
bool zip_check(const zip_entry* entry);

#endif /* TOOLS_ZIP_H */
