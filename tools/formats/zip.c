/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* An archive ends with a record that tells where the directory is; the directory tells where the local
   header of each entry is, and the data follow that. With zip64, numbers that do not fit are all ones
   and stand elsewhere: in a second record at the end, or in an extra field of the directory. */

#include "zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  END_BYTES = 22,
  COMMENT_MOST = 65535,
  LOCATOR_BYTES = 20,
  END64_BYTES = 56,
  CENTRAL_BYTES = 46,
  LOCAL_BYTES = 30,
  ENTRIES_MOST = 1 << 22,
};
static const uint32_t end_mark = 0x06054b50;
static const uint32_t locator_mark = 0x07064b50;
static const uint32_t end64_mark = 0x06064b50;
static const uint32_t central_mark = 0x02014b50;
static const uint32_t local_mark = 0x04034b50;

typedef struct archive {
  const unsigned char* bytes;
  uint64_t size;
  zip_error* error;
} archive;

static bool
refuse(const archive* const a, const char* const text)
{
  snprintf(a->error->text, sizeof(a->error->text), "%s", text);
  return false;
}

/* A little-endian number of n bytes. */
static uint64_t
number(const unsigned char* const at, const int n)
{
  uint64_t x = 0;
  for (int k = n; k-- > 0;) {
    x = x << 8 | at[k];
  }
  return x;
}

/* Are there n bytes at an offset? */
static bool
has(const archive* const a, const uint64_t offset, const uint64_t n)
{
  return offset <= a->size && n <= a->size - offset;
}

typedef struct directory {
  uint64_t n;
  uint64_t bytes;
  uint64_t offset;
} directory;

static bool
find_directory(const archive* const a, directory* const out)
{
  uint64_t at = a->size >= END_BYTES ? a->size - END_BYTES : UINT64_MAX;
  const uint64_t least =
      a->size > END_BYTES + COMMENT_MOST ? a->size - END_BYTES - COMMENT_MOST : 0;
  while (at != UINT64_MAX && at >= least && number(a->bytes + at, 4) != end_mark) {
    at = at > 0 ? at - 1 : UINT64_MAX;
  }
  if (at == UINT64_MAX || at < least) {
    return refuse(a, "a zip archive that is cut off: found no end record");
  }
  const unsigned char* const end = a->bytes + at;
  *out = (directory){number(end + 10, 2), number(end + 12, 4), number(end + 16, 4)};
  if (at >= LOCATOR_BYTES && number(end - LOCATOR_BYTES, 4) == locator_mark) {
    const uint64_t at64 = number(end - LOCATOR_BYTES + 8, 8);
    if (!has(a, at64, END64_BYTES) || number(a->bytes + at64, 4) != end64_mark) {
      return refuse(a, "a zip archive whose zip64 record is missing");
    }
    const unsigned char* const end64 = a->bytes + at64;
    *out = (directory){number(end64 + 32, 8), number(end64 + 40, 8), number(end64 + 48, 8)};
  }
  if (out->n > ENTRIES_MOST || !has(a, out->offset, out->bytes) ||
      out->bytes / CENTRAL_BYTES < out->n) {
    return refuse(a, "a zip archive whose directory is not in it");
  }
  return true;
}

/* Takes the next 8-byte number of a zip64 field in place of a 4-byte one that is all ones. */
static bool
widen(const unsigned char** const field, const unsigned char* const end, uint64_t* const x)
{
  if (*x != UINT32_MAX) {
    return true;
  }
  if (end - *field < 8) {
    return false;
  }
  *x = number(*field, 8);
  *field += 8;
  return true;
}

/* Finds the zip64 field among the extra fields. */
static bool
read_zip64(const unsigned char* extra, const unsigned char* const end, uint64_t* const bytes,
           uint64_t* const packed, uint64_t* const offset)
{
  const unsigned char* field = end;
  const unsigned char* field_end = end;
  while (end - extra >= 4) {
    const uint64_t n = number(extra + 2, 2);
    if ((uint64_t)(end - extra - 4) < n) {
      return false;
    }
    if (number(extra, 2) == 1 && field == end) {
      field = extra + 4;
      field_end = field + n;
    }
    extra += 4 + n;
  }
  return widen(&field, field_end, bytes) && widen(&field, field_end, packed) &&
         widen(&field, field_end, offset);
}

