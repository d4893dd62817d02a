/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* A header may declare more elements than the file has, so memory is allocated for the bytes that
   exist: the size of a regular file is checked first, a pipe is read into memory that grows. Then
   bytes are swapped, and Fortran order, which is C order of the reversed shape, is transposed tile
   by tile. */

#include "npy.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- conversions ----------------------------------------------------------- */

static void
swap_bytes(unsigned char* const data, const size_t n, const size_t size)
{
  for (size_t k = 0; k < n; ++k) {
    unsigned char* const element = data + k * size;
    for (size_t i = 0; i < size / 2; ++i) {
      const unsigned char byte = element[i];
      element[i] = element[size - 1 - i];
      element[size - 1 - i] = byte;
    }
  }
}

/* y[i y_step + j] = x[i + j x_step] for m x n elements, one tile at a time, so that both
   sides stay in the cache. */
static void
transpose(const char* const x, const int64_t x_step, char* const y, const int64_t y_step,
          const int64_t m, const int64_t n, const size_t size)
{
  enum { TILE = 32 };
  for (int64_t i0 = 0; i0 < m; i0 += TILE) {
    const int64_t i1 = i0 + TILE < m ? i0 + TILE : m;
    for (int64_t j0 = 0; j0 < n; j0 += TILE) {
      const int64_t j1 = j0 + TILE < n ? j0 + TILE : n;
      for (int64_t i = i0; i < i1; ++i) {
        for (int64_t j = j0; j < j1; ++j) {
          memcpy(y + (size_t)(i * y_step + j) * size, x + (size_t)(i + j * x_step) * size, size);
        }
      }
    }
  }
}

/* y (C order) <- x (Fortran order). The first and the last dimension are transposed, with a loop
   over the others. No extent is 0. */
static void
from_fortran(const pz_spec* const spec, const char* const x, char* const y)
{
  const int32_t last = spec->ndim - 1;
  const size_t size = pz_dtype_size(spec->dtype);
  int64_t x_step[PZ_MAX_DIMS];
  int64_t y_step[PZ_MAX_DIMS];
  int64_t at[PZ_MAX_DIMS] = {0};
  int64_t n = 1;
  for (int32_t i = 0; i <= last; ++i) {
    x_step[i] = n;
    n *= spec->shape[i];
  }
  n = 1;
  for (int32_t i = last; i >= 0; --i) {
    y_step[i] = n;
    n *= spec->shape[i];
  }
  for (bool more = true; more;) {
    int64_t from = 0;
    int64_t to = 0;
    for (int32_t i = 1; i < last; ++i) {
      from += at[i] * x_step[i];
      to += at[i] * y_step[i];
    }
    transpose(x + (size_t)from * size, x_step[last], y + (size_t)to * size, y_step[0],
              spec->shape[0], spec->shape[last], size);
    more = false;
    for (int32_t i = last - 1; i > 0 && !more; --i) {
      more = ++at[i] < spec->shape[i];
      at[i] = more ? at[i] : 0;
    }
  }
}

/* ---- reading --------------------------------------------------------------- */

/* An open file, and the rest of it where the size is known. */
typedef struct source {
  const char* path;
  int fd;
  bool regular;
  uint64_t left; /* bytes left of a regular file */
} source;

/* Reads `bytes` bytes, fewer only at the end of the file; -1 after printing an error. */
static ssize_t
read_some(source* const s, void* const out, const size_t bytes)
{
  size_t done = 0;
  while (done < bytes) {
    const size_t step = bytes - done < (1U << 30) ? bytes - done : 1U << 30;
    const ssize_t n = read(s->fd, (char*)out + done, step);
    if (n == 0) {
      break;
    }
    if (n < 0 && errno != EINTR) {
      say_system(s->path, errno);
      return -1;
    }
    done += n > 0 ? (size_t)n : 0;
  }
  s->left -= s->left < done ? s->left : done;
  return (ssize_t)done;
}

