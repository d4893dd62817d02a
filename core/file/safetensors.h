/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The JSON header of a safetensors file: {"name": {"dtype": "F32", "shape": [2, 3],
   "data_offsets": [0, 24]}, ..., "__metadata__": {"key": "text", ...}}. Before it stands its
   length as 8 bytes, little endian; after it the tensors' bytes without gaps. */

#ifndef PZI_SAFETENSORS_HEADER_H
#define PZI_SAFETENSORS_HEADER_H

#include "alloc_list.h"

#include <parametrize/file.h>

/* Longer headers are refused, as by the format's own library; and the bytes of the length
   before them. */
enum { PZI_HEADER_MAX = 100000000, PZI_HEADER_PREFIX = 8 };

/* One tensor of a file. `spec.dtype` is 0 where the file's dtype is none of ours. */
typedef struct pzi_file_tensor {
  const char* name;
  const char* dtype; /* as the file says it, "F32" */
  pz_spec spec;
  uint64_t begin; /* of the data, from the end of the header */
  uint64_t end;
} pzi_file_tensor;

/* What a header says; all strings are its own. */
typedef struct pzi_header {
  pzi_file_tensor* tensors; /* in order of bytes */
  uint32_t* by_name;        /* their places, sorted by name */
  size_t n_tensors;
  pz_metadata* metadata; /* in order */
  size_t n_metadata;
  pzi_pool strings;
} pzi_header;

/* Parses `length` bytes, a 0 behind them, that describe `data_bytes` bytes of data. PZ_IO
   says what is wrong. */
pz_status pzi_header_parse(const char* text, size_t length, uint64_t data_bytes, pzi_header* out);
void pzi_header_cleanup(pzi_header* header);

/* The same tensors and texts in arrays of its own, the strings borrowed; and the order of
   names made good after some were exchanged. */
pz_status pzi_header_borrow(const pzi_header* from, pzi_header* out);
void pzi_header_sort(pzi_header* header);

/* The tensor of that name, or NULL. */
const pzi_file_tensor* pzi_header_find(const pzi_header* header, const char* name);

/* Bits of an element of a dtype as the format names it, and its name that lasts for ever; 0
   for one that it has not. */
uint32_t pzi_dtype_bits(const char* dtype, const char** name);

/* Ours for it, or 0; and the format's for one of ours. */
uint32_t pzi_dtype_of(const char* dtype);
const char* pzi_dtype_name(uint32_t dtype);

/* Bytes of the elements of a shape, or UINT64_MAX where that is no size a file can have. */
uint64_t pzi_shape_bytes(const pz_spec* spec, uint32_t bits);

#endif /* PZI_SAFETENSORS_HEADER_H */
