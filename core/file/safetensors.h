/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* The JSON header of a safetensors file: {"name": {"dtype": "F32", "shape": [2, 3],
   "data_offsets": [0, 24]}, ..., "__metadata__": {"key": "text", ...}}. The file begins with the
   header's length (8 bytes, little endian); the tensors' bytes follow the header without gaps. */

#ifndef PZI_SAFETENSORS_H
#define PZI_SAFETENSORS_H

#include "alloc_list.h"

#include <parametrize/file.h>

/* The longest header that is accepted, as in the format's own library, and the bytes of the
   length before the header. */
enum { PZI_SAFETENSORS_MAX = 100000000, PZI_SAFETENSORS_PREFIX = 8 };

/* The most dimensions of a tensor in a file, as in NumPy and PyTorch. */
enum { PZI_FILE_DIMS = 64 };

/* One tensor of a file. */
typedef struct pzi_file_tensor {
  const char* name;
  const char* dtype; /* as the file names it: "F32" */
  pz_spec spec; /* its dtype is 0 where the library has none for it; its ndim is -1 if there are
                        more than PZ_MAX_DIMS dimensions */
  const int64_t* extents; /* then the shape; else NULL */
  uint32_t n_extents;
  uint64_t begin; /* byte range of the data, counted from the end of the header */
  uint64_t end;
  const char* data; /* where they lie; NULL: in the bytes of the file */
} pzi_file_tensor;

/* A parsed header. */
typedef struct pzi_safetensors {
  pzi_file_tensor* tensors; /* by byte range */
  uint32_t* by_name;        /* indices into `tensors`, sorted by name */
  size_t n_tensors;
  pz_metadata* metadata; /* in file order */
  size_t n_metadata;
  pzi_alloc_list strings; /* owns every name and text */
} pzi_safetensors;

/* Parses `length` bytes, followed by a zero, that describe `data_bytes` bytes of data. PZ_IO
   names the first error. */
pz_status pzi_safetensors_parse(const char* text, size_t length, uint64_t data_bytes,
                                pzi_safetensors* out);
void pzi_safetensors_cleanup(pzi_safetensors* header);

/* Sets the shape of a tensor whose dtype is set. The header owns more than PZ_MAX_DIMS extents. */
pz_status pzi_safetensors_set_shape(pzi_safetensors* header, size_t n, const int64_t* extents,
                                    pzi_file_tensor* out);

/* PZ_IO if two tensors of the sorted header have one name. */
pz_status pzi_safetensors_check_names(const pzi_safetensors* header);

/* Copies the arrays of a header; the strings are borrowed from it. */
pz_status pzi_safetensors_borrow(const pzi_safetensors* from, pzi_safetensors* out);

/* Sorts `by_name` again after tensors were renamed. */
void pzi_safetensors_sort(pzi_safetensors* header);

/* The first place in `by_name` whose name is not before `name`. */
size_t pzi_safetensors_bound(const pzi_safetensors* header, const char* name);

/* The tensor of this name, or NULL. */
const pzi_file_tensor* pzi_safetensors_find(const pzi_safetensors* header, const char* name);

#endif /* PZI_SAFETENSORS_H */