/* Reads the header, up to the first element. */
static bool
read_header(source* const s, npy_layout* const out)
{
  unsigned char prefix[NPY_PREFIX_BYTES];
  ssize_t n = read_some(s, prefix, 10);
  if (n < 0) {
    return false;
  }
  if (n < 6 || memcmp(prefix, "\x93NUMPY", 6) != 0) {
    say(s->path, "found no .npy header, expected one of version 1, 2 or 3");
    return false;
  }
  if (n == 10 && (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)) {
    say(s->path, "found .npy version %u.%u, expected 1.0, 2.0 or 3.0", prefix[6], prefix[7]);
    return false;
  }
  size_t length = (size_t)prefix[8] | (size_t)prefix[9] << 8;
  if (n == 10 && prefix[6] > 1) {
    const ssize_t more = read_some(s, prefix + 10, 2);
    if (more < 0) {
      return false;
    }
    n = more == 2 ? 10 : 0;
    length |= (size_t)prefix[10] << 16 | (size_t)prefix[11] << 24;
  }
  if (n < 10) {
    say(s->path, "found the end of the file inside its header");
    return false;
  }
  if (length > NPY_TEXT_LIMIT) {
    say(s->path, "found a header of %zu bytes, expected at most %d", length, NPY_TEXT_LIMIT);
    return false;
  }
  char* const text = malloc(length + 1);
  if (text == NULL) {
    say_no_memory(s->path);
    return false;
  }
  char reason[NPY_REASON_BYTES];
  n = read_some(s, text, length);
  bool good = n >= 0;
  if (good && (size_t)n < length) {
    say(s->path, "found the end of the file inside its header, after %zd of %zu bytes", n, length);
    good = false;
  } else if (good && !npy_parse(text, length, out, reason)) {
    say(s->path, "%s", reason);
    good = false;
  }
  free(text);
  return good;
}

/* Reads exactly `bytes` up to the end of the file, into memory that the caller frees. */
static void*
read_elements(source* const s, const size_t bytes)
{
  static const char wrong[] = "found %s%llu byte%s of elements, expected %zu";
  if (s->regular && s->left != bytes) {
    say(s->path, wrong, "", (unsigned long long)s->left, PLURAL(s->left), bytes);
    return NULL;
  }
  size_t capacity = s->regular || bytes < (1U << 20) ? bytes : 1U << 20;
  char* data = malloc(capacity + 1); /* one more, to detect a longer file */
  size_t done = 0;
  while (data != NULL) {
    const ssize_t n = read_some(s, data + done, capacity + 1 - done);
    if (n < 0) {
      break;
    }
    const bool ended = (size_t)n < capacity + 1 - done;
    done += (size_t)n;
    if (ended || done > bytes) {
      if (done == bytes) {
        return data;
      }
      say(s->path, wrong, ended ? "" : "at least ", (unsigned long long)done, PLURAL(done), bytes);
      break;
    }
    capacity = capacity < bytes / 2 ? 2 * capacity : bytes;
    char* const grown = realloc(data, capacity + 1);
    if (grown == NULL) {
      say_no_memory(s->path);
      break;
    }
    data = grown;
  }
  if (data == NULL) {
    say_no_memory(s->path);
  }
  free(data);
  return NULL;
}

static bool
read_open(source* const s, npy_array* const out)
{
  npy_layout layout;
  npy_array array = {.data = NULL};
  if (!read_header(s, &layout)) {
    return false;
  }
  array.spec = layout.spec;
  if (!npy_bytes(&array.spec, &array.bytes)) {
    say(s->path, "found a header of 2^62 bytes of elements or more, expected less");
    return false;
  }
  array.data = read_elements(s, array.bytes);
  if (array.data == NULL) {
    return false;
  }
  if (layout.swapped) {
    const size_t size = pz_dtype_size(array.spec.dtype);
    swap_bytes(array.data, array.bytes / size, size);
  }
  if (layout.fortran_order && array.spec.ndim > 1 && array.bytes > 0) {
    npy_array turned;
    if (!npy_new(&array.spec, s->path, &turned)) {
      npy_free(&array);
      return false;
    }
    from_fortran(&array.spec, array.data, turned.data);
    npy_free(&array);
    array = turned;
  }
  *out = array;
  return true;
}

bool
npy_read(const char* const path, npy_array* const out)
{
  struct stat about;
  source s = {path, open(path, O_RDONLY | O_CLOEXEC), false, 0};
  if (s.fd < 0) {
    say_system(path, errno);
    return false;
  }
  bool good = fstat(s.fd, &about) == 0;
  if (!good) {
    say_system(path, errno);
  } else if (S_ISDIR(about.st_mode)) {
    say_system(path, EISDIR);
    good = false;
  } else {
    s.regular = S_ISREG(about.st_mode);
    s.left = s.regular ? (uint64_t)about.st_size : 0;
    good = read_open(&s, out);
  }
  close(s.fd);
  return good;
}

/* ---- arrays ---------------------------------------------------------------- */

bool
npy_new(const pz_spec* const spec, const char* const what, npy_array* const out)
{
  npy_array array = {.spec = *spec};
  if (!npy_bytes(spec, &array.bytes)) {
    say(what, "found an array of 2^62 bytes or more, expected less");
    return false;
  }
  array.data = malloc(array.bytes > 0 ? array.bytes : 1);
  if (array.data == NULL) {
    say_no_memory(what);
    return false;
  }
  *out = array;
  return true;
}

void
npy_free(npy_array* const array)
{
  free(array->data);
  memset(array, 0, sizeof(*array));
}

pz_tensor
npy_tensor(const npy_array* const array)
{
  return pz_host_tensor(array->spec.dtype, array->data, array->spec.ndim, array->spec.shape);
}
