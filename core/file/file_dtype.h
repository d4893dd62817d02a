/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

/* Dtypes as safetensors files name them: "F32", "BF16", "BOOL". */

#ifndef PZI_FILE_DTYPE_H
#define PZI_FILE_DTYPE_H

#include <parametrize/types.h>

/* Bits of an element of this dtype, or 0 for an unknown dtype. `*name` is set to a static copy
   of the dtype's name. */
uint32_t pzi_file_dtype_bits(const char* dtype, const char** name);

/* The library's dtype, or 0 where it has none. */
uint32_t pzi_file_dtype_parse(const char* dtype);

/* The file's name for a dtype of the library. */
const char* pzi_file_dtype_name(uint32_t dtype);

/* Bytes of a tensor of n extents with elements of `bits` bits. UINT64_MAX if they overflow or are not
   a whole number. */
uint64_t pzi_file_dtype_bytes(size_t n, const int64_t* extents, uint32_t bits);

#endif /* PZI_FILE_DTYPE_H */
