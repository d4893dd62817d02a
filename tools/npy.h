/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Arrays in NumPy's .npy format: float32 and float64, up to PZ_MAX_DIMS dimensions. */

#ifndef TOOLS_NPY_H
#define TOOLS_NPY_H

#include <parametrize/types.h>

#include <stdbool.h>
#include <stddef.h>

/* An array that owns its memory: C order, native byte order. All zero bytes: no array. */
typedef struct npy_array {
  pz_spec spec;
  void* data;   /* from malloc; not NULL, even for an empty array */
  size_t bytes; /* of the elements */
} npy_array;

/* A parsed header. */
typedef struct npy_layout {
  pz_spec spec;
  bool fortran_order;
  bool swapped; /* not the native byte order */
} npy_layout;

enum {
  NPY_PREFIX_BYTES = 12,        /* magic, version and the length of versions 2 and 3 */
  NPY_TEXT_LIMIT = 1024 * 1024, /* of a header's dictionary */
  NPY_REASON_BYTES = 256,
  NPY_HEADER_BYTES = 384, /* at most, of a header from npy_header */
};

/* Reads the dictionary of a header, `length` bytes at `text`; false with the reason. */
bool npy_parse(const char* text, size_t length, npy_layout* out, char reason[NPY_REASON_BYTES]);

/* The bytes of an array of `spec`; false for 2^62 or more. */
bool npy_bytes(const pz_spec* spec, size_t* out);

/* Reads a file and converts byte and element order; prints an error and returns false. The memory
   it uses is bounded by the size of the file. */
bool npy_read(const char* path, npy_array* out);

/* Allocates an array, without setting its elements; an error message begins with `what`. */
bool npy_new(const pz_spec* spec, const char* what, npy_array* out);

void npy_free(npy_array* array);

/* A view of the array, valid until `array` moves or is freed. */
pz_tensor npy_tensor(const npy_array* array);

/* Writes the header for `spec`, C order and native byte order, padded to 64 bytes; returns its
   length. The elements follow it in the file. */
size_t npy_header(const pz_spec* spec, char out[NPY_HEADER_BYTES]);

#endif /* TOOLS_NPY_H */
