/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "file_dtype.h"

#include <string.h>

uint32_t
pzi_file_dtype_bits(const char* const dtype, const char** const name)
{
  static const struct {
    const char* name;
    uint32_t bits;
  } known[] = {
      {"F32", 32},        {"F64", 64},        {"I64", 64}, {"F16", 16},    {"BF16", 16},
      {"I32", 32},        {"I16", 16},        {"I8", 8},   {"U8", 8},      {"U16", 16},
      {"U32", 32},        {"U64", 64},        {"BOOL", 8}, {"C64", 64},    {"F8_E4M3", 8},
      {"F8_E5M2", 8},     {"F8_E8M0", 8},     {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6},
      {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
  };
  for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); ++k) {
    if (strcmp(known[k].name, dtype) == 0) {
      *name = known[k].name;
      return known[k].bits;
    }
  }
  return 0;
}

uint32_t
pzi_file_dtype_parse(const char* const dtype)
{
  return strcmp(dtype, "F32") == 0   ? PZ_F32
         : strcmp(dtype, "F64") == 0 ? PZ_F64
         : strcmp(dtype, "I64") == 0 ? PZ_I64
                                     : 0;
}

const char*
pzi_file_dtype_name(const uint32_t dtype)
{
  return dtype == PZ_F32 ? "F32" : dtype == PZ_F64 ? "F64" : dtype == PZ_I64 ? "I64" : "?";
}

uint64_t
pzi_file_dtype_bytes(const size_t n, const int64_t* const extents, const uint32_t bits)
{
  uint64_t all = bits;
  for (size_t i = 0; i < n; ++i) {
    if (extents[i] == 0) {
      return 0;
    }
  }
  for (size_t i = 0; i < n; ++i) {
    if (__builtin_mul_overflow(all, (uint64_t)extents[i], &all)) {
      return UINT64_MAX;
    }
  }
  return all % 8 == 0 ? all / 8 : UINT64_MAX;
}
