/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arrays in NumPy's .npy format: float32 and float64, up to PZ_MAX_DIMS dimensions. */

#ifndef TOOLS_NPY_H
#define TOOLS_NPY_H

#include <parametrize/types.h>

#include <stdbool.h>
#include <stddef.h>

/* An array in memory of its own: C order, native byte order. All zero bytes: none. */
typedef struct npy_array {
  pz_spec spec;
  void* data;   /* from malloc, never NULL in an array that was made */
  size_t bytes; /* of the elements */
} npy_array;

/* What a header says. */
typedef struct npy_layout {
  pz_spec spec;
  bool fortran_order;
  bool swapped; /* the other byte order */
} npy_layout;

enum {
  NPY_PREFIX_BYTES = 12,        /* magic, version and the longer length of versions 2, 3 */
  NPY_TEXT_LIMIT = 1024 * 1024, /* of a header's dictionary */
  NPY_REASON_BYTES = 256,
  NPY_HEADER_BYTES = 384, /* of a header that npy_header writes, at most */
};

/* Reads the dictionary of a header, `length` bytes at `text`; false with the reason. */
bool npy_parse(const char* text, size_t length, npy_layout* out, char reason[NPY_REASON_BYTES]);

/* Bytes of an array of `spec`; false where they are 2^62 or more. */
bool npy_bytes(const pz_spec* spec, size_t* out);

/* Reads a file, converting byte and element order; says why not and returns false. The
   memory taken is bounded by what the file really holds. */
bool npy_read(const char* path, npy_array* out);

/* An array with room for `spec`, elements not set; `what` is named on failure. */
bool npy_new(const pz_spec* spec, const char* what, npy_array* out);

void npy_free(npy_array* array);

/* A view; valid while `array` stays where it is. */
pz_tensor npy_tensor(const npy_array* array);

/* Magic, version and dictionary of a file of `spec`, C order, native byte order, 64-byte
   aligned; returns its length. The elements follow. */
size_t npy_header(const pz_spec* spec, char out[NPY_HEADER_BYTES]);

#endif /* TOOLS_NPY_H */