/* Reads one record of the directory; `*at` moves behind it. */
static bool
read_entry(const archive* const a, const directory* const d, uint64_t* const at,
           zip_entry* const out)
{
  const uint64_t end = d->offset + d->bytes;
  const unsigned char* const c = a->bytes + *at;
  if (end - *at < CENTRAL_BYTES || number(c, 4) != central_mark) {
    return refuse(a, "a zip archive with a damaged directory");
  }
  const uint64_t n_name = number(c + 28, 2);
  const uint64_t n_extra = number(c + 30, 2);
  const uint64_t all = CENTRAL_BYTES + n_name + n_extra + number(c + 32, 2);
  uint64_t packed = number(c + 20, 4);
  uint64_t bytes = number(c + 24, 4);
  uint64_t offset = number(c + 42, 4);
  if (end - *at < all ||
      !read_zip64(c + CENTRAL_BYTES + n_name, c + CENTRAL_BYTES + n_name + n_extra, &bytes, &packed,
                  &offset)) {
    return refuse(a, "a zip archive with a damaged directory");
  }
  if (number(c + 10, 2) != 0 || packed != bytes || (number(c + 8, 2) & 1) != 0) {
    return refuse(a, "a zip archive with compressed or encrypted entries, expected those of "
                     "torch.save, which are stored");
  }
  if (!has(a, offset, LOCAL_BYTES) || number(a->bytes + offset, 4) != local_mark) {
    return refuse(a, "a zip archive whose entries are not where its directory has them");
  }
  const unsigned char* const local = a->bytes + offset;
  const uint64_t data = offset + LOCAL_BYTES + number(local + 26, 2) + number(local + 28, 2);
  if (!has(a, data, bytes)) {
    return refuse(a, "a zip archive that is cut off: an entry ends behind it");
  }
  *out = (zip_entry){(const char*)c + CENTRAL_BYTES, (size_t)n_name, a->bytes + data, bytes,
                     (uint32_t)number(c + 16, 4)};
  *at += all;
  return true;
}

static int
compare(const char* const a, const size_t n_a, const char* const b, const size_t n_b)
{
  const int order = memcmp(a, b, n_a < n_b ? n_a : n_b);
  return order != 0 ? order : n_a < n_b ? -1 : n_a > n_b;
}

static int
by_name(const void* const a, const void* const b)
{
  const zip_entry* const x = a;
  const zip_entry* const y = b;
  return compare(x->name, x->n_name, y->name, y->n_name);
}

static bool
read_entries(const archive* const a, const directory* const d, zip* const out)
{
  uint64_t at = d->offset;
  for (; out->n < d->n; ++out->n) {
    if (!read_entry(a, d, &at, &out->entries[out->n])) {
      return false;
    }
  }
  if (out->n > 0) {
    qsort(out->entries, out->n, sizeof(*out->entries), by_name);
  }
  for (size_t k = 1; k < out->n; ++k) {
    if (by_name(&out->entries[k - 1], &out->entries[k]) == 0) {
      return refuse(a, "a zip archive with two entries of one name");
    }
  }
  return true;
}

bool
zip_open(const void* const bytes, const size_t size, zip* const out, zip_error* const error)
{
  const archive a = {bytes, size, error};
  directory d;
  *out = (zip){0};
  if (!find_directory(&a, &d)) {
    return false;
  }
  out->entries = calloc((size_t)d.n + 1, sizeof(*out->entries));
  if (out->entries == NULL) {
    return refuse(&a, "out of memory");
  }
  if (!read_entries(&a, &d, out)) {
    zip_close(out);
    return false;
  }
  return true;
}

void
zip_close(zip* const z)
{
  free(z->entries);
  *z = (zip){0};
}

const zip_entry*
zip_find(const zip* const z, const char* const name, const size_t n_name)
{
  const zip_entry key = {.name = name, .n_name = n_name};
  return z->n > 0 ? bsearch(&key, z->entries, z->n, sizeof(key), by_name) : NULL;
}

/* ---- checksums ------------------------------------------------------------------- */

/* The polynomial of zip, bits reversed. Eight tables, so that eight bytes take one step. */
bool
zip_check(const zip_entry* const entry)
{
  static uint32_t tables[8][256];
  if (tables[0][1] == 0) { /* one thread */
    for (uint32_t k = 0; k < 256; ++k) {
      uint32_t x = k;
      for (int bit = 0; bit < 8; ++bit) {
        x = x >> 1 ^ ((x & 1) != 0 ? 0xedb88320U : 0);
      }
      tables[0][k] = x;
    }
    for (uint32_t k = 0; k < 256; ++k) {
      for (int t = 1; t < 8; ++t) {
        tables[t][k] = tables[t - 1][k] >> 8 ^ tables[0][tables[t - 1][k] & 255];
      }
    }
  }
  uint32_t crc = UINT32_MAX;
  uint64_t i = 0;
  for (; i + 8 <= entry->bytes; i += 8) {
    const unsigned char* const b = entry->data + i;
    crc ^= (uint32_t)number(b, 4);
    crc = tables[7][crc & 255] ^ tables[6][crc >> 8 & 255] ^ tables[5][crc >> 16 & 255] ^
          tables[4][crc >> 24] ^ tables[3][b[4]] ^ tables[2][b[5]] ^ tables[1][b[6]] ^
          tables[0][b[7]];
  }
  for (; i < entry->bytes; ++i) {
    crc = crc >> 8 ^ tables[0][(crc ^ entry->data[i]) & 255];
  }
  return ~crc == entry->crc;
}
