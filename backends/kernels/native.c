/* Copyright (c) 2026 the libparametrize authors
   SPDX-License-Identifier: MIT */

#include "gpu.h"

#include <parametrize/native.h>

#include <string.h>

/* The common form of the structs of native.h. */
typedef struct native_struct {
  uint32_t size;
  uint32_t reserved;
  void* handle;
} native_struct;

_Static_assert(sizeof(native_struct) == sizeof(pz_opencl_native) &&
                   sizeof(native_struct) == sizeof(pz_cuda_native),
               "one form");

pz_status
gpu_native_handle(const pz_backend_host* const host, const void* const native, void** const out)
{
  enum { HEADER = offsetof(native_struct, handle), LARGEST = 1 << 16 };
  native_struct known = {0};
  memcpy(&known.size, native, sizeof(known.size));
  const size_t size = known.size;
  if (size < HEADER || size > LARGEST) {
    return host->fail(PZ_INVALID, "native queue: found size %zu, expected sizeof the struct", size);
  }
  memcpy(&known, native, size < sizeof(known) ? size : sizeof(known));
  const unsigned char* const byte = native;
  bool clear = known.reserved == 0;
  for (size_t k = sizeof(known); k < size; ++k) {
    clear = clear && byte[k] == 0;
  }
  if (!clear) {
    return host->fail(PZ_UNSUPPORTED,
                      "native queue: found a field that this version does not know, expected 0");
  }
  *out = known.handle;
  return PZ_OK;
}
